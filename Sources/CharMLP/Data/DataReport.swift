// What there is to know about a word list before a network is trained on it.
//
// A loss is only as honest as the split: words in two parts of it are learned by heart and then
// counted as predicted. So the report says how many there are, next to what else decides how good a
// model can get: how many words, which symbols, how long. It has only numbers; the commands put
// them into words. Of a very long list, everything but the alphabet is counted in a sample.

/// Counts over a data set.
package struct DataReport: Equatable, Sendable {
  /// One part of the split.
  package struct Part: Equatable, Sendable {
    package let words: Int
    /// How many of the words are also in the training part; for that part itself, all.
    package let wordsInTraining: Int
    package let windows: Int
    package let distinctContexts: Int
  }

  /// One symbol of the alphabet.
  package struct Symbol: Equatable, Sendable {
    package let scalar: Unicode.Scalar
    /// How often it occurs in all words.
    package let count: Int
    /// How often it occurs in training words.
    package let trainingCount: Int
    /// Whether it occurs fewer than ten times, too rarely to learn what follows it.
    package var isRare: Bool { count < 10 }
  }

  /// The number of words that were counted, duplicates included.
  package let words: Int
  /// The number of words of the list, if `words` are a sample of them.
  package let sampleOf: Int?
  /// The number of windows that minibatches are drawn from.
  package let trainingWindows: Int
  /// The number of different words.
  package let distinctWords: Int
  /// How many duplicates were removed beforehand.
  package let duplicatesRemoved: Int
  package let train: Part
  package let validation: Part
  package let test: Part
  /// The alphabet, the most frequent symbol first; of equally frequent ones, the smaller scalar.
  package let symbols: [Symbol]
  package let lengths: LengthDistribution
  /// What to know before believing the losses.
  package let warnings: [DataWarning]

  /// How many words repeat an earlier one.
  package var duplicates: Int { words - distinctWords }

  /// Counts. Time is proportional to the length of the list.
  package init(_ dataset: Dataset) {
    let first = dataset.words.firstOccurrences()
    var isTraining = [Bool](repeating: false, count: first.count)
    for word in dataset.split.train { isTraining[Int(first[word])] = true }
    func part(_ words: ArraySlice<Int>, _ windows: ContextWindows) -> Part {
      Part(
        words: words.count, wordsInTraining: words.count { isTraining[Int(first[$0])] },
        windows: windows.count, distinctContexts: windows.distinct().count)
    }
    words = dataset.words.count
    sampleOf = dataset.isSample ? dataset.wordCount : nil
    trainingWindows = dataset.trainingText.windowCount
    distinctWords = first.indices.count { first[$0] == $0 }
    duplicatesRemoved = dataset.duplicatesRemoved
    train = part(dataset.split.train, dataset.train)
    validation = part(dataset.split.validation, dataset.validation)
    test = part(dataset.split.test, dataset.test)
    symbols = Self.symbols(of: dataset)
    lengths = LengthDistribution(of: dataset)
    warnings = DataWarning.all(
      words: dataset.words, duplicates: words - distinctWords, validation: validation,
      symbols: dataset.vocabulary.symbols, lengths: lengths)
  }

  private static func symbols(of dataset: Dataset) -> [Symbol] {
    let training = counts(of: dataset.train)
    let others = [dataset.validation, dataset.test].map(counts)
    let symbols = dataset.vocabulary.symbols.enumerated().map { index, scalar in
      let count = training[index + 1]
      return Symbol(
        scalar: scalar, count: count + others[0][index + 1] + others[1][index + 1],
        trainingCount: count)
    }
    return symbols.sorted { ($1.count, $0.scalar) < ($0.count, $1.scalar) }
  }

  /// How often each id is a target.  (vocabulary)
  private static func counts(of windows: ContextWindows) -> [Int] {
    var counts = [Int](repeating: 0, count: windows.vocabularyCount)
    for id in windows.targets { counts[Int(id)] += 1 }
    return counts
  }
}

// MARK: - Lengths

/// Numbers of words by length in characters.
package struct LengthDistribution: Equatable, Sendable {
  /// How many words have each length, from 0 on: (longest + 1).
  package private(set) var counts: [Int] = []

  package var shortest: Int { counts.firstIndex { $0 > 0 } ?? 0 }
  package var longest: Int { counts.count - 1 }

  /// The length that at least half of the words do not exceed.
  package var median: Int {
    var rest = (counts.reduce(0, +) + 1) / 2
    return counts.firstIndex { count in
      rest -= count
      return rest <= 0
    } ?? 0
  }

  /// The mean of the lengths; 0 if there are no words.
  package var mean: Double {
    let characters = counts.indices.reduce(0) { $0 + $1 * counts[$1] }
    return Double(characters) / Double(max(1, counts.reduce(0, +)))
  }

  init() {}

  /// Counts a word.
  mutating func add(length: Int) {
    while counts.count <= length { counts.append(0) }
    counts[length] += 1
  }

  init(of dataset: Dataset) {
    for windows in [dataset.train, dataset.validation, dataset.test] {
      var length = 0
      for id in windows.targets {
        if id != Vocabulary.terminator {
          length += 1
          continue
        }
        add(length: length)
        length = 0
      }
    }
  }
}

