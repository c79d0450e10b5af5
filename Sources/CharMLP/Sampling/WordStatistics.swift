// How a model's words compare with words that it was not trained on: by their lengths, by their
// pairs of characters, and by how new they are.
//
// The training words are compared with the held-out ones in the same way: the difference between
// two samples of one source is not the model's fault.

import RealModule

/// Counts of lengths and of pairs of neighbouring characters, the two ends of a word included.
package struct WordStatistics: Sendable {
  /// How many words there are.
  package let count: Int
  package private(set) var lengths = LengthDistribution()
  /// How often each pair occurs; the terminator stands before and after every word.
  /// (vocabulary · vocabulary)
  let bigrams: [Int]

  /// Counts words of ids, given without a terminator.
  init(_ words: [[Int32]], vocabularyCount: Int) {
    count = words.count
    var bigrams = [Int](repeating: 0, count: vocabularyCount * vocabularyCount)
    for word in words {
      lengths.add(length: word.count)
      var last = 0
      for id in word {
        bigrams[last * vocabularyCount + Int(id)] += 1
        last = Int(id)
      }
      bigrams[last * vocabularyCount] += 1
    }
    self.bigrams = bigrams
  }

  /// The Jensen-Shannon divergence of two distributions given by counts, in bits: 0 if they are
  /// equal, 1 if they have nothing in common (Lin, IEEE Trans. Information Theory 37, 1991).
  ///
  /// Σ ½ p log₂(p/m) + ½ q log₂(q/m) with m = (p + q)/2; counts beyond a list's end are zero.
  static func divergence(_ left: [Int], _ right: [Int]) -> Double {
    let totals = (Double(left.reduce(0, +)), Double(right.reduce(0, +)))
    guard totals.0 > 0, totals.1 > 0 else { return .nan }
    var sum = 0.0
    for index in 0..<max(left.count, right.count) {
      let p = index < left.count ? Double(left[index]) / totals.0 : 0
      let q = index < right.count ? Double(right[index]) / totals.1 : 0
      let m = (p + q) / 2
      if p > 0 { sum += 0.5 * p * .log2(p / m) }
      if q > 0 { sum += 0.5 * q * .log2(q / m) }
    }
    return sum
  }
}

// MARK: - The report

/// Statistics of sampled, training and held-out words.
package struct SampleReport: Sendable {
  /// A word and the training word nearest to it.
  package struct Neighbour: Equatable, Sendable {
    package let word: String
    package let nearest: String
    package let distance: Int
  }

  /// What is reported about one kind of words.
  package struct Words: Sendable {
    package let statistics: WordStatistics
    /// The share that is not among the training words.
    package let novel: Double
    /// The share that remains when every word is counted once.
    package let distinct: Double
    /// The divergence of the lengths from those of the held-out words, in bits.
    package let lengthDivergence: Double
    /// The divergence of the pairs of characters from those of the held-out words, in bits.
    package let bigramDivergence: Double
  }

  package let sampled: Words
  /// Words that the best n-gram model makes.
  package let counted: Words
  package let training: Words
  package let heldOut: Words
  /// The first sampled words that are not training words, with their neighbours.
  package let neighbours: [Neighbour]

  /// Compares sampled words, and those of an n-gram model, with those that trained, validated and
  /// tested.
  ///
  /// - Parameter neighbourCount: For how many words to look for the nearest training word, each of
  ///   which takes as long as reading the list.
  package init(
    _ words: [[Int32]], counted: [[Int32]], _ dataset: Dataset, neighbourCount: Int
  ) {
    let count = dataset.vocabulary.count
    let train = Self.words(of: dataset.train)
    let others = Self.words(of: dataset.validation) + Self.words(of: dataset.test)
    let known = Set(train)
    let reference = WordStatistics(others, vocabularyCount: count)
    func describe(_ words: [[Int32]]) -> Words {
      let statistics = WordStatistics(words, vocabularyCount: count)
      let total = Double(max(1, words.count))
      return Words(
        statistics: statistics, novel: Double(words.count { !known.contains($0) }) / total,
        distinct: Double(Set(words).count) / total,
        lengthDivergence: WordStatistics.divergence(
          statistics.lengths.counts, reference.lengths.counts),
        bigramDivergence: WordStatistics.divergence(statistics.bigrams, reference.bigrams))
    }
    sampled = describe(words)
    self.counted = describe(counted)
    training = describe(train)
    heldOut = describe(others)
    let list = NearestWords(dataset.words, selecting: dataset.split.train)
    neighbours = words.lazy.filter { !known.contains($0) }.prefix(neighbourCount).compactMap {
      ids in
      let word = dataset.vocabulary.decode(ids)
      return list.nearest(to: word).map {
        Neighbour(word: word, nearest: $0.word, distance: $0.distance)
      }
    }
  }

  /// The words behind windows.
  private static func words(of windows: ContextWindows) -> [[Int32]] {
    windows.targets.split(separator: Vocabulary.terminator, omittingEmptySubsequences: true)
      .map(Array.init)
  }
}
