// The baseline of a data set: the figures of an independent program, and which model is best.

import Foundation
import RealModule
import Testing

@testable import CharMLP

@Suite("Baselines")
struct BaselineTests {
  /// A line of what Tools/make_ngram_fixtures.py wrote.
  struct Row: Decodable {
    let order: Int
    let discount: String
    let discounts: [[Double]]
    let train: Double
    let val: Double
    let test: Double
  }

  private func rows() throws -> [Row] {
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/ngrams", withExtension: "json"))
    return try JSONDecoder().decode([Row].self, from: Data(contentsOf: url))
  }

  // Means of up to 50,000 logarithms of order one, added in another order.
  @Test("The baseline on the bundled list is that of an independent program, within 1e-12")
  func bundledList() throws {
    let dataset = try Dataset(bundledWords(), splitSeed: 42, blockSize: 3)
    let entries = Baseline(dataset).entries
    let rows = try rows()
    #expect(entries.map(\.order) == rows.map(\.order))
    #expect(entries.map(\.discounting.rawValue) == rows.map(\.discount))
    for (entry, row) in zip(entries, rows) {
      #expect(abs(entry.losses.train - row.train) <= 1e-12)
      #expect(abs(entry.losses.validation - row.val) <= 1e-12)
      #expect(abs(entry.losses.test - row.test) <= 1e-12)
      let windows = ContextWindows(dataset.train, blockSize: entry.order - 1)
      let smoothing = KneserNey(NGramCounts(windows.distinct()), entry.discounting)
      for (discounts, expected) in zip(smoothing.discounts(order: entry.order), row.discounts) {
        let found = [discounts.one, discounts.two, discounts.threeOrMore]
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-14 })
      }
    }
  }

  @Test("A unigram's loss is the mean of what characters and ends cost by their counts plus one")
  func unigram() throws {
    let words = try WordList(["ab", "aa", "b", "abb", "ba", "a", "bab", "bb", "aab", "b"])
    let dataset = try Dataset(words, splitSeed: 42, blockSize: 3)
    let train = dataset.train.targets
    func expected(_ windows: ContextWindows) -> Double {
      let costs = windows.targets.map { target in
        let count = train.count { $0 == target }
        return -Double.log(Double(count + 1) / Double(train.count + 3))
      }
      return costs.reduce(0, +) / Double(costs.count)
    }
    let losses = SplitLosses.unigram(dataset)
    #expect(abs(losses.train - expected(dataset.train)) <= 1e-12)
    #expect(abs(losses.validation - expected(dataset.validation)) <= 1e-12)
    #expect(abs(losses.test - expected(dataset.test)) <= 1e-12)
  }

  private static let lecture = projectRoot.appending(path: "data/makemore-names.txt").path

  @Test(
    "The baseline on the lecture's list has the losses that other programs found, to three decimals",
    .enabled(if: FileManager.default.fileExists(atPath: lecture), "`make names` downloads it"))
  func lectureList() throws {
    let dataset = try Dataset(
      WordList(contentsOf: Self.lecture), splitSeed: 42, blockSize: 3)
    let baseline = Baseline(dataset)
    let figures = [2.061, 2.056, 1.994, 1.983, 1.992, 1.974]
    for (entry, figure) in zip(baseline.entries.suffix(6), figures) {
      #expect(abs(entry.losses.validation - figure) <= 5.1e-4)
    }
    #expect(baseline.best.order == 6 && baseline.best.discounting == .estimated)
  }

  @Test(
    "The baseline for a network has the order that sees the same context, up to order 6",
    arguments: [(1, 2), (3, 4), (5, 6), (6, 6), (100_000, 6), (Int.max, 6)])
  func sameContext(blockSize: Int, order: Int) throws {
    let words = try WordList(RandomWords.make(count: 60, alphabet: 5, longest: 6))
    let baseline = Baseline(try Dataset(words, splitSeed: 1, blockSize: 2))
    let entry = baseline.best(forBlockSize: blockSize)
    #expect(entry.order == order)
    let rivals = baseline.entries.filter { $0.order == order }.map(\.losses.validation)
    #expect(entry.losses.validation == rivals.min())
    #expect(baseline.best.losses.validation == baseline.entries.map(\.losses.validation).min())
  }

  @Test(
    "The baseline has ten models with finite losses on any list that can be split",
    arguments: [
      Array(repeating: "a", count: 6), ["a", "b", "c", "d", "e", "f"],
      RandomWords.make(count: 30, alphabet: 80, longest: 12),
      ["Ærø", "Łódź", "東京", "é", "e\u{301}", "👩‍👩‍👧", "Ærøskøbing", "a b"],
    ])
  func anyList(words: [String]) throws {
    let baseline = Baseline(try Dataset(WordList(words), splitSeed: 42, blockSize: 1))
    #expect(baseline.entries.count == 10)
    #expect(
      baseline.entries.allSatisfy {
        let losses = [$0.losses.train, $0.losses.validation, $0.losses.test]
        return losses.allSatisfy { $0.isFinite && $0 > 0 }
      })
  }
}
