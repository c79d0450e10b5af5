// What is to be drawn: numbers and a script. How it is drawn is gnuplot's business, how it is coloured
// the style sheet's.
//
// Words and symbols never reach gnuplot. Where they belong, its data have the number of a label
// (`@3@`), and the text takes its place in the finished picture, escaped like all text.

/// A chart before it is drawn.
struct Chart: Sendable {
  /// The charts there are; each has a script of its own.
  enum Kind: String, CaseIterable, Sendable {
    case loss, learningRate, embedding, activations, gradients, updates, saturation, dlogits
    case comparison

    /// Whether the axis counts steps.
    var isOverSteps: Bool {
      switch self {
      case .loss, .learningRate, .updates, .saturation, .comparison: true
      case .embedding, .activations, .gradients, .dlogits: false
      }
    }
  }

  /// A field of the data.
  enum Cell: Sendable {
    /// A number; what is missing or not finite leaves a gap.
    case number(Double?)
    /// The label with a number.
    case label(Int)

    /// The number, if it is one.
    var number: Double? { if case .number(let value) = self { value } else { nil } }

    var text: String {
      switch self {
      case .number(let value?) where value.isFinite: "\(value)"
      case .number: "?"
      case .label(let index): Chart.placeholder(index)
      }
    }
  }

  /// Rows that a script reads under a name.
  struct DataFile: Sendable {
    let name: String
    let rows: [[Cell]]

    var text: String {
      rows.map { row in row.map(\.text).joined(separator: "\t") + "\n" }.joined()
    }
  }

  let kind: Kind
  /// What somebody is told who cannot see it.
  let description: String
  /// Variables that the script needs.
  var variables: [(name: StaticString, value: Double)] = []
  let files: [DataFile]
  /// Texts for the places in the data.
  var labels: [String] = []

  /// What stands for a label until the picture is finished.
  static func placeholder(_ index: Int) -> String { "@\(index)@" }

  /// The script that gnuplot reads: numbers of ours and files of this module, nothing else.
  var script: String {
    let variables = variables.map { "\($0.name) = \($0.value)\n" }.joined()
    let steps = kind.isOverSteps ? Resource.chartSteps : ""
    return variables + Resource.chartBasics + steps + Resource.script(kind)
  }
}
