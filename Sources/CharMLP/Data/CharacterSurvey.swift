// Which characters of a list nobody wrote as they are: such as are not seen, letters in two normal forms,
// what is left of others.
//
// They are looked for in the alphabet first, and in the words only if they are there.

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
