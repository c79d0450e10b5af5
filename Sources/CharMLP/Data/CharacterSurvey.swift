// Finds characters that are there by accident: invisible ones, letters in two normal forms, letters
// that look like others of the list (full-width ones beside the usual ones, a Cyrillic а in a word
// of Latin letters), and what letters become when a text is read in the wrong encoding (Ã© for é).
//
// The alphabet is searched first, and the words only if it has such characters.

internal import Posix

extension ListSurvey {
  /// The warnings about characters, the most important first.
  var characterWarnings: [DataWarning] {
    var warnings = [misreading].compactMap(\.self)
    if symbols.contains("\u{FFFD}") {
      warnings.append(.replacements(words: words.count { $0.unicodeScalars.contains("\u{FFFD}") }))
    }
    warnings += [invisible, normalForms, letterVariants].compactMap(\.self)
    return warnings + lettersOfOtherScripts
  }
}

// MARK: - Invisible characters

extension Unicode.Scalar {
  /// Whether this shows as nothing, or as an empty box, whatever stands beside it.
  fileprivate var isInvisible: Bool {
    switch value {
    case 0x00...0x7F: return false
    case 0x2800, 0xFFF9...0xFFFC: return true
    default: return isMeaningless || properties.isDefaultIgnorableCodePoint
    }
  }

  /// Whether Unicode gives it no meaning; some font may have a shape for it.
  fileprivate var isMeaningless: Bool {
    let category = properties.generalCategory
    return category == .privateUse || category == .unassigned
  }

  /// Whether a variation selector may follow: emoji, and letters of scripts that have variants.
  fileprivate var hasVariants: Bool {
    if isASCII || (0xC0...0x24F).contains(value) { return false }
    switch properties.generalCategory {
    case .otherSymbol, .mathSymbol, .modifierSymbol, .otherPunctuation, .dashPunctuation:
      return true
    default: return properties.isIdeographic || properties.isEmoji || Self.joined.contains(self)
    }
  }

  /// The scripts and emoji that use joiners and non-joiners.
  fileprivate static let joined: [ClosedRange<UInt32>] = [
    0x590...0x10FF, 0x1780...0x18AF, 0x1980...0x1CFF, 0x20E3...0x20E3, 0x2190...0x2BFF,
    0xA840...0xABFF, 0xFB50...0xFDFF, 0xFE00...0xFEFE, 0x1_0A00...0x1_1FFF, 0x1_F000...0x1_FAFF,
  ]
}

extension [ClosedRange<UInt32>] {
  fileprivate func contains(_ scalar: Unicode.Scalar) -> Bool {
    contains { $0.contains(scalar.value) }
  }
}

extension ListSurvey {
  /// Invisible characters that belong beside those of a script.
  private static let companions: [(invisible: ClosedRange<UInt32>, beside: [ClosedRange<UInt32>])] =
    [
      (0x200C...0x200D, Unicode.Scalar.joined),
      // Scripts without blanks mark the ends of words with it.
      (0x200B...0x200B, [0xE00...0x17FF]),
      (0x115F...0x1160, [0x1100...0x11FF]),
      (0x3164...0x3164, [0x3131...0x3163, 0x3165...0x318E]),
      (0xFFA0...0xFFA0, [0xFFA1...0xFFDC]),
      (0x17B4...0x17B5, [0x1780...0x17FF]),
      (0x180B...0x180F, [0x1800...0x180A, 0x1810...0x18AF]),
      (0x2800...0x2800, [0x2801...0x28FF]),
      (0x1_BCA0...0x1_BCA3, [0x1_BC00...0x1_BC9F]),
      (0x1_D173...0x1_D17A, [0x1_D100...0x1_D172, 0x1_D17B...0x1_D1FF]),
    ]

  private static let tags: ClosedRange<UInt32> = 0xE_0000...0xE_007F

  /// Whether an invisible character has a function between its neighbours.
  private static func isNeeded(_ place: Int, in scalars: [Unicode.Scalar]) -> Bool {
    let scalar = scalars[place]
    let before = place > 0 ? scalars[place - 1] : " "
    let after = place + 1 < scalars.count ? scalars[place + 1] : " "
    switch scalar.value {
    // Variation selectors, also in keycaps.
    case 0xFE00...0xFE0F: return before.hasVariants || after == "\u{20E3}"
    case 0xE_0100...0xE_01EF: return before.properties.isIdeographic
    // The tags of a flag.
    case Self.tags: return scalars[..<place].last { !(Self.tags ~= $0.value) } == "\u{1F3F4}"
    default:
      return companions.first { $0.invisible.contains(scalar.value) }
        .map { $0.beside.contains(before) || $0.beside.contains(after) } == true
    }
  }

