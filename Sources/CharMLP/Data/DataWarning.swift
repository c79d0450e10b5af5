// What about a word list makes losses unreliable or learning needlessly hard.
//
// The limits are rules of thumb, each written once, here; a list that crosses none of them deserves no
// warning, and the bundled one does not get any. What to do about it is in the commands' texts.

/// A property of a word list that its owner should know of.
public enum DataWarning: Equatable, Sendable {
  /// Fewer than 1,000 words: a validation loss rests on fewer than a hundred of them.
  case tiny(words: Int, validationWords: Int)
  /// At least one word in a hundred repeats another, in the list or across the split.
  case duplicated(duplicates: Int, validationWordsInTraining: Int, validationWords: Int)
  /// Letters stand in the list as capitals and as small letters, as two symbols each.
  case mixedCase(letters: Int)
  /// The longest word is more than four times as long as the median one, and than three characters.
  case unequalLengths(median: Int, longest: Int)

  /// The warnings that a list deserves.
  static func all(
    words: Int, duplicates: Int, validation: DataReport.Part, symbols: [Unicode.Scalar],
    lengths: LengthDistribution
  ) -> [DataWarning] {
    var warnings: [DataWarning] = []
    if words < 1000 {
      warnings.append(.tiny(words: words, validationWords: validation.words))
    }
    if 100 * duplicates >= words || 100 * validation.wordsInTraining >= validation.words {
      warnings.append(
        .duplicated(
          duplicates: duplicates, validationWordsInTraining: validation.wordsInTraining,
          validationWords: validation.words))
    }
    let letters = lettersInBothCases(symbols)
    if letters > 0 { warnings.append(.mixedCase(letters: letters)) }
    if lengths.longest > 4 * max(lengths.median, 3) {
      warnings.append(.unequalLengths(median: lengths.median, longest: lengths.longest))
    }
    return warnings
  }

  /// How many symbols have another symbol as their small letter.
  private static func lettersInBothCases(_ symbols: [Unicode.Scalar]) -> Int {
    let texts = Set(symbols.map { Array(String($0).unicodeScalars) })
    return symbols.count { symbol in
      let small = Array(symbol.properties.lowercaseMapping.unicodeScalars)
      return small != [symbol] && texts.contains(small)
    }
  }
}
