// How a model's words compare with words that it was not trained on.
//
// The training words are compared with the held-out ones in the same way: what two samples of the same
// source differ by is not the model's fault.

/// Statistics of sampled, training and held-out words.
public struct SampleReport: Sendable {
  /// A word and the training word that is most like it.
  public struct Neighbour: Equatable, Sendable {
    public let word: String
    public let nearest: String
    public let distance: Int
  }

  /// One kind of words.
  public struct Words: Sendable {
    public let statistics: WordStatistics
    /// The share that is not in the training words.
    public let novel: Double
    /// The share that remains when every word is counted once.
    public let distinct: Double
    /// The divergence of the lengths from those of the held-out words, in bits.
    public let lengthDivergence: Double
    /// The divergence of the pairs of characters from those of the held-out words, in bits.
    public let bigramDivergence: Double
  }

  public let sampled: Words
  public let training: Words
  public let heldOut: Words
  /// The first sampled words that are not training words, with their neighbours.
  public let neighbours: [Neighbour]

  /// Compares sampled words with those that trained, validated and tested.
  ///
  /// - Parameter neighbourCount: For how many words the nearest training word is looked for, each of which
  ///   takes as long as reading the list.
  public init(_ words: [[Int32]], _ dataset: Dataset, neighbourCount: Int) {
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
    training = describe(train)
    heldOut = describe(others)
    let nearest = NearestWord(train)
    neighbours = words.lazy.filter { !known.contains($0) }.prefix(neighbourCount).compactMap {
      word in
      guard let found = nearest.find(word) else { return nil }
      return Neighbour(
        word: dataset.vocabulary.decode(word),
        nearest: dataset.vocabulary.decode(train[found.index]), distance: found.distance)
    }
  }

  /// The words behind windows.
  private static func words(of windows: ContextWindows) -> [[Int32]] {
    windows.targets.split(separator: Vocabulary.terminator, omittingEmptySubsequences: true)
      .map(Array.init)
  }
}
