// `sample evaluate`: how a model's words, and those of plain counting, compare with words that
// neither was made from.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Compare the model's words, and an n-gram's, with held-out words.",
    usage: """
      sample evaluate
      sample evaluate --count 100000 --temperature 0.8
      """
  ).asCalled

  @Option(
    name: [.customShort("n"), .long], help: ArgumentHelp("Number of words.", valueName: "n"),
    in: 1...10_000_000)
  var count = 10_000
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The same seed gives the same words.", valueName: "n"), in: 0...UInt64.max)
  var seed: UInt64 = Recipe().samplingSeed
  @OptionGroup(title: "Model") var source: ModelOptions
  @OptionGroup(title: "Model") var chain: ChainFlags
  @Option(
    help: ArgumentHelp("New words shown with the nearest training word.", valueName: "n"),
    in: 0...1000)
  var nearest = 10
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let opened = try source.open()
    let (checkpoint, predictor) = (opened.checkpoint, opened.predictor)
    let dataset = try checkpoint.trainingData(opened.path)
    let list = dataset.words
    // Two samples, each word an array, and counts of their pairs.
    try Host.require(
      2 * 160 * count, for: "two samples of \(Format.count(count)) words",
      advice: "Ask for fewer words (--count).")
    opened.announce()
    let progress = ProgressDisplay(isQuiet: false)
    let rival = Baseline(dataset).best
    let counting = Predictor(ngramOnly: rival, dataset, vocabularyOf: checkpoint.model)
    let report = SampleReport(
      try draw(from: predictor, list, "sampled", progress),
      counted: try draw(from: counting, list, "of counting", progress), dataset,
      neighbourCount: nearest)
    progress.finish()
    let comparison = Comparison(
      report: report, rival: rival, loss: predictor.loss(over: dataset.measured.validation))
    try StandardOutput.shared.write(
      comparison.text, orJSON: comparison.json(opened.path), if: json)
  }

  private func draw(
    from predictor: Predictor, _ list: WordList, _ kind: String, _ progress: ProgressDisplay
  ) throws -> [[Int32]] {
    var request = Sampler.Request(seed: seed)
    request.chain = chain.options
    request.constraints.keepEnds(of: list)
    var sampler = try Sampler(predictor, request)
    var words: [[Int32]] = []
    var word = DrawnWord()
    while words.count < count {
      progress.report("\(Format.count(words.count)) of \(Format.count(count)) words \(kind)")
      if try sampler.proceed(into: &word) { words.append(word.ids) }
    }
    return words
  }
}

/// The report, with the losses of both models.
private struct Comparison {
  let report: SampleReport
  /// The best n-gram model.
  let rival: Baseline.Entry
  /// The model's loss on validation words.
  let loss: Double

  private var columns: [(name: String, words: SampleReport.Words)] {
    [
      ("sampled", report.sampled), ("counting", report.counted), ("training", report.training),
      ("held out", report.heldOut),
    ]
  }

  var text: String {
    var table = Table([""] + columns.map(\.name))
    func row(_ title: String, _ value: (SampleReport.Words) -> String) {
      table.add([title] + columns.map { value($0.words) })
    }
    row("words") { Format.count($0.statistics.count) }
    row("not among the training words") { Format.percent($0.novel) }
    row("distinct") { Format.percent($0.distinct) }
    row("mean length") { Format.fixed($0.statistics.lengths.mean, decimals: 2) }
    row("lengths, bits from held out") { Format.fixed($0.lengthDivergence, decimals: 5) }
    row("bigrams, bits from held out") { Format.fixed($0.bigramDivergence, decimals: 5) }
    table.add(
      ["loss on validation words"]
        + [loss, rival.losses.validation].map { Format.fixed($0, decimals: 4) } + ["", ""])
    let width = StandardOutput.shared.columns
    let text =
      table.text + Format.wrapped(verdict, columns: width).map { $0 + "\n" }.joined()
    guard !report.neighbours.isEmpty else { return text }
    var pairs = Table(["new word", "nearest training word", "changes"], leftAligned: [0, 1])
    for pair in report.neighbours { pairs.add([pair.word, pair.nearest, "\(pair.distance)"]) }
    return text + "\n" + pairs.text
  }

  /// Which of the two is better at what.
  private var verdict: String {
    let lead = rival.losses.validation - loss
    let words = report.sampled
    func place(_ found: Double, _ other: Double) -> String {
      // A tenth more or less is chance.
      if abs(found - other) <= 0.1 * max(found, other) { return "as close to" }
      return found < other ? "closer to" : "farther from"
    }
    let lengths = place(words.lengthDivergence, report.counted.lengthDivergence)
    let bigrams = place(words.bigramDivergence, report.counted.bigramDivergence)
    return """
      The model's validation loss is \(Format.fixed(abs(lead), decimals: 4)) \
      \(lead >= 0 ? "lower" : "higher") than that of the best n-gram model, a \(rival.order)-gram. \
      Compared with the \(rival.order)-gram's words, the model's are \(lengths) held-out words in \
      length, and \(bigrams) them in pairs of characters.
      """
  }

  func json(_ path: String) -> JSONValue {
    let parts = columns.map { name, words -> (key: String, value: JSONValue) in
      let value: JSONValue = [
        "words": .integer(words.statistics.count), "novel": .number(words.novel),
        "distinct": .number(words.distinct),
        "mean_length": .number(words.statistics.lengths.mean),
        "length_divergence": .number(words.lengthDivergence),
        "bigram_divergence": .number(words.bigramDivergence),
      ]
      return (key: name == "held out" ? "held_out" : name, value: value)
    }
    let pairs = report.neighbours.map { pair -> JSONValue in
      [
        "word": .string(pair.word), "nearest": .string(pair.nearest),
        "distance": .integer(pair.distance),
      ]
    }
    let losses: JSONValue = ["model": .number(loss), "counting": .number(rival.losses.validation)]
    return .object(
      [(key: "model", value: .string(path))] + parts + [
        (key: "ngram_order", value: .integer(rival.order)),
        (key: "validation_loss", value: losses), (key: "nearest", value: .array(pairs)),
      ])
  }
}
