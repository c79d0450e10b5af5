// Loss and learning rate over steps, beside what counting reaches.

import CharMLP
import CommandSupport

extension ReportPage {
  var loss: Markup { lossChart + rateChart + lossTable }

  private var lossChart: Markup {
    guard let last = run.metrics.last else {
      return .note("metrics.jsonl has no evaluation to draw.")
    }
    let (curve, lines) = (LossCurve(run.metrics), run.shownMetrics)
    var legend: [Figures.Entry] = [
      ("13", Self.name(of: curve)), ("11", "minibatch, smoothed"), ("12", "validation"),
    ]
    var baselines: [[Chart.Cell]] = []
    if let comparison = findings.baseline {
      let (rival, best) = (comparison.rival, comparison.baseline.best)
      legend.append(("14", "\(rival.order)-gram, same context"))
      if rival != best { legend.append(("15", "\(best.order)-gram, best")) }
      baselines = [0, last.step].map { step in
        [
          .number(Double(step)), .number(rival.losses.validation),
          .number(rival == best ? nil : best.losses.validation),
        ]
      }
    }
    let shown =
      baselines.flatMap { $0.dropFirst().compactMap(\.number) } + curve.points.compactMap(\.loss)
      + lines.flatMap { [$0.smoothedLoss, $0.validationLoss] }.compactMap { $0 }
    let chart = Chart(
      kind: .loss,
      description: "Loss over steps: minibatch, smoothed and validation, beside n-gram models.",
      variables: Chart.steps(upTo: last.step)
        + [(name: "perplexity_step", value: Self.perplexityStep(shown))],
      files: [
        .init(
          name: "minibatches", rows: curve.points.map { [.number($0.step), .number($0.loss)] }),
        .init(name: "baselines", rows: baselines),
        .init(
          name: "losses", rows: Chart.rows(lines) { [$0.smoothedLoss, $0.validationLoss] }),
      ])
    return figures.figure(
      chart, legend: legend,
      caption: """
        \(run.dots) The n-gram models count; their lines are losses on validation words. \
        Perplexity is between how many equally likely characters a model wavers.
        """)
  }

  private static func name(of curve: LossCurve) -> String {
    curve.stretch > 1
      ? "minibatch, means of \(Format.count(curve.stretch)) steps" : "minibatch"
  }

  /// A round distance between the marks of the other axis.
  private static func perplexityStep(_ losses: [Double]) -> Double {
    let finite = losses.filter(\.isFinite).map(SplitLosses.perplexity)
    return Chart.roundDistance((finite.max() ?? 1) - (finite.min() ?? 0), marks: 6)
  }

  private var rateChart: Markup {
    let rates = run.shownMetrics.filter { ($0.learningRate ?? 0) > 0 }
    guard let lowest = rates.compactMap(\.learningRate).min(),
      let highest = rates.compactMap(\.learningRate).max()
    else { return .empty }
    let chart = Chart.overSteps(
      .learningRate, "The learning rate over steps.", file: "rates", rates,
      variables: [(name: "lowest", value: lowest / 2), (name: "highest", value: highest * 2)]
    ) { [$0.learningRate] }
    return figures.figure(
      chart, legend: [("16", "learning rate")],
      caption: "The rate of the step before each evaluation.")
  }

  private var lossTable: Markup {
    guard let losses = findings.losses, let comparison = findings.baseline else {
      return Self.withoutWords
    }
    func row(_ name: String, _ losses: SplitLosses) -> [Markup] {
      let parts = [losses.train, losses.validation, losses.test]
      return [Markup(name)] + parts.map { Markup(BaselineComparison.cell($0)) }
    }
    func row(_ entry: Baseline.Entry) -> [Markup] {
      row("\(entry.order)-gram, \(entry.discounting.rawValue) discounts", entry.losses)
    }
    let headings = ["loss (perplexity)", "train", "validation", "test"]
    let (rival, best) = (comparison.rival, comparison.baseline.best)
    let shown = [row("this model", losses), row(rival)] + (rival == best ? [] : [row(best)])
    let all = Markup.table(headings, comparison.baseline.entries.map(row), class: "small")
    return .table(headings, shown)
      + .element("details", [:], [.element("summary", "All n-gram models"), all])
  }
}
