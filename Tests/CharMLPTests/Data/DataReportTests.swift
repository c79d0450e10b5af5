// What the report counts, on lists where it can be counted by hand.

import CharMLP
import Testing

@Suite("A data report")
struct DataReportTests {
  private func dataset(_ words: [String], deduplicate: Bool = false) throws -> Dataset {
    var recipe = Recipe()
    recipe.deduplicate = deduplicate
    return try Dataset(WordList(words), recipe)
  }

  @Test("A data report counts words, duplicates, symbols, lengths and windows")
  func counts() throws {
    let report = DataReport(try dataset(["ab", "b", "ab", "abb", "ccccc", "ab", "ab"]))
    #expect((report.words, report.distinctWords, report.duplicates) == (7, 4, 3))
    #expect(report.symbols.map(\.scalar) == ["b", "a", "c"])
    #expect(report.symbols.map(\.count) == [7, 5, 5])
    #expect(report.symbols.allSatisfy { $0.isRare })
    #expect(report.lengths.counts == [0, 1, 4, 1, 0, 1])
    #expect([report.lengths.shortest, report.lengths.median, report.lengths.longest] == [1, 2, 5])
    #expect(report.lengths.mean == 17.0 / 7)
    let parts = [report.train, report.validation, report.test]
    #expect(parts.map(\.words) == [5, 1, 1])
    #expect(parts.map(\.windows).reduce(0, +) == 17 + 7)
  }

  @Test("A data report counts in each part the words that also train, and the distinct contexts")
  func overlap() throws {
    let dataset = try dataset(RandomWords.make(count: 400, alphabet: 3, longest: 4))
    let report = DataReport(dataset)
    let training = Set(dataset.split.train.map { dataset.words[$0] })
    func isTraining(_ index: Int) -> Bool { training.contains(dataset.words[index]) }
    #expect(report.train.wordsInTraining == report.train.words)
    #expect(report.validation.wordsInTraining == dataset.split.validation.count(where: isTraining))
    #expect(report.test.wordsInTraining == dataset.split.test.count(where: isTraining))
    #expect(report.validation.wordsInTraining > 0)
    let contexts = Set((0..<dataset.train.count).map { Array(dataset.train.context(of: $0)) })
    #expect(report.train.distinctContexts == contexts.count)
    #expect(report.distinctWords == Set(dataset.words).count)
  }

  @Test("A data report says which symbols no training word has")
  func unseenSymbols() throws {
    let dataset = try dataset(["a", "b", "c", "d", "e", "f"])
    let report = DataReport(dataset)
    let unseen = report.symbols.filter { $0.trainingCount == 0 }.map { String($0.scalar) }
    let held = dataset.split.validation.map { $0 } + dataset.split.test.map { $0 }
    #expect(Set(unseen) == Set(held.map { dataset.words[$0] }))
  }

  @Test("A data report says how many duplicates were removed")
  func deduplicated() throws {
    let words = RandomWords.make(count: 400, alphabet: 3, longest: 4)
    let report = DataReport(try dataset(words, deduplicate: true))
    #expect(report.words == Set(words).count)
    #expect(report.duplicatesRemoved == 400 - report.words)
    #expect((report.duplicates, report.validation.wordsInTraining) == (0, 0))
  }

  @Test("A data report has no warning about the bundled list")
  func bundledList() throws {
    let report = DataReport(try Dataset(bundledWords(), Recipe()))
    #expect(report.warnings.isEmpty)
    #expect(report.words == 8_423 && report.duplicates == 0)
  }

  /// 1,200 words of which every second one is changed.
  private func warnings(_ change: (String) -> String) throws -> [DataWarning] {
    let words = try dataset(RandomWords.make(count: 2_000, alphabet: 80, longest: 6)).words
    let plain = Array(words.deduplicated().filter { $0.count > 1 }.prefix(1_200))
    #expect(plain.count == 1_200)
    let changed = plain.enumerated().map { $0.isMultiple(of: 2) ? change($1) : $1 }
    return DataReport(try dataset(changed)).warnings
  }

  @Test("A data report warns of duplicates from one word in a hundred on")
  func duplicateWarning() throws {
    #expect(try warnings { $0 }.isEmpty)
    guard case .duplicated(let count, let shared, let all) = try warnings({ _ in "x" }).first else {
      Issue.record("no warning")
      return
    }
    #expect((count, all) == (599, 120))
    #expect(shared > 0 && shared < 120)
  }

  @Test("A data report warns of letters in both cases, even of different alphabets")
  func caseWarning() throws {
    #expect(try warnings { "ab" + $0 }.isEmpty)
    #expect(try warnings { "AB" + $0 }.isEmpty)
    #expect(try warnings { "aA" + $0 }.contains(.mixedCase(letters: 1)))
    #expect(try warnings { "дДюЮ" + $0 }.contains(.mixedCase(letters: 2)))
  }

  @Test("A data report warns of a word that is much longer than the others")
  func lengthWarning() throws {
    #expect(try warnings { $0 + String(repeating: "x", count: 12) }.isEmpty)
    let long = String(repeating: "x", count: 200)
    var isFirst = true
    let found = try warnings { word in
      defer { isFirst = false }
      return isFirst ? long : word
    }
    guard case .unequalLengths(let median, 200) = found.first else {
      Issue.record("\(found)")
      return
    }
    #expect((2...7).contains(median))
  }

  @Test(
    "A data report can be made of every list that can be split",
    arguments: [
      Array(repeating: "a", count: 6), ["a", "b", "c", "d", "e", "f"],
      RandomWords.make(count: 30, alphabet: 80, longest: 12),
      (0..<5_000).map { String(UnicodeScalar(0x4E00 + UInt32($0))!) },
      ["Ærø", "Łódź", "東京", "é", "e\u{301}", "👩‍👩‍👧", "Ærøskøbing", "a b"],
    ])
  func anyList(words: [String]) throws {
    let report = DataReport(try dataset(words))
    #expect(report.words == words.count)
    let tiny = DataWarning.tiny(words: words.count, validationWords: report.validation.words)
    #expect(report.warnings.contains(tiny) == (words.count < 1_000))
    let characters = words.map(\.unicodeScalars.count).reduce(0, +)
    #expect(report.symbols.map(\.count).reduce(0, +) == characters)
  }
}
