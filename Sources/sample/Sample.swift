// The command `sample`: what a trained model says about words. Without a subcommand it prints new ones.

import ArgumentParser
import CommandSupport

@main
struct Sample: Command {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Print new words from a trained model, and ask it about words.",
    version: version,
    subcommands: [Words.self, Score.self, Explain.self, Evaluate.self],
    defaultSubcommand: Words.self)

  /// `sample --help` shows the flags that most people look for: those of the default subcommand, which
  /// says that there are others.
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let asksForHelp = [["--help"], ["-h"]].contains(arguments)
    main(asksForHelp ? ["words", "--help"] : arguments)
  }
}
