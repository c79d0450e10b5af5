// A command with every kind of flag and every kind of failure, and nothing behind it.

import ArgumentParser
import CommandSupport

struct DemoCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Counts.", version: "demo 1.2.3",
    subcommands: [Fail.self])

  @Option(name: [.customShort("n"), .long], help: "Steps.", in: 1...1_000_000_000) var steps = 1
  @Option(help: "Rate.", above: 0, upTo: 100) var learningRate = 0.1
  @Option(help: "Offset.", above: -1, upTo: 1) var offset = 0.0
  @Option(transform: decimalNumber(in: 0...1)) var dropout: Float = 0
  @Option(help: "Seed.", in: 0...UInt64.max) var seed = 2_147_483_647
  @Option(transform: wholeNumber(in: 1...9)) var digit: Int?
  @Option var suffix = ""
  @Option var contains: [String] = []
  @Flag(name: .shortAndLong) var quiet = false

  func validate() throws {
    if steps == 13 { throw ValidationError("--steps 13 and superstition exclude each other") }
  }

  func run() throws {
    ProgressDisplay(isQuiet: quiet).line("counting")
    for step in 1...steps { try StandardOutput.shared.writeLine("\(step)") }
    StandardError.shared.warn("that was all")
  }
}

struct Fail: ParsableCommand {
  @Flag var quietly = false
  @Argument var words: [String] = []

  func run() throws {
    try StandardOutput.shared.writeLine("a result")
    if quietly { throw ExitCode(76) }
    throw CommandFailure(.badData, "names.txt:17: no letters", advice: "Remove the line.")
  }
}
