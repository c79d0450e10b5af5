// What a command line says beyond what ArgumentParser makes of it: values with a hyphen, flags
// given twice, names of other programs' flags.

import ArgumentParser
import Testing

@testable import CommandSupport

@Suite struct DeclaredFlagsTests {
  private static let demo = DeclaredCommand(DemoCommand.self)

  private func line(_ arguments: [String]) -> ParsedCommandLine {
    ParsedCommandLine(arguments, of: Self.demo)
  }

  @Test("Flags are known under all their names, with what they take")
  func declarations() throws {
    let steps = try #require(line([]).flag("-n"))
    #expect(steps.names.sorted() == ["--steps", "-n"])
    #expect(steps.name == "--steps" && steps.takesValue && !steps.isRepeating)
    #expect(line([]).flag("--contains")?.isRepeating == true)
    #expect(line([]).flag("--quiet")?.takesValue == false)
    #expect(line([]).flag("--version") != nil && line([]).flag("--quietly") == nil)
    #expect(line(["fail"]).path == ["demo", "fail"])
    #expect(line(["fail"]).flag("--quietly") != nil)
  }

  @Test(
    "A value that begins with a hyphen is joined to its flag",
    arguments: [
      (["--steps", "-3"], ["--steps=-3"]),
      (["-n", "-3"], ["--steps=-3"]),
      (["--learning-rate", "-0.1", "--offset", "-.5"], ["--learning-rate=-0.1", "--offset=-.5"]),
      (["--offset", "-inf", "--offset", "-NaN"], ["--offset=-inf", "--offset=-NaN"]),
      (["--suffix", "-bo", "--quiet"], ["--suffix=-bo", "--quiet"]),
      (["--suffix", "-é"], ["--suffix=-é"]),
      (["--steps=4", "-3"], ["--steps=4", "-3"]),
      (["-q", "-3"], ["-q", "-3"]),
      (["-n5", "-q"], ["--steps=5", "-q"]), (["-qn5"], ["-q", "--steps=5"]),
      (["-qn=5"], ["-q", "--steps=5"]), (["-q5"], ["-q5"]), (["-5n"], ["-5n"]), (["-qn"], ["-qn"]),
      (["--suffix", "-n5"], ["--suffix=-n5"]), (["--", "-n5"], ["--", "-n5"]),
      (["-3"], ["-3"]),
      (["--steps", "-q"], ["--steps", "-q"]),
      (["--steps", "--quiet"], ["--steps", "--quiet"]),
      (["--suffix", "--bo"], ["--suffix", "--bo"]),
      (["--suffix", "-"], ["--suffix", "-"]),
      (["--", "--steps", "-3"], ["--", "--steps", "-3"]),
    ])
  func joining(arguments: [String], joined: [String]) {
    #expect(line(arguments).joined == joined)
  }

  @Test("A value that begins with a hyphen is its flag's, which may refuse it")
  func joinedValue() throws {
    let command = try #require(try DemoCommand.parsed(["--suffix", "-bo", "-q"]) as? DemoCommand)
    #expect(command.suffix == "-bo" && command.quiet)
    let short = try #require(try DemoCommand.parsed(["-qn5"]) as? DemoCommand)
    #expect(short.steps == 5 && short.quiet)
    let error = #expect(throws: (any Error).self) { try DemoCommand.parsed(["--steps", "-bo"]) }
    #expect(
      error.map { DemoCommand.message(for: $0).contains("The value '-bo' is invalid") } == true)
  }

  @Test(
    "A flag that takes effect once is refused when it is given twice",
    arguments: [
      (["--steps", "3", "--steps", "4"], "The option '--steps' is given twice"),
      (["--steps=3", "--steps=3"], "The option '--steps' is given twice"),
      (
        ["-n", "3", "--steps", "4"],
        "'-n' and '--steps' are the same option; give only one"
      ),
      (["-q", "--suffix", "x", "-q"], "The option '-q' is given twice"),
      (["-qn", "3", "--quiet"], "'-q' and '--quiet' are the same option; give only one"),
    ])
  func repetitions(arguments: [String], message: String) {
    let failure = CommandFailure(.usage, message, advice: "See 'demo --help'.")
    #expect(throws: failure) { try DemoCommand.parsed(arguments) }
  }

  @Test(
    "One that may be repeated is not, nor is a value that looks like a flag",
    arguments: [
      ["--contains", "a", "--contains", "b"], ["--suffix=--steps", "--steps", "3"],
      ["--suffix=-n", "-n", "3"],
      ["fail", "--quietly", "--", "--quietly"],
    ] as [[String]])
  func noRepetitions(arguments: [String]) {
    #expect(throws: Never.self) { try DemoCommand.parsed(arguments) }
  }

  @Test(
    "An unknown flag leads to the one that is meant, or to none",
    arguments: [
      ("--lr", "--learning-rate"), ("-lr", "--learning-rate"), ("--LR", "--learning-rate"),
      ("--learning_rate", "--learning-rate"), ("--learningRate", "--learning-rate"),
      ("--learning", "--learning-rate"), ("--n-steps", "--steps"), ("--max_iters", "--steps"),
      ("--epochs", "--steps"), ("--step", "--steps"), ("-steps", "--steps"),
      ("--quite", "--quiet"), ("--silent", "--quiet"), ("--startswith", nil), ("--xyz", nil),
      ("-V", "--version"), ("--help-all", "--help-hidden"), ("--foo", nil), ("-x", nil),
      ("--", nil), ("--temperature", nil),
    ] as [(String, String?)])
  func suggestions(unknown: String, meant: String?) {
    #expect(line([]).suggestion(for: unknown) == meant)
  }

  @Test("Other programs' names are written without hyphens and lead to names with them")
  func foreignNames() {
    for (theirs, ours) in ForeignFlag.names {
      #expect(theirs.allSatisfy { $0.isLowercase || $0.isNumber }, "\(theirs)")
      #expect(!ours.isEmpty && ours.allSatisfy { !$0.hasPrefix("-") })
    }
  }

  @Test("A flag that the command cannot have is explained")
  func explanations() {
    #expect(line([]).explanation(of: "--n_layer")?.contains("one hidden layer") == true)
    #expect(line([]).explanation(of: "--device")?.contains("CPU") == true)
    #expect(line([]).explanation(of: "--foo") == nil)
  }

  @Test("The message for a word that begins with a hyphen says how to write it")
  func words() {
    #expect(
      line(["fail", "-bo"]).adviceOnWords
        == "to pass -bo as an argument, write:  demo fail -- -bo")
    #expect(line(["-bo"]).adviceOnWords == nil)
  }
}
