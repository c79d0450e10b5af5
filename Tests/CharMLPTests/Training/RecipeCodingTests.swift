// A recipe that a program sets up is checked, and goes through anybody's encoder.

import Foundation
import Testing

@testable import CharMLP

@Suite("Recipes in programs")
struct RecipeCodingTests {
  @Test("A setting that a trainer cannot use is refused with its name and value")
  func validation() {
    let cases: [(String, String, @Sendable (inout Recipe) -> Void)] = [
      ("batch_size", "1", { $0.batchSize = 1 }), ("batch_size", "-5", { $0.batchSize = -5 }),
      ("block_size", "0", { $0.blockSize = 0 }), ("hidden", "0", { $0.hidden = 0 }),
      ("steps", "0", { $0.steps = 0 }), ("learning_rate", "0.0", { $0.learningRate = 0 }),
      ("learning_rate", "nan", { $0.learningRate = .nan }), ("dropout", "1.0", { $0.dropout = 1 }),
      ("averaging", "-0.5", { $0.averaging = -0.5 }), ("warmup", "-1", { $0.warmup = -1 }),
      ("weight_decay", "inf", { $0.weightDecay = .infinity }),
    ]
    for (key, found, change) in cases {
      var recipe = Recipe()
      change(&recipe)
      #expect(throws: RecipeError.value(key, found: found)) { try recipe.validate() }
    }
  }

  @Test("Settings that exclude each other are refused together, by every trainer")
  func conflict() throws {
    var recipe = Recipe()
    (recipe.hidden, recipe.split, recipe.deduplicate) = (8, .hash, true)
    let expected = RecipeError.conflict(
      "deduplicate", "split hash", reason: "which gives equal words the same part")
    #expect(throws: expected) { try recipe.validate() }
    #expect(
      "\(expected)"
        == "deduplicate cannot be used with split hash, which gives equal words the same part")
    let words = try WordList(RandomWords.make(count: 300, alphabet: 6, longest: 9))
    let dataset = try Dataset(words, recipe)
    #expect(throws: expected) { try Trainer(recipe, dataset) }
    #expect(throws: expected) { try recipe.start(on: dataset) }
    recipe.deduplicate = false
    try recipe.validate()
  }

  @Test(
    "Every preset is a valid recipe", arguments: Recipe.Preset.allCases,
    [100, 50_000, 10_000_000])
  func presets(preset: Recipe.Preset, windows: Int) throws {
    try Recipe(preset, trainingWindows: windows).validate()
  }

  @Test("Encoded and decoded, a recipe is the same, and every setting is in it")
  func roundTrip() throws {
    var recipe = Recipe(.best, trainingWindows: 50_000)
    (recipe.seed, recipe.split, recipe.deduplicate) = (.max, .hash, true)
    let data = try JSONEncoder().encode(recipe)
    #expect(try JSONDecoder().decode(Recipe.self, from: data) == recipe)
    // What the library's own reader makes of the same text.
    #expect(try Recipe(text: String(decoding: data, as: UTF8.self)) == recipe)
    let decoded = try JSONDecoder().decode(Recipe.self, from: Data(recipe.text.utf8))
    #expect(decoded == recipe)
  }

  @Test("A decoded recipe has the notebook's value for a setting that is missing")
  func missing() throws {
    let recipe = try JSONDecoder().decode(Recipe.self, from: Data(#"{"hidden": 100}"#.utf8))
    #expect(recipe.hidden == 100)
    #expect(recipe.batchSize == Recipe().batchSize)
  }

  @Test("Settings that are not known, and values that are not possible, are named")
  func corrupted() throws {
    let cases: [(String, RecipeError)] = [
      (#"{"hiden": 100}"#, .unknownSetting("hiden")),
      (#"{"batch_size": 1}"#, .value("batch_size", found: "1")),
      (#"{"optimizer": "adam"}"#, .value("optimizer", found: "adam")),
    ]
    for (text, expected) in cases {
      let error = #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(Recipe.self, from: Data(text.utf8))
      }
      guard case .dataCorrupted(let context)? = error else {
        Issue.record("\(text): \(String(describing: error))")
        continue
      }
      #expect(context.underlyingError as? RecipeError == expected)
      #expect(context.debugDescription == "\(expected)")
    }
  }

  @Test("A trainer refuses a recipe that it cannot use, and data of another block size")
  func trainer() throws {
    let words = try WordList([
      "anna", "otto", "emma", "mia", "lea", "ida", "tom", "ben", "eva", "jo",
    ])
    var recipe = Recipe()
    (recipe.hidden, recipe.steps) = (8, 10)
    let dataset = try Dataset(words, recipe)
    recipe.batchSize = 1
    #expect(throws: RecipeError.value("batch_size", found: "1")) { try Trainer(recipe, dataset) }
    recipe.batchSize = 4
    recipe.blockSize = 5
    #expect(throws: RecipeError.blockSize(5, ofData: 3)) { try Trainer(recipe, dataset) }
    #expect(throws: RecipeError.blockSize(5, ofData: 3)) {
      try LearningRateSearch(recipe, dataset)
    }
    #expect(throws: DatasetError.blockSize(0)) { try Dataset(words, splitSeed: 1, blockSize: 0) }
  }

  @Test("A checkpoint does not go on with data of other symbols or another block size")
  func resuming() throws {
    let words = try WordList([
      "anna", "otto", "emma", "mia", "lea", "ida", "tom", "ben", "eva", "jo",
    ])
    var recipe = Recipe()
    (recipe.hidden, recipe.steps, recipe.batchSize) = (8, 10, 4)
    let trainer = try Trainer(recipe, Dataset(words, recipe))
    try trainer.advance(to: 5)
    let checkpoint = Checkpoint(trainer, words: StoredWords(words))
    let others = try Dataset(WordList(Array(words) + ["xyz"]), recipe)
    #expect(throws: RecipeError.self) { try Trainer(resuming: checkpoint, others) }
    recipe.blockSize = 2
    let shorter = try Dataset(words, recipe)
    #expect(throws: RecipeError.blockSize(3, ofData: 2)) {
      try Trainer(resuming: checkpoint, shorter)
    }
  }
}
