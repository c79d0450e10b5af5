// The words for what a row compares.

import CharMLP
import CommandSupport

extension Comparison {
  /// The tensor's name in a file: a gradient has a d in front.
  var label: String { isGradient ? "d" + name : name }
}

extension Comparison.Coverage {
  var text: String {
    switch self {
    case .allElements: "all"
    case .sample(let elements, let directions): "\(elements)+\(directions)"
    }
  }
}

extension Comparison.Worst.Place {
  var text: String {
    switch self {
    case .element(let index): index.shapeDescription
    case .direction(let number): "direction \(number)"
    }
  }
}
