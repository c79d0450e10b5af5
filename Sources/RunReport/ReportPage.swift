// The page of one run: its parts in their order.

import CharMLP
import CommandSupport
import OrderedJSON
import Posix

/// A run as one HTML file that needs nothing besides itself.
public struct ReportPage: WrittenPage {
  let run: RecordedRun
  let measurements: RunMeasurements
  let figures: Figures
  private let generator: GeneratorData

  /// Computes what a page shows.
  /// - Parameter progress: Called with what is being computed, which may take long for large
  ///   vocabularies.
  public init(_ run: RecordedRun, progress: (String) -> Void = { _ in }) {
    self.init(run, Gnuplot(), progress: progress)
  }

  init(_ run: RecordedRun, _ gnuplot: Gnuplot?, progress: (String) -> Void = { _ in }) {
    self.run = run
    measurements = RunMeasurements(run, progress: progress)
    progress("drawing charts")
    generator = GeneratorData(measurements.predictor, run.dataset)
    figures = Figures(gnuplot)
  }

  /// What the page lacks, to tell whoever made it; nil if nothing.
  public var warning: String? { figures.warning }

  /// The file.
  public var html: String {
    let body = Template(embeddedFile("report/page.html")).filled([
      "heading": .element("bdi", run.name),
      "lead": lead,
      "tiles": tiles,
      "verdict": verdict,
      "notices": notices,
      "loss": loss,
      "words": words,
      "embedding": embedding,
      "health": health,
      "dlogits": dlogits,
      "gradients": gradients,
      "data": data,
      "run": reproduction,
      "network": Markup(json: generator.json),
      "script": Markup(trusted: embeddedFile("report/generator.js")),
    ])
    return Markup.file(
      title: "\(run.name): a CharMLP run",
      permissions: "script-src 'unsafe-inline'; img-src data:", body: body
    ).html
  }

  /// What is shown in place of what needs the words of the run.
  static let withoutWords = Markup.note(
    "The run's list is not stored with it, so this part is missing.")

  // MARK: - The top of the page: what was trained, four numbers, and whether n-grams are better

  var lead: Markup {
    let recipe = run.checkpoint.recipe
    let step = run.checkpoint.training.step
    var text = ""
    if let data = measurements.data {
      text =
        "\(Format.counted(data.words, "word")) of \(Format.counted(data.symbols.count, "symbol")), "
    }
    let training =
      run.checkpoint.lineage.isImported
      ? "Imported from a notebook, which trained it."
      : "\(Format.count(step)) of \(Format.count(recipe.steps)) steps with \(recipe.batchSize) windows each."
    text += """
      \(Format.count(run.checkpoint.model.parameters.count)) parameters: block \(recipe.blockSize), \
      embedding \(recipe.embedding), hidden \(recipe.hidden). \
      \(training)
      """
    return Markup(text)
  }

  var tiles: Markup {
    var tiles: [Markup] = []
    func add(_ value: String, _ name: String) {
      tiles.append(
        .element("div", ["class": "tile"], [.element("b", value), .element("span", name)]))
    }
    if let losses = measurements.losses {
      let perplexity = SplitLosses.perplexity(losses.validation)
      add(
        Format.fixed(losses.validation, decimals: 3),
        "validation loss, perplexity \(Format.fixed(perplexity, decimals: 2))")
    }
    if let best = measurements.baseline?.baseline.best {
      add(
        Format.fixed(best.losses.validation, decimals: 3),
        "validation loss of the best n-gram model, a \(best.order)-gram")
    }
    if let unknown = measurements.words.unknown, measurements.words.drawn > 0 {
      add(
        Format.percent(unknown, of: measurements.words.drawn),
        "of its words are not in the training list")
    }
    if let seconds = run.metrics.last?.seconds {
      let rate = run.description.number("steps_per_second").map {
        ", \(Format.rate($0, "steps"))"
      }
      add(Format.duration(seconds: seconds), "in training steps\(rate ?? "")")
    }
    return .element("div", ["class": "tiles"], tiles)
  }

