// The word of a list that is nearest to a new one: whether a model invents or repeats.
//
// The distance is Levenshtein's: the fewest insertions, deletions and replacements of one character
// ("Binary codes capable of correcting deletions, insertions, and reversals", 1966). It is computed
// by Wagner and Fischer's recursion, a row at a time, and abandoned as soon as a nearer word is
// known.

/// Words of a list, to search for the nearest.
package struct NearestWords: Sendable {
  /// A word of the list, and how far it is.
  package struct Match: Equatable, Sendable {
    package let word: String
    /// The edit distance: 0 if it is the same word.
    package let distance: Int
  }

  private let words: [[Unicode.Scalar]]
  private let known: Set<[Unicode.Scalar]>

  /// Prepares the search among some words of a list.
  package init(_ list: WordList, selecting selection: ArraySlice<Int>) {
    words = selection.map { Array(list[$0].unicodeScalars) }
    known = Set(words)
  }

  /// Whether a word is in the list, scalar by scalar.
  package func contains(_ word: String) -> Bool { known.contains(Array(word.unicodeScalars)) }

  /// The nearest word, the first of equally near ones; nil if there are no words.
  package func nearest(to word: String) -> Match? {
    let word = Array(word.unicodeScalars)
    var best: (index: Int, distance: Int)?
    for (index, candidate) in words.enumerated() {
      let limit = best?.distance ?? .max
      guard abs(candidate.count - word.count) < limit,
        let distance = Self.distance(word, candidate, below: limit)
      else { continue }
      best = (index, distance)
      if distance == 0 { break }
    }
    return best.map { best in
      var text = ""
      text.unicodeScalars.append(contentsOf: words[best.index])
      return Match(word: text, distance: best.distance)
    }
  }

  /// The name that a misspelled one may have meant, ignoring case; nil if none is near.
  package static func likelyName(for name: String, among names: [String]) -> String? {
    let scalars = Array(name.lowercased().unicodeScalars)
    guard scalars.count <= 64 else { return nil }
    let limit = max(2, min(4, scalars.count / 3 + 1))
    let near = names.compactMap { other in
      distance(scalars, Array(other.lowercased().unicodeScalars), below: limit).map { (other, $0) }
    }
    return near.min { $0.1 < $1.1 }?.0
  }

  /// The edit distance if it is below a limit.
  static func distance(
    _ a: [Unicode.Scalar], _ b: [Unicode.Scalar], below limit: Int
  ) -> Int? {
    var row = Array(0...b.count)
    for (i, symbol) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      var smallest = row[0]
      for (j, other) in b.enumerated() {
        let replaced = diagonal + (symbol == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
        smallest = min(smallest, row[j + 1])
      }
      if smallest >= limit { return nil }
    }
    let distance = row[b.count]
    return distance < limit ? distance : nil
  }
}
