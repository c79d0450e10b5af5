// The gradient check of this very network, in a table.

import CharMLP
import CommandSupport

extension ReportPage {
  var gradients: Markup {
    guard let report = findings.gradients, let minibatch = findings.minibatch else {
      return .note(
        "Not made: the network is too large, or its words are not stored. `gradcheck` has no such limit."
      )
    }
    let counts = Comparison.Verdict.allCases.map { verdict in
      "\(report.comparisons.count { $0.verdict == verdict }) \(verdict.rawValue)"
    }
    let rows = report.gradients.map(row)
    let table = Markup.table(
      ["gradient of", "against", "checked", "max abs", "max rel", "verdict"], rows,
      words: [0, 1, 5],
      class: "small")
    return .paragraph(
      """
      Every gradient that was derived by hand, at this network's parameters and \
      \(min(minibatch.count, 32)) windows, in float64: against central differences of the loss, against \
      its short form, and against the engine that trains. \(report.comparisons.count) comparisons: \
      \(counts.joined(separator: ", ")).
      """)
      + .element(
        "details", ["open": ""],
        [.element("summary", "The table, \(report.gradients.count) rows"), table])
  }

  private func row(_ row: Comparison) -> [Markup] {
    let checked =
      switch row.coverage {
      case .allElements: "all"
      case .sample(let elements, let directions): "\(elements) + \(directions) directions"
      }
    return [
      .element("span", ["class": "mono"], row.name), Markup(row.against.rawValue), Markup(checked),
      Markup(Format.scientific(row.maxAbs)), Markup(Format.scientific(row.maxRel)),
      .element("span", ["class": row.verdict.rawValue], row.verdict.rawValue),
    ]
  }
}