  /// Whether an n-gram model predicts better, in a sentence.
  var verdict: Markup {
    guard let losses = measurements.losses, let baseline = measurements.baseline else {
      return .empty
    }
    return .paragraph(
      baseline.verdict(on: losses, measurements.mixture)
        ?? "On validation words the network is better than every n-gram model.")
  }

  var notices: Markup {
    var notices: [String] = []
    if let notice = figures.notice { notices.append(notice) }
    if run.checkpoint.mixture != nil, !generator.isMixed {
      notices.append(
        "The live generator draws from the network alone: the list is too long for this page. sample and the words listed below mix it with counts."
      )
    }
    if let (step, reason) = run.earlyStop {
      notices.append(
        "Training stopped at step \(Format.count(step)) of \(Format.count(run.checkpoint.recipe.steps)): \(reason)."
      )
    }
    let step = run.checkpoint.training.step
    if run.isBest {
      notices.append(
        "The model is the best by validation, of step \(Format.count(step)), not the last.")
    } else if !run.checkpoint.isFinished {
      notices.append(
        "The model is that of step \(Format.count(step)), not the end of its training.")
    }
    return notices.map { Markup.element("p", ["class": "notice"], $0) }.reduce(.empty, +)
  }

  // MARK: - Loss and learning rate over steps, beside the n-gram models

  var loss: Markup { lossChart + rateChart + lossTable }

  private var lossChart: Markup {
    guard let last = run.metrics.last else {
      return .note("metrics.jsonl has no evaluation to draw.")
    }
    let (curve, lines) = (LossCurve(run.metrics), run.shownMetrics)
    var legend: [Figures.Entry] = [
      ("13", Self.name(of: curve)), ("11", "minibatch, smoothed"), ("12", "validation"),
    ]
    var counted: [Double?] = []
    if let comparison = measurements.baseline {
      let (rival, best) = (comparison.rival, comparison.baseline.best)
      legend.append(("14", comparison.rivalName))
      if rival != best { legend.append(("15", "\(best.order)-gram, best")) }
      counted = [rival.losses.validation, rival == best ? nil : best.losses.validation]
    }
    let baselines = counted.isEmpty ? [] : [0, Double(last.step)].map { [$0] + counted }
    let shown =
      counted + curve.points.map(\.loss) + lines.flatMap { [$0.smoothedLoss, $0.validationLoss] }
    let chart = Chart(
      kind: .loss,
      description: "Loss over steps: minibatch, smoothed and validation, beside n-gram models.",
      variables: Chart.steps(upTo: last.step)
        + Self.perplexityMarks(shown.compactMap { $0 }),
      files: [
        .init("minibatches", curve.points.map { [$0.step, $0.loss] }),
        .init("baselines", baselines),
        .init("losses", Chart.rows(lines) { [$0.smoothedLoss, $0.validationLoss] }),
      ])
    return figures.figure(
      chart, legend: legend,
      caption: """
        \(run.dots) The n-gram models count; their lines are losses on validation words. \
        Perplexity is the number of equally likely characters the model chooses between.
        """)
  }

  private static func name(of curve: LossCurve) -> String {
    curve.stretch > 1
      ? "minibatch, means of \(Format.count(curve.stretch)) steps" : "minibatch"
  }

  /// The marks of the other axis: round perplexities, far enough apart on its logarithmic scale
  /// that their labels do not touch.
  static func perplexityMarks(_ losses: [Double]) -> [(name: StaticString, value: Double)] {
    let names: [StaticString] = [
      "perplexity_1", "perplexity_2", "perplexity_3", "perplexity_4", "perplexity_5",
      "perplexity_6", "perplexity_7", "perplexity_8",
    ]
    let finite = losses.filter(\.isFinite)
    let (lowest, highest) = (finite.min() ?? 0, finite.max() ?? 1)
    let (first, last) = (SplitLosses.perplexity(lowest), SplitLosses.perplexity(highest))
    let step = Chart.roundDistance(last - first, marks: 6)
    let ratio = SplitLosses.perplexity(0.08 * (highest - lowest))
    var marks: [Double] = []
    if last.isFinite, first.isFinite {
      for multiple in stride(from: (last / step).rounded(.down), through: 1, by: -1) {
        let mark = multiple * step
        guard marks.count < names.count, mark >= 0.9 * first else { break }
        if marks.last.map({ $0 / mark > ratio }) ?? true { marks.append(mark) }
      }
    }
    return [(name: "perplexity_marks", value: Double(marks.count))]
      + zip(names, marks).map { (name: $0, value: $1) }
  }

