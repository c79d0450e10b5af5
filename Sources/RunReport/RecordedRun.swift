// A run as it lies in its directory: the one place that a report takes its model and its records from.

import CharMLP
public import CommandSupport

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
