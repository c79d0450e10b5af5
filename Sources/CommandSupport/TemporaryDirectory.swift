// A directory for what another program reads and writes.

import Posix

/// A directory that is gone when nobody holds it any more.
///
/// A signal would leave it behind: hold it within `Interruption.deferring`.
public final class TemporaryDirectory {
  public let path: String

  /// Makes a new directory.
  public init() throws(SystemError) {
    path = try FileSystem.makeTemporaryDirectory(prefix: "charmlp-")
  }

  deinit { FileSystem.removeTree(path) }

  /// The path of a file in it.
  public func path(_ name: String) -> String { path + "/" + name }

  public func write(_ text: String, to name: String) throws(SystemError) {
    try FileSystem.create(path(name), with: Array(text.utf8))
  }

  /// The text of a file in it, which has at most `limit` bytes.
  public func read(_ name: String, limit: Int) throws(SystemError) -> String {
    String(decoding: try FileSystem.read(path(name), limit: limit), as: UTF8.self)
  }
}
