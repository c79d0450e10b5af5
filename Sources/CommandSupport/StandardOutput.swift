// Results go to stdout through here, and through nothing else.
//
// Swift's `print` says nothing when stdout is full or closed: a command would end with status 0 and
// half its results. Here every byte is accounted for, and a failure is thrown. A file or a pipe is
// written in large pieces, a terminal line by line. For messages about the work: StandardError.

import Glibc
import Synchronization

/// Checked, buffered writing of results.
public final class StandardOutput: Sendable {
  /// The process's stdout.
  public static let shared = StandardOutput(descriptor: STDOUT_FILENO)

  private let descriptor: CInt
  private let isTerminal: Bool
  private let buffer = Mutex<[UInt8]>([])

  /// Above this many bytes the buffer is written.
  private static let capacity = 1 << 16

  init(descriptor: CInt) {
    self.descriptor = descriptor
    self.isTerminal = OperatingSystem.isTerminal(descriptor)
  }

  /// Appends `text` to the output, with no line end of its own.
  /// - Throws: `CommandFailure` as `flush()` does, if the buffer had to be written.
  public func write(_ text: String) throws(CommandFailure) { try append(text.utf8) }

  /// Appends text that is UTF-8 already.
  /// - Throws: `CommandFailure` as `flush()` does, if the buffer had to be written.
  public func write(_ text: [UInt8]) throws(CommandFailure) { try append(text) }

  private func append(_ text: some Collection<UInt8>) throws(CommandFailure) {
    let isDue = buffer.withLock { bytes in
      bytes.append(contentsOf: text)
      return bytes.count >= Self.capacity || (isTerminal && bytes.contains(UInt8(ascii: "\n")))
    }
    if isDue { try flush() }
  }

  /// Appends `text` and a line end.
  /// - Throws: `CommandFailure` as `flush()` does, if the buffer had to be written.
  public func writeLine(_ text: String) throws(CommandFailure) {
    try write(text + "\n")
  }

  /// Hands everything written so far to the operating system.
  /// - Throws: `CommandFailure`: `.inputOutput` if stdout is closed, full or broken, `.brokenPipe`
  ///   if its reader is gone. What could not be written is dropped, so that no later call repeats
  ///   the failure.
  public func flush() throws(CommandFailure) {
    do throws(SystemError) {
      try buffer.withLock { bytes throws(SystemError) in
        defer { bytes.removeAll(keepingCapacity: true) }
        if bytes.isEmpty { return }
        if isTerminal { StandardError.shared.clearMovingLine() }
        try OperatingSystem.write(bytes.span, to: descriptor)
      }
    } catch {
      throw Self.failure(error)
    }
  }

  /// Flushes and closes: some file systems report a full disk only then.
  /// - Throws: `CommandFailure` as `flush()` does. A stdout that was never open is no failure as
  ///   long as nothing was written.
  func close() throws(CommandFailure) {
    try flush()
    do throws(SystemError) {
      try OperatingSystem.close(descriptor)
    } catch {
      if error.code != EBADF { throw Self.failure(error) }
    }
  }

  private static func failure(_ error: SystemError) -> CommandFailure {
    switch error.code {
    case EPIPE: CommandFailure(.brokenPipe, "stdout: \(error)")
    case EBADF: CommandFailure(.inputOutput, "stdout: closed (\(error))")
    default: CommandFailure(.inputOutput, "stdout: \(error)")
    }
  }
}
