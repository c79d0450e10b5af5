// The very bytes that reach a terminal or a file: a pipe stands for both.

import Foundation
import Testing

@testable import CommandSupport
@testable import Posix

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

  @Test("Elsewhere only the lines that stay are printed")
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

  @Test("Quiet leaves the warnings", arguments: [true, false])
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

  @Test("Work without lines of its own reports where nothing moves, each time after twice as long")
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

  @Test("A closed stderr is no trouble")
  func closed() {
    let terminal = Terminal(descriptor: -1, isTerminal: true) { _ in "xterm" }
    let output = StandardError(descriptor: -1, terminal: terminal)
    work(ProgressDisplay(isQuiet: false, output: output, interval: .zero), output)
    #expect(throws: SystemError(code: EBADF)) {
      try OpenFile(descriptor: -1).write([0].span)
    }
  }
}
