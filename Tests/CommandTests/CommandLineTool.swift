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
}

/// The object that a command printed as its last line.
func jsonObject(_ text: String) throws -> [String: Any] {
  let line = try #require(text.split(separator: "\n").last)
  return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}
