// Checked writing inside one process, on descriptors that are full, closed, slow or abandoned.
// What the process as a whole makes of it is in ProcessTests.

import Foundation
import Synchronization
import Testing

@testable import CommandSupport

@Suite struct StandardOutputTests {
  init() {
    Signals.reportFailedWritesAsErrors()
  }

  @Test("Results arrive complete and in order, also through a non-blocking pipe")
  func nonBlockingPipe() throws {
    let pipe = Pipe()
    let descriptor = pipe.fileHandleForWriting.fileDescriptor
    try #require(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
    // A thread of its own: a task might wait for the very thread that this test keeps waiting.
    let received = Mutex(Data())
    let isRead = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      received.withLock { $0 = data }
      isRead.signal()
    }
    let output = StandardOutput(descriptor: descriptor)
    let lines = (0..<50_000).map { "line \($0)" }
    for line in lines { try output.writeLine(line) }
    try output.flush()
    try pipe.fileHandleForWriting.close()
    isRead.wait()
    let text = received.withLock { String(decoding: $0, as: UTF8.self) }
    #expect(text == lines.joined(separator: "\n") + "\n")
  }

  @Test("Results are written only when the buffer is full or flushed")
  func buffering() throws {
    let file = try TemporaryFile()
    let output = StandardOutput(descriptor: file.handle.fileDescriptor)
    try output.write("a")
    #expect(try file.contents() == "")
    try output.flush()
    #expect(try file.contents() == "a")
    try output.write(String(repeating: "b", count: 1 << 16))
    #expect(try file.contents().count == 1 + 1 << 16)
  }

  @Test("A full disk is status 74, reported once")
  func full() throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let output = StandardOutput(descriptor: full.fileDescriptor)
    try output.write("x")
    let expected = CommandFailure(.inputOutput, "stdout: No space left on device")
    #expect(throws: expected) { try output.flush() }
    try output.flush()
  }

  @Test("Results for a reader that is gone fail with a broken pipe")
  func brokenPipe() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let output = StandardOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
    try output.write("x")
    #expect(throws: CommandFailure(.brokenPipe, "stdout: Broken pipe")) { try output.flush() }
  }

  @Test("A closed stdout is a failure only if something was written")
  func closed() throws {
    let output = StandardOutput(descriptor: -1)
    try output.close()
    try output.write("x")
    let expected = CommandFailure(.inputOutput, "stdout: closed (Bad file descriptor)")
    #expect(throws: expected) { try output.close() }
  }
}

/// A file that is gone with the test.
private final class TemporaryFile {
  let url = FileManager.default.temporaryDirectory.appending(component: UUID().uuidString)
  let handle: FileHandle

  init() throws {
    try Data().write(to: url)
    handle = try FileHandle(forWritingTo: url)
  }

  func contents() throws -> String {
    String(decoding: try Data(contentsOf: url), as: UTF8.self)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }
}
