// `sample words`: new words from a trained model, as they are asked for.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON
import Posix

struct Words: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "words",
    abstract: "Print new words from a trained model, and ask it about words.",
    usage: """
      sample                               twenty words of the last run
      sample -n 5 --prefix ma              five that begin with ma
      sample --suffix ella --max-length 8 --novel --unique
      sample --temperature 0.8 --top-p 0.95 --min-length 4
      sample --count 1000000 --format tsv | head
      sample --most-likely 9 --contains a  the most probable with an a
      sample score emma olivia             how probable words are
      sample explain em                    what may follow
      sample evaluate                      new words and held-out ones
      """,
    discussion: """
      score, explain and evaluate have flags of their own: '\(Program.commandLine("sample")) score --help'. \
      \(WordFormat.tabRule)
      """
  ).asCalled

  @OptionGroup(title: "Words") var draw: DrawOptions
  @OptionGroup(title: "Which words") var constraints: ConstraintFlags
  @OptionGroup(title: "Model") var source: ModelOptions
  @OptionGroup var output: WordFormat

  func run() throws {
    let model = try source.open()
    let (checkpoint, predictor) = (model.checkpoint, model.predictor)
    let forbidden = try constraints.forbidden(checkpoint, model.path)
    var request = Sampler.Request(seed: draw.seed)
    request.chain = source.chain
    request.constraints = constraints.constraints
    if let words = try checkpoint.storedWords(model.path) {
      request.constraints.beginAndEnd(like: words)
    }
    request.forbidden = forbidden
    request.isUnique = constraints.unique
    request.budget = draw.budget
    var output = WordOutput(output, model)
    let failure: SamplingError?
    do {
      try output.begin()
      let take = { (piece: WordPiece) throws(CommandFailure) in try output.take(piece) }
      if let mostLikely = draw.mostLikely {
        failure = try MostLikelyWords(
          predictor, request, count: mostLikely, memoryLimit: Host.searchableBytes
        ).spell(mostLikely, output.spelling, take: take)
      } else {
        let team = try SamplerTeam(predictor, request, threads: draw.threads ?? availableCores())
        output.expect(draw.count, team.estimate)
        failure = try team.spell(draw.count, output.spelling, take: take)
      }
    } catch let error as ConstraintError {
      guard case .unknownSymbol(let symbol, _) = error else { throw ValidationError("\(error)") }
      let hint = VocabularyError.unknownSymbol(symbol).alternative(in: model.vocabulary)
      // The error begins with the constraint, whose name is the flag's.
      throw ValidationError("--\(error)" + (hint.map { ". " + $0 } ?? ""))
    }
    try output.end(draw.count, failure)
  }
}

// MARK: - Options

/// How many words, and how they are found.
struct DrawOptions: ParsableArguments {
  @Option(
    name: [.customShort("n"), .customLong("count")],
    help: ArgumentHelp("Number of words. (default: 20)", valueName: "n"),
    transform: wholeNumber(in: 0...1_000_000_000))
  var givenCount: Int?
  @Option(
    help: ArgumentHelp("The n most probable words, not random ones.", valueName: "n"),
    transform: wholeNumber(in: 1...1_000_000))
  var mostLikely: Int?
  @Option(
    name: [.customShort("s"), .customLong("seed")],
    help: ArgumentHelp(
      "The same seed gives the same words. (default: \(defaultSeed))", valueName: "n"),
    transform: setting(\.seed))
  var givenSeed: UInt64?
  @Option(
    help: ArgumentHelp(
      "Most characters to draw in search of one word. (default: minutes' worth)", valueName: "n"),
    transform: wholeNumber(in: 1...DrawOptions.budgetLimit))
  var budget: Int?
  @Option(
    help: ArgumentHelp(
      "Threads; the words do not depend on them. (default: all)", valueName: "n"),
    transform: threadCount)
  var threads: Int?

  private static let defaultSeed = Recipe().samplingSeed
  fileprivate static let budgetLimit = 1_000_000_000_000

  var count: Int { mostLikely ?? givenCount ?? 20 }
  var seed: UInt64 { givenSeed ?? Self.defaultSeed }

  func validate() throws {
    if mostLikely != nil, givenCount != nil {
      throw ValidationError("--count cannot be used with --most-likely, which is given a number")
    }
    if mostLikely != nil, givenSeed != nil {
      throw ValidationError("--seed cannot be used with --most-likely, which draws nothing")
    }
  }
}

/// Constraints on whole words, and words that are not wanted.
struct ConstraintFlags: ParsableArguments {
  @Option(help: ArgumentHelp("What every word begins with.", valueName: "text")) var prefix = ""
  @Option(help: ArgumentHelp("What every word ends with.", valueName: "text")) var suffix = ""
  @Option(help: ArgumentHelp("What every word contains; may be repeated.", valueName: "text"))
  var contains: [String] = []
  @Option(help: ArgumentHelp("Characters that no word has.", valueName: "letters")) var avoid = ""
  @Option(
    help: ArgumentHelp("Fewest characters; 0 allows the empty word.", valueName: "n"), in: 0...1000
  )
  var minLength = 1
  @Option(
    help: ArgumentHelp("Most characters. (default: any)", valueName: "n"),
    transform: wholeNumber(in: 0...1000))
  var maxLength: Int?
  @Flag(help: "No word twice.") var unique = false
  @Flag(help: "Only words that are not in the training list.") var novel = false
  @Option(
    help: ArgumentHelp("Leave out the words of this file; may be repeated.", valueName: "file"),
    completion: .file())
  var exclude: [String] = []

