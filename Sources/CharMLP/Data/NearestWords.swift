// The word of a list that is nearest to a new one, which shows whether a model invents or repeats;
// and the name that a misspelled one may have meant.
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
      Match(word: String(String.UnicodeScalarView(words[best.index])), distance: best.distance)
    }
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

// MARK: - What a misspelled name may have meant

extension NearestWords {
  /// The name that a misspelled one may have meant, ignoring case; nil if none is near.
  package static func likelyName(for name: String, among names: [String]) -> String? {
    let name = name.lowercased()
    let length = name.unicodeScalars.count
    guard length <= 64 else { return nil }
    return meant(by: name, among: names, within: max(1, min(3, length / 3))) { $0.lowercased() }
  }

  /// The element whose name a misspelled one may have meant: the first of the nearest, if it is at
  /// most `limit` edits away.
  ///
  /// - Parameters:
  ///   - isSwapOneEdit: Whether two neighbouring letters that have changed places are one edit
  ///     instead of two.
  ///   - nameOf: The name of each, in the spelling of `name`.
  package static func meant<Named>(
    by name: String, among all: [Named], within limit: Int, isSwapOneEdit: Bool = false,
    named nameOf: (Named) -> String
  ) -> Named? {
    let name = Array(name.unicodeScalars)
    let near = all.compactMap { element -> (Named, distance: Int)? in
      let other = Array(nameOf(element).unicodeScalars)
      if isSwapOneEdit, isSwap(name, other) { return (element, 1) }
      return distance(name, other, below: limit + 1).map { (element, $0) }
    }
    return near.min { $0.distance < $1.distance }?.0
  }

  /// Whether two neighbouring letters have changed places.
  private static func isSwap(_ name: [Unicode.Scalar], _ other: [Unicode.Scalar]) -> Bool {
    guard name.count == other.count,
      let first = name.indices.first(where: { name[$0] != other[$0] }), first + 1 < name.count
    else { return false }
    var swapped = name
    swapped.swapAt(first, first + 1)
    return swapped == other
  }
}
