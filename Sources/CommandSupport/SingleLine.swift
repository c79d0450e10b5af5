// Any text as a single line that is safe to print.
//
// Messages quote what users typed and what files hold: a line end would break the promise of one or
// two lines, an escape character would speak to the terminal, and a value of a million digits would
// scroll everything away. This is for messages; results and JSON have their own rules.

extension String {
  /// This text on one line: a stretch of blanks with a line end in it becomes one blank, other
  /// control characters are spelled out (`\u{1b}`), and what is longer than `limit` characters
  /// loses its middle, because a message has its subject in front and its reason behind.
  public func singleLine(limit: Int = 400) -> String {
    let line = joiningLines().spellingOutControls()
    guard line.count > limit else { return line }
    let half = (limit - 1) / 2
    return line.prefix(half) + "…" + line.suffix(limit - 1 - half)
  }

  private func joiningLines() -> String {
    split(whereSeparator: \.isNewline)
      .map { $0.trimming(while: \.isWhitespace) }
      .filter { !$0.isEmpty }
      .joined(separator: " ")
  }

  private func spellingOutControls() -> String {
    var line = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if scalar.properties.generalCategory == .control {
        line.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        line.append(scalar)
      }
    }
    return String(line)
  }
}

extension Substring {
  fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> Substring {
    var rest = drop(while: isTrimmed)
    while let last = rest.last, isTrimmed(last) { rest.removeLast() }
    return rest
  }
}
