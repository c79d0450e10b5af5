// What this process is: one command under its own name, or `charmlp`, which holds them all; its
// version; and the files it carries.
//
// Examples, hints and the name before an error are those of the program as it was called: whoever
// types `charmlp train` is told to continue with `charmlp train --resume …`.

public import ArgumentParser
import CEmbeddedFiles
import CharMLP
import LinearAlgebra
import Synchronization

/// The version of all commands.
public let version = "0.2.0"

/// The program that runs.
public enum Program {
  private static let front = Mutex<String?>(nil)
  private static let rare = Mutex(false)

  /// The program's name, if it holds several commands.
  ///
  /// Set before anything else: a command's examples are made when its configuration is first read.
  public static var name: String? {
    get { front.withLock { $0 } }
    set { front.withLock { $0 = newValue } }
  }

  /// Whether rare flags are listed with the others, as completion scripts need them.
  public static var listsRareFlags: Bool {
    get { rare.withLock { $0 } }
    set { rare.withLock { $0 = newValue } }
  }

  /// Puts a command's name, as it was called, before warnings and errors.
  public static func setCommand(_ command: String) {
    StandardError.shared.setCommandName(called(command))
  }

  /// A line of shell that begins with a command, as it has to be typed here.
  public static func called(_ line: String) -> String { name.map { "\($0) \(line)" } ?? line }

  /// The arguments that start one of this program's own commands.
  public static func words(for command: String) -> [String] { name == nil ? [] : [command] }

  /// What `--version` prints: the version, the kernels in use, and how the program was built.
  static func description(of command: String) -> String {
    let library = BLASLibrary.configuration.pieces(separatedBy: UInt8(ascii: " "))
      .prefix(2).joined(separator: " ")
    return """
      \(command) \(version) \
      (\(library), \(BLASLibrary.core) kernels; \(Host.instructionSet) \(Host.buildMode) build)
      """
  }
}

extension ArgumentVisibility {
  /// That of a flag which only `--help-hidden` and completion scripts list.
  public static var rare: ArgumentVisibility { Program.listsRareFlags ? .default : .hidden }
}

extension CommandConfiguration {
  /// This configuration, its examples as they have to be typed in this program.
  public var asCalled: CommandConfiguration {
    var configuration = self
    let lines = usage?.pieces(separatedBy: UInt8(ascii: "\n"), omittingEmpty: false)
    configuration.usage = lines?.map { line in
      line.utf8.first == UInt8(ascii: " ") ? String(line) : Program.called(String(line))
    }.joined(separator: "\n")
    return configuration
  }
}

// MARK: Subcommands that do not exist

extension ParsableCommand {
  /// Refuses a first word that is no subcommand, where a command has such; names the nearest.
  ///
  /// - Throws: `ValidationError`.
  package static func requireSubcommand(_ arguments: [String]) throws {
    let commands = configuration.subcommands
    guard !commands.isEmpty, let first = arguments.first, !first.begins(with: "-"),
      first != "help"
    else { return }
    for command in commands where command._commandName == first {
      return try command.requireSubcommand(Array(arguments.dropFirst()))
    }
    let meant = nearestSubcommand(to: first) ?? (Self.self as? any Command.Type)?.meant(by: first)
    let hint = meant.map { ". Did you mean '\($0)'?" } ?? ""
    throw ValidationError("Unknown subcommand '\(first)'\(hint)")
  }

  /// The subcommand with the nearest name, or a subcommand's own of that name.
  private static func nearestSubcommand(to word: String) -> String? {
    let unnamed = configuration.defaultSubcommand
    let commands = configuration.subcommands.filter { $0 != unnamed }
    for command in commands {
      let nested = command.configuration.subcommands.map { $0._commandName }
      if nested.contains(word) { return "\(command._commandName) \(word)" }
    }
    let names = commands.map { $0._commandName }
    let nearest = NearestWords.meant(by: word, among: names, within: 2) { $0 }
    return nearest?.unicodeScalars.first == word.unicodeScalars.first ? nearest : nil
  }
}

// MARK: - The files that are compiled in

/// The text of a file that is compiled into the program, by its name in `CEmbeddedFiles.c`.
package func embeddedFile(_ name: String) -> String {
  guard let text = unsafe embedded_file(name) else {
    preconditionFailure("no file \(name) is compiled in")
  }
  return unsafe String(cString: text)
}
