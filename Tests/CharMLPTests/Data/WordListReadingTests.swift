// Where the bytes of a word list may come from, and what happens when they do not come.
//
// Real files, FIFOs and pipes in a directory of the test's own. Blocking reads happen on the test's
// thread; whoever must write or send signals meanwhile runs on another.

import CharMLP
import Foundation
import Testing

// The limit is a guard against hanging: a test waits for its turn within it.
@Suite("Reading a word list", .timeLimit(.minutes(30)))
struct WordListReadingTests {
  /// Runs `body` with the path of a fresh directory, and removes that afterwards.
  private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "charmlp-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  /// Writes pieces to a file or FIFO from another thread.
  private func write(_ pieces: [[UInt8]], to path: String) {
    Thread.detachNewThread {
      guard let handle = FileHandle(forWritingAtPath: path) else { return }
      for piece in pieces {
        try? handle.write(contentsOf: Data(piece))
        Thread.sleep(forTimeInterval: 0.01)  // so that pieces arrive one by one
      }
      try? handle.close()
    }
  }

  @Test("A word list reads a regular file once, and later changes of the file do not matter")
  func regularFile() throws {
    try withDirectory { directory in
      let path = directory + "/names.txt"
      try Data("emma\r\nolivia\r\n".utf8).write(to: URL(fileURLWithPath: path))
      let words = try WordList(contentsOf: path)
      try FileManager.default.removeItem(atPath: path)
      #expect(Array(words) == ["emma", "olivia"])
    }
  }

  @Test("A word list reads a large file completely")
  func largeFile() throws {
    try withDirectory { directory in
      let path = directory + "/names.txt"
      let text = [UInt8]((0..<200_000).flatMap { Array("\($0)\n".utf8) })
      try Data(text).write(to: URL(fileURLWithPath: path))
      #expect(try WordList(contentsOf: path).utf8 == text)
    }
  }

  @Test("A word list reads a FIFO, even if a character arrives in two pieces")
  func fifo() throws {
    try withDirectory { directory in
      let path = directory + "/fifo"
      try #require(unsafe mkfifo(path, 0o600) == 0)
      write([Array("emma\n".utf8), [0xE6, 0xBC], [0xA2], Array("\nava".utf8)], to: path)
      #expect(Array(try WordList(contentsOf: path)) == ["emma", "漢", "ava"])
    }
  }

