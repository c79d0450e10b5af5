// `bench --sizes`: its rows, and that its words say what its figures say, every crossover and
// nothing else.

import Foundation
import Testing

@testable import BenchCommand

@Suite("bench --sizes")
struct BenchSizesTests {
  static let sizes = (0...11).map { 1 << $0 }

  private func sizes(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try Workplace().run(
      "bench", ["--sizes", "--json", "--seconds", "0.01"] + arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try jsonObject(outcome.output)
  }

  @Test("Squares, six products and BLAS' own threads have a row for each size from 1 to 2048")
  func rows() throws {
    let object = try sizes(["--hidden", "16", "--threads", "2"])
    let squares = try objects(object["squares"])
    #expect(squares.map { $0["size"] as? Int } == Self.sizes)
    #expect(squares.map { $0["k"] as? Int } == Self.sizes)
    let products = try objects(object["products"])
    #expect(
      products.map { $0["batch_size"] as? Int } == (0..<6).flatMap { _ in Self.sizes })
    #expect(
      products.map { $0["name"] as? String }
        == BenchTests.products.flatMap { name in Self.sizes.map { _ in name } })
    for row in squares + products { try checkWinner(row) }
    let sentences = try #require(object["sentences"] as? [String])
    let subjects = ["Square products"] + BenchTests.products
    for (sentence, subject) in zip(sentences, subjects) {
      #expect(sentence.hasPrefix(subject + ": "))
      #expect(sentence.hasSuffix("."))
    }
    try checkThreads(object, Array(sentences.dropFirst(subjects.count)))
  }

  /// The winner is the faster by more than a twentieth; what was not timed has none.
  private func checkWinner(_ row: [String: Any]) throws {
    #expect(number(row, "blas_seconds") > 0)
    guard row["naive_seconds"] is NSNumber else {
      #expect(row["naive_seconds"] is NSNull && row["ratio"] is NSNull && row["wins"] is NSNull)
      // Nothing is known of the first size that could say it takes long.
      #expect((row["size"] ?? row["batch_size"]) as? Int != 1)
      return
    }
    let ratio = number(row, "ratio")
    #expect(isQuotient(ratio, number(row, "naive_seconds"), number(row, "blas_seconds")))
    let winner = ratio > 1.05 ? "BLAS" : ratio < 1 / 1.05 ? "naive" : "neither"
    #expect(row["wins"] as? String == winner)
  }

  /// Whether a ratio is that of two positive times; the parser may lose the last bits of each
  /// number.
  private func isQuotient(_ ratio: Double, _ dividend: Double, _ divisor: Double) -> Bool {
    ratio > 0 && divisor > 0 && abs(dividend / divisor / ratio - 1) < 1e-14
  }

  private func checkThreads(_ object: [String: Any], _ sentences: [String]) throws {
    let threads = try #require(object["blas_threads"] as? [String: Any])
    let rows = try objects(threads["timings"])
    // A library that has no threads to set says so instead of comparing.
    guard threads["obstacle"] is NSNull else {
      #expect(rows.isEmpty)
      #expect(sentences.count == 1)
      return
    }
    #expect(threads["threads"] as? Int == 2)
    #expect(
      rows.map { $0["hidden"] as? Int } == [16, 1024].flatMap { h in Self.sizes.map { _ in h } })
    #expect(rows.map { $0["batch_size"] as? Int } == Self.sizes + Self.sizes)
    for row in rows {
      let ratio = number(row, "ratio")
      #expect(isQuotient(ratio, number(row, "one_thread_seconds"), number(row, "seconds")))
      let effect = ratio > 1.05 ? "help" : ratio < 1 / 1.05 ? "hurt" : "none"
      #expect(row["effect"] as? String == effect)
    }
    #expect(sentences.count == 2)
    #expect(sentences[0].hasPrefix("Hidden 16, "))
    #expect(sentences[1].hasPrefix("Hidden 1024, "))
  }

  @Test("bench --sizes says in a sentence that one thread leaves nothing to compare")
  func oneThread() throws {
    let object = try sizes(["--hidden", "16", "--threads", "1"])
    let threads = try #require(object["blas_threads"] as? [String: Any])
    #expect(threads["obstacle"] is String)
    let sentences = try #require(object["sentences"] as? [String])
    #expect(sentences.last?.hasPrefix("BLAS' own threads were not compared") == true)
  }

  @Test("The text has three tables, each ended by a sentence")
  func text() throws {
    let outcome = try Workplace().run(
      "bench", ["--sizes", "--seconds", "0.01", "--threads", "2", "--hidden", "16"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    for start in ["square product ", "Square products: ", "product of a step ", "h @ W2: "] {
      #expect(outcome.output.contains("\n" + start), "\(start)")
    }
    #expect(outcome.output.contains(" own "))
  }
}

// MARK: - The sentence

@Suite("bench --sizes: ranges in a sentence")
struct SizeRangeTests {
  @Test(
    "A sentence lists the ranges of sizes with the same verdict in order",
    arguments: [
      ("n n B B", "n up to 2, B from 4 on"),
      ("n B B B", "n at 1, B from 2 on"),
      ("B n n B", "B at 1, n from 2 to 4, B at 8"),
      ("n B n B", "n at 1, B at 2, n at 4, B at 8"),
      ("B B B B", "B at every size measured"),
    ])
  func sentence(verdicts: String, expected: String) {
    let sizes = verdicts.split(separator: " ").enumerated().map { index, verdict in
      (size: 1 << index, verdict: String(verdict))
    }
    #expect(SizeRange.sentence(sizes) { $0 } == expected)
  }
}
