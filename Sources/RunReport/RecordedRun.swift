// A run as its directory holds it, the only source of a report.
//
// Records may come from other versions and other trainers: unknown keys are skipped, and what is
// missing leaves a gap in a chart. docs/metrics.md lists the keys.

import CharMLP
public import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix

/// A run's model, words and records.
public struct RecordedRun: Sendable {
  /// The last part of the directory's path, fit to be shown.
  let name: String
  let directory: RunDirectory
  /// The model's file: in a directory the best by validation if there is one, else the last.
  let modelPath: String
  let checkpoint: Checkpoint
  /// The data set; nil if the list was too long to be stored with the run.
  let dataset: Dataset?
  let metrics: [MetricsLine]
  let description: RunDescription

  /// Where the report of this run goes by default.
  public var reportPath: String { directory.reportPath }

  /// Reads the run that a user names: its directory, its model's file, or without a name the
  /// newest.
  /// - Throws: `CommandFailure` if there is no model or it cannot be used.
  public init(named name: String?) throws(CommandFailure) {
    try self.init(modelPath: ModelSource(name).path)
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
      directory.path.pieces(separatedBy: UInt8(ascii: "/")).last
      .flatMap { $0 == "." ? nil : String($0).singleLine() }
      ?? modelPath.singleLine()
  }

  /// The evaluations that charts show: all, or an evenly spaced selection that ends with the last.
  var shownMetrics: [MetricsLine] {
    let distance = (metrics.count + Self.shownEvaluations - 1) / Self.shownEvaluations
    return metrics.indices.filter { ($0 + 1 - metrics.count).isMultiple(of: max(1, distance)) }
      .map { metrics[$0] }
  }

  private static let shownEvaluations = 500

  /// Says what the dots of a chart are.
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

  /// Where and why training ended before its last step; nil if it did not, or is not over.
  var earlyStop: (step: Int, reason: EarlyStop)? {
    guard let step = metrics.last?.step else { return nil }
    return checkpoint.recipe.earlyStop(checkpoint.training.best, at: step).map { (step, $0) }
  }

  private static func dataset(
    _ checkpoint: Checkpoint, _ path: String
  ) throws(CommandFailure) -> Dataset? {
    guard let words = try checkpoint.storedWords(path) else { return nil }
    return try Dataset(words, checkpoint.recipe, named: path)
  }

  /// The command lines that made this run, quoted for the shell, in their order; empty if they are
  /// not known.
  var commandLines: [String] {
    description.commandLines.map { words in
      let name = words[0].pieces(separatedBy: UInt8(ascii: "/")).last.map(String.init) ?? words[0]
      return ([name] + words.dropFirst()).map { shellWord($0) }.joined(separator: " ")
    }
  }
}

// MARK: Metrics

/// A line of metrics.jsonl: what a run measured at one step.
struct MetricsLine: Equatable, Sendable {
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

  /// Reads a line; nil if it is not an object with a step.
  init?(_ line: String) {
    guard let json = try? JSONValue(parsing: line), let step: Int = json["step"]?.whole() else {
      return nil
    }
    self.step = step
    minibatchLoss = json["minibatch_loss"]?.double
    smoothedLoss = json["smoothed_loss"]?.double
    validationLoss = json["validation_loss"]?.double
    losses = json["losses"]?.elements.flatMap(Self.numbers) ?? []
    stretch = json["stretch"]?.whole()
    learningRate = json["learning_rate"]?.double
    seconds = json["seconds"]?.double
    saturated = json["saturated"]?.double
    deadUnits = json["dead_units"]?.double
    let ratios = json["update_ratio"]?.pairs ?? []
    let numbers = Self.numbers(ratios.map(\.value)) ?? []
    updateRatio = Dictionary(uniqueKeysWithValues: zip(ratios.map(\.key), numbers))
  }

  /// Numbers and nulls; nil if there is anything else among them.
  private static func numbers(_ values: [JSONValue]) -> [Double?]? {
    values.allSatisfy { $0.isNull || $0.double != nil } ? values.map(\.double) : nil
  }

  /// The readable lines in the order of their steps; the later one wins if a step comes twice.
  static func all(_ lines: [String]) -> [MetricsLine] {
    var found: [MetricsLine] = []
    for line in lines.compactMap(MetricsLine.init) {
      while let last = found.last, last.step >= line.step { found.removeLast() }
      found.append(line)
    }
    return found
  }
}

// MARK: - run.json

/// When, where and how a run was made.
package struct RunDescription: Sendable {
  /// The parts of the run in their order, each an object. An older file without parts counts as
  /// one; there are none if the file is missing or unreadable.
  package private(set) var parts: [JSONValue] = []
  /// The pairs beside the parts, which repeat the last part.
  private var pairs: [(key: String, value: JSONValue)] = []

  private static let partsKey = "parts"

  /// Reads a file's text; nil if there is none.
  package init(_ text: String?) {
    guard let json = text.flatMap({ try? JSONValue(parsing: $0) }), let pairs = json.pairs else {
      return
    }
    self.pairs = pairs.filter { $0.key != Self.partsKey }
    if let list = json[Self.partsKey] {
      let elements = list.elements ?? []
      parts = elements.allSatisfy { $0.pairs != nil } ? elements : []
    } else if !pairs.isEmpty {
      parts = [json]
    }
  }

  /// Adds a part.
  /// - Precondition: it is an object.
  package mutating func append(_ part: JSONValue) {
    guard let pairs = part.pairs else { fatalError("RunDescription: a part is an object") }
    parts.append(part)
    self.pairs = pairs
  }

  /// Replaces the last part.
  package mutating func replaceLast(with part: JSONValue) {
    parts.removeLast()
    append(part)
  }

  /// The file's object: all parts, and beside them the last part's keys for readers that do not
  /// know parts.
  package var json: JSONValue { .object(pairs + [(key: Self.partsKey, value: .array(parts))]) }

  // MARK: For a resumed run

  /// Whether the last part recorded its end.
  package var isComplete: Bool { parts.last?["finished_at"]?.text != nil }

  /// The kernels of the last part, if it names any.
  package var lastCore: String? {
    guard let core = parts.last?["blas_core"]?.text, (1...40).contains(core.utf8.count),
      core.unicodeScalars.allSatisfy({
        $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0)
      })
    else { return nil }
    return core
  }

  // MARK: For a report

  /// The words of the command lines that made the run: the one that started it, and those that
  /// resumed it.
  package var commandLines: [[String]] {
    let lines = parts.isEmpty ? [self["command_line"]] : parts.map { $0["command_line"] }
    return lines.map { $0?.elements?.compactMap(\.text) ?? [] }.filter { !$0.isEmpty }
  }

  /// A number of the last part.
  package func number(_ key: String) -> Double? { self[key]?.double }

  /// All values of the last part but the command line, sorted by key; nested ones under
  /// `outer.inner`.
  package var all: [(key: String, value: String)] {
    var values: [String: String] = [:]
    for (key, value) in pairs where key != "command_line" {
      Self.flatten(value, into: &values, under: key)
    }
    return values.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
  }

  private subscript(key: String) -> JSONValue? { pairs.first { $0.key == key }?.value }

  private static func flatten(
    _ json: JSONValue, into values: inout [String: String], under key: String
  ) {
    switch json {
    case .object(let pairs):
      for (name, value) in pairs { flatten(value, into: &values, under: "\(key).\(name)") }
    case .array(let elements): values[key] = elements.compactMap(\.text).joined(separator: " ")
    case .null: break
    default: values[key] = json.text ?? json.encoded()
    }
  }
}
