// How tests run the built commands: as a user's shell would, with arguments, input, exit code and
// both outputs; while they run, to be watched, held and sent signals; and under conditions that
// only a shell can make: FIFOs, closed descriptors, full disks, files that vanish.
//
// The limits of time guard against hanging and judge nothing: they are far above what any command
// takes on a machine that is busy with something else.

import Foundation
import Testing

/// How a command ended.
struct Outcome {
  let status: Int32
  let output: String
  let errors: String

  var errorLines: [Substring] { errors.split(separator: "\n") }
}

/// A directory for one test, gone at its end.
final class Workplace {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "charmlp-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  /// A directory with a run in it, by default the newest.
  convenience init(
    with run: Result<TrainedRun, any Error>, at name: String = "runs/names-1"
  ) throws {
    try self.init()
    try run.get().write(to: name, in: self)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }

  func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    try Data(bytes).write(to: url.appending(path: name))
  }

  func read(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }

  func names(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(directory)).sorted()
  }

  /// Unless a recipe is named or a run resumed, tests train as the lecture does: its settings are
  /// the same for every list, and a few steps of them take no time.
  private static func completed(_ command: String, _ arguments: [String]) -> [String] {
    let named = ["--recipe", "--resume"]
    guard command == "train", !arguments.contains(where: named.contains) else { return arguments }
    return ["--recipe", "notebook"] + arguments
  }

  /// Runs a command of this package here; one that does not end within ten minutes is killed.
  func run(
    _ command: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:]
  ) throws -> Outcome {
    try RunningCommand(
      Self.products.appending(path: command), Self.completed(command, arguments), in: self,
      input: input,
      environment: environment
    ).outcome()
  }

  /// Runs a shell command here, in which `$train` and the like are the commands.
  func shell(_ line: String) throws -> Outcome {
    let names = ["train", "sample", "bench", "gradcheck"].map { name in
      "\(name)='\(Self.products.appending(path: name).path)'"
    }
    let script = names.joined(separator: "\n") + "\n" + line
    return try RunningCommand(URL(filePath: "/bin/sh"), ["-c", script], in: self, input: "")
      .outcome()
  }

  /// Starts a command of this package here.
  func start(
    _ command: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:], isHeld: Bool = false
  ) throws -> RunningCommand {
    try RunningCommand(
      Self.products.appending(path: command), Self.completed(command, arguments), in: self,
      input: input,
      environment: environment, isHeld: isHeld)
  }

  /// Where the build puts the commands: beside the tests' own bundle.
  private static var products: URL {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  }
}

/// The files of a run that many tests begin with: trained once, and kept in memory.
struct TrainedRun: Sendable {
  private let files: [String: Data]

