// The minibatch losses of a whole run as a curve, thin enough for a page.

/// Means of minibatch losses over stretches of steps.
struct LossCurve: Equatable, Sendable {
  /// A mean, at the middle of its stretch.
  struct Point: Equatable, Sendable {
    let step: Double
    /// Nil if it is not known.
    let loss: Double?
  }

  let points: [Point]
  /// Of how many steps a point is the mean; 1 where only single minibatches were recorded.
  let stretch: Int

  /// The curve of a run; neighbours become their mean until it has no more points than `limit`.
  init(_ lines: [MetricsLine], limit: Int = 1000) {
    var points: [Point] = []
    var last = 0.0
    for line in lines {
      points += Self.points(line, after: last)
      last = Double(line.step)
    }
    let count = max(1, (points.count + limit - 1) / limit)
    self.points = stride(from: 0, to: points.count, by: count).map { start in
      Self.mean(points[start..<min(start + count, points.count)])
    }
    stretch = (lines.first?.stretch ?? 1).multipliedReportingOverflow(by: count).partialValue
  }

  /// The points of a line. Its stretches begin after the line before, unless that one is missing.
  private static func points(_ line: MetricsLine, after last: Double) -> [Point] {
    let end = Double(line.step)
    guard let stretch = line.stretch, stretch > 0, !line.losses.isEmpty else {
      return [Point(step: end, loss: line.minibatchLoss)]
    }
    let length = Double(stretch)
    let start = max(last, end - length * Double(line.losses.count))
    return line.losses.enumerated().map { index, loss in
      let first = start + Double(index) * length + 1
      return Point(step: (first + min(first + length - 1, end)) / 2, loss: loss)
    }
  }

  private static func mean(_ points: ArraySlice<Point>) -> Point {
    let losses = points.compactMap(\.loss)
    return Point(
      step: points.reduce(0) { $0 + $1.step } / Double(points.count),
      loss: losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count))
  }
}
