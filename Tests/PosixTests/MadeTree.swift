// A directory of the test's own: a file tree of a system that never was, or a place for files.

import Foundation

final class MadeTree {
  let path = FileManager.default.temporaryDirectory.appending(path: "tree-\(UUID().uuidString)")
    .path

  /// Makes files, each with a line end after its text, and the directories they lie in.
  init(_ files: [String: String] = [:]) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files {
      let url = URL(filePath: path + "/" + name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data((text + "\n").utf8).write(to: url)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
