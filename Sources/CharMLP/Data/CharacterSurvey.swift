// The characters of a list that nobody wrote as they are: invisible ones, letters in two normal forms,
// and what letters become when a text is read in the wrong encoding (Ã© for é, Р¤ for Ф).
//
// They are looked for in the alphabet first, and in the words only if they are there.

internal import Posix

/// A character that is not seen, and how often it occurs.
package struct InvisibleCharacter: Equatable, Sendable {
  package let scalar: Unicode.Scalar
  package let count: Int
}

/// What is odd about the characters of a list.
struct CharacterSurvey {
  private let words: WordList
  private let symbols: [Unicode.Scalar]

  init(_ words: WordList, symbols: [Unicode.Scalar]) {
    (self.words, self.symbols) = (words, symbols)
  }

  /// What deserves a warning, the most far-reaching first.
  var warnings: [DataWarning] {
    var warnings: [DataWarning] = []
    if let misread = Misreading.found(in: words, symbols) { warnings.append(misread) }
    if symbols.contains("\u{FFFD}") {
      warnings.append(.replacements(words: words.count { $0.unicodeScalars.contains("\u{FFFD}") }))
    }
    if symbols.contains(where: \.isInvisible), let invisible { warnings.append(invisible) }
    if let forms = NormalForms(words, symbols) {
      warnings.append(.normalForms(composed: forms.composed, decomposed: forms.decomposed))
    }
    return warnings
  }
}

// MARK: - Characters that are not seen

extension Unicode.Scalar {
  /// Whether nobody sees this character, or but an empty box, whatever stands beside it.
  fileprivate var isInvisible: Bool {
    switch value {
    case 0x00...0x7F: return false
    case 0x2800, 0xFFF9...0xFFFC: return true
    default: return isMeaningless || properties.isDefaultIgnorableCodePoint
    }
  }

  /// Whether only some font may have a shape for it.
  fileprivate var isMeaningless: Bool {
    let category = properties.generalCategory
    return category == .privateUse || category == .unassigned
  }

  /// Whether an emoji, or a letter of a script that has variants, may have a selector behind it.
  fileprivate var hasVariants: Bool {
    if isASCII || (0xC0...0x24F).contains(value) { return false }
    switch properties.generalCategory {
    case .otherSymbol, .mathSymbol, .modifierSymbol, .otherPunctuation, .dashPunctuation:
      return true
    default: return properties.isIdeographic || properties.isEmoji || Self.joined.contains(self)
    }
  }

  /// The scripts and the pictures that need joiners and non-joiners.
  fileprivate static let joined = ScalarRanges([
    0x590...0x10FF, 0x1780...0x18AF, 0x1980...0x1CFF, 0x20E3...0x20E3, 0x2190...0x2BFF,
    0xA840...0xABFF, 0xFB50...0xFDFF, 0xFE00...0xFEFE, 0x1_0A00...0x1_1FFF, 0x1_F000...0x1_FAFF,
  ])
}

/// Some stretches of Unicode.
private struct ScalarRanges: Sendable {
  private let ranges: [ClosedRange<UInt32>]

  init(_ ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

  func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar.value) } }
}

extension CharacterSurvey {
  /// Characters that nobody sees but beside those of a script that needs them.
  private static let companions: [(invisible: ClosedRange<UInt32>, beside: ScalarRanges)] = [
    (0x200C...0x200D, Unicode.Scalar.joined),
    // Scripts without blanks mark the ends of words by it.
    (0x200B...0x200B, ScalarRanges([0xE00...0x17FF])),
    (0x115F...0x1160, ScalarRanges([0x1100...0x11FF])),
    (0x3164...0x3164, ScalarRanges([0x3131...0x3163, 0x3165...0x318E])),
    (0xFFA0...0xFFA0, ScalarRanges([0xFFA1...0xFFDC])),
    (0x17B4...0x17B5, ScalarRanges([0x1780...0x17FF])),
    (0x180B...0x180F, ScalarRanges([0x1800...0x180A, 0x1810...0x18AF])),
    (0x2800...0x2800, ScalarRanges([0x2801...0x28FF])),
    (0x1_BCA0...0x1_BCA3, ScalarRanges([0x1_BC00...0x1_BC9F])),
    (0x1_D173...0x1_D17A, ScalarRanges([0x1_D100...0x1_D172, 0x1_D17B...0x1_D1FF])),
  ]

  /// Whether a character that is not seen has something to do with its neighbours.
  private static func isNeeded(_ place: Int, in scalars: [Unicode.Scalar]) -> Bool {
    let scalar = scalars[place]
    let before = place > 0 ? scalars[place - 1] : " "
    let after = place + 1 < scalars.count ? scalars[place + 1] : " "
    switch scalar.value {
    // A selector of variants, and the sign that makes a key of a digit.
    case 0xFE00...0xFE0F: return before.hasVariants || after == "\u{20E3}"
    case 0xE_0100...0xE_01EF: return before.properties.isIdeographic
    // The letters of a flag.
    case 0xE_0020...0xE_007F:
      return before == "\u{1F3F4}" || (0xE_0020...0xE_007F).contains(before.value)
    default:
      return companions.first { $0.invisible.contains(scalar.value) }
        .map { $0.beside.contains(before) || $0.beside.contains(after) } == true
    }
  }

