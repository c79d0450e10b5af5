// The streams inside one process: results on descriptors that are full, closed, slow or abandoned;
// what reaches a terminal, and how wide it is; and what shows that long work is alive.
//
// Environments are passed in, so that no test changes the process's own. What the process as a
// whole makes of it is in ProcessTests.

import Foundation
import Glibc
import Synchronization
import Testing

@testable import CommandSupport
@testable import Posix

// MARK: - Results

@Suite struct StandardOutputTests {
  init() {
    Signal.brokenPipe.ignore()
    Signal.fileTooLarge.ignore()
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

// MARK: - Terminals

@Suite struct TerminalTests {
  @Test(
    "What a terminal may be sent depends on what it is and on the environment",
    arguments: [
      (true, ["TERM": "xterm"], true), (true, ["TERM": "xterm", "NO_COLOR": "1"], true),
      (true, ["TERM": "dumb"], false), (true, ["TERM": ""], false), (true, [:], false),
      (false, ["TERM": "xterm"], false),
    ])
  func abilities(isTerminal: Bool, environment: [String: String], moves: Bool) {
    let terminal = Terminal(descriptor: -1, isTerminal: isTerminal) { environment[$0] }
    #expect(terminal.canMoveCursor == moves)
    #expect(terminal.isTerminal == isTerminal)
  }

  @Test(
    "Without a terminal to ask, the width is COLUMNS, or 80",
    arguments: [("120", 120), ("0", 80), ("-5", 80), ("wide", 80), (nil, 80)])
  func declaredWidth(columns: String?, width: Int) {
    let terminal = Terminal(descriptor: -1) { $0 == "COLUMNS" ? columns : nil }
    #expect(terminal.width == width)
  }

  @Test("A terminal's own width takes precedence over COLUMNS")
  func reportedWidth() throws {
    let pseudoterminal = try #require(Pseudoterminal(columns: 33))
    let terminal = Terminal(descriptor: pseudoterminal.descriptor) {
      ["TERM": "xterm", "COLUMNS": "120"][$0]
    }
    #expect(terminal.canMoveCursor)
    #expect(terminal.width == 33)
  }

  @Test(
    "Text is cut by the columns it takes",
    arguments: [
      ("step 12", 4, "step"), ("step", 10, "step"), ("名前です", 5, "名前"), ("e\u{301}a", 1, "e\u{301}"),
      ("한국", 2, "한"), ("🙂🙂", 3, "🙂"), ("❤️a", 2, "❤️"), ("abc", 0, ""),
    ])
  func cutting(text: String, columns: Int, cut: String) {
    #expect(text.cut(toColumns: columns) == cut)
  }
}

/// A pseudoterminal with a window of a given width. Linux answers for the window on the
/// controlling side as well, so the other side is never opened.
final class Pseudoterminal {
  let descriptor: CInt

  init?(columns: Int) {
    descriptor = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    guard descriptor >= 0 else { return nil }
    var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    guard unsafe ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0 else { return nil }
  }

  deinit {
    close(descriptor)
  }
}

// MARK: - Progress

@Suite struct ProgressDisplayTests {
  /// What `body` leaves on a terminal or in a file.
  private func printed(
    isTerminal: Bool, isQuiet: Bool = false, columns: Int = 80, interval: Duration = .zero,
    firstReport: Duration = .seconds(5), _ body: (ProgressDisplay, StandardError) -> Void
  ) throws -> String {
    let pipe = Pipe()
    let environment = ["TERM": "xterm", "COLUMNS": "\(columns)"]
    let writer = pipe.fileHandleForWriting
    let terminal = Terminal(descriptor: writer.fileDescriptor, isTerminal: isTerminal) {
      environment[$0]
    }
    let output = StandardError(descriptor: writer.fileDescriptor, terminal: terminal)
    let progress = ProgressDisplay(
      isQuiet: isQuiet, output: output, interval: interval, firstReport: firstReport)
    body(progress, output)
    try writer.close()
    return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }

  private func work(_ progress: ProgressDisplay, _ output: StandardError) {
    output.setCommandName("train")
    progress.line("begin")
    progress.update("step 1")
    progress.update("step 2")
    output.warn("slow\ndisk")
    progress.update("step 3")
    progress.finish()
    progress.finish()
    progress.line("end")
  }

  @Test("On a terminal one line moves, gives way to lines that stay, and is gone at the end")
  func terminal() throws {
    let clear = "\r\u{1B}[K"
    #expect(
      try printed(isTerminal: true, work)
        == "begin\n\rstep 1\u{1B}[K\rstep 2\u{1B}[K\(clear)train: warning: slow disk\n"
        + "\rstep 3\u{1B}[K\(clear)end\n")
  }

  @Test("Without a terminal only permanent lines are printed")
  func file() throws {
    #expect(
      try printed(isTerminal: false, work) == "begin\ntrain: warning: slow disk\nend\n")
  }

