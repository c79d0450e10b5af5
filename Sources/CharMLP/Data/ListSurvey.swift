// Detects lists whose lines are not plain words: what lines look like, what characters look like, and
// whether the words are forms of the same stems.
//
// What to do is in the commands' texts.

/// Looks at the words of a list.
struct ListSurvey {
  private let words: WordList
  private let symbols: [Unicode.Scalar]

  init(_ words: WordList, symbols: [Unicode.Scalar]) {
    (self.words, self.symbols) = (words, symbols)
  }

  /// What deserves a warning, the most far-reaching first.
  var warnings: [DataWarning] {
    LineSurvey(words).warnings + CharacterSurvey(words, symbols: symbols).warnings + inflection
  }
}

// MARK: - Inflected forms

extension ListSurvey {
  /// A list in the order of the alphabet in which many words are another one and an ending.
  ///
  /// Stems stand beside their forms there, so that some stretches of the list are enough.
  private var inflection: [DataWarning] {
    guard words.count >= 300 else { return [] }
    let bytes = words.utf8.span
    func isAscending(_ word: Int) -> Bool {
      let (left, right) = (words.utf8Range(of: word), words.utf8Range(of: word + 1))
      for (a, b) in zip(left, right) where bytes[a] | 0x20 != bytes[b] | 0x20 {
        return bytes[a] | 0x20 < bytes[b] | 0x20
      }
      return left.count <= right.count
    }
    let (stretches, length) = words.count <= 5000 ? (1, words.count) : (20, 250)
    var (pairs, ascending, seen, derived) = (0, 0, 0, 0)
    for stretch in 0..<stretches {
      let first = stretch * (words.count - length) / max(1, stretches - 1)
      var stems: Set<String> = []
      for word in first..<first + length {
        if word > first {
          pairs += 1
          if isAscending(word - 1) { ascending += 1 }
        }
        let text = words[word]
        seen += 1
        let scalars = text.unicodeScalars
        let isForm = (1...4).contains { ending in
          scalars.count - ending >= 5
            && stems.contains(String(scalars.dropLast(ending)))
        }
        if isForm { derived += 1 }
        stems.insert(text)
      }
    }
    guard 10 * ascending >= 8 * pairs else { return [] }
    let share = Double(derived) / Double(seen)
    return share >= 0.33 ? [.inflected(share: share)] : []
  }
}
