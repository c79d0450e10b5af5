// Health: activations, gradients, updates. A sentence each on what is normal.

import CharMLP
import CommandSupport

extension ReportPage {
  var health: Markup {
    guard let found = findings.diagnostics else {
      return run.dataset == nil
        ? Self.withoutWords : .note("The network is too wide for a pass over a minibatch here.")
    }
    let figures = [activations(found), saturation, gradients(found), updates]
    return .paragraph(
      """
      \(Format.fixed(100 * found.saturatedShare, decimals: 1)) % of the tanh activations of one \
      minibatch are saturated (beyond ±0.97), and \(Format.count(found.deadUnits)) of \
      \(Format.counted(found.units, "unit")) are dead: saturated for every window, so that no \
      gradient passes.
      """) + .element("div", ["class": "pair"], figures) + table(found)
  }

  private func activations(_ found: Diagnostics) -> Markup {
    let histogram = found.activations
    func rows(_ isSaturated: Bool) -> [[Chart.Cell]] {
      histogram.counts.indices
        .filter { (abs(histogram.center(of: $0)) > 0.95) == isSaturated }
        .map { [.number(histogram.center(of: $0)), .number(100 * histogram.share(of: $0))] }
    }
    let chart = Chart(
      kind: .activations, description: "Histogram of the tanh activations.",
      files: [
        .init(name: "activations", rows: rows(false)), .init(name: "saturated", rows: rows(true)),
      ])
    return figures.figure(
      chart, legend: [("11", "tanh activations"), ("12", "beyond ±0.95")],
      caption: """
        Normal is a broad middle with low ends; towers at ±1 pass hardly any gradient, and a lone peak \
        at 0 is a layer that might as well be linear.
        """)
  }

  private var saturation: Markup {
    let lines = run.shownMetrics.filter { $0.saturated != nil || $0.deadUnits != nil }
    guard !lines.isEmpty, let units = findings.diagnostics?.units else { return .empty }
    let chart = Chart.overSteps(
      .saturation, "Saturated activations and dead units over steps.", file: "saturation", lines
    ) { line in
      [line.saturated.map { 100 * $0 }, line.deadUnits.map { 100 * $0 / Double(units) }]
    }
    return figures.figure(
      chart, legend: [("12", "saturated activations"), ("13", "dead units")],
      caption: "Normal is a share that rises slowly with the weights, and no dead unit."
    )
  }

  private func gradients(_ found: Diagnostics) -> Markup {
    let shown = found.gradients.filter { $0.name != "b1" }
    let bins = shown.first?.magnitudes.counts.indices ?? 0..<0
    let chart = Chart(
      kind: .gradients, description: "Histograms of the gradients' magnitudes, by tensor.",
      files: [
        .init(
          name: "gradients",
          rows: bins.map { bin in
            [.number(shown[0].magnitudes.center(of: bin))]
              + shown.map { .number(100 * $0.magnitudes.share(of: bin)) }
          })
      ])
    return figures.figure(
      chart, legend: shown.enumerated().map { ("\(17 + $0.offset)", $0.element.name) },
      caption: """
        Normal are humps of one width that overlap: then one learning rate suits all tensors. b1 is \
        left out: batch norm takes it away again, and its gradient is rounding.
        """)
  }

  private var updates: Markup {
    let lines = run.shownMetrics.filter { !$0.updateRatio.isEmpty }
    guard !lines.isEmpty else { return .empty }
    let names = ["C", "W1", "W2"]
    let chart = Chart.overSteps(
      .updates, "Update-to-data ratio over steps, by tensor.", file: "updates", lines
    ) { line in names.map { line.updateRatio[$0] ?? nil } }
    return figures.figure(
      chart, legend: names.enumerated().map { ("\(17 + $0.offset)", $0.element) },
      caption: """
        Normal is about −3: a step changes a thousandth of a tensor. Far above, training is restless; \
        far below, it is slow, as it should be once the rate has fallen.
        """)
  }

  private func table(_ found: Diagnostics) -> Markup {
    .table(
      ["gradient of", "elements", "std", "std to data", "zeros"],
      found.gradients.map { row in
        [
          Markup(row.name), Markup(Format.count(row.count)),
          Markup(Format.scientific(row.deviation)),
          Markup(row.ratio.map(Format.scientific) ?? "–"), Markup(Format.count(row.zeros)),
        ]
      })
  }
}
