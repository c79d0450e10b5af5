// What this process is: one command under its own name, or `charmlp`, which holds them all; its
// version, the files it carries, and what it needs of the machine.
//
// Examples, hints and the name before an error are those of the program as it was called: whoever
// types `charmlp train` is told to continue with `charmlp train --resume …`. Too little memory,
// stack or room for addresses is refused with status 71 and two lines, where the system would end
// the process without a word or let it hang.

public import ArgumentParser
import CBLAS
import CEmbeddedFiles
import CharMLP
import LinearAlgebra
import Posix
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
    StandardError.shared.setCommandName(commandLine(command))
  }

  /// A shell command that begins with a command, as it has to be typed here.
  public static func commandLine(_ line: String) -> String { name.map { "\($0) \(line)" } ?? line }

  /// The arguments that start one of this program's own commands.
  public static func arguments(toStart command: String) -> [String] { name == nil ? [] : [command] }

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
  /// For flags that only `--help-hidden` and completion scripts list.
  public static var rare: ArgumentVisibility { Program.listsRareFlags ? .default : .hidden }
}

extension CommandConfiguration {
  /// This configuration, with its examples as they have to be typed in this program.
  public var asCalled: CommandConfiguration {
    var configuration = self
    let lines = usage?.pieces(separatedBy: UInt8(ascii: "\n"), omittingEmpty: false)
    configuration.usage = lines?.map { line in
      line.utf8.first == UInt8(ascii: " ") ? String(line) : Program.commandLine(String(line))
    }.joined(separator: "\n")
    return configuration
  }
}

// MARK: Subcommands that do not exist

extension ParsableCommand {
  /// Refuses a first word that is not a subcommand, if there are any, and suggests the nearest.
  /// - Throws: `ValidationError`.
  package static func requireSubcommand(_ arguments: [String]) throws {
    let commands = configuration.subcommands
    guard !commands.isEmpty, let first = arguments.first, !first.begins(with: "-"),
      first != "help"
    else { return }
    for command in commands where command._commandName == first {
      return try command.requireSubcommand(Array(arguments.dropFirst()))
    }
    let meant =
      nearestSubcommand(to: first)
      ?? (Self.self as? any Command.Type)?.suggestion(forUnknown: first)
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

// MARK: - The machine

/// The machine that a command runs on.
public enum Host {
  /// How many bytes this process could allocate: what is free of the machine's, or less under
  /// `ulimit -v` or in a container.
  public static var availableMemory: Int { Memory.available }

  /// The bytes of a word list that this process could hold: the text, and the words beside it.
  static var readableListBytes: Int {
    min(WordList.defaultReadLimit, max(0, (availableMemory - ownBytes) / 3))
  }

  /// The bytes that a search for the most likely words may take.
  public static var searchableBytes: Int { max(0, availableMemory - 2 * ownBytes) }

  /// The bytes of a model file that this process could hold: the file, its tensors, and twice their
  /// content beside them.
  public static var readableBytes: Int { availableMemory / 4 }

  /// How this command was built.
  public static var buildMode: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }

  /// Which machines the build runs on: `native`, for those that have the instructions of the one
  /// that built it, or `portable`, for all of the architecture.
  static var instructionSet: String {
    #if CHARMLP_PORTABLE
      "portable"
    #else
      "native"
    #endif
  }

  // MARK: - Enough memory

  // Sizes beyond the machine's are refused before the first allocation: a process that asks for too
  // much is ended by the system, without a word and with a status that says nothing.

  /// What the program takes itself: its code, Swift's library, OpenBLAS and the buffers of its
  /// threads.
  private static let ownBytes = 40 << 20

  /// Refuses what this process could not hold in addition to what it has.
  /// - Parameters:
  ///   - need: The bytes that are needed, or nil if they cannot be counted.
  ///   - purpose: What needs them, as the subject of a sentence.
  ///   - advice: What to do about it.
  /// - Throws: `CommandFailure` (71).
  public static func require(
    _ need: Int?, for purpose: String, advice: String
  ) throws(CommandFailure) {
    let available = availableMemory
    let need = need.flatMap { 0 <= $0 && $0 < Int.max / 2 ? $0 + ownBytes : nil }
    if let need, need <= available { return }
    let size = need.map { "\(Format.count($0 >> 20)) MiB" } ?? "more memory than can be counted"
    throw CommandFailure(
      .resources,
      "\(purpose) need \(size); \(Format.count(available >> 20)) MiB are available",
      advice: advice)
  }

  /// Refuses the sizes of a network that this process could not hold.
  /// - Parameter need: The bytes that are needed, or nil if they cannot be counted.
  /// - Throws: `CommandFailure` (71).
  public static func requireSizes(_ need: Double?) throws(CommandFailure) {
    try require(
      need.flatMap { $0 < 0x1p62 ? Int($0) : nil }, for: "these sizes",
      advice: "Choose a smaller --hidden, --batch-size, --block-size or --embedding.")
  }

  // MARK: - Enough stack

  // Swift's runtime takes some 100 KiB of stack to build the types that parse flags. New threads
  // get as much as the limit on the first one's stack says. An overflow is a segmentation fault.

  /// Ends the process if the limit on stacks is too small (`ulimit -s`).
  static func requireStack() {
    // Twice what a debug build was seen to need.
    let least = 256 << 10
    guard let limit = Memory.stackLimit, limit < least else { return }
    refuse(
      "the stack is too small: \(limit >> 10) KiB, and \(least >> 10) KiB are needed",
      advice: "Raise the limit (ulimit -s).")
  }

  /// Ends the process by `_exit`: an ordinary end would wait for threads of OpenBLAS that never
  /// end.
  fileprivate static func refuse(_ message: String, advice: String) -> Never {
    StandardError.shared.note(message)
    StandardError.shared.writeLine(advice)
    exitProcessImmediately(ExitStatus.resources.rawValue)
  }
}

// MARK: - Enough addresses for OpenBLAS

// OpenBLAS takes 128 MiB of addresses for each of its own threads, beside `main`, and for each
// thread that calls it. When it does not get them (`ulimit -v`, a batch system's limit) it asks
// again for ever, and the process cannot even end, since it waits for those threads. So the same
// amount is asked for here, before anything else, and given back. A command that will use more
// threads than there are cores asks again; that counts what OpenBLAS may already have, and so
// refuses a little more than it must.

public enum AddressSpace {
  /// What OpenBLAS takes for a thread (BUFFER_SIZE in its common_x86_64.h, and the largest
  /// elsewhere).
  private static let bufferSize = 128 << 20
  /// What one of our threads takes on top, and may take before its first product: 8 MiB of stack,
  /// and a heap of its own, for which glibc reserves 64 MiB.
  private static let ownSize = 80 << 20
  /// How many of our threads may call it at the same time; a product is never split further.
  private static let callerLimit = 8

  /// Ends the process with status 71 and two lines if there is too little room.
  /// - Parameter callers: How many of our threads will call it at the same time.
  public static func requireRoomForBLAS(callers: Int = availableCores()) {
    let callers = min(callers, callerLimit)
    let threads = max(0, Int(openblas_get_num_threads()) - 1) + callers
    let pieces =
      Array(repeating: bufferSize, count: threads) + Array(repeating: ownSize, count: callers)
    guard !Memory.canMap(pieces) else { return }
    Host.refuse(
      """
      the address space is too small: OpenBLAS needs \(threads * (bufferSize >> 20)) MiB of it, \
      and the program \(callers * (ownSize >> 20))
      """, advice: "Raise the limit (ulimit -v), or set OPENBLAS_NUM_THREADS=1 to need less.")
  }
}
