// Values of flags that make no sense, sizes that no memory holds, and extremes that are fine.

import Foundation
import Testing

private let wholeNumbers = [
  ("train", "--steps", "0"), ("train", "--batch-size", "1"), ("train", "--block-size", "0"),
  ("train", "--embedding", "0"), ("train", "--hidden", "0"), ("train", "--evaluate-every", "0"),
  ("train", "--warmup", "-1"), ("train", "--patience", "-1"), ("train", "--seed", "-1"),
  ("train", "--split-seed", "-1"), ("train", "--samples", "-1"),
  ("sample", "--count", "-1"), ("sample", "--seed", "-1"), ("gradcheck", "--batch-size", "1"),
  ("gradcheck", "--hidden", "0"), ("gradcheck", "--embedding", "0"),
  ("gradcheck", "--block-size", "0"), ("gradcheck", "--seed", "-1"), ("bench", "--hidden", "0"),
  ("bench", "--batch-size", "1"), ("bench", "--block-size", "0"), ("bench", "--embedding", "0"),
  ("bench", "--threads", "0"), ("train", "--threads", "0"), ("train", "--checkpoint-every", "0"),
  ("sample", "--top-k", "0"), ("sample", "--min-length", "-1"), ("sample", "--max-length", "-1"),
  ("sample", "--budget", "0"), ("sample", "--most-likely", "0"), ("sample", "--threads", "0"),
  ("sample evaluate", "--count", "0"), ("sample evaluate", "--nearest", "-1"),
  ("sample evaluate", "--seed", "-1"), ("sample explain", "--top", "0"),
  ("sample score", "--top-k", "0"),
]

/// Those that may be 0 as well.
private let decimalNumbersFrom0 = [
  ("train", "--weight-decay"), ("train", "--dropout"), ("train", "--stop-at-validation-loss"),
]

private let decimalNumbers = [
  ("train", "--learning-rate"), ("sample", "--temperature"), ("sample", "--top-p"),
  ("sample evaluate", "--top-p"), ("sample explain", "--temperature"),
  ("sample score", "--temperature"), ("bench", "--seconds"),
]

@Suite("The value of a flag")
struct FlagValueTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private func expectUsageError(_ line: String, _ command: String) throws {
    let outcome = try place.guarded(line)
    expectRefusal(outcome, status: 64)
    let name = command.prefix { $0 != " " }
    #expect(outcome.errorLines.first?.hasPrefix("\(name): ") == true, "\(line)")
    #expect(outcome.errorLines.last == "See '\(command) --help'.", "\(line)")
    #expect(!place.hasRun)
  }

  @Test(
    "A flag for a whole number refuses any other value, and one outside its limits, with 64",
    arguments: wholeNumbers)
  func wholeNumber(command: String, flag: String, tooSmall: String) throws {
    // How a number is written is one function's business for all flags; that each asks it, "+1"
    // shows, which the standard library takes.
    let rest =
      flag == "--seed"
      ? ["nan", "inf", "1e308", "0x1p3", "0x10", "1.0", "''", "1_000", "'1 '", "١"] : []
    for value in [tooSmall, "-3", "99999999999999999999999", "+1"] + rest {
      try expectUsageError("\(command) \(flag) \(value)", command)
    }
  }

  @Test(
    "A flag for a decimal number refuses any other value, and one outside its limits, with 64",
    arguments: decimalNumbers + decimalNumbersFrom0)
  func decimalNumber(command: String, flag: String) throws {
    let zeros =
      decimalNumbersFrom0.contains { $0 == (command, flag) } ? [] : ["0", "-0.0", "1e-999"]
    let rest =
      flag == "--seconds" || flag == "--temperature"
      ? ["-nan", "-inf", "infinity", "1e999", "''", "1,5", "'1 '", "1e", ".", "+1"] : []
    let values = zeros + ["-3", "nan", "inf", "1e308", "0x1p3"] + rest
    for value in values { try expectUsageError("\(command) \(flag) \(value)", command) }
  }

  @Test("A flag for a name refuses an unknown one with 64")
  func names() throws {
    for arguments in [
      "--foo", "extra --data words.txt", "--optimizer lion", "--schedule never",
      "--dropout 1", "--dropout -0.1", "--weight-decay nan", "--stop-at-validation-loss inf",
      "--describe --find-learning-rate", "--find-learning-rate --resume run", "--product mkl",
      "--product naive --backward fused", "--data", "--out ''",
    ] {
      try expectUsageError("train \(arguments)", "train")
    }
    expectRefusal(
      try place.guarded("train --recipe wavenet"), status: 64,
      saying: "Give a file, or one of: best, notebook.")
  }

  @Test(
    "Sizes beyond the machine's memory end with 71 before any of it is allocated",
    arguments: [
      "--hidden 10000000 --embedding 100000", "--batch-size 10000000 --hidden 10000000",
      "--block-size 100000 --embedding 100000", "--block-size 100000 --data words.txt",
      "--embedding 100000 --hidden 1000000 --block-size 100",
      "--batch-size 10000000 --hidden 20000 --backward derivation",
    ])
  func tooLarge(arguments: String) throws {
    // Words enough for windows of 100,000 characters to take 400 GB.
    try place.write((100_000..<250_000).map { "\($0)\n" }.joined().utf8, to: "words.txt")
    let outcome = try place.guarded("train --steps 1 \(arguments)")
    expectRefusal(outcome, status: 71)
    #expect(!place.hasRun)
  }

  /// A machine with little memory is a limit on addresses.
  @Test(
    "Sizes beyond a small machine's memory end with 71 in every command",
    .enabled(if: !isSanitized, "a sanitizer needs more addresses"),
    arguments: [
      "ulimit -v 1600000; train --hidden 300000 --optimizer adamw",
      "bench --hidden 100000 --batch-size 100000", "bench --hidden 100000 --embedding 10000",
      "bench --batch-size 100000 --block-size 1000 --embedding 10000",
      "bench --sizes --hidden 100000 --embedding 10000 --block-size 1000",
      "ulimit -v 2097152; bench --sizes --hidden 50000",
      "ulimit -v 2097152; bench --hidden 50000 --batch-size 1000",
      "ulimit -v 450000; bench --block-size 1000 --hidden 2",
      "gradcheck --hidden 10000000", "gradcheck --batch-size 10000000",
      "gradcheck --block-size 100000 --embedding 100000",
      "ulimit -v 1048576; gradcheck --hidden 400000",
      "ulimit -v 1048576; gradcheck --block-size 1000 --hidden 1600",
    ])
  func tooLargeForSmallMachine(line: String) throws {
    let outcome = try place.guarded("\(onOneCore); \(line)")
    // A debug build's `bench` warns that its figures mean nothing.
    let lines = outcome.errorLines.filter { !$0.contains("built without optimization") }
    #expect(outcome.status == 71, "\(outcome.errors)")
    #expect((1...2).contains(lines.count), "\(outcome.errors)")
    // Not for want of what OpenBLAS takes.
    #expect(!outcome.errors.contains("the address space"), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test(
    "The smallest network, and a block longer than any word, are trained",
    arguments: [
      "--hidden 1", "--embedding 1", "--batch-size 2", "--block-size 1", "--block-size 64",
    ])
  func extremes(arguments: String) throws {
    let hidden = arguments.contains("--hidden") ? "" : "--hidden 8"
    let outcome = try place.guarded("train --steps 20 \(hidden) --samples 2 \(arguments)")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}
