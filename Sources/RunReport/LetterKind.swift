// Vowels and consonants, in the alphabets that have them.

/// What a symbol is to somebody who looks at a map of letters.
enum LetterKind {
  case vowel, consonant, other

  /// The names of the vowels of the Latin, Greek and Cyrillic alphabets; y counts as one.
  private static let vowels = Set("aeiouyæœıəαεηιουωаеёиоуыэюяіїє".unicodeScalars.map(name(of:)))

  /// Letters of these three alphabets are vowels or consonants; all else is something else.
  init(_ symbol: Unicode.Scalar) {
    guard symbol.properties.isAlphabetic, Self.hasVowels(symbol) else {
      self = .other
      return
    }
    let lower = symbol.properties.lowercaseMapping.unicodeScalars
    self = Self.vowels.contains(Self.name(of: lower.first ?? symbol)) ? .vowel : .consonant
  }

  private static func hasVowels(_ symbol: Unicode.Scalar) -> Bool {
    switch symbol.value {
    case 0x41...0x24F, 0x1E00...0x1EFF, 0x370...0x3FF, 0x1F00...0x1FFF, 0x400...0x52F: true
    default: false
    }
  }

  /// A letter's name in Unicode without its marks: é is a LATIN SMALL LETTER E WITH ACUTE.
  private static func name(of symbol: Unicode.Scalar) -> String {
    let name = symbol.properties.name ?? ""
    return name.firstRange(of: " WITH ").map { String(name[..<$0.lowerBound]) } ?? name
  }
}