// MARK: - Warnings
//
// What makes a word list's losses unreliable, learning needlessly hard, or its lines something
// other than words.
//
// The limits are rules of thumb, tried on real lists: a clean one is within all of them. What to do
// is in the commands' texts.

/// A property of a word list that makes losses unreliable or learning needlessly hard.
package enum DataWarning: Equatable, Sendable {
  /// Fewer than 1,000 words: a validation loss rests on fewer than a hundred of them.
  case tiny(words: Int, validationWords: Int)
  /// At least one word in a hundred repeats another, in the list or across the split.
  case duplicated(duplicates: Int, validationWordsInTraining: Int, validationWords: Int)
  /// Letters occur as capitals and as small letters, and so as two symbols each; `isTurkic` if one
  /// is İ or ı, so that I is the capital of ı.
  case mixedCase(letters: Int, isTurkic: Bool = false)
  /// The longest word is more than six times as long as the median, and as three characters.
  case unequalLengths(median: Int, longest: Int)

  /// Most lines are rows of a table.
  case columns(ColumnFinding)
  /// Most lines have several words, with a separator between them.
  case severalPerLine(lines: Int, WordSeparation)
  /// Most lines are JSON or SQL.
  case notation(ListNotation)
  /// Most lines begin with a mark, as in a Markdown list.
  case bullets(BulletFinding)
  /// Most lines have a number beside the word, after a blank.
  case numbers(lines: Int, areLast: Bool)
  /// The lines are numbered by letters or Roman numerals: `a) anna`, `ii. bert`.
  case enumeration(lines: Int)
  /// The first line is a number, and hardly any other has one.
  case startsWithCount
  /// The first line is the name of a column.
  case startsWithHeader
  /// Words have a slash and flags, as in a spelling dictionary (hunspell's .dic).
  case spellingFlags(words: Int, startsWithCount: Bool)
  /// Some lines are comments.
  case comments(lines: Int, marks: [CommentMark])
  /// Lines end in a comment that begins with one of these marks; or, without any, in a remark in
  /// parentheses.
  case trailingComments(lines: Int, marks: [String])
  /// Words end in marks that refer to a note.
  case references(words: Int, [ReferenceMark])
  /// Words are e-mail addresses.
  case addresses(words: Int, areMost: Bool)
  /// HTML tags or entities.
  case markup(words: Int)
  /// Letters beyond ASCII are escaped.
  case escaped(words: Int, EscapeForm)
  /// Words stand between quotes; `isComplete` if the other lines are brackets of a program.
  case quoted(words: Int, pairs: [QuotePair], isComplete: Bool)
  /// At most one word in twenty has a digit.
  case digits(words: Int)
  /// Text that was read in another encoding than it was written in.
  case misread(words: Int, Misreading)
  /// U+FFFD, which replaces what could not be decoded.
  case replacements(words: Int)
  /// Invisible characters, the most frequent first; `first` is the first such word's index, `line`
  /// its line where that is known.
  case invisible([InvisibleCharacter], words: Int, first: Int, line: Int?)
  /// Letters with marks are one character in some words and two in others.
  case normalForms(composed: Int, decomposed: Int)
  /// Letters that look like others: full-width ones, or those of another script.
  case lookalikes(words: Int, Lookalikes)
  /// The list is sorted, and this share of its words is another word with an ending.
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
    // Lines that are not words have their own capitals and lengths.
    guard !survey.contains(where: \.isAboutLines) else { return warnings }
    let letters = lettersInBothCases(symbols)
    if letters > 0, !isCapitalized(list) {
      let isTurkic = symbols.contains("İ") || symbols.contains("ı")
      warnings.append(.mixedCase(letters: letters, isTurkic: isTurkic))
    }
    if lengths.longest > 6 * max(lengths.median, 3) {
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

  /// Whether it is about the lines' structure, which the remedy changes.
  private var isAboutLines: Bool {
    switch self {
    case .columns, .severalPerLine, .notation, .bullets, .numbers, .enumeration,
      .startsWithCount, .startsWithHeader, .spellingFlags, .comments, .trailingComments,
      .references, .addresses,
      .markup, .escaped, .misread:
      true
    default: false
    }
  }

  /// Whether capitals follow a rule: at least 19 words in 20 begin with one, or have one behind a
  /// particle as in "van den Berg", and hardly one is written in capitals alone.
  private static func isCapitalized(_ words: WordList) -> Bool {
    let irregular = words.count { word in
      var (letters, capitals, beginsWithCapital, isStart) = (0, 0, false, true)
      for scalar in word.unicodeScalars {
        if scalar == " " || scalar == "-" || scalar == "'" || scalar == "’" { isStart = true }
        // Unicode's tables are slow, and most letters are of ASCII.
        let isCapital =
          scalar.isASCII ? ("A"..."Z").contains(scalar) : scalar.properties.isUppercase
        let isSmall = scalar.isASCII ? ("a"..."z").contains(scalar) : scalar.properties.isLowercase
        guard isCapital || isSmall else { continue }
        if isStart, isCapital { beginsWithCapital = true }
        isStart = false
        letters += 1
        if isCapital { capitals += 1 }
      }
      return letters > 0 && (!beginsWithCapital || letters > 1 && capitals == letters)
    }
    return 20 * irregular <= words.count
  }
}

// MARK: - What warnings tell of a list

/// A table in which there should be one word on each line.
package struct ColumnFinding: Equatable, Sendable {
  /// What separates the columns: tab, comma, semicolon, bar, colon, or blank for two or more.
  package let separator: Unicode.Scalar
  /// How many lines have it.
  package let lines: Int
  /// The number of the column that looks most like words, from 1.
  package let column: Int
  /// How many lines come before the values: column names, and a rule under them.
  package let headerLines: Int
  /// Whether some values are between double quotes, which may hold the separator.
  package let isQuoted: Bool

  /// Whether the first line names the columns.
  package var hasHeader: Bool { headerLines > 0 }
}

/// How a program writes a list of words.
package enum ListNotation: Equatable, Sendable {
  /// One JSON value for the whole list: `[`, `"anna",`, `]`.
  case json
  /// A JSON object on each line.
  case jsonLines
  /// SQL that inserts the values into a table.
  case sql
  /// The contacts of a telephone.
  case vCard
}

/// Marks that most lines begin with.
package struct BulletFinding: Equatable, Sendable {
  /// How many lines begin with one.
  package let lines: Int
  package let marks: [String]
  /// The key that follows each mark in YAML: `name` in `- name: anna`.
  package let key: String?
  /// Whether the words are Markdown links.
  package let hasLinks: Bool
  /// Whether the other lines are few enough to be headings.
  package let isComplete: Bool
}

/// A pair of quotation marks, of brackets, or of Markdown's asterisks.
package struct QuotePair: Hashable, Sendable {
  package let opening: String
  package let closing: String
  /// Whether words may have it, too.
  let isWeak: Bool

  static let all: [QuotePair] = [
    QuotePair("\"", "\""), QuotePair("“", "”"), QuotePair("„", "“"), QuotePair("„", "”"),
    QuotePair("”", "”"), QuotePair("«", "»"), QuotePair("»", "«"), QuotePair("「", "」"),
    QuotePair("『", "』"), QuotePair("《", "》"), QuotePair("‹", "›", isWeak: true),
    QuotePair("›", "‹", isWeak: true), QuotePair("'", "'", isWeak: true),
    QuotePair("`", "`", isWeak: true), QuotePair("`", "'", isWeak: true),
    QuotePair("‘", "’", isWeak: true), QuotePair("‚", "‘", isWeak: true),
    QuotePair("(", ")", isWeak: true), QuotePair("[", "]", isWeak: true),
    QuotePair("**", "**", isWeak: true), QuotePair("*", "*", isWeak: true),
  ]

  private init(_ opening: String, _ closing: String, isWeak: Bool = false) {
    (self.opening, self.closing, self.isWeak) = (opening, closing, isWeak)
  }
}

/// A mark that comments begin with.
package struct CommentMark: Equatable, Sendable {
  package let text: String
  /// Whether a blank must follow.
  package let needsBlank: Bool
}

/// The kinds of marks that refer to a note.
package enum ReferenceMark: CaseIterable, Equatable, Hashable, Sendable {
  /// `[1]`, `[a]` or `[note 1]`.
  case bracketed
  /// ¹
  case superscript
  /// † or ‡
  case dagger

  init?(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0xB2, 0xB3, 0xB9, 0x2070, 0x2074...0x2079: self = .superscript
    case 0x2020, 0x2021: self = .dagger
    default: return nil
    }
  }
}

