// Loss and learning rate over steps, beside what counting reaches.

import CharMLP
import CommandSupport

extension ReportPage {
  var loss: Markup { lossChart + rateChart + lossTable }

  private var lossChart: Markup {
    guard let first = run.metrics.first, let last = run.metrics.last else {
      return .note("metrics.jsonl has no evaluation to draw.")
    }
    var legend: [Figures.Entry] = [
      ("13", "minibatch"), ("11", "minibatch, smoothed"), ("12", "validation"),
    ]
    var baselines: [[Chart.Cell]] = []
    if let comparison = findings.baseline {
      let (rival, best) = (comparison.rival, comparison.baseline.best)
      legend.append(("14", "\(rival.order)-gram, same context"))
      if rival != best { legend.append(("15", "\(best.order)-gram, best")) }
      baselines = [first.step, last.step].map { step in
        [
          .number(Double(step)), .number(rival.losses.validation),
          .number(rival == best ? nil : best.losses.validation),
        ]
      }
    }
    let shown =
      baselines.flatMap { $0.dropFirst().compactMap(\.number) }
      + run.metrics.flatMap { [$0.minibatchLoss, $0.smoothedLoss, $0.validationLoss] }
      .compactMap { $0 }
    let chart = Chart(
      kind: .loss,
      description: "Loss over steps: minibatch, smoothed and validation, beside n-gram models.",
      variables: ["perplexity_step": Self.perplexityStep(shown)],
      files: [
        .init(name: "baselines", rows: baselines),
        .init(
          name: "losses",
          rows: run.metrics.map { line in
            [
              .number(Double(line.step)), .number(line.minibatchLoss), .number(line.smoothedLoss),
              .number(line.validationLoss),
            ]
          }),
      ])
    return figures.figure(
      chart, legend: legend,
      caption: """
        Dots are evaluations. The n-gram models count; their lines are losses on validation words. \
        Perplexity is between how many equally likely characters a model wavers.
        """)
  }

  /// A round distance between the marks of the other axis, of which there shall be about six.
  private static func perplexityStep(_ losses: [Double]) -> Double {
    let finite = losses.filter(\.isFinite).map(SplitLosses.perplexity)
    let distance = ((finite.max() ?? 1) - (finite.min() ?? 0)) / 6
    guard distance.isFinite, distance > 0 else { return 1 }
    var power = 1e-3
    while power * 10 < distance { power *= 10 }
    return [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= distance } ?? distance
  }

  private var rateChart: Markup {
    let rates = run.metrics.filter { ($0.learningRate ?? 0) > 0 }
    guard let lowest = rates.compactMap(\.learningRate).min(),
      let highest = rates.compactMap(\.learningRate).max()
    else { return .empty }
    let chart = Chart(
      kind: .learningRate, description: "The learning rate over steps.",
      variables: ["lowest": lowest / 2, "highest": highest * 2],
      files: [
        .init(
          name: "rates",
          rows: rates.map { [.number(Double($0.step)), .number($0.learningRate)] })
      ])
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
