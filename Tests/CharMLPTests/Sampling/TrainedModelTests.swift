// A million words of a trained model, beside what its chain says they must be like.

import RealModule
import Testing

@testable import CharMLP

@Suite("Words of a trained model")
struct TrainedModelTests {
  /// The lecture's shape with fewer hidden units, trained for some thousand steps.
  static let model = Result {
    var recipe = Recipe()
    (recipe.hidden, recipe.steps) = (64, 4000)
    let trainer = Trainer(recipe, try Dataset(bundledWords(), recipe))
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

  @Test("Lengths, characters and pairs of a million words are those of the model's chain")
  func statistics() throws {
    let count = try Self.model.get().vocabulary.count
    var lengths: [Int] = []
    var bigrams = Occurrences(count * count)
    var unigrams = Occurrences(count)
    try words { word in
      while lengths.count <= word.count { lengths.append(0) }
      lengths[word.count] += 1
      bigrams.add(zip([0] + word, word + [0]).map { Int($0) * count + Int($1) })
      unigrams.add(word.map(Int.init))
    }
    let expected = ChainStatistics(try Self.model.get())
    #expect(abs(expected.lengths.reduce(0, +) - 1) < 1e-12)

    // Words are independent, so their lengths are multinomial, and Pearson's statistic is chi-square.
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
    #expect(abs(pairs.map { $0 * $0 }.reduce(0, +) / Double(pairs.count) - 1) < 0.25)
  }

  /// Pearson's statistic less its mean, in standard deviations; cells from the first one on that expects
  /// fewer than five words, and all after it, are one.
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
    for (index, thing) in held.enumerated() {
      sums[thing] += 1
      // (k + 1)² = k² + 2k + 1, where k were there before.
      squares[thing] += 1 + 2 * held[..<index].count { $0 == thing }
    }
  }

  /// The means less the expected ones, in standard errors, of what is expected a hundred times: then a
  /// mean is as good as normal, and so is the spread that is estimated from the words.
  func deviations(_ expected: [Double]) -> [Double] {
    let n = Double(words)
    return sums.indices.filter { expected[$0] * n >= 100 }.map { index in
      let mean = Double(sums[index]) / n
      let variance = Double(squares[index]) / n - mean * mean
      return (mean - expected[index]) / (variance / n).squareRoot()
    }
  }
}
