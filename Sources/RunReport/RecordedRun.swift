// A run as it lies in its directory: the one place that a report takes its model and its records from.

import CharMLP
public import CommandSupport
import FoundationEssentials

/// A run's model, words and records.
public struct RecordedRun: Sendable {
  /// What the run is called: the last part of its directory's path.
  let name: String
  let directory: RunDirectory
  /// The model's file: of a directory the best by validation where there is one, else the last.
  let modelPath: String
  let checkpoint: Checkpoint
  /// The words made ready; nil if the list was too long to be stored with the run.
  let dataset: Dataset?
  let metrics: [MetricsLine]
  let description: RunDescription

  /// Where a report of this run goes unless told otherwise.
  public var reportPath: String { directory.reportPath }

  /// Reads the run that a user names: its directory, its model's file, or without a name the newest.
  /// - Throws: `CommandFailure` if there is no model or it cannot be used.
  public init(named name: String?) throws(CommandFailure) {
    let path = try ModelSource(name).path
    try self.init(modelPath: path)
  }

  /// Reads the run of a model's file.
  public init(modelPath path: String) throws(CommandFailure) {
    directory = RunDirectory(ofModel: path)
    modelPath = path
    checkpoint = try ModelSource.checkpoint(modelPath)
    dataset = try Self.dataset(checkpoint, modelPath)
    metrics = MetricsLine.all(directory.metricsLines())
    description = RunDescription(directory.descriptionText())
    name =
      directory.path.split(separator: "/").last.map(String.init).flatMap { $0 == "." ? nil : $0 }
      ?? modelPath
  }

  /// The evaluations that charts show: all, or of very many some at equal distances, the last among them.
  var shownMetrics: [MetricsLine] {
    let distance = (metrics.count + Self.shownEvaluations - 1) / Self.shownEvaluations
    return metrics.indices.filter { ($0 + 1 - metrics.count).isMultiple(of: max(1, distance)) }
      .map { metrics[$0] }
  }

  private static let shownEvaluations = 500

  /// What the dots of charts are.
  var dots: String {
    let shown = shownMetrics.count
    return shown == metrics.count
      ? "Dots are evaluations."
      : "Dots are \(Format.count(shown)) of \(Format.counted(metrics.count, "evaluation"))."
  }

  /// Whether the model is the best by validation rather than the last.
  var isBest: Bool {
    checkpoint.training.best?.step == checkpoint.training.step && !checkpoint.isFinished
  }

  private static func dataset(
    _ checkpoint: Checkpoint, _ path: String
  ) throws(CommandFailure) -> Dataset? {
    let words: WordList?
    do throws(ModelFileError) {
      words = try checkpoint.wordList()
    } catch {
      throw error.commandFailure(in: path)
    }
    guard let words else { return nil }
    do throws(DatasetError) {
      return try Dataset(words, checkpoint.recipe, memoryLimit: Host.availableMemory)
    } catch {
      throw error.commandFailure(in: path)
    }
  }

  /// The command line that makes this run again, as the shell reads it.
  var commandLine: String? {
    guard let command = description.commandLine.first else { return nil }
    let name = command.split(separator: "/").last.map(String.init) ?? command
    return ([name] + description.commandLine.dropFirst()).map(shellWord).joined(separator: " ")
  }
}

// MARK: - run.json, as far as it is understood: a list of names and values to show

/// When, where and how a run was made.
struct RunDescription: Equatable, Sendable {
  /// Values by key; those of nested objects under `outer.inner`.
  private let values: [String: String]
  /// The words of the command line.
  let commandLine: [String]

  /// Reads run.json; what is no object has no values.
  init(_ text: String?) {
    let tree = text.flatMap { try? JSONDecoder().decode(Tree.self, from: Data($0.utf8)) }
    var values: [String: String] = [:]
    tree?.flatten(into: &values, under: "")
    self.values = values
    if case .object(let pairs) = tree, case .array(let words) = pairs["command_line"] {
      commandLine = words.compactMap { if case .text(let word) = $0 { word } else { nil } }
    } else {
      commandLine = []
    }
  }

  subscript(key: String) -> String? { values[key] }

  func number(_ key: String) -> Double? { values[key].flatMap(Double.init) }

  /// All values but the command line, in the order of their keys.
  var all: [(key: String, value: String)] {
    values.filter { $0.key != "command_line" }.sorted { $0.key < $1.key }
      .map { (key: $0.key, value: $0.value) }
  }

  /// JSON of any form.
  private enum Tree: Decodable {
    case object([String: Tree])
    case array([Tree])
    case text(String)
    case none

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let pairs = try? container.decode([String: Tree].self) {
        self = .object(pairs)
      } else if let elements = try? container.decode([Tree].self) {
        self = .array(elements)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let truth = try? container.decode(Bool.self) {
        self = .text("\(truth)")
      } else if let whole = try? container.decode(Int.self) {
        self = .text("\(whole)")
      } else if let number = try? container.decode(Double.self) {
        self = .text("\(number)")
      } else {
        self = .none
      }
    }

    func flatten(into values: inout [String: String], under key: String) {
      switch self {
      case .object(let pairs):
        for (name, tree) in pairs {
          tree.flatten(into: &values, under: key.isEmpty ? name : "\(key).\(name)")
        }
      case .array(let elements):
        values[key] = elements.compactMap { if case .text(let text) = $0 { text } else { nil } }
          .joined(separator: " ")
      case .text(let text): values[key] = text
      case .none: break
      }
    }
  }
}

// MARK: - A line of metrics.jsonl, as far as it is understood

// Other versions and other trainers write other keys: what is not known is skipped, and what is missing
// leaves a gap in a chart. docs/metrics.md is the list.

/// What a run measured at one step.
struct MetricsLine: Decodable, Equatable, Sendable {
  let step: Int
  let minibatchLoss: Double?
  let smoothedLoss: Double?
  let validationLoss: Double?
  /// Means of minibatch losses since the line before, each over `stretch` steps.
  let losses: [Double?]
  let stretch: Int?
  let learningRate: Double?
  let seconds: Double?
  let saturated: Double?
  let deadUnits: Double?
  let updateRatio: [String: Double?]

  private enum Key: String, CodingKey {
    case step, seconds, saturated, stretch, losses
    case minibatchLoss = "minibatch_loss"
    case smoothedLoss = "smoothed_loss"
    case validationLoss = "validation_loss"
    case learningRate = "learning_rate"
    case deadUnits = "dead_units"
    case updateRatio = "update_ratio"
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    step = try values.decode(Int.self, forKey: .step)
    func number(_ key: Key) -> Double? { try? values.decode(Double.self, forKey: key) }
    minibatchLoss = number(.minibatchLoss)
    smoothedLoss = number(.smoothedLoss)
    validationLoss = number(.validationLoss)
    losses = (try? values.decode([Double?].self, forKey: .losses)) ?? []
    stretch = try? values.decode(Int.self, forKey: .stretch)
    learningRate = number(.learningRate)
    seconds = number(.seconds)
    saturated = number(.saturated)
    deadUnits = number(.deadUnits)
    updateRatio = (try? values.decode([String: Double?].self, forKey: .updateRatio)) ?? [:]
  }

  /// The lines that can be read, in the order of their steps; of two with one step, the later.
  static func all(_ lines: [String]) -> [MetricsLine] {
    let decoder = JSONDecoder()
    var found: [MetricsLine] = []
    for line in lines {
      guard let line = try? decoder.decode(MetricsLine.self, from: Data(line.utf8)) else {
        continue
      }
      while let last = found.last, last.step >= line.step { found.removeLast() }
      found.append(line)
    }
    return found
  }
}