  var constraints: WordConstraints {
    var constraints = WordConstraints()
    constraints.minLength = minLength
    constraints.maxLength = maxLength
    constraints.prefix = prefix
    constraints.suffix = suffix
    constraints.contains = contains
    constraints.avoid = avoid
    return constraints
  }

  /// The words that are not wanted.
  func forbidden(_ checkpoint: Checkpoint, _ path: String) throws -> ForbiddenWords {
    let vocabulary = checkpoint.model.vocabulary
    var forbidden = ForbiddenWords()
    if novel {
      forbidden.add(
        try checkpoint.trainingWords(
          path, instead: "Name the list with --exclude FILE instead of --novel."), vocabulary)
    }
    for name in exclude {
      let source = WordListSource(name, for: "sample --exclude")
      let list = try source.read()
      forbidden.add(list, vocabulary)
      if let words = try checkpoint.storedWords(path) {
        warnOfOtherCase(list, from: source, words)
      }
    }
    return forbidden
  }
}

// MARK: - Excluded words in another case

/// Warns about words of an excluded list that the training list has only in another case, so that
/// they exclude nothing, and prints the command that makes them match.
private func warnOfOtherCase(_ list: WordList, from source: WordListSource, _ training: WordList) {
  let known = Set(training)
  let small = Set(training.map { $0.lowercased() })
  let others = list.filter { !known.contains($0) && small.contains($0.lowercased()) }
  guard !others.isEmpty else { return }
  let isOne = others.count == 1
  StandardError.shared.warn(
    "\(source.name): \(Format.counted(others.count, "word")) \(isOne ? "differs" : "differ") from "
      + "the training list's only in case, and so \(isOne ? "is" : "are") not excluded")
  func capitalized(_ word: String) -> String {
    word.split(separator: " ", omittingEmptySubsequences: false)
      .map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }.joined(separator: " ")
  }
  // How the list would have to be written, by the name of Python's method.
  let matches = [
    ("lower", others.count { known.contains($0.lowercased()) }),
    ("title", others.count { known.contains(capitalized($0)) }),
    ("upper", others.count { known.contains($0.uppercased()) }),
  ]
  let style = matches.max { $0.1 < $1.1 }?.0 ?? "lower"
  let remedy = TextRemedy("python3 -c 'import sys; print(sys.stdin.read().\(style)())' < {}")
  if let line = source.line(after: remedy) { StandardError.shared.writeLine("  try:  " + line) }
}

// MARK: - The form in which words are printed

/// `--format` and `--json`.
struct WordFormat: ParsableArguments {
  enum Form: String, CaseIterable {
    case text, tsv, jsonl
  }

  @Option(
    help: ArgumentHelp(
      "tsv: word and log-probability; jsonl: one object per line.", valueName: "form"),
    completion: .list(Form.allCases.map(\.rawValue)),
    transform: { text in
      // `json` is what `jsonl` was once called.
      guard let form = Form(rawValue: text == "json" ? "jsonl" : text) else {
        throw ValidationError("must be text, tsv or jsonl")
      }
      return form
    })
  var format = Form.text
  @Flag(help: "Print one JSON object instead of text.") var json = false

  /// How a word with a tab stays in one column.
  static var tabRule: String {
    #"In tsv a tab in a word is written \t and a backslash \\, so that lines keep their columns."#
  }

  /// A word as a value of tsv.
  static func tabSeparated(_ word: String) -> String {
    guard word.utf8.contains(where: { $0 == 0x09 || $0 == 0x5C }) else { return word }
    return word.replacing(#"\"#, with: #"\\"#).replacing("\t", with: #"\t"#)
  }

  func validate() throws {
    if json && format != .text {
      throw ValidationError("--json prints one object; leave --format \(format.rawValue) out")
    }
  }
}

// MARK: - Output
//
// In constant memory, as words are found.
//
// The samplers deliver text in pieces. If that takes longer than a second, a terminal shows how
// many words there are, how fast they come, and how long the rest takes; in a file or a pipe, a
// line now and then does.

/// Writes words in one of the forms.
struct WordOutput {
  /// How a word is written.
  let spelling: WordSpelling
  private let opening: String
  private let closing: String
  private let progress = ProgressDisplay(isQuiet: false)
  private var start = ContinuousClock.now
  private var lastFlush: ContinuousClock.Instant?
  private var words = 0
  private var expected = 0
  private var estimate: RejectionEstimate?
  private let model: OpenedModel

