// Runs the built commands as a user's shell would: arguments, input, exit code, both outputs.

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

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }

  func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    try Data(bytes).write(to: url.appending(path: name))
  }

  func read(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }

  /// Runs a command of this package here; whoever does not end within 60 seconds is stopped.
  func run(
    _ command: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:]
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = Self.products.appending(path: command)
    process.arguments = arguments
    process.currentDirectoryURL = url
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
      .merging(environment) { $1 }
    // Files instead of pipes: no amount of output blocks, and nothing needs to be read meanwhile.
    let names = ["stdin", "stdout", "stderr"].map { "\($0)-\(UUID().uuidString)" }
    try write(input.utf8, to: names[0])
    for name in names[1...] { try write([], to: name) }
    process.standardInput = try FileHandle(forReadingFrom: url.appending(path: names[0]))
    process.standardOutput = try FileHandle(forWritingTo: url.appending(path: names[1]))
    process.standardError = try FileHandle(forWritingTo: url.appending(path: names[2]))
    try process.run()
    let guardian = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: guardian)
    process.waitUntilExit()
    guardian.cancel()
    let texts = try names.map { String(decoding: try read($0), as: UTF8.self) }
    for name in names { try FileManager.default.removeItem(atPath: path(name)) }
    return Outcome(status: process.terminationStatus, output: texts[1], errors: texts[2])
  }

  /// Where the build puts the commands: beside the tests' own bundle.
  private static var products: URL {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  }
}

/// The object that a command printed as its last line.
func jsonObject(_ text: String) throws -> [String: Any] {
  let line = try #require(text.split(separator: "\n").last)
  return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}