/// How letters beyond ASCII are escaped.
package enum EscapeForm: CaseIterable, Equatable, Sendable {
  /// `\u00e9`, as in source code.
  case backslash
  /// `%C3%A9`, as in URLs.
  case percent
  /// `=C3=A9`, as in mail (quoted-printable).
  case equals
  /// `+AOk-` (UTF-7).
  case utf7
}

/// A text that was read in another encoding than it was written in.
package struct Misreading: Equatable, Sendable {
  /// The encoding that it was written in, mostly UTF-8, as iconv(1) and Python call it.
  package let written: String
  /// The encoding that it was read in.
  package let read: String
  /// A word as it is now.
  package let example: String
  /// The same word as it was written.
  package let original: String
}

/// An invisible character, and how often it occurs.
package struct InvisibleCharacter: Equatable, Sendable {
  package let scalar: Unicode.Scalar
  package let count: Int
}

/// Letters that are not what they look like.
package enum Lookalikes: Equatable, Sendable {
  /// Variants of letters that the list has as well, such as full-width ones: their ranges.
  case variants([ClosedRange<UInt32>])
  /// Letters of one script within words of another, whose range is `script`.
  case ofOtherScript([Pair], script: ClosedRange<UInt32>)

  /// A letter, and the one that it looks like.
  package struct Pair: Equatable, Sendable {
    package let found: Unicode.Scalar
    package let meant: Unicode.Scalar
  }
}