  init(_ form: WordFormat, _ model: OpenedModel) {
    self.model = model
    spelling = form.spelling(model.vocabulary)
    opening = form.json ? "{\"model\":\(JSONValue.string(model.path).encoded()),\"words\":[" : ""
    closing = form.json ? "]}\n" : ""
  }

  /// Writes what comes before the words.
  mutating func begin() throws(CommandFailure) { try StandardOutput.shared.write(opening) }

  /// Notes how many words will come, and how rare they are if that is known.
  mutating func expect(_ count: Int, _ estimate: RejectionEstimate?) {
    (expected, self.estimate) = (count, estimate)
    start = .now
  }

  /// Writes words; the first ones at once, others when a tenth of a second has passed.
  mutating func take(_ piece: WordPiece) throws(CommandFailure) {
    if words == 0, piece.words > 0 { model.announce() }
    words += piece.words
    try StandardOutput.shared.write(piece.text)
    let now = ContinuousClock.now
    if words > 0, lastFlush.map({ now - $0 > .milliseconds(100) }) ?? true {
      try StandardOutput.shared.flush()
      lastFlush = now
    }
    let seconds = (now - start) / .seconds(1)
    if seconds > 1 { progress.report(line(tries: piece.attempts, seconds)) }
  }

  private func line(tries: Int, _ seconds: Double) -> String {
    guard tries > 0 else { return Format.counted(words, "word") }
    let rate = Double(tries) / seconds
    let share = words > 0 ? Double(words) / Double(tries) : estimate?.probability
    let left = share.map {
      ", about \(Format.duration(seconds: Double(expected - words) / ($0 * rate))) left"
    }
    return "\(Format.count(words)) of \(Format.counted(expected, "word")) found, "
      + "\(Format.count(tries)) tried, \(Format.rate(rate, "words"))\(left ?? "")"
  }

  /// Writes what comes after the words, even if the search for one failed.
  ///
  /// - Throws: `CommandFailure` if there are fewer words than `count`: 69, or 71 for lack of
  ///   memory.
  mutating func end(_ count: Int, _ failure: SamplingError?) throws(CommandFailure) {
    try StandardOutput.shared.write(closing)
    progress.finish()
    if let failure {
      throw CommandFailure(
        failure.commandFailure.status,
        "\(Format.count(words)) of \(Format.count(count)) words: \(text(of: failure))",
        advice: advice(on: failure))
    }
  }

  private func text(of failure: SamplingError) -> String {
    guard case .tooRare(let estimate) = failure else { return "\(failure)" }
    let odds = Format.significant((1 / estimate.probability).rounded())
    return "of the words that the model makes, one in about \(odds) meets the request "
      + "(a probability of \(Format.scientific(estimate.probability)), give or take "
      + "\(Format.fixed(100 * estimate.error, decimals: 0)) %)"
  }

  /// What to do, and how long a longer search would take if it can succeed.
  private func advice(on failure: SamplingError) -> String {
    let isSpent = if case .budgetSpent = failure { true } else { false }
    let isRare = if case .tooRare = failure { true } else { false }
    guard isSpent || isRare, let estimate,
      3 * estimate.charactersPerWord <= Double(DrawOptions.budgetLimit)
    else {
      return "Ask for fewer words, or for words that the model makes more often."
    }
    var budget = 1_000_000
    while Double(budget) < 3 * estimate.charactersPerWord { budget *= 10 }
    return "A word takes about \(Format.duration(seconds: estimate.secondsPerWord)) on one core; "
      + "--budget \(budget) allows for it."
  }
}

extension WordFormat {
  /// How a word is written in this form.
  fileprivate func spelling(_ vocabulary: Vocabulary) -> WordSpelling {
    if json {
      return { word, number, text in
        if number > 0 { text.append(UInt8(ascii: ",")) }
        text.append(contentsOf: JSONValue.string(vocabulary.decode(word.ids)).encoded().utf8)
      }
    }
    switch format {
    // A stranger's model could send escape sequences to a terminal. Files and pipes get every byte.
    case .text where StandardOutput.shared.isTerminal:
      return { word, _, text in
        text.append(contentsOf: (vocabulary.decode(word.ids).singleLine() + "\n").utf8)
      }
    case .text:
      return { word, _, text in
        vocabulary.append(word.ids, to: &text)
        text.append(UInt8(ascii: "\n"))
      }
    case .tsv where vocabulary.symbols.contains { $0 == "\t" || $0 == "\\" }:
      return { word, _, text in
        let spelled = Self.tabSeparated(vocabulary.decode(word.ids))
        text.append(contentsOf: "\(spelled)\t\(word.logProbability)\n".utf8)
      }
    case .tsv:
      return { word, _, text in
        vocabulary.append(word.ids, to: &text)
        text.append(contentsOf: "\t\(word.logProbability)\n".utf8)
      }
    case .jsonl:
      return { word, _, text in
        let object: JSONValue = [
          "word": .string(vocabulary.decode(word.ids)),
          "log_probability": .number(word.logProbability),
        ]
        text.append(contentsOf: "\(object.encoded())\n".utf8)
      }
    }
  }
}
