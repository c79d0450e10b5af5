// What is sent to which terminal, and how wide it is.
// Environments are passed in, so that no test changes the process's own.

import Testing

@testable import CommandSupport

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

  @Test("A terminal's own word on its width goes before COLUMNS")
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
