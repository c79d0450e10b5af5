// A directory for what another program reads and writes.

import FoundationEssentials

/// A directory that is gone when nobody holds it any more.
public final class TemporaryDirectory {
  private let url: URL

  /// Makes a new directory.
  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "charmlp-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  public var path: String { url.path }

  /// The path of a file in it.
  public func path(_ name: String) -> String { url.appending(path: name).path }

  public func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
  }

  public func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appending(path: name)), as: UTF8.self)
  }
}
