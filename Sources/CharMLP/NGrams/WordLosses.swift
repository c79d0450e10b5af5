// How well words are predicted, for a program that has words and not windows.

extension Predictor {
  /// The mean cross-entropy of the characters of some words and of their ends, in nats per character.
  ///
  /// −1/n · Σ log p(c | context) over all n characters, every word's end being one.
  ///
  /// - Throws: `VocabularyError.unknownSymbol` for a character that the network does not know.
  public func loss(of words: WordList) throws(VocabularyError) -> Double {
    let encoded = try EncodedWords(words, vocabulary: model.vocabulary)
    return loss(over: ContextWindows(encoded, blockSize: 1))
  }

  /// The natural logarithm of the probability that a word is drawn: Σ log p(c | context) over its characters and
  /// its end.
  ///
  /// `WordScorer` gives the parts of the sum.
  ///
  /// - Throws: `VocabularyError.unknownSymbol` for a character that the network does not know.
  public func logProbability(of word: String) throws(VocabularyError) -> Double {
    let ids = try model.vocabulary.encode(word) + [Vocabulary.terminator]
    let encoded = EncodedWords(ids: ids, vocabularyCount: model.vocabulary.count)
    return -loss(over: ContextWindows(encoded, blockSize: 1)) * Double(ids.count)
  }

  /// The mean cross-entropy over windows, whatever their block size, in nats per character.
  ///
  /// - Throws: `VocabularyError.otherSymbols` if they have another number of symbols than the network.
  public func loss(on windows: ContextWindows) throws(VocabularyError) -> Double {
    guard windows.vocabularyCount == model.vocabulary.count else {
      throw .otherSymbols(windows.vocabularyCount, network: model.vocabulary.count)
    }
    return loss(over: windows)
  }

  /// The mean cross-entropy over each part of a data set, in nats per character.
  ///
  /// - Throws: `VocabularyError.otherSymbols` if the data has other symbols than the network.
  public func losses(on dataset: Dataset) throws(VocabularyError) -> SplitLosses {
    guard dataset.vocabulary == model.vocabulary else {
      throw .otherSymbols(dataset.vocabulary.count, network: model.vocabulary.count)
    }
    return losses(dataset)
  }
}

extension Model {
  /// The mean cross-entropy of the characters of some words and of their ends, in nats per character.
  ///
  /// - Throws: `VocabularyError.unknownSymbol` for a character that the network does not know.
  public func loss(of words: WordList) throws(VocabularyError) -> Double {
    try Predictor(self).loss(of: words)
  }

  /// The natural logarithm of the probability that a word is drawn.
  ///
  /// - Throws: `VocabularyError.unknownSymbol` for a character that the network does not know.
  public func logProbability(of word: String) throws(VocabularyError) -> Double {
    try Predictor(self).logProbability(of: word)
  }

  /// The mean cross-entropy over windows, whatever their block size, in nats per character.
  ///
  /// - Throws: `VocabularyError.otherSymbols` if they have another number of symbols than the network.
  public func loss(on windows: ContextWindows) throws(VocabularyError) -> Double {
    try Predictor(self).loss(on: windows)
  }

  /// The mean cross-entropy over each part of a data set, in nats per character.
  ///
  /// - Throws: `VocabularyError.otherSymbols` if the data has other symbols than the network.
  public func losses(on dataset: Dataset) throws(VocabularyError) -> SplitLosses {
    try Predictor(self).losses(on: dataset)
  }
}
