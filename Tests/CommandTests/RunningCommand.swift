// A command while it runs: it can be watched, held, sent signals, and waited for.
//
// The limits of time guard against hanging and judge nothing: they are far above what any command
// takes on a machine that is busy with something else.

import Foundation
import Testing

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
    process.standardInput = try FileHandle(forReadingFrom: place.url.appending(path: names[0]))
    process.standardOutput = try FileHandle(forWritingTo: place.url.appending(path: names[1]))
    process.standardError =
      try valve?.entrance ?? FileHandle(forWritingTo: place.url.appending(path: names[2]))
    try process.run()
    try valve?.entrance.close()
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
