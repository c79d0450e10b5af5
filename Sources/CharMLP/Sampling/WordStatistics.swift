// How a model's words compare with words that it was not trained on: by their lengths, by their
// pairs of characters, and by how new they are.
//
// The training words are compared with the held-out ones in the same way: the difference between
// two samples of one source is not the model's fault.

import RealModule

/// Counts of lengths and of pairs of neighbouring characters, the two ends of a word included.
package struct WordStatistics: Sendable {
  /// How many words there are.
  package private(set) var count = 0
  /// How many words have each length.
  package private(set) var lengths: [Int] = []
  /// How often each pair occurs; the terminator stands before and after every word.
  /// (vocabulary · vocabulary)
  package private(set) var bigrams: [Int]
  private let vocabularyCount: Int

  /// No words.
  package init(vocabularyCount: Int) {
    self.vocabularyCount = vocabularyCount
    bigrams = Array(repeating: 0, count: vocabularyCount * vocabularyCount)
  }

  /// Counts a word of ids, given without a terminator.
  package mutating func add(_ word: [Int32]) {
    while lengths.count <= word.count { lengths.append(0) }
    lengths[word.count] += 1
    count += 1
    var last = 0
    for id in word {
      bigrams[last * vocabularyCount + Int(id)] += 1
      last = Int(id)
    }
    bigrams[last * vocabularyCount] += 1
  }

  /// The mean number of characters.
  package var meanLength: Double {
    let total = lengths.enumerated().reduce(0) { $0 + $1.offset * $1.element }
    return count == 0 ? 0 : Double(total) / Double(count)
  }

  /// The Jensen-Shannon divergence of two distributions given by counts, in bits: 0 if they are
  /// equal, 1 if they have nothing in common (Lin, IEEE Trans. Information Theory 37, 1991).
  ///
  /// Σ ½ p log₂(p/m) + ½ q log₂(q/m) with m = (p + q)/2; counts beyond a list's end are zero.
  package static func divergence(_ left: [Int], _ right: [Int]) -> Double {
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
    var reference = WordStatistics(vocabularyCount: count)
    for word in others { reference.add(word) }
    func describe(_ words: [[Int32]]) -> Words {
      var statistics = WordStatistics(vocabularyCount: count)
      for word in words { statistics.add(word) }
      let total = Double(max(1, words.count))
      return Words(
        statistics: statistics, novel: Double(words.count { !known.contains($0) }) / total,
        distinct: Double(Set(words).count) / total,
        lengthDivergence: WordStatistics.divergence(statistics.lengths, reference.lengths),
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
