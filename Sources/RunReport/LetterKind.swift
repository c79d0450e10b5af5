// Vowels and consonants, in the alphabets that have them.

import Foundation

/// What a symbol is to somebody who looks at a map of letters.
enum LetterKind {
  case vowel, consonant, other

  /// Vowels of the Latin, Greek and Cyrillic alphabets, without their marks; y counts as one.
  private static let vowels = Set("aeiouyæœøıəαεηιουωаеёиоуыэюяіїєў".unicodeScalars)

  /// Letters of these three alphabets are vowels or consonants; all else is something else.
  init(_ symbol: Unicode.Scalar) {
    guard symbol.properties.isAlphabetic, Self.hasVowels(symbol) else {
      self = .other
      return
    }
    let lower = symbol.properties.lowercaseMapping.unicodeScalars
    // The base letter comes first: é is e and a mark.
    let base = lower.first.flatMap(Self.base) ?? symbol
    self = Self.vowels.contains(base) ? .vowel : .consonant
  }

  private static func hasVowels(_ symbol: Unicode.Scalar) -> Bool {
    switch symbol.value {
    case 0x41...0x24F, 0x1E00...0x1EFF, 0x370...0x3FF, 0x1F00...0x1FFF, 0x400...0x52F: true
    default: false
    }
  }

  /// The first scalar of the canonical decomposition.
  private static func base(_ symbol: Unicode.Scalar) -> Unicode.Scalar? {
    String(symbol).decomposedStringWithCanonicalMapping.unicodeScalars.first
  }
}