  @Test("Reading a word list continues after signals, while opening and while reading")
  func interruptedCalls() throws {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in }  // and no SA_RESTART
    try #require(unsafe sigaction(SIGUSR1, &action, nil) == 0)
    // The threads that run tests block signals; without this, none would arrive.
    var (signals, blocked) = (sigset_t(), sigset_t())
    unsafe sigaddset(&signals, SIGUSR1)
    try #require(unsafe pthread_sigmask(SIG_UNBLOCK, &signals, &blocked) == 0)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    try withDirectory { directory in
      let path = directory + "/fifo"
      try #require(unsafe mkfifo(path, 0o600) == 0)
      let reader = pthread_self()
      Thread.detachNewThread {
        func interrupt() {
          for _ in 0..<20 {
            Thread.sleep(forTimeInterval: 0.005)
            pthread_kill(reader, SIGUSR1)
          }
        }
        interrupt()
        let handle = FileHandle(forWritingAtPath: path)
        interrupt()
        try? handle?.write(contentsOf: Data("emma\nava\n".utf8))
        try? handle?.close()
      }
      #expect(Array(try WordList(contentsOf: path)) == ["emma", "ava"])
    }
  }

  @Test(
    "A word list reads standard input from its position, waits if need be, and leaves it open")
  func nonBlockingInput() async {
    await #expect(processExitsWith: .success) {
      let pipe = Pipe()
      dup2(pipe.fileHandleForReading.fileDescriptor, STDIN_FILENO)
      try #require(fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) == 0)
      let writer = pipe.fileHandleForWriting
      try writer.write(contentsOf: Data("x".utf8))
      var first: UInt8 = 0
      try #require(unsafe read(STDIN_FILENO, &first, 1) == 1)
      Thread.detachNewThread {
        Thread.sleep(forTimeInterval: 0.05)
        try? writer.write(contentsOf: Data("emma\nava\n".utf8))
        try? writer.close()
      }
      #expect(Array(try WordList.standardInput()) == ["emma", "ava"])
      #expect(fcntl(STDIN_FILENO, F_GETFD) >= 0)
    }
  }

  @Test("A word list reads standard input")
  func standardInput() async {
    await #expect(processExitsWith: .success) {
      let pipe = Pipe()
      try pipe.fileHandleForWriting.write(contentsOf: Data("emma\nava".utf8))
      try pipe.fileHandleForWriting.close()
      dup2(pipe.fileHandleForReading.fileDescriptor, STDIN_FILENO)
      let words = try WordList.standardInput()
      exit(Array(words) == ["emma", "ava"] ? 0 : 1)
    }
  }

  @Test("A word list refuses a sparse file of 2 GiB by its size")
  func sparseFile() throws {
    try withDirectory { directory in
      let path = directory + "/sparse"
      try #require(FileManager.default.createFile(atPath: path, contents: nil))
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.truncate(atOffset: 2 << 30)
      try handle.close()
      // That the error knows the size shows that no byte had to be read.
      #expect(throws: WordListError.tooLarge(size: 2 << 30, limit: 1 << 30)) {
        try WordList(contentsOf: path)
      }
    }
  }

  @Test("A word list refuses an endless device by its first bytes")
  func endlessDevice() {
    #expect(
      readingError { () throws(WordListError) in try WordList(contentsOf: "/dev/zero") }
        == .refusedCharacter(line: 1, byte: 0, scalar: "\0"))
  }

  @Test("A word list accepts words after many blank lines, and lines across chunks")
  func lateWords() throws {
    try withDirectory { directory in
      let path = directory + "/names.txt"
      let long = String(repeating: "漢", count: 10_000)
      let text = String(repeating: "\r\n", count: 50_000) + "emma\r\n"
      for start in ["", "\u{FEFF}"] {
        let late = start + text + Array(repeating: long, count: 20).joined(separator: "\n")
        try Data(late.utf8).write(to: URL(fileURLWithPath: path))
        #expect(
          Array(try WordList(contentsOf: path)) == ["emma"] + Array(repeating: long, count: 20))
      }
    }
  }

  @Test("A word list reads up to the limit and no further, from a file and from a FIFO")
  func limit() throws {
    try withDirectory { directory in
      let (file, fifo) = (directory + "/names.txt", directory + "/fifo")
      try Data("emma\nava\n".utf8).write(to: URL(fileURLWithPath: file))
      try #require(unsafe mkfifo(fifo, 0o600) == 0)
      #expect(try WordList(contentsOf: file, limit: 9).count == 2)
      #expect(throws: WordListError.tooLarge(size: 9, limit: 8)) {
        try WordList(contentsOf: file, limit: 8)
      }
      write([Array("emma\nava\n".utf8)], to: fifo)
      #expect(try WordList(contentsOf: fifo, limit: 9).count == 2)
      write([Array("emma\nava\n".utf8)], to: fifo)
      #expect(throws: WordListError.tooLarge(size: nil, limit: 8)) {
        try WordList(contentsOf: fifo, limit: 8)
      }
    }
  }

  @Test("Reading a word list tells a missing file, a directory and an unreadable path apart")
  func noInput() async throws {
    try withDirectory { directory in
      let loop = directory + "/loop"
      try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
      let reason = "symbolic links form a loop"
      let cases: [(String, WordListError)] = [
        (directory + "/none.txt", .missing),
        ("", .missing),
        (directory + "\0/names.txt", .missing),
        (directory, .directory),
        (loop, .unreadable(reason: reason)),
      ]
      for (path, error) in cases {
        #expect(throws: error) { try WordList(contentsOf: path) }
      }
    }
    await #expect(processExitsWith: .success) {
      // As a closed one: no other thread's file can take its number.
      dup2(unsafe open("/dev/null", O_WRONLY), STDIN_FILENO)
      #expect(throws: WordListError.unreadable(reason: "Bad file descriptor")) {
        try WordList.standardInput()
      }
    }
  }

  @Test(
    "Reading a word list reports that a file's mode forbids it",
    .disabled(if: geteuid() == 0, "root may read all"))
  func forbiddenFile() throws {
    try withDirectory { directory in
      let path = directory + "/names.txt"
      try Data("emma\n".utf8).write(to: URL(fileURLWithPath: path))
      try #require(unsafe chmod(path, 0) == 0)
      #expect(throws: WordListError.unreadable(reason: "Permission denied")) {
        try WordList(contentsOf: path)
      }
    }
  }

  @Test("Reading a word list reports an input/output error with the number of bytes read so far")
  func inputOutputError() {
    // The first page of a process is never mapped, and reading it through /proc fails with EIO.
    #expect(throws: WordListError.readFailed(byte: 0, reason: "Input/output error")) {
      try WordList(contentsOf: "/proc/self/mem")
    }
  }

  @Test("Reading a word list reports what is wrong with a file's text as it does for bytes")
  func badText() throws {
    try withDirectory { directory in
      let path = directory + "/names.txt"
      try Data("emma\nav\0a\n".utf8).write(to: URL(fileURLWithPath: path))
      #expect(
        readingError { () throws(WordListError) in try WordList(contentsOf: path) }
          == .refusedCharacter(line: 2, byte: 7, scalar: "\0"))
    }
  }
}

/// The error of reading a list, without what may be behind it; nil if it can be read.
private func readingError(_ read: () throws(WordListError) -> WordList) -> WordListError? {
  do throws(WordListError) {
    _ = try read()
    return nil
  } catch {
    return error.withoutReasons
  }
}
