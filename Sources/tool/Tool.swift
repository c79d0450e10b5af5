// All commands in one program, `charmlp`, which is what gets installed: `train` and `sample` are
// too general as names for everybody's PATH.
//
// Each of them is what its own program is: the same type, which parses the same words.

import ArgumentParser
import BenchCommand
import CommandSupport
import GradcheckCommand
import ImportCommand
import Posix
import ReportCommand
import SampleCommand
import TrainCommand

@main
struct Tool: Command {
  /// The commands, in the order in which they are listed.
  private static let commands: [any Command.Type] = [
    Train.self,
    Sample.self,
    Report.self,
    Gradcheck.self,
    Bench.self,
    Import.self,
  ]

  static let configuration: CommandConfiguration = listing(commands)

  static func main() {
    Program.name = "charmlp"
    let requests = ["--generate-completion-script", "--experimental-dump-help"]
    let isOutline = processArguments().dropFirst().first.map(requests.contains) ?? false
    if isOutline { ToolOutline.main(nil) } else { main(nil) }
  }

  static func arranged(_ arguments: [String]) throws -> [String] {
    guard let name = arguments.first else { return arguments }
    if name == "help" { return try help(on: Array(arguments.dropFirst())) }
    guard let command = commands.first(where: { $0._commandName == name }) else {
      return name == "-V" || name == "version" ? ["--version"] : arguments
    }
    Program.setCommand(name)
    let rest = Array(arguments.dropFirst())
    if rest == ["help"], !FileSystem.exists("help") { return try help(on: [name]) }
    return [name] + (try command.arranged(rest))
  }

  /// `charmlp help sample` is `charmlp sample --help`.
  private static func help(on path: [String]) throws -> [String] {
    guard let name = path.first else { return ["--help"] }
    try requireSubcommand(path)
    guard let command = commands.first(where: { $0._commandName == name }) else { return path }
    return [name] + (try command.arranged(Array(path.dropFirst()) + ["--help"]))
  }

  static func meant(by word: String) -> String? {
    FileSystem.exists(word) ? "train \(shellWord(word))" : nil
  }

  /// What is said of the program, with such commands.
  fileprivate static func listing(
    _ commands: [any ParsableCommand.Type]
  ) -> CommandConfiguration {
    CommandConfiguration(
      commandName: "charmlp",
      abstract: "Train a network on a list of words, and invent new words like them.",
      usage: """
        charmlp train                train on the bundled list of names
        charmlp train towns.txt      train on a list of your own, a word a line
        charmlp sample --count 20    new words from the newest run
        charmlp sample score emma    how probable a word is
        charmlp report               the newest run as one HTML file
        """,
      discussion: "'charmlp train --help' and so on show the flags of each command.",
      version: version,
      subcommands: commands)
  }
}

/// The commands as manual pages and completion scripts are made of them: `sample` has the flags
/// there that it takes without a subcommand.
private struct ToolOutline: Command {
  static let configuration: CommandConfiguration = Tool.listing(
    Tool.configuration.subcommands.map { command -> any ParsableCommand.Type in
      command == Sample.self ? SampleOutline.self : command
    })
}
