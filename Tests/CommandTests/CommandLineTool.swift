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

  func names(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(directory)).sorted()
  }

  /// Runs a command of this package here; whoever does not end within 60 seconds is killed.
  func run(
    _ command: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:]
  ) throws -> Outcome {
    try RunningCommand(
      Self.products.appending(path: command), arguments, in: self, input: input,
      environment: environment
    ).outcome()
  }

  /// Runs a line of shell here, in which `$train` and the like are the commands.
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
    environment: [String: String] = [:]
  ) throws -> RunningCommand {
    try RunningCommand(
      Self.products.appending(path: command), arguments, in: self, input: input,
      environment: environment)
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
