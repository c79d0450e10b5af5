// dlogits of one minibatch as an image, as the lecture shows it.

import CharMLP
import CommandSupport
import LinearAlgebra

extension ReportPage {
  private static let shownWindows = 32
  /// Symbols are named above their columns as long as there is room.
  private static let namedColumns = 40
  private static let shownColumns = 512

  var dlogits: Markup {
    guard let found = findings.diagnostics, let minibatch = findings.minibatch else {
      return run.dataset == nil
        ? Self.withoutWords : .note("The network is too wide for a pass over a minibatch here.")
    }
    return .paragraph(
      """
      The gradient of the loss at the logits is softmax minus one-hot, over the number of windows. \
      Each row is a window and sums to zero: one cell, the true character, is pulled up as strongly \
      as all others together are pushed down, each by as much as the network believed in it.
      """)
      + figures.figure(
        image(found.dlogits, minibatch),
        legend: [("pull", "negative: pulled up"), ("push", "positive: pushed down")],
        caption: """
          \(Format.counted(min(found.dlogits.rows, Self.shownWindows), "window")) of a minibatch. \
          Strength grows with the square root of the magnitude. A pale row was predicted well. \
          The largest sum of a row is \(Format.scientific(largestSum(found.dlogits))), rounding.
          """)
  }

  private func largestSum(_ dlogits: Matrix<Float>) -> Double {
    dlogits.sum(.columns).elements.map { Double($0.magnitude) }.max() ?? 0
  }

  private func image(_ dlogits: Matrix<Float>, _ minibatch: Minibatch) -> Chart {
    let rows = min(dlogits.rows, Self.shownWindows)
    let columns = min(dlogits.columns, Self.shownColumns)
    let contexts = (0..<rows).map { context(minibatch, $0) }
    let symbols = columns <= Self.namedColumns ? (0..<columns).map(symbol) : []
    return Chart(
      kind: .dlogits,
      description: "dlogits of a minibatch: a row for each window, a column for each symbol.",
      variables: [(name: "rows", value: Double(rows)), (name: "columns", value: Double(columns))],
      files: [
        .init(name: "cells", rows: cells(dlogits, rows, columns)),
        .init(name: "contexts", rows: contexts.indices.map { [.number(Double($0)), .label($0)] }),
        .init(
          name: "symbols",
          rows: symbols.indices.map { [.number(Double($0)), .label(contexts.count + $0)] }),
      ], labels: contexts + symbols)
  }

  /// x, y, red, green, blue and opacity of each cell: nothing where it is zero, so that both themes
  /// show through.
  private func cells(_ dlogits: Matrix<Float>, _ rows: Int, _ columns: Int) -> [[Chart.Cell]] {
    let largest = dlogits.elements.lazy.map(\.magnitude).max() ?? 0
    return (0..<rows).flatMap { row in
      (0..<columns).map { column in
        let value = dlogits[row, column]
        let (red, green, blue) = value < 0 ? (47, 109, 179) : (208, 112, 31)
        let share = largest > 0 ? value.magnitude / largest : 0
        // A network of huge weights has gradients that are no numbers.
        let opacity = share.isFinite ? share.squareRoot() * 255 : 0
        let numbers = [column, row, red, green, blue, Int(opacity.rounded())]
        return numbers.map { .number(Double($0)) }
      }
    }
  }

  /// A window as text: the context, and what follows it.
  private func context(_ minibatch: Minibatch, _ row: Int) -> String {
    let ids = minibatch.contexts[row * minibatch.blockSize..<(row + 1) * minibatch.blockSize]
    let shown = ids.suffix(4).map { symbol(Int($0)) }.joined()
    return shown + " → " + symbol(Int(minibatch.targets[row]))
  }
}
