// A word list's file while it is read: a regular file, a FIFO, a device or standard input.
//
// It counts bytes and says in a word list's terms what went wrong; the calls themselves are Posix's.

internal import Posix

/// An open file, from where it stands to its end.
struct ReadableFile: ~Copyable {
  private let file: OpenFile
  /// The bytes that were read or skipped.
  private(set) var position = 0

  /// Opens the file or FIFO at `path`; opening a FIFO waits for its writer.
  /// - Throws: `missing` or `unreadable`.
  static func opening(_ path: String) throws(WordListError) -> ReadableFile {
    do throws(SystemError) {
      return ReadableFile(try OpenFile(reading: path))
    } catch {
      throw error.isMissingFile ? .missing : .unreadable(reason: error.reason)
    }
  }

  /// Takes a file that somebody else has opened, and leaves it open.
  init(descriptor: CInt) { self.init(OpenFile(descriptor: descriptor)) }

  private init(_ file: consuming OpenFile) { self.file = file }

  /// Standard input.
  static var standardInput: ReadableFile { ReadableFile(.standardInput) }

  /// The size of a regular file, nil for anything else that can be read.
  ///
  /// It is a hint, no promise: a file can grow, and in /proc its size is zero.
  /// - Throws: `directory` or `unreadable`.
  func size() throws(WordListError) -> Int? {
    let kind: FileSystem.Kind
    do throws(SystemError) { kind = try file.kind() } catch {
      throw .unreadable(reason: error.reason)
    }
    switch kind {
    case .directory: throw .directory
    case .file(let size): return size
    case .pipe, .device: return nil
    }
  }

  /// Goes to a byte of a regular file.
  /// - Throws: `readFailed`.
  mutating func seek(to byte: Int) throws(WordListError) {
    do throws(SystemError) { try file.seek(to: byte) } catch {
      throw .readFailed(byte: position, reason: error.reason)
    }
    position = byte
  }

  /// Reads as much as there is, up to the length of `chunk`; 0 at the end.
  /// - Throws: `unreadable` for what was never open for reading, else `readFailed`.
  mutating func read(into chunk: inout [UInt8]) throws(WordListError) -> Int {
    do throws(SystemError) {
      let received = try file.read(into: &chunk)
      position += received
      return received
    } catch {
      // A standard input that is closed, or open for writing alone, was never there to be read.
      if error.isBadDescriptor && position == 0 { throw .unreadable(reason: error.reason) }
      throw .readFailed(byte: position, reason: error.reason)
    }
  }
}
