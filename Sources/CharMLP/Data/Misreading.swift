// Text that was read in another encoding than it was written in: Ã© for é, Р¤ for Ф, Ôåäîòîâ for Федотов.
//
// A word is turned back into the bytes that it was read from. If they are UTF-8, and make letters that can
// stand together, that is what they were: hardly a word in any language is such by chance. Of a text that
// has never been UTF-8, its encoding is guessed as that of a file is.

internal import Posix

/// How a text came to be that was read in another encoding than it was written in.
package struct Misreading: Equatable, Sendable {
  /// What it was written in, mostly UTF-8, by the name that iconv(1) and Python have for it.
  package let written: String
  /// What it was read as, by such a name.
  package let read: String
  /// A word as it is now, and as it was.
  package let example: String
  package let original: String
}

extension Misreading {
  /// What UTF-8 is read as by mistake, the most frequent first.
  private static let readings = [
    "CP1252", "CP1250", "CP1251", "KOI8-R", "CP866", "CP437", "CP850", "MACINTOSH",
  ]

  /// At most so many words, about, are turned back for each reading.
  private static let sampled = 50_000

  /// The warning of a list with misread words, nil if there are hardly any.
  static func found(in words: WordList, _ symbols: [Unicode.Scalar]) -> DataWarning? {
    var best: (words: Int, reading: Misreading)?
    for name in readings {
      let bytes = ByteTable(name)
      guard symbols.contains(where: { (0xC2...0xF4).contains(bytes[$0] ?? 0) }),
        symbols.contains(where: { (0x80...0xBF).contains(bytes[$0] ?? 0) })
      else { continue }
      // As many as are warned of are found among some words, too.
      let step = max(1, words.count / sampled)
      let some = stride(from: 0, to: words.count, by: step).lazy.map { words[$0] }
      let found = some.count { bytes.original(of: $0) != nil }
      guard found > 0, found * step > best?.words ?? 0,
        let first = some.first(where: { bytes.original(of: $0) != nil }),
        let original = bytes.original(of: first)
      else { continue }
      let count = step == 1 ? found : words.count { bytes.original(of: $0) != nil }
      let reading = Misreading(written: "UTF-8", read: name, example: first, original: original)
      best = (count, reading)
    }
    // Half of a word may be lost, which is seen where windows-1252 is concerned.
    let damaged =
      symbols.contains { (0xC2...0xE2).contains($0.value) } ? words.count(where: isMisread) : 0
    if let best, best.reading.read != "CP1252", best.words >= max(3, words.count / 200) {
      return .misread(words: best.words, best.reading)
    }
    if damaged > 0 {
      let usual = Misreading(written: "UTF-8", read: "CP1252", example: "Ã©", original: "é")
      return .misread(
        words: damaged, best?.reading.read == "CP1252" ? best?.reading ?? usual : usual)
    }
    return legacy(in: words, symbols)
  }

  /// Text of another script that was read as windows-1252: hardly a letter is plain.
  private static func legacy(in words: WordList, _ symbols: [Unicode.Scalar]) -> DataWarning? {
    guard symbols.count(where: isAccented) >= 6 else { return nil }
    let affected = words.count(where: isOnlyAccented)
    guard 10 * affected >= words.count else { return nil }
    let bytes = ByteTable("CP1252")
    var text: [UInt8] = []
    var first: (word: String, bytes: [UInt8])?
    for word in words.prefix(2000) where isOnlyAccented(word) {
      guard let read = bytes.bytes(of: word) else { continue }
      first = first ?? (word, read)
      text += read + [UInt8(ascii: "\n")]
    }
    guard let first,
      case .encoding(_, let name) = EncodingGuess(TextSample(before: [], after: text[...])),
      let original = TextConversion.utf8(first.bytes, from: name)
    else { return nil }
    let word = String(decoding: original, as: UTF8.self)
    guard !word.unicodeScalars.contains(where: isAccented) else { return nil }
    return .misread(
      words: affected,
      Misreading(written: name, read: "CP1252", example: first.word, original: word))
  }

  private static func isAccented(_ scalar: Unicode.Scalar) -> Bool {
    (0xC0...0xFF).contains(scalar.value)
  }

  /// Whether three letters or more are accented, and no letter is plain.
  private static func isOnlyAccented(_ word: String) -> Bool {
    word.unicodeScalars.count(where: isAccented) >= 3
      && !word.unicodeScalars.contains { $0.isASCII && $0.properties.isAlphabetic }
  }

  /// Whether a word has what a character of UTF-8 becomes if it is read as windows-1252: Ã© for é.
  private static func isMisread(_ word: String) -> Bool {
    var before: Unicode.Scalar = " "
    var hasPair = false
    for scalar in word.unicodeScalars {
      if scalar == "\u{FFFD}" { return false }
      switch before.value {
      case 0xC2, 0xC3: hasPair = hasPair || isContinuation(scalar, strictly: false)
      case 0xC4...0xD1, 0xD7...0xDB, 0xE0...0xE2:
        hasPair = hasPair || isContinuation(scalar, strictly: true)
      default: break
      }
      before = scalar
    }
    return hasPair
  }

  /// Whether this is what one of the bytes 0x80…0xBF becomes.
  private static func isContinuation(_ scalar: Unicode.Scalar, strictly: Bool) -> Bool {
    switch scalar.value {
    case 0xA1...0xA9, 0xAB...0xB4, 0xB6, 0xB8, 0xB9, 0xBB...0xBF, 0x20AC, 0x201A, 0x201E, 0x2026,
      0x2020, 0x2021, 0x2C6, 0x2030, 0x2039, 0x2022, 0x2DC, 0x2122, 0x203A, 0x201C, 0x201D:
      true
    case 0xA0, 0xAA, 0xB5, 0xBA, 0x152, 0x153, 0x160, 0x161, 0x178, 0x17D, 0x17E, 0x192, 0x2013,
      0x2014, 0x2018, 0x2019:
      !strictly
    default: false
    }
  }
}

/// The bytes above 0x7F that the characters of an encoding have.
private struct ByteTable {
  private var bytes: [Unicode.Scalar: UInt8] = [:]
  /// Whether a misread word has a sign among its letters. Those of the central European encoding have
  /// not: Ăł for ó.
  private let hasSigns: Bool

  init(_ encoding: String) {
    hasSigns = !["CP1250", "CP1252"].contains(encoding)
    for byte in UInt8(0x80)...0xFF {
      guard let text = TextConversion.utf8([byte], from: encoding),
        let scalar = String(decoding: text, as: UTF8.self).unicodeScalars.first
      else { continue }
      bytes[scalar] = byte
    }
  }

  subscript(_ scalar: Unicode.Scalar) -> UInt8? { bytes[scalar] }

  /// The bytes of a word; nil if it has a character that the encoding has not.
  func bytes(of word: String) -> [UInt8]? {
    var found: [UInt8] = []
    for scalar in word.unicodeScalars {
      guard let byte = scalar.isASCII ? UInt8(scalar.value) : bytes[scalar] else { return nil }
      found.append(byte)
    }
    return found
  }

  /// The word that was read; nil if this is one as it was written.
  func original(of word: String) -> String? {
    // The first letter beyond ASCII tells nearly all words apart.
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
        : scalar.value < 0x3000 && scalar.reasonRefused == nil
    }
    return isWord ? original : nil
  }

  /// Whether a language of today has this letter.
  private static func isUsualLatin(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0xC0...0x17F, 0x1A0, 0x1A1, 0x1AF, 0x1B0, 0x218...0x21B, 0x1EA0...0x1EF9: true
    default: false
    }
  }
}