  private var invisible: DataWarning? {
    // Whoever writes all words in letters of their own has a font for them.
    let meaningless =
      symbols.contains(where: \.isMeaningless)
      ? words.count { $0.unicodeScalars.contains(where: \.isMeaningless) } : 0
    let isOwnScript = 2 * meaningless > words.count
    var (found, affected, first): ([Unicode.Scalar: Int], Int, Int?) = ([:], 0, nil)
    for (index, word) in words.enumerated() {
      guard word.unicodeScalars.contains(where: \.isInvisible) else { continue }
      let scalars = Array(word.unicodeScalars)
      let places = scalars.indices.filter {
        scalars[$0].isInvisible && !(isOwnScript && scalars[$0].isMeaningless)
          && !Self.isNeeded($0, in: scalars)
      }
      guard !places.isEmpty else { continue }
      for place in places { found[scalars[place], default: 0] += 1 }
      affected += 1
      first = first ?? index
    }
    guard let first else { return nil }
    let characters = found.map { InvisibleCharacter(scalar: $0.key, count: $0.value) }
    return .invisible(
      characters.sorted { ($1.count, $0.scalar) < ($0.count, $1.scalar) }, words: affected,
      first: first, line: words.line(of: first))
  }
}

// MARK: - Normal forms

/// Words with letters and their marks in one character, and words with the same kind in two.
private struct NormalForms {
  let composed: Int
  let decomposed: Int

  /// Nil unless there are both.
  ///
  /// Which characters are equal is the standard library's judgement: equal strings.
  init?(_ words: WordList, _ symbols: [Unicode.Scalar]) {
    let marks = symbols.filter(Self.isComposing)
    guard !marks.isEmpty else { return nil }
    let singles = Set(Self.composites.map { String(Unicode.Scalar($0) ?? "a") })
    let usual =
      (0x300...0x304).map { $0 } + [0x306, 0x307, 0x308, 0x309, 0x30A, 0x30B, 0x30C, 0x31B]
      + [0x323, 0x326, 0x327, 0x328, 0x342, 0x3099, 0x309A, 0x653, 0x654, 0x655]
    let bases = Set(symbols).union("aeiouycnszrtldghjkwAEIOUYCNSZRTLDGHJKWâêôăơư".unicodeScalars)
    var pairs: Set<String> = []
    for mark in usual.compactMap({ Unicode.Scalar(UInt32($0)) }) {
      for base in bases { pairs.insert(String(base) + String(mark)) }
    }
    let together = Set(
      symbols.filter { symbol in
        !symbol.isASCII
          && ((0xAC00...0xD7A3).contains(symbol.value)
            || Self.composites.contains(symbol.value) && pairs.contains(String(symbol)))
      })
    guard !together.isEmpty else { return nil }
    var known: [String: Bool] = [:]
    var (composed, decomposed) = (0, 0)
    for word in words where word.utf8.contains(where: { $0 >= 0x80 }) {
      var (isComposed, isDecomposed) = (false, false)
      var before: Unicode.Scalar = " "
      for scalar in word.unicodeScalars {
        if together.contains(scalar) { isComposed = true }
        if Self.isComposing(scalar), before != " " {
          let cluster = String(before) + String(scalar)
          let isOne =
            known[cluster]
            ?? ((0x1161...0x1175).contains(scalar.value) || singles.contains(cluster))
          known[cluster] = isOne
          if isOne { isDecomposed = true }
        }
        before = scalar
      }
      if isComposed { composed += 1 }
      if isDecomposed { decomposed += 1 }
    }
    guard composed > 0, decomposed > 0 else { return nil }
    (self.composed, self.decomposed) = (composed, decomposed)
  }

  /// Where the characters are that can also be written as a letter and marks, in the scripts in
  /// which both are met.
  private static let composites: [UInt32] =
    Array(0xC0...0x24F) + Array(0x386...0x3CE) + Array(0x400...0x4F9) + Array(0x622...0x626)
    + [0x6C0, 0x6C2, 0x6D3] + Array(0x1E00...0x1FFC) + Array(0x304C...0x30FE)

  private static func isComposing(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x300...0x345, 0x3099, 0x309A, 0x653...0x655, 0x1161...0x1175: true
    default: false
    }
  }
}

// MARK: - Text read in the wrong encoding
//
// A word is turned back into the bytes that it was read from. If they are UTF-8, and make letters
// that can stand together, that is what they were: hardly a word in any language is such by chance.
// Of a text that has never been UTF-8, the encoding is guessed as that of a file is.

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