  @Test("On a terminal messages are broken at words to its width; what is to be pasted stays whole")
  func wrapping() throws {
    func print(_ isTerminal: Bool) throws -> String {
      try printed(isTerminal: isTerminal, columns: 24) { progress, output in
        output.setCommandName("charmlp train")
        output.warn("my list.txt: the words are few")
        output.writeLine("To continue:  charmlp train --resume runs/names-1")
        progress.line("See 'charmlp train --help' for the flags.")
      }
    }
    #expect(
      try print(true) == """
        charmlp train: warning: my list.txt:
          the words are few
        To continue:
          charmlp train --resume runs/names-1
        See
          'charmlp train --help'
          for the flags.

        """)
    #expect(try print(false).split(separator: "\n").count == 3)
  }

  @Test("--quiet does not silence warnings", arguments: [true, false])
  func quiet(isTerminal: Bool) throws {
    #expect(
      try printed(isTerminal: isTerminal, isQuiet: true, work) == "train: warning: slow disk\n")
  }

  @Test("The moving line leaves the last column free and shows no control characters")
  func width() throws {
    #expect(
      try printed(isTerminal: true, columns: 8) { progress, _ in progress.update("ab\u{7}cdefg") }
        == "\rab\\u{7}\u{1B}[K")
  }

  @Test("The line moves no more often than the interval, and is not even composed in between")
  func interval() throws {
    var composed = 0
    func text() -> String {
      composed += 1
      return "x"
    }
    _ = try printed(isTerminal: true, interval: .seconds(3600)) { progress, _ in
      for _ in 0..<100 { progress.update(text()) }
    }
    #expect(composed == 1)
  }

  @Test("Without a moving line, work without lines of its own reports after intervals that double")
  func reports() throws {
    func report(_ progress: ProgressDisplay, _ output: StandardError) {
      output.setCommandName("sample")
      let start = ContinuousClock.now
      while ContinuousClock.now - start < .milliseconds(350) { progress.report("far") }
    }
    let first = Duration.milliseconds(50)
    // After 50, 100 and 200 ms; fewer or one more where a core is late.
    let lines = try printed(isTerminal: false, firstReport: first, report)
      .split(separator: "\n")
    #expect((1...4).contains(lines.count) && lines.allSatisfy { $0 == "sample: far" }, "\(lines)")
    #expect(try printed(isTerminal: false, firstReport: .seconds(60), report).isEmpty)
    #expect(try printed(isTerminal: false, isQuiet: true, firstReport: first, report).isEmpty)
    let moving = try printed(isTerminal: true, interval: .seconds(60), firstReport: first, report)
    #expect(moving == "\rfar\u{1B}[K")
  }

  @Test("Nothing fails because stderr is closed")
  func closed() {
    let terminal = Terminal(descriptor: -1, isTerminal: true) { _ in "xterm" }
    let output = StandardError(descriptor: -1, terminal: terminal)
    work(ProgressDisplay(isQuiet: false, output: output, interval: .zero), output)
    #expect(throws: SystemError(code: EBADF)) {
      try OpenFile(descriptor: -1).write([0].span)
    }
  }
}
