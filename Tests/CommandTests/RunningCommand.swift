// A command while it runs: it can be watched, sent signals, and waited for.

import Foundation
import Testing

/// A process in a test's directory, its outputs in files.
final class RunningCommand {
  let process = Process()
  private let place: Workplace
  private let names = ["stdin", "stdout", "stderr"].map { ".\($0)-\(UUID().uuidString)" }

  init(
    _ executable: URL, _ arguments: [String], in place: Workplace, input: String,
    environment: [String: String] = [:]
  ) throws {
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
    process.standardError = try FileHandle(forWritingTo: place.url.appending(path: names[2]))
    try process.run()
  }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// What it has written to stderr so far.
  func errors() throws -> String {
    String(decoding: try place.read(names[2]), as: UTF8.self)
  }

  /// Waits until something holds, for at most 20 seconds.
  func wait(until condition: () throws -> Bool) throws {
    let start = ContinuousClock.now
    while try !condition() {
      try #require(process.isRunning && ContinuousClock.now - start < .seconds(20 * patience))
      usleep(2000)
    }
  }

  /// Waits for the end; after 60 seconds it is killed.
  func outcome() throws -> Outcome {
    let guardian = DispatchWorkItem { [process] in kill(process.processIdentifier, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(60 * patience), execute: guardian)
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