  /// What the axis of the learning rate shows: at most three decades below its peak. A cosine ends
  /// some nine below it, where no step moves anything any more.
  static func rateRange(_ rates: [Double]) -> ClosedRange<Double>? {
    guard let lowest = rates.min(), let highest = rates.max(), lowest > 0 else { return nil }
    return max(lowest / 2, highest / 1000)...highest * 2
  }

  private var rateChart: Markup {
    let lines = run.shownMetrics.filter { ($0.learningRate ?? 0) > 0 }
    let rates = lines.compactMap(\.learningRate)
    guard let range = Self.rateRange(rates) else { return .empty }
    let chart = Chart.overSteps(
      .learningRate, "The learning rate over steps.", file: "rates", lines,
      variables: [
        (name: "lowest", value: range.lowerBound), (name: "highest", value: range.upperBound),
      ]
    ) { [$0.learningRate] }
    let isCut = rates.contains { $0 < range.lowerBound }
    return figures.figure(
      chart, legend: [("16", "learning rate")],
      caption: "The rate of the step before each evaluation"
        + (isCut ? ", down to a thousandth of the largest." : "."))
  }

  private var lossTable: Markup {
    guard let losses = measurements.losses, let comparison = measurements.baseline else {
      return Self.withoutWords
    }
    func row(_ name: String, _ losses: SplitLosses) -> [Markup] {
      let parts = [losses.train, losses.validation, losses.test]
      return [Markup(name)] + parts.map { Markup(Format.loss($0)) }
    }
    func row(_ entry: Baseline.Entry) -> [Markup] {
      row("\(entry.order)-gram, \(entry.discounting.rawValue) discounts", entry.losses)
    }
    let headings = ["loss (perplexity)", "train", "validation", "test"]
    let (rival, best) = (comparison.rival, comparison.baseline.best)
    let mixture = measurements.mixture.map { [row("mixture", $0.losses)] } ?? []
    let shown =
      [row("network", losses), row(rival)] + (rival == best ? [] : [row(best)]) + mixture
    let all = Markup.table(headings, comparison.baseline.entries.map(row), class: "small")
    return .table(headings, shown)
      + .element("details", [:], [.element("summary", "All n-gram models"), all])
  }

  // MARK: - The data report: what there is to know about the list before the losses are believed

  /// More symbols than this are not listed one by one.
  private static let listedSymbols = 40

  var data: Markup {
    guard let data = measurements.data else { return Self.withoutWords }
    let warnings = data.warnings.map { Markup.element("p", ["class": "notice"], $0.text) }
    return warnings.reduce(.empty, +) + facts(data) + parts(data)
      + .element(
        "details", [:],
        [.element("summary", "Alphabet and lengths"), alphabet(data), lengths(data)])
  }

  private func facts(_ data: DataReport) -> Markup {
    let lengths = data.lengths
    return .facts([
      ("words", Markup(Format.count(data.words))),
      ("distinct", Markup(Format.count(data.distinctWords))),
      ("duplicates", Markup(Format.share(data.duplicates, of: data.words))),
      ("duplicates removed", Markup(Format.count(data.duplicatesRemoved))),
      ("symbols", Markup(Format.count(data.symbols.count))),
      (
        "characters in a word",
        Markup("\(lengths.shortest) to \(lengths.longest), median \(lengths.median)")
      ),
    ])
  }

  private func parts(_ data: DataReport) -> Markup {
    let parts = [("train", data.train), ("validation", data.validation), ("test", data.test)]
    return .table(
      ["part", "words", "also in training", "windows", "distinct contexts"],
      parts.map { name, part in
        [
          Markup(name), Markup(Format.count(part.words)),
          Markup(name == "train" ? "" : Format.share(part.wordsInTraining, of: part.words)),
          Markup(Format.count(part.windows)), Markup(Format.count(part.distinctContexts)),
        ]
      })
  }

