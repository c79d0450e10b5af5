// A million words of a trained model, compared with what its chain says about them.

import RealModule
import Testing

@testable import CharMLP

@Suite("Words of a trained model")
struct TrainedModelTests {
  /// The lecture's shape with fewer hidden units, trained for some thousand steps.
  static let model = Result {
    var recipe = Recipe()
    (recipe.hidden, recipe.steps) = (64, 4000)
    let trainer = try Trainer(recipe, Dataset(bundledWords(), recipe))
    try trainer.advance(to: recipe.steps)
    return trainer.model()
  }

  private static let draws = 1_000_000

  /// Words of the first streams of a fixed seed.
  private func words(_ body: ([Int32]) -> Void) throws {
    var sampler = try Sampler(try Self.model.get(), seed: 2_147_483_647)
    #expect(sampler.method == .free)
    var word = DrawnWord()
    for _ in 0..<Self.draws {
      try sampler.next(into: &word)
      body(word.ids)
    }
  }

  @Test("A million words of a trained model have the lengths, characters and pairs of its chain")
  func statistics() throws {
    let count = try Self.model.get().vocabulary.count
    var lengths: [Int] = []
    var bigrams = Occurrences(count * count)
    var unigrams = Occurrences(count)
    try words { word in
      while lengths.count <= word.count { lengths.append(0) }
      lengths[word.count] += 1
      var (pairs, letters, before): ([Int], [Int], Int) = ([], [], 0)
      for id in word {
        pairs.append(before * count + Int(id))
        letters.append(Int(id))
        before = Int(id)
      }
      pairs.append(before * count)
      bigrams.add(pairs)
      unigrams.add(letters)
    }
    let expected = ChainStatistics(try Self.model.get())
    #expect(abs(expected.lengths.reduce(0, +) - 1) < 1e-12)

    // Words are independent, so their lengths are multinomial, and Pearson's statistic is
    // chi-square.
    let statistic = chiSquare(lengths, expected.lengths)
    #expect(statistic.cells > 15)
    #expect(abs(statistic.deviation) < 5)

    // What one word holds is not independent, but what two words hold is. So the mean over words is
    // normal, with the standard error that the spread between words gives, and beyond 5.5 standard
    // errors once in 26 million: for 700 cells once in 37,000 seeds.
    let (pairs, letters) = (
      bigrams.deviations(expected.bigrams), unigrams.deviations(expected.unigrams)
    )
    #expect(pairs.count > 500)
    #expect(letters.count == count - 1)
    #expect((pairs + letters).allSatisfy { abs($0) < 5.5 })
    // The squares of standard deviations are 1 on the average; those of cells that go together vary
    // more than 1 ± √(2/500), but not by a quarter.
    let meanSquare = pairs.map { $0 * $0 }.reduce(0, +) / Double(pairs.count)
    #expect(abs(meanSquare - 1) < 0.25)
  }

  /// Pearson's statistic less its mean, in standard deviations; cells from the first one on that
  /// expects fewer than five words, and all after it, are one.
  private func chiSquare(
    _ counts: [Int], _ probabilities: [Double]
  ) -> (deviation: Double, cells: Int) {
    let means = probabilities.map { $0 * Double(Self.draws) }
    // Lengths have one mode: behind it they only grow rarer. No word is empty.
    let last = means.lastIndex { $0 >= 5 } ?? 0
    var (statistic, cells) = (0.0, 0)
    for length in 1...last + 1 {
      let isRest = length > last
      let mean = isRest ? means[length...].reduce(0, +) : means[length]
      let found = isRest ? counts.dropFirst(length).reduce(0, +) : counts[length]
      statistic += (Double(found) - mean) * (Double(found) - mean) / mean
      cells += 1
    }
    let freedom = Double(cells - 1)
    return ((statistic - freedom) / (2 * freedom).squareRoot(), cells)
  }
}

/// How often words hold each of some things, and how much that differs between words.
private struct Occurrences {
  private var sums: [Int]
  private var squares: [Int]
  private var words = 0

  init(_ count: Int) {
    sums = Array(repeating: 0, count: count)
    squares = sums
  }

  /// Adds what a word holds, each as often as it does.
  mutating func add(_ held: [Int]) {
    words += 1
    // Plain loops: in debug builds, where tests are not optimized, a million words take long.
    var index = 0
    while index < held.count {
      let thing = held[index]
      var (before, count) = (0, 0)
      while before < index {
        if held[before] == thing { count += 1 }
        before += 1
      }
      sums[thing] += 1
      // (k + 1)² = k² + 2k + 1, where k were there before.
      squares[thing] += 1 + 2 * count
      index += 1
    }
  }

  /// The means less the expected ones, in standard errors, of what is expected a hundred times:
  /// then a mean is as good as normal, and so is the spread that is estimated from the words.
  func deviations(_ expected: [Double]) -> [Double] {
    let n = Double(words)
    return sums.indices.filter { expected[$0] * n >= 100 }.map { index in
      let mean = Double(sums[index]) / n
      let variance = Double(squares[index]) / n - mean * mean
      return (mean - expected[index]) / (variance / n).squareRoot()
    }
  }
}

// MARK: - What the chain says

// Computed, not drawn: the probability of each context is carried from length to length until no
// word is left, in Double, and expectations are sums over the contexts.

/// The expected statistics of words that have at least one character.
struct ChainStatistics {
  /// The probability of each length.
  private(set) var lengths: [Double] = []
  /// How often a word holds each pair of neighbours on the average, its two ends being one
  /// character. (vocabulary · vocabulary)
  private(set) var bigrams: [Double]
  /// How often a word holds each character on the average; 0 for the terminator.  (vocabulary)
  private(set) var unigrams: [Double]

  /// The probability that words are still unfinished when the rest is left out.
  static let leastMass = 1e-15

  init(_ model: Model) {
    let count = model.vocabulary.count
    let chain = Chain(model)
    bigrams = Array(repeating: 0, count: count * count)
    unigrams = Array(repeating: 0, count: count)
    // By context: the probability that a word has the length so far and stands there.
    var standing = [Double](repeating: 0, count: chain.contexts)
    standing[0] = 1 / (1 - chain.probabilities[0])
    var isFirst = true
    while standing.reduce(0, +) >= Self.leastMass {
      var next = [Double](repeating: 0, count: chain.contexts)
      var ended = 0.0
      for context in 0..<chain.contexts where standing[context] > 0 {
        for id in 0..<count where id > 0 || !isFirst {
          let share = standing[context] * chain.probabilities[context * count + id]
          bigrams[context % count * count + id] += share
          guard id > 0 else {
            ended += share
            continue
          }
          unigrams[id] += share
          next[chain.after(context, id)] += share
        }
      }
      lengths.append(ended)
      standing = next
      isFirst = false
    }
  }
}

/// Distributions by context; a context is a number in the vocabulary's count as its base, the
/// newest character last, and 0 before a word's first character.
private struct Chain {
  /// (contexts, vocabulary)
  let probabilities: [Double]
  let contexts: Int
  private let count: Int

  init(_ model: Model) {
    let (count, block) = (model.vocabulary.count, model.shape.blockSize)
    let scorer = WordScorer(model)
    contexts = (0..<block).reduce(1) { product, _ in product * count }
    self.count = count
    probabilities = (0..<contexts).flatMap { context in
      var ids: [Int32] = []
      var rest = context
      for _ in 0..<block {
        ids.insert(Int32(rest % count), at: 0)
        rest /= count
      }
      return scorer.distribution(after: ids)
    }
  }

  func after(_ context: Int, _ id: Int) -> Int { (context * count + id) % contexts }
}
