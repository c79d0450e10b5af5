// A curve in one line of text: ▇▅▃▂▂▁.
//
// It shows all of a run in a fixed width: when it is full, every two neighbours become their mean, and
// from then on twice as many values go into each block.

/// The course of a value over time, in block characters.
public struct Sparkline: Sendable {
  private let width: Int
  private var means: [Double] = []
  private var valuesPerMean = 1
  private var pending: [Double] = []

  /// A curve of at most `width` blocks.
  public init(width: Int = 24) {
    precondition(width >= 2, "Sparkline: width \(width)")
    self.width = width
  }

  /// Adds the next value; what is not finite leaves no trace.
  public mutating func add(_ value: Double) {
    guard value.isFinite else { return }
    pending.append(value)
    guard pending.count == valuesPerMean else { return }
    means.append(Self.mean(pending[...]))
    pending = []
    if means.count > width { halve() }
  }

  private mutating func halve() {
    let whole = means.count / 2 * 2
    let rest = Array(means[whole...])
    means = stride(from: 0, to: whole, by: 2).map { Self.mean(means[$0..<$0 + 2]) }
    // A last one without its neighbour waits for it, with the weight that it has.
    pending = rest.flatMap { Array(repeating: $0, count: valuesPerMean) }
    valuesPerMean *= 2
  }

  private static func mean(_ values: ArraySlice<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// The curve so far, empty before the first value; the lowest block is the smallest value.
  public var text: String {
    guard let lowest = means.min(), let highest = means.max() else { return "" }
    let blocks = Array("▁▂▃▄▅▆▇█")
    let scale = highest > lowest ? Double(blocks.count - 1) / (highest - lowest) : 0
    return String(means.map { blocks[Int((($0 - lowest) * scale).rounded())] })
  }
}
