// All commands in one program, `charmlp`, which is what gets installed: `train` and `sample` are
// too general as names for everybody's PATH.
//
// Each is the same type as in its own program, and parses the same words. Manual pages and
// completion scripts are made from an outline of them.

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
    let arguments = processArguments().dropFirst()
    let request = arguments.first?.pieces(separatedBy: UInt8(ascii: "="), omittingEmpty: false)
    switch request?.first {
    case "--experimental-dump-help": ToolOutline.main(nil)
    case "--generate-completion-script":
      CompletionScript.main(request!.dropFirst().map(String.init) + arguments.dropFirst())
    default: main(nil)
    }
  }

  static func reordered(_ arguments: [String]) throws -> [String] {
    guard let name = arguments.first else { return arguments }
    if name == "help" { return try help(on: Array(arguments.dropFirst())) }
    guard let command = commands.first(where: { $0._commandName == name }) else {
      return name == "-V" || name == "version" ? ["--version"] : arguments
    }
    Program.setCommand(name)
    let rest = Array(arguments.dropFirst())
    if rest == ["help"], !FileSystem.exists("help") { return try help(on: [name]) }
    return [name] + (try command.reordered(rest))
  }

  /// `charmlp help sample` is `charmlp sample --help`.
  private static func help(on path: [String]) throws -> [String] {
    guard let name = path.first else { return ["--help"] }
    try requireSubcommand(path)
    guard let command = commands.first(where: { $0._commandName == name }) else { return path }
    return [name] + (try command.reordered(Array(path.dropFirst()) + ["--help"]))
  }

  static func suggestion(forUnknown word: String) -> String? {
    FileSystem.exists(word) ? "train \(shellWord(word))" : nil
  }

  /// The program's configuration with these commands.
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

/// The commands for manual pages and completion scripts: there `sample` also has the flags that it
/// takes without a subcommand.
private struct ToolOutline: Command {
  static let configuration: CommandConfiguration = Tool.listing(
    Tool.configuration.subcommands.map { command -> any ParsableCommand.Type in
      command == Sample.self ? SampleOutline.self : command
    })

  /// The commands that may follow `help`, and the subcommands of each.
  static var names: [String] { names(of: Self.self) }
  static var nested: [(command: String, names: [String])] {
    configuration.subcommands.map { ($0._commandName, names(of: $0)) }.filter { !$0.names.isEmpty }
  }

  private static func names(of command: any ParsableCommand.Type) -> [String] {
    command.configuration.subcommands.map { $0._commandName }
  }
}

// MARK: - Completion scripts

/// `--generate-completion-script SHELL`: ArgumentParser's script, with what it lacks: the commands
/// after `help`, and in bash and zsh the values after `--flag=`, which fish completes by itself.
private struct CompletionScript: Command {
  static let configuration = CommandConfiguration(commandName: "charmlp")
  @Argument var shell: String?

  func run() throws {
    let known = shell.map { CompletionShell(rawValue: $0) } ?? CompletionShell.autodetected()
    guard let known else {
      let names = CompletionShell.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--generate-completion-script takes one of \(names)")
    }
    Program.listsRareFlags = true
    let script = ToolOutline.completionScript(for: known)
    try StandardOutput.shared.writeLine(
      known == .bash ? Self.bash(script) : known == .zsh ? Self.zsh(script) : Self.fish(script))
  }

  /// bash makes three words of `--flag=value`. They are joined to the two that the script expects.
  private static func bash(_ script: String) -> String {
    let help = "    __charmlp_offer_flags_options -1\n}"
    let cases = [("1", ToolOutline.names)] + ToolOutline.nested.map { ("2,\($0)", $1) }
    let offers = cases.map { place, names in
      "    \(place)*) __charmlp_add_completions -W $'\(names.joined(separator: "\\n"))' ;;\n"
    }
    return
      script
      .replacing(
        help,
        with: """
              __charmlp_offer_flags_options -1
              case "${positional_number},${COMP_WORDS[2]}" in
          \(offers.joined())    esac
          }
          """
      )
      .replacing(
        "complete -o filenames -F _charmlp charmlp",
        with: """
          _charmlp_splitting_values() {
              local word previous=''
              local -a words=()
              for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
                  [[ "${word}" = '=' && "${previous}" = --* ]] || words+=("${word}")
                  previous="${word}"
              done
              [[ "${#words[@]}" -le "${COMP_CWORD}" && "${word}" = '=' ]] && words+=('')
              local -a COMP_WORDS=("${words[@]}")
              local -i COMP_CWORD="$((${#words[@]} - 1))"
              _charmlp "${1}" "${words[-1]}" "${words[-2]}"
          }

          complete -o filenames -F _charmlp_splitting_values charmlp
          """)
  }

  /// A sign after the name of an option says that its value may follow it in the same word. Names
  /// are offered as they are: `_describe` would end them at a colon, and take backslashes away.
  private static func zsh(_ script: String) -> String {
    script.pieces(separatedBy: UInt8(ascii: "\n"), omittingEmpty: false).map(String.init).map {
      line in
      let takesValue = line.contains("]:")
      if takesValue, line.contains("    '--") || line.contains("    '*--") {
        return line.replacing("[", with: "=[", maxReplacements: 1)
      }
      guard takesValue, let names = line.firstMatch(of: /\{(-.*?)\}/) else { return line }
      let marked = names.1.split(separator: ",").map { $0 + ($0.hasPrefix("--") ? "=" : "+") }
      return line.replacing(names.0, with: "{\(marked.joined(separator: ","))}", maxReplacements: 1)
    }
    .joined(separator: "\n")
    .replacing("_describe -V \"\" list}", with: "compadd -V \"\" -a list}")
    .replacing(
      "'*:subcommands:'",
      with: (["'1:command:(\(ToolOutline.names.joined(separator: " ")))'"]
        + ToolOutline.nested.map { command, names in
          "'2:command:{[[ $words[2] = \(command) ]] && compadd \(names.joined(separator: " "))}'"
        }).joined(separator: "\n        "))
  }

  private static func fish(_ script: String) -> String {
    let place = "__charmlp_should_offer_completions_for_positional \"charmlp help\" -eq"
    let cases =
      [("\(place) 1", ToolOutline.names)]
      + ToolOutline.nested.map { ("\(place) 2; and contains \($0) (__charmlp_tokens -pc)", $1) }
    return
      ([script]
      + cases.map { condition, names in
        "complete -c 'charmlp' -n '\(condition)' -fa '\(names.joined(separator: " "))'"
      }).joined(separator: "\n")
  }
}
