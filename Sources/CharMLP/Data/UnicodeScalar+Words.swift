// Which Unicode scalars a word may hold, and which of them are blanks.
//
// Blanks are the scalars of Unicode's White_Space property that do not break lines; at the ends of a line
// they are trimmed, inside a word they are characters. What is refused is what nobody types into a
// word and everybody would regret as a symbol of the model: controls, line breaks other than LF, and the
// byte order mark. All other scalars are welcome, whether assigned or not, joiners and marks included;
// nothing is normalized. The table is written out (PropList.txt, Unicode 16) so that it never moves with
// the version of the standard library.

extension Unicode.Scalar {
  /// Whether this is white space that does not break a line: tab, space, U+00A0, U+1680,
  /// U+2000…U+200A, U+202F, U+205F or U+3000.
  var isBlank: Bool {
    switch value {
    case 0x09, 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Why a word cannot hold this scalar, or nil if it can.
  ///
  /// Tab is the one control that a word may hold.
  var reasonRefused: String? {
    switch value {
    case 0x09: nil
    case 0x00...0x1F, 0x7F...0x9F: "a control character"
    case 0x2028, 0x2029: "a line break that is not a line feed"
    case 0xFEFF: "a byte order mark inside the text"
    default: nil
    }
  }

  /// The scalar's number as Unicode writes it, such as `U+0007` or `U+1F600`.
  var codePoint: String {
    let digits = String(value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
