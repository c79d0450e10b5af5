// What makes a word list's losses unreliable, learning needlessly hard, or its lines something other
// than words.
//
// The limits are rules of thumb, tried on real lists: a clean one is within all of them. What to do
// is in the commands' texts.

/// A property of a word list that makes losses unreliable or learning needlessly hard.
package enum DataWarning: Equatable, Sendable {
  /// Fewer than 1,000 words: a validation loss rests on fewer than a hundred of them.
  case tiny(words: Int, validationWords: Int)
  /// At least one word in a hundred repeats another, in the list or across the split.
  case duplicated(duplicates: Int, validationWordsInTraining: Int, validationWords: Int)
  /// Letters occur as capitals and as small letters, and so as two symbols each.
  case mixedCase(letters: Int)
  /// The longest word is more than four times as long as the median, and as three characters.
  case unequalLengths(median: Int, longest: Int)

  /// Most lines are rows of a table.
  case columns(ColumnFinding)
  /// Most lines have a number beside the word, after a blank.
  case numbers(lines: Int, areLast: Bool)
  /// The first line is a number, and hardly any other has one.
  case startsWithCount
  /// Words have a slash and flags, as in a spelling dictionary (hunspell's .dic).
  case spellingFlags(words: Int, startsWithCount: Bool)
  /// Some lines begin with a mark of comments.
  case comments(lines: Int, marks: [String])
  /// Tags or entities of HTML.
  case markup(words: Int)
  /// Words stand between quotes.
  case quoted(words: Int, areDouble: Bool)
  /// At most one word in twenty has a digit.
  case digits(words: Int)
  /// UTF-8 that was once read as windows-1252.
  case misread(words: Int)
  /// U+FFFD, which stands for what could not be read.
  case replacements(words: Int)
  /// Characters that are not seen, the most frequent first; `first` is the first such word's index, `line`
  /// its line where that is known.
  case invisible([InvisibleCharacter], words: Int, first: Int, line: Int?)
  /// Letters with marks are one character in some words and two in others.
  case normalForms(composed: Int, decomposed: Int)
  /// The list is sorted, and so many of its words are another one and an ending.
  case inflected(share: Double)

  /// The warnings that a list deserves.
  static func all(
    words list: WordList, duplicates: Int, validation: DataReport.Part, symbols: [Unicode.Scalar],
    lengths: LengthDistribution
  ) -> [DataWarning] {
    var warnings: [DataWarning] = []
    let words = list.count
    if words < 1000 {
      warnings.append(.tiny(words: words, validationWords: validation.words))
    }
    if 100 * duplicates >= words || 100 * validation.wordsInTraining >= validation.words {
      warnings.append(
        .duplicated(
          duplicates: duplicates, validationWordsInTraining: validation.wordsInTraining,
          validationWords: validation.words))
    }
    let survey = ListSurvey(list, symbols: symbols).warnings
    warnings += survey
    // Lines that are no words have their own capitals and lengths.
    guard !survey.contains(where: \.isAboutLines) else { return warnings }
    let letters = lettersInBothCases(symbols)
    if letters > 0, !isCapitalized(list) { warnings.append(.mixedCase(letters: letters)) }
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

  /// Whether it is about what lines are made of, which changes with the remedy.
  private var isAboutLines: Bool {
    switch self {
    case .columns, .numbers, .startsWithCount, .spellingFlags, .comments, .markup: true
    default: false
    }
  }

  /// Whether capitals follow a rule: at least 19 words in 20 begin with one, and hardly one is
  /// written in capitals alone.
  private static func isCapitalized(_ words: WordList) -> Bool {
    let irregular = words.count { word in
      var (letters, capitals, beginsSmall) = (0, 0, true)
      for scalar in word.unicodeScalars where scalar.properties.isCased {
        if letters == 0, scalar.properties.isUppercase { beginsSmall = false }
        letters += 1
        if scalar.properties.isUppercase { capitals += 1 }
      }
      return letters > 0 && (beginsSmall || letters > 1 && capitals == letters)
    }
    return 20 * irregular <= words.count
  }
}