  private var invisible: DataWarning? {
    guard symbols.contains(where: \.isInvisible) else { return nil }
    // A list that is written in a private script has a font for it.
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

extension ListSurvey {
  /// Composed and decomposed letters. Characters are equal if the standard library's strings are.
  private var normalForms: DataWarning? {
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
    var (composed, decomposed) = (0, 0)
    for word in words where word.utf8.contains(where: { $0 >= 0x80 }) {
      var (isComposed, isDecomposed) = (false, false)
      var before: Unicode.Scalar = " "
      for scalar in word.unicodeScalars {
        if together.contains(scalar) { isComposed = true }
        if Self.isComposing(scalar), before != " " {
          let isVowel = (0x1161...0x1175).contains(scalar.value)  // of Hangul
          if isVowel || singles.contains(String(before) + String(scalar)) { isDecomposed = true }
        }
        before = scalar
      }
      if isComposed { composed += 1 }
      if isDecomposed { decomposed += 1 }
    }
    guard composed > 0, decomposed > 0 else { return nil }
    return .normalForms(composed: composed, decomposed: decomposed)
  }

  /// Ranges of the characters that can also be written as a letter and marks, in scripts where both
  /// occur.
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

// MARK: - Lookalikes
//
// To a model they are letters of their own. Unicode's table of confusable characters has thousands
// of pairs. These are the ones that keyboards and copied text mix up, and they are reported only
// where the list has both.

extension ListSurvey {
  /// Variants that compatibility decomposition (NFKC) replaces, and the letters that they vary:
  /// ligatures, Arabic letters by position, full-width, half-width and mathematical letters.
  private static let variants: [(range: ClosedRange<UInt32>, usual: ClosedRange<UInt32>)] = [
    (0xFB00...0xFB06, 0x61...0x7A), (0xFE80...0xFEFC, 0x621...0x64A),
    (0xFF21...0xFF5A, 0x41...0x7A), (0xFF66...0xFF9F, 0x30A1...0x30FA),
    (0x1_D400...0x1_D7FF, 0x41...0x7A),
  ]

  private var letterVariants: DataWarning? {
    func contains(_ range: ClosedRange<UInt32>) -> Bool {
      symbols.contains { range.contains($0.value) && $0.properties.isAlphabetic }
    }
    let ranges = Self.variants.filter { contains($0.range) && contains($0.usual) }.map(\.range)
    guard !ranges.isEmpty else { return nil }
    let affected = words.count { word in
      word.unicodeScalars.contains { letter in ranges.contains { $0.contains(letter.value) } }
    }
    return .lookalikes(words: affected, .variants(ranges))
  }

  /// Scripts with letters that look like Latin ones.
  private static let scripts: [(range: ClosedRange<UInt32>, letters: String, latin: String)] = [
    (0x400...0x52F, "асеорхуіјѕһԁАВСЕНІЈКМОРЅТХУ", "aceopxyijshdABCEHIJKMOPSTXY"),
    (0x370...0x3FF, "αινορυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aivopuABEZHIKMNOPTYX"),
  ]

  /// Words of one script, and the letters of another in them.
  private struct ForeignLetters {
    var words: Set<Int>
    var pairs: [Lookalikes.Pair]
    let script: ClosedRange<UInt32>
  }

  /// One warning for all that is foreign in words of one script.
  private var lettersOfOtherScripts: [DataWarning] {
    var found: [ForeignLetters] = []
    for script in Self.scripts {
      guard let foreign = mixed(with: script) else { continue }
      if let same = found.firstIndex(where: { $0.script == foreign.script }) {
        found[same].words.formUnion(foreign.words)
        found[same].pairs += foreign.pairs
      } else {
        found.append(foreign)
      }
    }
    return found.map {
      .lookalikes(words: $0.words.count, .ofOtherScript($0.pairs, script: $0.script))
    }
  }

  /// Letters of a script within Latin words, or the other way round, whichever words are fewer.
  private func mixed(
    with script: (range: ClosedRange<UInt32>, letters: String, latin: String)
  ) -> ForeignLetters? {
    let latin: ClosedRange<UInt32> = 0x41...0x7A
    guard symbols.contains(where: { script.range.contains($0.value) }),
      symbols.contains(where: { latin.contains($0.value) && $0.properties.isAlphabetic })
    else { return nil }
    var mixed: [(word: Int, part: [Unicode.Scalar])] = []
    var (latins, others) = (0, 0)
    for (index, word) in words.enumerated() {
      // A name such as "T-рекс" has two parts. Unicode's tables are slow, and rarely needed.
      let parts = word.unicodeScalars.split { letter in
        letter.isASCII
          ? !UInt8(letter.value).isLetter
          : !script.range.contains(letter.value) && !letter.properties.isAlphabetic
      }
      for part in parts {
        let isLatin = part.contains { $0.isASCII }
        let isOther = part.contains { script.range.contains($0.value) }
        if isLatin, isOther { mixed.append((index, Array(part))) }
        latins += isLatin && !isOther ? 1 : 0
        others += isOther && !isLatin ? 1 : 0
      }
    }
    let pairs = zip(script.letters.unicodeScalars, script.latin.unicodeScalars)
    let isForLatin = latins >= others
    let table = Dictionary(
      pairs.map { isForLatin ? ($0, $1) : ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let usual = isForLatin ? latin : script.range
    // All that is foreign in a part must look like the letters beside it.
    let affected = mixed.filter { _, part in
      part.allSatisfy {
        usual.contains($0.value) || table[$0] != nil
          || !$0.isASCII && !script.range.contains($0.value)
      }
    }
    // Other mixtures, if there are as many, are what the list is about.
    guard 2 * affected.count > mixed.count else { return nil }
    let found = Set(affected.flatMap(\.part)).sorted().compactMap { letter in
      table[letter].map { Lookalikes.Pair(found: letter, meant: $0) }
    }
    return ForeignLetters(words: Set(affected.map(\.word)), pairs: found, script: usual)
  }
}

// MARK: - Text read in the wrong encoding
//
// If a text was never UTF-8, its encoding is guessed as a file's is.

extension ListSurvey {
  /// The encodings that UTF-8 is mistaken for, the most frequent first.
  private static let readings = [
    "CP1252", "CP1250", "CP1251", "KOI8-R", "CP866", "CP437", "CP850", "MACINTOSH",
  ]

  /// Roughly the most words that are tried with each encoding.
  private static let sampledReadings = 50_000

  /// The warning about misread words; nil if there are hardly any.
  private var misreading: DataWarning? {
    var best: (words: Int, reading: Misreading)?
    for name in Self.readings {
      let bytes = ByteTable(name)
      guard symbols.contains(where: { (0xC2...0xF4).contains(bytes[$0] ?? 0) }),
        symbols.contains(where: { (0x80...0xBF).contains(bytes[$0] ?? 0) })
      else { continue }
      // Enough words for a warning show in a sample, too.
      let step = max(1, words.count / Self.sampledReadings)
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
    // Words may have lost some characters; for windows-1252 the rest is enough to tell.
    let damaged =
      symbols.contains { (0xC2...0xE2).contains($0.value) } ? words.count(where: Self.isMisread) : 0
    let usual = Misreading(written: "UTF-8", read: "CP1252", example: "Ã©", original: "é")
    let reading = best?.reading ?? usual
    if let best, reading.read != usual.read, best.words >= max(3, words.count / 200) {
      return .misread(words: best.words, reading)
    }
    if damaged > 0 {
      return .misread(words: damaged, reading.read == usual.read ? reading : usual)
    }
    return legacy
  }

  /// Text of another script that was read as windows-1252: hardly a letter is unaccented.
  private var legacy: DataWarning? {
    guard symbols.count(where: Self.isAccented) >= 6 else { return nil }
    let affected = words.count(where: Self.isOnlyAccented)
    guard 10 * affected >= words.count else { return nil }
    let bytes = ByteTable("CP1252")
    var text: [UInt8] = []
    var first: (word: String, bytes: [UInt8])?
    for word in words.prefix(2000) where Self.isOnlyAccented(word) {
      guard let read = bytes.bytes(of: word) else { continue }
      first = first ?? (word, read)
      text += read + [UInt8(ascii: "\n")]
    }
    guard let first,
      case .encoding(_, let name) = EncodingGuess(TextSample(before: [], after: text[...])),
      let original = TextConversion.utf8(first.bytes, from: name)
    else { return nil }
    let word = String(decoding: original, as: UTF8.self)
    guard !word.unicodeScalars.contains(where: Self.isAccented) else { return nil }
    return .misread(
      words: affected,
      Misreading(written: name, read: "CP1252", example: first.word, original: word))
  }

  private static func isAccented(_ scalar: Unicode.Scalar) -> Bool {
    (0xC0...0xFF).contains(scalar.value)
  }

  /// Whether three letters or more are accented, and none is not.
  private static func isOnlyAccented(_ word: String) -> Bool {
    word.unicodeScalars.count(where: isAccented) >= 3
      && !word.unicodeScalars.contains { $0.isASCII && $0.properties.isAlphabetic }
  }

  /// Whether a word has a character of UTF-8 read as windows-1252: Ã© for é.
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

  /// Whether windows-1252 has this for one of the bytes 0x80…0xBF.
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
