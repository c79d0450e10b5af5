// What stands in a run directory, whatever happened to the run before.

import Foundation
import Posix
import Testing

@testable import CharMLP

@Suite("RunDirectory")
final class RunDirectoryTests {
  let path = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)").path
  let directory: RunDirectory

  init() throws { directory = try RunDirectory(creating: path) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  @Test("A file is replaced as a whole, and no temporary is left")
  func replacing() throws {
    try directory.save(model: [1, 2, 3])
    try directory.save(model: [4])
    #expect(try Checkpoint.read(directory.modelPath) == [4])
    #expect(try names() == ["model.safetensors"])
  }

  @Test("Temporaries of a killed run are removed, other files are not touched")
  func temporaries() throws {
    let old = ["model.safetensors.new", "metrics.jsonl.new", "run.json.new", "mine.new"]
    for name in old + [".new-0123456789abcdef", ".new-mine"] {
      try Data([1]).write(to: URL(filePath: path + "/" + name))
    }
    try directory.removeTemporaries()
    #expect(try names() == [".new-mine", "mine.new"])
    try directory.removeTemporaries()
  }

  @Test("A directory with nothing but a killed run's traces is used, any other is not")
  func traces() throws {
    for name in [".lock", "model.safetensors.new", ".new-0123456789abcdef"] {
      try Data([1]).write(to: URL(filePath: path + "/" + name))
      #expect(throws: Never.self) { try RunDirectory(creating: self.path) }
    }
    try Data([1]).write(to: URL(filePath: path + "/metrics.jsonl"))
    #expect(throws: SystemError.self) { try RunDirectory(creating: self.path) }
  }

  @Test("The next number follows the largest of our own, not a name that only looks like one")
  func numbers() throws {
    for name in ["names-1", "names-+5", "names-007", "names-1000000000", "towns-9"] {
      _ = try RunDirectory(creating: path + "/" + name)
    }
    #expect(try RunDirectory(creatingNextIn: path, name: "names").path == path + "/names-2")
  }

  @Test(
    "Metrics are cut after the checkpoint's step; a torn line and what is not a line of metrics go too",
    arguments: [
      ("", 10, "", nil),
      ("{\"step\":5,\"a\":1}\n{\"step\":10}\n", 10, "5 10", "{\"step\":10}"),
      ("{\"step\":5}\n{\"step\":10}\n{\"step\":15}\n", 10, "5 10", "{\"step\":10}"),
      ("{\"step\":5}\n{\"step\":10", 10, "5", "{\"step\":5}"),
      ("{\"step\":5}\n{\"step\":10}", 10, "5", "{\"step\":5}"),
      ("{\"step\":5}\n\0\0\0\n{\"step\":7}\n", 10, "5 7", "{\"step\":7}"),
      ("{\"step\":15}\n", 10, "", nil),
    ] as [(String, Int, String, String?)])
  func metrics(text: String, step: Int, steps: String, last: String?) throws {
    #expect(try directory.cutMetrics(after: step) == nil)
    try Data(text.utf8).write(to: URL(filePath: directory.metricsPath))
    #expect(try directory.cutMetrics(after: step) == last)
    let left = String(decoding: try Checkpoint.read(directory.metricsPath), as: UTF8.self)
    #expect(left.isEmpty || left.hasSuffix("\n"))
    let found = left.split(separator: "\n").map { $0.drop { !$0.isNumber }.prefix { $0.isNumber } }
    #expect(found.joined(separator: " ") == steps)
  }

  @Test("One lock at a time; the holder's process is known; the file is removed with the lock")
  func lock() throws {
    var lock: RunLock? = try RunLock(directory)
    let holder = Int(ProcessInfo.processInfo.processIdentifier)
    #expect(throws: RunLockError.held(path, by: holder)) { try RunLock(self.directory) }
    #expect(try names() == [".lock"])
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(try names() == [])
    // What a killed run left behind is not in the way.
    try Data("1234\n".utf8).write(to: URL(filePath: path + "/.lock"))
    #expect(throws: Never.self) { try RunLock(self.directory) }
  }

  @Test("A lock whose file was removed or replaced is lost, and leaves another's file alone")
  func lostLock() throws {
    var lock: RunLock? = try RunLock(directory)
    #expect(lock?.isInPlace == true)
    try FileManager.default.removeItem(atPath: path + "/.lock")
    #expect(lock?.isInPlace == false)
    let other = try RunLock(directory)
    #expect(lock?.isInPlace == false)
    lock = nil
    #expect(other.isInPlace)
    #expect(try names() == [".lock"])
  }
}
