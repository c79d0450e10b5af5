// Several runs side by side: one chart of their curves, one table of losses, and of what differs.

import CharMLP
import CommandSupport

/// Runs beside each other, as one HTML file.
public struct ComparisonPage {
  private let runs: [RecordedRun]
  private let losses: [SplitLosses?]
  private let figures: Figures

  /// Evaluates the runs.
  public init(_ runs: [RecordedRun]) { self.init(runs, Gnuplot()) }

  init(_ runs: [RecordedRun], _ gnuplot: Gnuplot?) {
    self.runs = runs
    losses = runs.map { run in run.dataset.map { SplitLosses(run.checkpoint.model, $0) } }
    figures = Figures(gnuplot)
  }

  /// What is missing in the page, for whoever made it; nil if nothing is.
  public var warning: String? { figures.warning }

  /// The file.
  public var html: String {
    let body = Template(Resource.comparison).filled([
      "heading": Markup(Format.counted(runs.count, "run")),
      "lead": Markup(lead),
      "curves": curves,
      "runs": table,
    ])
    return Markup.file(title: "\(runs.count) CharMLP runs", permissions: "", body: body).html
  }

  private var best: Int? {
    losses.indices.filter { losses[$0] != nil }
      .min { losses[$0]!.validation < losses[$1]!.validation }
  }

  private var lead: String {
    guard let best, let loss = losses[best] else { return "No run has its words stored with it." }
    return
      "The lowest validation loss is \(Format.fixed(loss.validation, decimals: 4)), of \(runs[best].name)."
  }

  private var curves: Markup {
    let shown = runs.indices.filter { runs[$0].metrics.contains { $0.validationLoss != nil } }
    guard !shown.isEmpty else { return .note("No run has an evaluation to draw.") }
    let chart = Chart(
      kind: .comparison, description: "Validation losses of \(shown.count) runs over steps.",
      variables: Chart.steps(upTo: shown.compactMap { runs[$0].metrics.last?.step }.max())
        + [(name: "runs", value: Double(shown.count))],
      files: shown.enumerated().map { number, index in
        .init(
          name: "run\(number + 1)",
          rows: Chart.rows(runs[index].shownMetrics) { [$0.validationLoss] })
      })
    return figures.figure(
      chart, legend: shown.enumerated().map { ("\(17 + $0.offset % 8)", runs[$0.element].name) },
      caption: "Dots are evaluations. After eight runs the colours come again.")
  }

  private var table: Markup {
    let rows = runs.indices.map { index in
      let run = runs[index]
      let parts = losses[index].map { [$0.train, $0.validation, $0.test] }
      let shown = parts?.map { Format.fixed($0, decimals: 4) } ?? ["–", "–", "–"]
      let time = run.metrics.last?.seconds.map { Format.duration(seconds: $0) } ?? "–"
      let name = Markup.element(index == best ? "strong" : "span", [:], [.word(run.name)])
      return [name]
        + (shown + [Format.count(run.checkpoint.training.step), time]).map { Markup($0) }
        + Recipe.fields.map { Markup($0.text(in: run.checkpoint.recipe)) }
    }
    return .table(
      ["run", "train", "validation", "test", "step", "time"]
        + Recipe.fields.map(\.name), rows)
      + .note("Losses in nats per character; the lowest validation loss stands out.")
  }
}
