// The command `gradcheck`: its flags, and what they ask for.

import ArgumentParser
import CharMLP
import CommandSupport
import Glibc

@main
struct Gradcheck: Command {
  static let configuration = CommandConfiguration(
    commandName: "gradcheck",
    abstract: "Check every hand-derived gradient, ours or yours.",
    usage: """
      gradcheck                              check the 26 gradients on a minibatch of names
      gradcheck --reference mine.safetensors check those that your notebook has written
      gradcheck --write ours.safetensors     write ours for your notebook to compare
      """,
    discussion: """
      Compares the step-by-step derivation with central differences, with its forms in one go, with \
      the engine that trains and with a reference file. Each difference is exact, rounding or WRONG; \
      the exit code is 0 if nothing is WRONG, else 1. docs/derivation.md says how a notebook writes \
      and reads the files.
      """,
    version: version)

  @Option(help: "A file with a minibatch, parameters, and the tensors to be checked.")
  var reference: String?
  @Option(help: "Write minibatch, parameters, intermediates and gradients to a file.")
  var write: String?

  @Option(help: "Word list: a path, a name in data/, or - for standard input. (default: names.txt)")
  var data: String?
  @Option(
    help: "Windows in the minibatch. (default: \(Recipe().batchSize))",
    transform: wholeNumber(in: 2...10_000_000))
  var batchSize: Int?
  @Option(
    help: "Units of the hidden layer. (default: \(Recipe().hidden))",
    transform: wholeNumber(in: 1...10_000_000))
  var hidden: Int?
  @Option(
    help: "Numbers that represent a character. (default: \(Recipe().embedding))",
    transform: wholeNumber(in: 1...100_000))
  var embedding: Int?
  @Option(
    help: "Characters of context. (default: \(Recipe().blockSize))",
    transform: wholeNumber(in: 1...100_000))
  var blockSize: Int?
  @Option(
    help: "Share of hidden units that are dropped. (default: 0, as in the lecture)",
    transform: decimalNumber(from: 0, upTo: 0.99))
  var dropout: Float?
  @Option(
    help: "Seed of the parameters and the minibatch. (default: \(Recipe().seed))",
    transform: wholeNumber())
  var seed: UInt64?
  @Option(help: "What --write writes: float64 or float32. (default: the reference's, or float64)")
  var scalar: Precision?

  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    let others: [(flag: String, isGiven: Bool)] = [
      ("--data", data != nil), ("--batch-size", batchSize != nil), ("--hidden", hidden != nil),
      ("--embedding", embedding != nil), ("--block-size", blockSize != nil),
      ("--dropout", dropout != nil), ("--seed", seed != nil),
    ]
    if reference != nil, let other = others.first(where: \.isGiven) {
      throw ValidationError("\(other.flag) cannot be used with --reference, which has its own")
    }
    if dropout != nil, write != nil {
      throw ValidationError("--dropout cannot be used with --write: the file has no mask")
    }
    if scalar != nil, write == nil { throw ValidationError("--scalar needs --write") }
  }

  func run() throws {
    let problem = try CheckedProblem(self)
    if let write {
      let precision = scalar ?? problem.reference?.precision ?? .float64
      try save(Reference(computing: problem.problem, in: precision), to: write)
    }
    let report = problem.check().report()
    let output = CheckOutput(problem, report)
    try StandardOutput.shared.write(json ? output.json.encoded() + "\n" : output.text)
    guard report.passed else { throw output.failure }
  }

  private func save(_ reference: Reference, to path: String) throws(CommandFailure) {
    do throws(FileError) {
      try reference.write(to: path)
    } catch {
      let isFull = [EDQUOT, EFBIG, EIO, ENOSPC].contains(error.code)
      let status: ExitStatus = isFull ? .inputOutput : .cannotCreate
      throw CommandFailure(status, "\(error)", advice: "Name another file with --write.")
    }
  }
}

extension Precision: ExpressibleByArgument {}