  /// Trains a run with such flags, on a list if there is one and on the bundled names otherwise.
  init(_ arguments: [String], words: String? = nil) throws {
    let place = try Workplace()
    var data: [String] = []
    if let words {
      try place.write(words.utf8, to: "words.txt")
      data = ["--data", "words.txt"]
    }
    let outcome = try place.run("train", data + arguments + ["--quiet", "--out", "run"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let names = try place.names(in: "run")
    files = try Dictionary(uniqueKeysWithValues: names.map { ($0, try place.read("run/" + $0)) })
  }

  /// Makes a run directory of these files.
  func write(to directory: String, in place: Workplace) throws {
    try FileManager.default.createDirectory(
      atPath: place.path(directory), withIntermediateDirectories: true)
    for (name, contents) in files { try place.write(contents, to: directory + "/" + name) }
  }

  /// A small one of the bundled names.
  static let names = Result { try TrainedRun(["--steps", "200", "--hidden", "16"]) }
  /// A tiny one of them, for whatever does not look at words.
  static let tiny = Result { try TrainedRun(["--steps", "60", "--hidden", "8", "--samples", "0"]) }
}

/// The object that a command printed as its last line.
func jsonObject(_ text: String) throws -> [String: Any] {
  let line = try #require(text.split(separator: "\n").last)
  return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}

// MARK: - A command while it runs

/// A process in a test's directory, its outputs in files.
final class RunningCommand {
  let process = Process()
  private let place: Workplace
  private let names = ["stdin", "stdout", "stderr"].map { ".\($0)-\(UUID().uuidString)" }
  private let valve: Valve?

  /// Starts a command. One that is held stands still after a dozen lines of stderr, until somebody
  /// asks for its outcome: it cannot come to its end, however late a signal reaches it.
  init(
    _ executable: URL, _ arguments: [String], in place: Workplace, input: String,
    environment: [String: String] = [:], isHeld: Bool = false
  ) throws {
    valve = isHeld ? try Valve() : nil
    self.place = place
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = place.url
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
      .merging(environment) { $1 }
    // Files instead of pipes: no amount of output blocks, and nothing needs to be read meanwhile.
    try place.write(input.utf8, to: names[0])
    for name in names[1...] { try place.write([], to: name) }
    let input = try FileHandle(forReadingFrom: place.url.appending(path: names[0]))
    let output = try FileHandle(forWritingTo: place.url.appending(path: names[1]))
    let errors =
      try valve?.entrance ?? FileHandle(forWritingTo: place.url.appending(path: names[2]))
    (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
    try process.run()
    // Foundation keeps a process that has ended, and its files with it. With some 1,300 of them
    // open, the list of descriptors that the next start reads fills its buffer, and Foundation,
    // which copies 256 bytes of every name, reads beyond it.
    for handle in [input, output, errors] { try handle.close() }
  }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until something holds, for at most five minutes.
  func wait(until condition: () throws -> Bool) throws {
    let start = ContinuousClock.now
    while try !condition() {
      try #require(process.isRunning && ContinuousClock.now - start < .seconds(300 * patience))
      usleep(2000)
    }
  }

  /// Waits for the end; after ten minutes it is killed.
  func outcome() throws -> Outcome {
    let guardian = DispatchWorkItem { [process] in kill(process.processIdentifier, SIGKILL) }
    DispatchQueue.global().asyncAfter(
      deadline: .now() + .seconds(600 * patience), execute: guardian)
    if let valve { try place.write(valve.drain(), to: names[2]) }
    process.waitUntilExit()
    guardian.cancel()
    let texts = try names.map { String(decoding: try place.read($0), as: UTF8.self) }
    for name in names { try FileManager.default.removeItem(atPath: place.path(name)) }
    // A signal's number as a shell reports it, so that it is no exit status of a command.
    let signal: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
    return Outcome(
      status: signal + process.terminationStatus, output: texts[1], errors: texts[2])
  }
}

/// A pipe that is nearly full: whoever writes to it waits soon, until it is drained.
private struct Valve {
  let entrance: FileHandle
  private let exit: FileHandle
  private let filling: Int

  init() throws {
    let pipe = Pipe()
    (entrance, exit) = (pipe.fileHandleForWriting, pipe.fileHandleForReading)
    for handle in [entrance, exit] { _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC) }
    // F_SETPIPE_SZ (fcntl.h), which Glibc's module leaves out.
    let size = fcntl(entrance.fileDescriptor, 1031, 4096)
    try #require(size >= 4096)
    // What is left holds a dozen lines.
    filling = Int(size) - 1200
    try entrance.write(contentsOf: Data(count: filling))
  }

  /// Lets everything through until the other side is closed.
  func drain() throws -> Data {
    try (exit.readToEnd() ?? Data()).dropFirst(filling)
  }
}

// MARK: - A shell command
//
// A guard ends what hangs: whatever is still there after five minutes is killed, and its status is
// then 137.

extension Workplace {
  /// Runs a shell command here, in which `train` and the other commands are those of this build.
  func guarded(_ line: String) throws -> Outcome {
    try write("export PATH='\(Self.builtCommands)':\"$PATH\"\n\(line)\n".utf8, to: "line.sh")
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // `timeout` makes the line the leader of a group, and kills all of it; what the line left in
    // the background is ended too, or this would wait for it.
    process.arguments = [
      "timeout", "--signal=KILL", String(300 * patience), "sh", "-c",
      "sh line.sh </dev/null >stdout 2>stderr; echo $? >status; kill -KILL 0",
    ]
    process.currentDirectoryURL = url
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    try process.run()
    process.waitUntilExit()
    let status = String(decoding: (try? read("status")) ?? Data(), as: UTF8.self)
    try? FileManager.default.removeItem(atPath: path("status"))
    return Outcome(
      status: Int32(status.dropLast()) ?? 137,
      output: String(decoding: try read("stdout"), as: UTF8.self),
      errors: String(decoding: try read("stderr"), as: UTF8.self))
  }

  /// Whether a run was begun here.
  var hasRun: Bool { FileManager.default.fileExists(atPath: path("runs")) }

  private static var builtCommands: String {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path
  }
}

/// What stands before a command that is to have an ordinary user's rights: as the superuser, the
/// word that gives away the right to read and write whatever the modes say (util-linux).
let ordinaryUser =
  geteuid() == 0 ? "setpriv --bounding-set=-dac_override,-dac_read_search --" : ""

/// Whether this was built with a sanitizer, whose memory takes terabytes of addresses: where those
/// are limited, no such process starts.
let isSanitized = isThreadSanitized || isLinked("__asan_init")
/// Whether it is the one of threads, which maps a file of its own: where their size is limited, it
/// fails.
let isThreadSanitized = isLinked("__tsan_init")

private func isLinked(_ name: String) -> Bool { unsafe dlsym(nil, name) != nil }

/// How many times longer than usual a command may take: the thread sanitizer makes it as much
/// slower.
let patience = isSanitized ? 10 : 1

/// What stands before a command that is to find no thread left in the system: the superuser is not
/// held to the limit, so it becomes somebody else, who may go on reading and writing what belongs
/// to it.
let withoutThreads =
  "env OPENBLAS_NUM_THREADS=1 prlimit --nproc=1 "
  + (geteuid() == 0
    ? "setpriv --reuid=54321 --inh-caps=+dac_override --ambient-caps=+dac_override --" : "--")

/// A line that leaves the lines after it one core, the first one that the test has: what a command
/// asks of a machine depends on its cores (util-linux).
let onOneCore =
  "taskset -cp $(taskset -cp $$ | sed 's/.*: //; s/[,-].*//') $$ >taskset.log; export OPENBLAS_NUM_THREADS=1"

/// A refusal as every command must give it: its status, one or two lines of message, no results.
func expectRefusal(
  _ outcome: Outcome, status: Int32, saying text: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(
    (1...2).contains(outcome.errorLines.count), "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(
    text.isEmpty || outcome.errors.contains(text), "\(outcome.errors)",
    sourceLocation: sourceLocation)
  #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
}
