// Ranks that each hold a part of the training text see together what one process sees that holds
// all.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Ranks with a list split by hash")
struct HashSplitRanksTests {
  private static let words = Result { try bundledWords() }

  private static func recipe(_ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe()
    (recipe.hidden, recipe.steps, recipe.split) = (40, 100, .hash)
    change(&recipe)
    return recipe
  }

  private func alone(_ recipe: Recipe, _ words: WordList) throws -> TrainedRun {
    try TrainedRun(Trainer(recipe, Dataset(words, recipe)))
  }

  private func runs(
    _ recipe: Recipe, _ words: WordList, ranks: Int, threads: Int = 1
  ) throws -> [TrainedRun] {
    try ThreadRanks.run(ranks) { communicator in
      Result {
        let dataset = try Dataset(words, recipe, communicator: communicator)
        return try TrainedRun(
          Trainer(recipe, dataset, threads: threads, communicator: communicator))
      }
    }.map { try $0.get() }
  }

  // Another order of adding changes the last bits of a Float; 5e-6 is the bound that all ranks
  // have.
  @Test(
    "With a list split by hash, ranks have the losses of one process, and all the same bits every time",
    arguments: 1...4, [32, 61])
  func losses(ranks: Int, batchSize: Int) throws {
    let words = try Self.words.get()
    let recipe = Self.recipe { $0.batchSize = batchSize }
    let expected = try alone(recipe, words)
    let found = try runs(recipe, words, ranks: ranks)
    #expect(found.allSatisfy { $0 == found[0] })
    #expect(found[0].losses.count == 100)
    let distance = found[0].distance(to: expected)
    #expect(distance <= 5e-6, "\(distance)")
    #expect(try runs(recipe, words, ranks: ranks) == found)
  }

  @Test(
    "With a list split by hash, dropout depends on a window's place in the minibatch, not on its rank",
    arguments: [2, 3])
  func dropout(ranks: Int) throws {
    let words = try Self.words.get()
    let recipe = Self.recipe { ($0.dropout, $0.batchSize) = (0.5, 37) }
    let expected = try alone(recipe, words)
    let found = try runs(recipe, words, ranks: ranks)
    #expect(found.allSatisfy { $0 == found[0] })
    let distance = found[0].distance(to: expected)
    #expect(distance <= 5e-6, "\(distance)")
  }

  @Test(
    "With a list split by hash, threads of a rank change no bit, in both forms of the first layer",
    arguments: [5, 200])
  func threads(batchSize: Int) throws {
    let words = try Self.words.get()
    let recipe = Self.recipe { ($0.batchSize, $0.hidden, $0.steps) = (batchSize, 100, 5) }
    let found = try runs(recipe, words, ranks: 2)
    #expect(try runs(recipe, words, ranks: 2, threads: 2) == found)
  }

  @Test("With a list split by hash, ranks without a training word take part in every step")
  func emptyParts() throws {
    // Words so long that most ranks' shares of the bytes hold the beginning of none.
    let words = try WordList(
      RandomWords.make(count: 12, alphabet: 5, longest: 30) + [String(repeating: "ぁ", count: 2000)])
    let recipe = Self.recipe { ($0.batchSize, $0.steps) = (16, 20) }
    let expected = try alone(recipe, words)
    let found = try runs(recipe, words, ranks: 4)
    #expect(found.allSatisfy { $0 == found[0] })
    let distance = found[0].distance(to: expected)
    // Batch norm of so few and so similar windows multiplies rounding by up to 316.
    #expect(distance <= 1e-4, "\(distance)")
  }

  private static func stream(
    _ words: WordList, _ recipe: Recipe, _ communicator: (any Communicator)?
  ) throws -> MinibatchStream {
    MinibatchStream(
      try Dataset(words, recipe, communicator: communicator).trainingText, blockSize: 3,
      batchSize: 50, generator: TorchGenerator(seed: 5))
  }

  @Test("The ranks' parts of a minibatch hold each window once, at its place")
  func minibatches() throws {
    let words = try Self.words.get()
    let recipe = Self.recipe { $0.batchSize = 50 }
    var whole = try Self.stream(words, recipe, nil)
    let parts = try ThreadRanks.run(3) { communicator in
      Result {
        var stream = try Self.stream(words, recipe, communicator)
        return (0..<20).map { _ in stream.next() }
      }
    }.map { try $0.get() }
    for step in 0..<20 {
      let expected = whole.next()
      #expect(expected.positions == nil)
      var found = Minibatch(blockSize: 3, count: 50)
      var places: [Int32] = []
      for part in parts.map({ $0[step] }) {
        for (row, place) in try #require(part.positions).enumerated() {
          places.append(place)
          found.targets[Int(place)] = part.targets[row]
          for column in 0..<3 {
            found.contexts[Int(place) * 3 + column] = part.contexts[row * 3 + column]
          }
        }
      }
      #expect(places.sorted() == Array(0..<50))
      #expect(found == expected)
    }
  }
}