  private func alphabet(_ data: DataReport) -> Markup {
    let total = data.symbols.reduce(0) { $0 + $1.count }
    let rows = data.symbols.prefix(Self.listedSymbols).map { symbol in
      [
        .word(symbol.scalar.visible), Markup(Format.count(symbol.count)),
        Markup(Format.percent(symbol.count, of: total)), Markup(symbol.isRare ? "rare" : ""),
      ]
    }
    let rest = data.symbols.count - rows.count
    return .table(["symbol", "count", "share", ""], rows, class: "small")
      + (rest > 0 ? .note("… and \(Format.count(rest)) more symbols.") : .empty)
  }

  private func lengths(_ data: DataReport) -> Markup {
    let counts = data.lengths.counts
    let rows = counts.indices.filter { counts[$0] > 0 }.prefix(Self.listedSymbols).map { length in
      [Markup("\(length)"), Markup(Format.share(counts[length], of: data.words))]
    }
    return .table(["characters", "words"], rows, class: "small")
  }

  // MARK: - Twenty words, and how near they are to what was learned

  var words: Markup {
    let found = measurements.words
    guard !found.rows.isEmpty else {
      return .note("A thousand attempts produced no word.")
    }
    return novelty
      + .table(
        ["word", "", "nearest training word", "edits"],
        found.rows.map { row in
          [
            .word(row.word), Markup(row.nearest.map { $0.distance == 0 ? "known" : "new" } ?? ""),
            row.nearest.map { .word($0.word) } ?? .empty,
            Markup(row.nearest.map { "\($0.distance)" } ?? ""),
          ]
        }, words: [0, 1, 2])
  }

  private var novelty: Markup {
    guard let unknown = measurements.words.unknown else { return Self.withoutWords }
    return .paragraph(
      """
      Of \(Format.count(measurements.words.drawn)) words that the network made, \
      \(Format.share(unknown, of: measurements.words.drawn)) are not in the training list. The first \
      twenty, each with the nearest training word: how many characters to insert, delete or replace.
      """)
  }

  // MARK: - Enough to run it again: the command line, the recipe, the machine, the versions

  var reproduction: Markup {
    command + .element("h3", "Recipe") + recipe + .element("h3", "Run") + circumstances
      + parts
  }

  private var command: Markup {
    let lines = run.commandLines
    guard !lines.isEmpty else {
      return .note("run.json has no command line; the recipe below is the model file's.")
    }
    return .element("pre", [:], [.element("code", lines.joined(separator: "\n"))])
  }

  private var recipe: Markup {
    .facts(
      Recipe.fields.map { ($0.name, Markup($0.text(in: run.checkpoint.recipe))) })
  }

  private var circumstances: Markup {
    var pairs: [(name: String, value: Markup)] = [
      ("model file", .element("bdi", run.modelPath)),
      ("parameters", Markup(Format.count(run.checkpoint.model.parameters.count))),
      ("step of the model", Markup(Format.count(run.checkpoint.training.step))),
      ("words", Markup("\(Format.count(run.checkpoint.words.byteCount)) bytes")),
    ]
    pairs += run.description.all.map { key, value in
      let name = key.split { $0 == "_" || $0 == "." }.joined(separator: " ")
      return (name, .element("bdi", shown(key, value)))
    }
    return .facts(pairs)
  }

  /// The parts of a run that was resumed.
  private var parts: Markup {
    guard run.description.parts.count > 1 else { return .empty }
    func cell(_ value: JSONValue?) -> Markup {
      .element("bdi", value.flatMap { $0.isNull ? nil : $0.text ?? $0.encoded() } ?? "–")
    }
    let keys = ["first_step", "last_step", "blas_core", "threads", "host", "started_at"]
    return .table(
      ["from step", "to step", "kernels", "threads", "host", "started at"],
      run.description.parts.map { part in keys.map { cell(part[$0]) } }, words: [2, 4, 5])
      + .note("The run was resumed; a part without an end was killed or had not ended yet.")
  }

  /// Times and rates with few digits, all else as it is.
  private func shown(_ key: String, _ value: String) -> String {
    guard let number = Double(value) else { return value }
    switch key {
    case "seconds": return Format.duration(seconds: number)
    case "steps_per_second": return Format.rate(number, "steps")
    default: return value
    }
  }
}
