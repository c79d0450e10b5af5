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
    let chart = Chart(
      kind: .loss,
      description: "Loss over steps: minibatch, smoothed and validation, beside n-gram models.",
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
    let entries = comparison.baseline.entries.map { entry in
      row("\(entry.order)-gram, \(entry.discounting.rawValue) discounts", entry.losses)
    }
    return .table(
      ["loss (perplexity)", "train", "validation", "test"], [row("this model", losses)] + entries)
  }
}
