// How many terminal columns a text takes, and how to cut it to a number of them.
//
// Names are in every script, and a moving line that is one column too long leaves a trail down the
// screen. The widths are those of Unicode's East Asian Width in broad ranges (UAX #11), which err on
// the wide side: a line cut early is harmless. C's wcwidth depends on the locale, this does not.

extension Character {
  /// The columns this character takes on a terminal: 2 for East Asian and pictographic ones, else 1.
  var columnWidth: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F000...0x3FFFD:
      return 2
    default:
      // An emoji may be an ordinary symbol followed by a selector.
      return unicodeScalars.contains("\u{FE0F}") ? 2 : 1
    }
  }
}

extension String {
  /// As many characters from the front as fit into `columns`.
  func cut(toColumns columns: Int) -> String {
    var used = 0
    return String(
      prefix { character in
        used += character.columnWidth
        return used <= columns
      })
  }
}
