// Several runs side by side: one chart of their curves, one table of losses, and of what differs.

import CharMLP
import CommandSupport

/// Runs side by side, as one HTML file.
public struct ComparisonPage: WrittenPage {
  private let runs: [RecordedRun]
  private let losses: [SplitLosses?]
  /// The best n-gram model on the words of each run, and the mixture.
  private let counting: [Baseline.Entry?]
  private let mixtures: [MixtureResult?]
  private let figures: Figures

  /// Evaluates the runs.
  public init(_ runs: [RecordedRun]) { self.init(runs, Gnuplot()) }

  init(_ runs: [RecordedRun], _ gnuplot: Gnuplot?) {
    self.runs = runs
    losses = runs.map { run in run.dataset.map { SplitLosses(run.checkpoint.model, $0) } }
    counting = runs.map { run in run.dataset.map { Baseline($0).best } }
    mixtures = runs.map { MixtureResult($0) }
    figures = Figures(gnuplot)
  }

  /// What the page lacks, to tell whoever made it; nil if nothing.
  public var warning: String? { figures.warning }

  /// The file.
  public var html: String {
    let body = Template(embeddedFile("report/comparison.html")).filled([
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
    let lowest =
      "The lowest validation loss of a network is \(Format.fixed(loss.validation, decimals: 4)), "
      + "of \(runs[best].name)"
    guard let counted = counting[best]?.losses.validation else { return lowest + "." }
    let other = "; the best n-gram model has \(Format.fixed(counted, decimals: 4)) on its words"
    let both = mixtures[best].map {
      ", the mixture \(Format.fixed($0.losses.validation, decimals: 4))"
    }
    return lowest + other + (both ?? "") + "."
  }

  private var curves: Markup {
    let shown = runs.indices.filter { runs[$0].metrics.contains { $0.validationLoss != nil } }
    guard !shown.isEmpty else { return .note("No run has an evaluation to draw.") }
    // Runs of other lengths are compared at equal shares of their schedules.
    let isAligned = Set(shown.map { runs[$0].checkpoint.recipe.steps }).count > 1
    func place(_ step: Double, of run: RecordedRun) -> Double {
      isAligned ? 100 * step / Double(max(1, run.checkpoint.recipe.steps)) : step
    }
    let last =
      isAligned ? 100 : shown.compactMap { runs[$0].metrics.last?.step }.max()
    let chart = Chart(
      kind: .comparison, description: "Validation losses of \(shown.count) runs over steps.",
      variables: Chart.steps(upTo: last) + [
        (name: "runs", value: Double(shown.count)), (name: "is_share", value: isAligned ? 1 : 0),
      ],
      files: shown.enumerated().flatMap { number, index in
        let run = runs[index]
        let counted = counting[index]?.losses.validation
        return [
          Chart.DataFile(
            "run\(number + 1)",
            run.shownMetrics.map { [place(Double($0.step), of: run), $0.validationLoss] }),
          Chart.DataFile(
            "counting\(number + 1)", [0, Double(last ?? 1)].map { [$0, counted] }),
        ]
      })
    return figures.figure(
      chart, legend: shown.enumerated().map { ("\(17 + $0.offset % 8)", runs[$0.element].name) },
      caption: "Dots are evaluations; a dashed line is the best n-gram model on a run's words. "
        + (isAligned
          ? "The runs differ in length: each is drawn over the share of its steps. " : "")
        + "Colours repeat after eight runs.")
  }

  private var table: Markup {
    let rows = runs.indices.map { index in
      let run = runs[index]
      let parts = losses[index].map { [$0.train, $0.validation, $0.test] }
      let shown = parts?.map { Format.fixed($0, decimals: 4) } ?? ["–", "–", "–"]
      func cell(_ loss: Double?) -> String { loss.map { Format.fixed($0, decimals: 4) } ?? "–" }
      let counted = cell(counting[index]?.losses.validation)
      let both = cell(mixtures[index]?.losses.validation)
      let time = run.metrics.last?.seconds.map { Format.duration(seconds: $0) } ?? "–"
      let name = Markup.element(index == best ? "strong" : "span", [:], [.word(run.name)])
      return [name]
        + (shown + [counted, both, Format.count(run.checkpoint.training.step), time])
        .map { Markup($0) }
        + Recipe.fields.map { Markup($0.text(in: run.checkpoint.recipe)) }
    }
    return .table(
      ["run", "train", "validation", "test", "counting", "mixture", "step", "time"]
        + Recipe.fields.map(\.name), rows)
      + .note(
        "Losses in nats per character; the lowest validation loss stands out. Counting is the best n-gram "
          + "model on validation words, and mixture is the run's own of network and counts on them."
      )
  }
}
