// Data sets of lists that are too long to be kept: trained on in full, described and measured by a
// sample.

import Testing

@testable import CharMLP

@Suite("Sampled data sets")
struct SampledDatasetTests {
  private static let limits = SampleLimits(bytes: 3000, words: 100, windows: 60)
  private let words: WordList

  init() throws { words = try WordList(RandomWords.make(count: 2000, alphabet: 30, longest: 8)) }

  @Test("A sampled data set keeps the training text and the split of a shuffled list")
  func shuffled() throws {
    let whole = try Dataset(words, splitSeed: 42, blockSize: 3)
    let sampled = try Dataset(words, splitSeed: 42, blockSize: 3, limits: Self.limits)
    #expect(!whole.isSample && sampled.isSample)
    #expect(sampled.trainingText == whole.trainingText)
    #expect(sampled.vocabulary == whole.vocabulary)
    #expect(sampled.wordCount == 2000 && sampled.words.count == 100)
    let training = Set(whole.split.train.map { words[$0] })
    let others = Set((whole.split.validation + whole.split.test).map { words[$0] })
    for word in sampled.split.train { #expect(training.contains(sampled.words[word])) }
    for word in sampled.split.validation { #expect(others.contains(sampled.words[word])) }
  }

  @Test("Losses of a sampled data set are over its first words, up to a number of windows")
  func measured() throws {
    let sampled = try Dataset(words, splitSeed: 42, blockSize: 3, limits: Self.limits)
    let (some, all) = (sampled.measured.train, sampled.train)
    #expect(all.count > 60)
    #expect(some.count <= 60 && some.count > 60 - 10)
    #expect(some.targets.last == Vocabulary.terminator)
    #expect(some.targets == Array(all.targets.prefix(some.count)))
    #expect(some.contexts == Array(all.contexts.prefix(some.count * 3)))
    let whole = try Dataset(words, splitSeed: 42, blockSize: 3)
    #expect(whole.measured.train == whole.train)
    // One word at least, however long.
    let windows = ContextWindows(
      try EncodedWords(
        WordList(["abcdef", "a"]), vocabulary: Vocabulary(of: WordList(["abcdef"]))), blockSize: 2)
    #expect(windows.words(upTo: 3).count == 7)
    #expect(windows.words(upTo: 8).count == 7)
    #expect(windows.words(upTo: 9).count == 9)
  }

  @Test("The report of a sampled data set tells of how many words it is a sample")
  func report() throws {
    let report = DataReport(try Dataset(words, splitSeed: 42, blockSize: 3, limits: Self.limits))
    #expect(report.words == 100 && report.sampleOf == 2000)
    #expect(report.trainingWindows > 5000)
    #expect(DataReport(try Dataset(words, splitSeed: 42, blockSize: 3)).sampleOf == nil)
  }

  @Test("A list split by hash without a test word is refused, with advice")
  func emptyPart() throws {
    let list = HashSplitList(try WordList(["a", "b"]), splitSeed: 1)
    #expect(throws: DatasetError.self) { try Dataset(list, blockSize: 3) }
  }
}
