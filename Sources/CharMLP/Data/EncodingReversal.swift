// Undoes the reading of a text in the wrong encoding.
//
// A word is turned back into the bytes that it was read from. If these are UTF-8, and make letters
// that can stand together, they were UTF-8: hardly any word in any language looks so by chance. A
// list of such words gets a warning, or is refused where some of them have become controls.

internal import Posix

/// UTF-8 that was read as Latin-1 or windows-1252, and written as UTF-8 again: Ã© for é.
struct DoubleEncoding {
  /// What its first line was, or how that began.
  let original: String
  /// The encoding that it was read in.
  let read: String
  /// The shell command that undoes it.
  let remedy: TextRemedy

  /// The longest line that is examined, in bytes.
  private static let longestLine = 4 * WordList.lineLimit
  /// The most characters of the original that are shown.
  private static let longestExample = 40

  /// Examines lines that are not plain ASCII; nil unless the first one, and most of them, are such
  /// text.
  init?(_ lines: [ArraySlice<UInt8>]) {
    guard !lines.isEmpty, lines.allSatisfy({ $0.count <= Self.longestLine }) else { return nil }
    // Windows-1252 has what Latin-1 has, but for controls, which the table has as well.
    let bytes = ByteTable("CP1252")
    let words = lines.map { line in
      let text = String(decoding: line, as: UTF8.self)
      return (text: text, original: Self.original(of: text, bytes))
    }
    let misread = words.filter { $0.original != nil }
    guard 2 * misread.count > words.count, let original = words[0].original else { return nil }
    let shown = original.unicodeScalars.filter { $0.properties.generalCategory != .control }
    self.original = String(shown.prefix(Self.longestExample))
    let isLatin = misread.allSatisfy { $0.text.unicodeScalars.allSatisfy { $0.value < 0x100 } }
    read = isLatin ? "Latin-1" : "windows-1252"
    remedy =
      isLatin && misread.count == words.count ? "iconv -f UTF-8 -t LATIN1 {}" : Self.lineByLine
  }

  private static func original(of line: String, _ bytes: ByteTable) -> String? {
    let mark = "\u{EF}\u{BB}\u{BF}".unicodeScalars  // UTF-8's byte order mark, misread as well
    let scalars = line.unicodeScalars
    let text = scalars.starts(with: mark) ? String(scalars.dropFirst(mark.count)) : line
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    // The last character of à was taken for a blank beside the word.
    return bytes.original(of: text) ?? bytes.original(of: text + "\u{A0}")
  }

  /// For windows-1252 that has controls, too, and for lists of which some lines were read correctly.
  private static let lineByLine: TextRemedy = #"""
    python3 -c 'exec("import sys\nfor l in sys.stdin.read().split(\"\\n\"):\n \#
    try: l = b\"\".join(c.encode(\"cp1252\" if ord(c) > 255 else \"latin-1\") \#
    for c in l).decode()\n except ValueError: pass\n print(l)")' < {}
    """#
}

/// The bytes above 0x7F of an encoding, by character.
struct ByteTable {
  private var bytes: [Unicode.Scalar: UInt8] = [:]
  /// Whether a misread word has a sign among its letters. In windows-1250 it need not: Ăł for ó.
  private let hasSigns: Bool

  init(_ encoding: String) {
    hasSigns = !["CP1250", "CP1252"].contains(encoding)
    for byte in UInt8(0x80)...0xFF {
      guard let text = TextConversion.utf8([byte], from: encoding),
        let scalar = String(decoding: text, as: UTF8.self).unicodeScalars.first
      else { continue }
      bytes[scalar] = byte
    }
    // Some programs read all bytes of the controls as Latin-1, others those that the encoding lacks.
    if encoding == "CP1252" {
      for byte in UInt8(0x80)...0x9F { bytes[Unicode.Scalar(byte)] = byte }
    }
  }

  subscript(_ scalar: Unicode.Scalar) -> UInt8? { bytes[scalar] }

  /// The bytes of a word; nil if the encoding lacks one of its characters.
  func bytes(of word: String) -> [UInt8]? {
    var found: [UInt8] = []
    for scalar in word.unicodeScalars {
      guard let byte = scalar.isASCII ? UInt8(scalar.value) : bytes[scalar] else { return nil }
      found.append(byte)
    }
    return found
  }

  /// The word as it was written; nil if this one was not misread.
  func original(of word: String) -> String? {
    // The first letter beyond ASCII rules out nearly all words.
    guard let first = word.unicodeScalars.first(where: { !$0.isASCII }),
      (0xC2...0xF4).contains(bytes[first] ?? 0),
      !hasSigns
        || word.unicodeScalars.contains(where: { !$0.isASCII && !$0.properties.isAlphabetic }),
      let read = bytes(of: word),
      let original = String(validating: read, as: UTF8.self)
    else { return nil }
    let letters = original.unicodeScalars.filter { !$0.isASCII }
    let isLatin = original.unicodeScalars.contains { $0.isASCII && $0.properties.isAlphabetic }
    let isWord = letters.allSatisfy { scalar in
      scalar.properties.isAlphabetic
        ? !isLatin || Self.isUsualLatin(scalar)
        : isLatin
          ? Self.isUsualSign(scalar) : scalar.value < 0x3000 && scalar.reasonRefused == nil
    }
    return isWord ? original : nil
  }

  /// Whether this sign stands in words or beside them: punctuation, marks, a currency.
  private static func isUsualSign(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0xA0...0xBF, 0xD7, 0xF7, 0x300...0x36F, 0x2010...0x2044, 0x20A0...0x20BF, 0x2116, 0x2122:
      scalar.reasonRefused == nil
    default: false
    }
  }

  /// Whether a modern language uses this letter.
  private static func isUsualLatin(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0xC0...0x17F, 0x1A0, 0x1A1, 0x1AF, 0x1B0, 0x218...0x21B, 0x1EA0...0x1EF9: true
    default: false
    }
  }
}
