// Finds letters that look like others of the list: full-width ones beside the usual ones, and a
// Cyrillic а in a word of Latin letters. To a model they are letters of their own.
//
// Unicode's table of confusable characters has thousands of pairs. These are the ones that
// keyboards and copied text mix up, and they are told only where the list has both.

/// Letters that are not what they look like.
package enum Lookalikes: Equatable, Sendable {
  /// Variants of letters that the list has as well, such as full-width ones: their ranges.
  case variants([ClosedRange<UInt32>])
  /// Letters within words of another script; `script` begins with the first letter of that one.
  case ofOtherScript([Pair], script: ClosedRange<UInt32>)

  /// A letter, and the one that it looks like.
  package struct Pair: Equatable, Sendable {
    package let found: Unicode.Scalar
    package let meant: Unicode.Scalar
  }
}

extension Lookalikes {
  /// The warnings about a list.
  static func warnings(_ words: WordList, _ symbols: [Unicode.Scalar]) -> [DataWarning] {
    [variants(words, symbols)].compactMap(\.self) + ofOtherScripts(words, symbols)
  }

  // MARK: Variants

  /// Variants that compatibility decomposition (NFKC) replaces, and the letters that they vary:
  /// ligatures, Arabic letters by position, full-width, half-width and mathematical letters.
  private static let variants: [(range: ClosedRange<UInt32>, usual: ClosedRange<UInt32>)] = [
    (0xFB00...0xFB06, 0x61...0x7A), (0xFE80...0xFEFC, 0x621...0x64A),
    (0xFF21...0xFF5A, 0x41...0x7A), (0xFF66...0xFF9F, 0x30A1...0x30FA),
    (0x1_D400...0x1_D7FF, 0x41...0x7A),
  ]

  private static func variants(_ words: WordList, _ symbols: [Unicode.Scalar]) -> DataWarning? {
    func contains(_ range: ClosedRange<UInt32>) -> Bool {
      symbols.contains { range.contains($0.value) && $0.properties.isAlphabetic }
    }
    let ranges = variants.filter { contains($0.range) && contains($0.usual) }.map(\.range)
    guard !ranges.isEmpty else { return nil }
    let affected = words.count { word in
      word.unicodeScalars.contains { letter in ranges.contains { $0.contains(letter.value) } }
    }
    return .lookalikes(words: affected, .variants(ranges))
  }

  // MARK: Other scripts

  /// Scripts with letters that look like Latin ones.
  private static let scripts: [(range: ClosedRange<UInt32>, letters: String, latin: String)] = [
    (0x400...0x52F, "асеорхуіјѕһԁАВСЕНІЈКМОРЅТХУ", "aceopxyijshdABCEHIJKMOPSTXY"),
    (0x370...0x3FF, "αινορυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aivopuABEZHIKMNOPTYX"),
  ]

  /// Words of one script, and the letters of another in them.
  private struct ForeignLetters {
    var words: Set<Int>
    var pairs: [Pair]
    let script: ClosedRange<UInt32>
  }

  /// One warning for all that is foreign in words of one script.
  private static func ofOtherScripts(
    _ words: WordList, _ symbols: [Unicode.Scalar]
  ) -> [DataWarning] {
    var found: [ForeignLetters] = []
    for script in scripts {
      guard let foreign = mixed(words, symbols, with: script) else { continue }
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
  private static func mixed(
    _ words: WordList, _ symbols: [Unicode.Scalar],
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
      table[letter].map { Pair(found: letter, meant: $0) }
    }
    return ForeignLetters(words: Set(affected.map(\.word)), pairs: found, script: usual)
  }
}
