// From errors to statuses and lines, without a process. The wording of ArgumentParser's own
// messages is asserted too, so that an update that changes what users read is noticed.

import ArgumentParser
import Testing

@testable import CommandSupport

@Suite struct OutcomeTests {
  private func outcome(_ arguments: [String]) throws -> Outcome {
    let error = try #require(throws: (any Error).self) {
      var command = try DemoCommand.parsed(arguments)
      try command.run()
    }
    return Outcome(of: error, in: DemoCommand.self, arguments: arguments)
  }

  @Test(
    "A wrong flag gives one line that names it, and a hint",
    arguments: [
      (["--foo"], "Unknown option '--foo'"),
      (["--step", "3"], "Unknown option '--step'. Did you mean '--steps'?"),
      (["--steps"], "Missing value for '--steps <steps>'"),
      (
        ["--steps", "--quiet"],
        "Missing value for '--steps <steps>'; if --quiet is the value, write --steps=--quiet"
      ),
      (["--xyz"], "Unknown option '--xyz'"),
      (["--lr", "1"], "Unknown option '--lr'. Did you mean '--learning-rate'?"),
      (["-lr", "1"], "Unknown option '-lr'. Did you mean '--learning-rate'?"),
      (["x"], "Unexpected argument 'x'"),
      (["--quiet=1"], "The option '--quiet' does not take any value, but '1' was specified."),
      (
        ["--steps", "-3"],
        "The value '-3' is invalid for '--steps <steps>': must be a whole number from 1 to 1000000000"
      ),
      (
        ["--learning-rate", "nan"],
        "The value 'nan' is invalid for '--learning-rate <learning-rate>': "
          + "must be a decimal number above 0 and at most 100"
      ),
      (
        ["--dropout", "1.5"],
        "The value '1.5' is invalid for '--dropout <dropout>': must be a decimal number from 0 to 1"
      ),
      (
        ["--digit", "0"],
        "The value '0' is invalid for '--digit <digit>': must be a whole number from 1 to 9"
      ),
      (["--steps", "13"], "--steps 13 and superstition exclude each other"),
    ])
  func usage(arguments: [String], message: String) throws {
    let expected = Outcome(status: .usage, message: message, hint: "See 'demo --help'.")
    #expect(try outcome(arguments) == expected)
  }

  @Test("The hint for a subcommand's flag names the subcommand")
  func subcommandHint() throws {
    #expect(try outcome(["fail", "--foo"]).hint == "See 'demo fail --help'.")
  }

  @Test(
    "Help and version go to stdout and end with one line feed",
    arguments: [["--help"], ["help"], ["fail", "--help"], ["--version"]])
  func results(arguments: [String]) throws {
    let outcome = try outcome(arguments)
    #expect(outcome.status == .success)
    #expect(outcome.message == nil && outcome.hint == nil)
    #expect(outcome.output.hasSuffix("\n") && !outcome.output.hasSuffix("\n\n"))
    let isVersion = arguments == ["--version"]
    #expect(outcome.output.contains(isVersion ? "demo 1.2.3" : "USAGE: demo"))
  }

  @Test(
    "A failure keeps its status, message and advice", arguments: CommandSupport.ExitStatus.allCases)
  func failure(status: CommandSupport.ExitStatus) {
    let failure = CommandFailure(status, "a.txt: wrong", advice: "Do this.")
    let expected =
      status == .brokenPipe
      ? Outcome(status: status) : Outcome(status: status, message: "a.txt: wrong", hint: "Do this.")
    #expect(Outcome(of: failure, in: DemoCommand.self) == expected)
  }

  @Test("A CommandFailureConvertible is reported as it says, any other error has status 1")
  func otherErrors() {
    struct Known: CommandFailureConvertible {
      var commandFailure: CommandFailure { CommandFailure(.noInput, "no input") }
    }
    struct Unknown: Error, CustomStringConvertible { let description = "unknown trouble" }
    #expect(
      Outcome(of: Known(), in: DemoCommand.self) == Outcome(status: .noInput, message: "no input"))
    #expect(
      Outcome(of: Unknown(), in: DemoCommand.self)
        == Outcome(status: .failure, message: "unknown trouble"))
  }

  @Test("A bare exit code has no message, and an unknown one becomes 1")
  func exitCodes() {
    #expect(Outcome(of: ExitCode(75), in: DemoCommand.self) == Outcome(status: .locked))
    #expect(Outcome(of: ExitCode(99), in: DemoCommand.self) == Outcome(status: .failure))
  }

  @Test(
    "A message stays on one line, whatever it quotes",
    arguments: [
      ("plain", "plain"),
      ("The value '1\n2' is", "The value '1 2' is"),
      ("a\r\n   b\u{2028}c\u{85}d\n", "a b c d"),
      ("\u{1B}[31mred\t\u{7}", "\\u{1b}[31mred\\u{9}\\u{7}"),
      ("名前 é 🙂", "名前 é 🙂"),
      ("\n\n", ""),
    ])
  func singleLine(text: String, line: String) {
    #expect(text.singleLine() == line)
  }

  @Test("A message that is too long loses its middle")
  func longMessage() {
    let line = ("front" + String(repeating: "9", count: 5000) + "reason").singleLine(limit: 30)
    #expect(line == "front999999999…99999999 reason".replacing(" ", with: "9"))
  }
}
