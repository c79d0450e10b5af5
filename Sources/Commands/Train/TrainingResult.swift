// What a run leaves: its result for people and programs, its models, run.json, and what its metrics
// say of the network's health.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix

/// The end of a run.
struct TrainingResult {
  let steps: Int
  let parameters: Int
  var seconds: Double
  /// Where and why training ended before its last step; nil if it did not.
  let stop: TrainingStop?
  let stepsPerSecond: Double
  /// How many ranks trained together, and their seconds in sums; nil for one process.
  let ranks: (count: Int, secondsInSums: Double)?
  let losses: TrainedLosses
  let baseline: BaselineComparison
  /// The network together with counts, and its losses; nil if they are not mixed.
  let mixture: MixtureResult?
  let samples: [String]
  let model: String
  /// Where the report goes, if one was asked for.
  var report: String?

  var json: JSONValue {
    [
      "steps": .integer(steps),
      "parameters": .integer(parameters),
      "seconds": .number(seconds),
      "steps_per_second": .number(stepsPerSecond),
      "early_stop": stop.map { .string("\($0.reason)") } ?? .null,
      "ranks": ranks.map {
        ["count": .integer($0.count), "seconds_in_sums": .number($0.secondsInSums)]
      } ?? .null,
      "loss": .object(losses.preferred.json),
      "best_step": .integer(losses.best?.step ?? steps),
      "last_loss": .object(losses.last.json),
      "baseline": baseline.json,
      "mixture": mixture?.json ?? .null,
      "sample_words": baseline.sampleSize.map { .integer($0) } ?? .null,
      "samples": .array(samples.map { .string($0) }),
      "model": .string(model),
      "report": report.map { .string($0) } ?? .null,
    ]
  }

  /// The rate leaves evaluations and saves out; none for a run that had finished before.
  private var rate: String {
    stepsPerSecond == 0 ? "" : ", \(Format.rate(stepsPerSecond, "steps")) in training"
  }

  var text: String {
    let columns = StandardOutput.shared.columns
    var text = """
      \(baseline.text(beside: losses, mixture, columns: columns))\
      \(stop.map { "stopped at \($0)\n" } ?? "")\
      time: \(Format.duration(seconds: seconds))\(rate)
      model: \(model.shownPath)

      """
    if let report { text += "report: \(report.shownPath)\n" }
    if !samples.isEmpty {
      text += "samples:\n" + samples.map { "  \($0.singleLine())\n" }.joined()
    }
    return text
  }
}

// MARK: How training ended

/// Training that ended before its last step.
struct TrainingStop: CustomStringConvertible {
  let step: Int
  let reason: EarlyStop

  var description: String { "\(Format.count(step)): \(reason)" }
}

/// A validation loss that is no better than that of a model that learns nothing.
struct LearningFailure: CustomStringConvertible {
  let description: String

  /// Nil if the loss is not so large that nothing can have been learned.
  init?(clear loss: Double, _ dataset: Dataset, _ recipe: Recipe) {
    let guess = SplitLosses.guessing(among: dataset.vocabulary.count)
    guard !(loss <= 1.5 * guess) else { return nil }
    let isDecay = recipe.learningRate * recipe.weightDecay > 1
    self.init(
      loss, guess, "a uniform guess",
      recipe.divergenceAdvice + (isDecay ? "" : ", which train --find-learning-rate suggests"))
  }

  /// Nil if the network has learned something, or has not seen enough words for that yet.
  init?(_ loss: Double, _ dataset: Dataset, _ recipe: Recipe, steps: Int) {
    if let failure = LearningFailure(clear: loss, dataset, recipe) {
      self = failure
      return
    }
    let unigram = SplitLosses.unigram(dataset).validation
    guard loss > unigram, steps * recipe.batchSize >= dataset.train.count else { return nil }
    self.init(
      loss, unigram, "a unigram model",
      "try another learning rate, which train --find-learning-rate suggests, or more steps")
  }

  private init(_ loss: Double, _ least: Double, _ rival: String, _ advice: String) {
    description =
      "the validation loss is \(Format.significant(loss)), worse than the "
      + "\(Format.fixed(least, decimals: 2)) of \(rival); \(advice)"
  }
}

// MARK: Models

/// The models of a finished run: the last, and the best by validation.
struct TrainedModels {
  let last: Model
  /// The best evaluation and its model, if that is not the last.
  let best: (evaluation: BestEvaluation, model: Model)?
  /// The preferred network, together with counts if the run mixes them.
  let predictor: Predictor
  /// The mixture and its losses; nil if the run does not mix.
  let mixture: MixtureResult?
  private let directory: RunDirectory

  /// Takes the last model from the trainer, and the best from its file.
  init(_ trainer: Trainer, _ dataset: Dataset, _ directory: RunDirectory) {
    last = trainer.model()
    self.directory = directory
    best = Self.best(trainer, directory)
    let preferred = best?.model ?? last
    guard let mixture = trainer.mixture(with: preferred) else {
      (predictor, self.mixture) = (Predictor(preferred), nil)
      return
    }
    predictor = Predictor(preferred, mixture, trainedOn: dataset.train)
    self.mixture = MixtureResult(mixture, losses: predictor.losses(dataset))
  }

  private static func best(
    _ trainer: Trainer, _ directory: RunDirectory
  ) -> (evaluation: BestEvaluation, model: Model)? {
    guard let evaluation = trainer.best, evaluation.step != trainer.step else { return nil }
    if let model = try? Checkpoint(
      file: Checkpoint.read(directory.bestPath, limit: Host.readableBytes)
    ).model {
      return (evaluation, model)
    }
    StandardError.shared.warn(
      "\(directory.bestPath): cannot be read; showing the last state instead")
    return nil
  }

  /// Where the preferred one is.
  var path: String { best == nil ? directory.modelPath : directory.bestPath }

  func losses(_ dataset: Dataset) -> TrainedLosses {
    TrainedLosses(
      last: SplitLosses(last, dataset),
      best: best.map { ($0.evaluation.step, SplitLosses($0.model, dataset)) })
  }
}

// MARK: run.json

/// When, where and how one part of a run was made: a part is a start or a resumption.
struct RunPart {
  let threads: Int
  let startedAt: String
  /// Where the words came from: a path, or `-` for standard input; for several lists each of them.
  let data: [String]
  /// The steps that were taken before: 0 unless the run was resumed.
  let firstStep: Int
  /// The length of the run in this part, in steps.
  let steps: Int
  /// The network that the run started from; nil if from none.
  let startedFrom: String?
  /// How it ended; nil until then.
  var end: End?

  /// The end of a part.
  struct End {
    let step: Int
    let seconds: Double
    let stepsPerSecond: Double
    let finishedAt = timestamp()
  }

  var json: JSONValue {
    guard let startedFrom, var pairs = ownJSON.pairs else { return ownJSON }
    pairs.insert(("started_from", .string(startedFrom)), at: 2)
    return .object(pairs)
  }

  private var ownJSON: JSONValue {
    [
      "command_line": .array(processArguments().map { .string($0) }),
      "data": data.count == 1 ? .string(data[0]) : .array(data.map { .string($0) }),
      "steps": .integer(steps),
      "first_step": .integer(firstStep),
      "last_step": end.map { .integer($0.step) } ?? .null,
      "started_at": .string(startedAt),
      "finished_at": end.map { .string($0.finishedAt) } ?? .null,
      "seconds": end.map { .number($0.seconds) } ?? .null,
      "steps_per_second": end.map { .number($0.stepsPerSecond) } ?? .null,
      "host": .string(hostName()),
      "versions": ["charmlp": .string(version), "blas": .string(BLASLibrary.configuration)],
      "blas_core": .string(BLASLibrary.core),
      "blas_picked": .string(BLASLibrary.picked),
      "threads": .integer(threads),
      "build": .string(Host.buildMode),
    ]
  }
}

/// A run's description while it trains: the parts before, and the current one.
final class RunHistory {
  private var description: RunDescription
  private var part: RunPart
  private var hasBegun = false
  /// Whether this part is recorded. One that only shows a finished run's results is not, unless the
  /// record before it has no end.
  private let isRecorded: Bool

  /// Reads what a resumed run recorded before.
  init(_ start: RunStart, startedAt: String) {
    description = RunDescription(start.directory.descriptionText())
    isRecorded =
      !start.trainer.isFinished || !start.directory.hasDescription
      || (!description.parts.isEmpty && !description.isComplete)
    part = RunPart(
      threads: start.trainer.threadLimit, startedAt: startedAt, data: start.paths,
      firstStep: start.firstStep, steps: start.trainer.recipe.steps,
      startedFrom: start.startedFrom)
  }

  /// A warning that this part uses other kernels than the one before; nil if they are the same or
  /// unknown.
  var kernelChange: String? {
    guard let before = description.lastCore, before != BLASLibrary.core else { return nil }
    return """
      the steps up to \(Format.count(part.firstStep)) were taken with \(before) kernels, those from here \
      on are with \(BLASLibrary.core): the bits will differ from those of an uninterrupted run
      """
  }

  /// The description with the part that begins; nil if it is not recorded.
  func begin() -> String? {
    guard isRecorded else { return nil }
    hasBegun = true
    description.append(part.json)
    return description.json.encoded()
  }

  /// The description with the part's end; nil if its start was not recorded.
  func end(_ end: RunPart.End) -> String? {
    guard hasBegun else { return nil }
    part.end = end
    description.replaceLast(with: part.json)
    return description.json.encoded()
  }
}

// MARK: - Diagnostics in metrics.jsonl
//
// docs/metrics.md says what each means. They take a copy of the parameters before the step that ends
// in an evaluation, and one pass of the derivation after it. Training does not notice: its steps,
// and their bits, stay the same.

/// Watches a run at its evaluations.
final class HealthRecord {
  private let minibatch: Minibatch?
  private var before: Parameters<Float>?

  init(_ dataset: Dataset, _ recipe: Recipe) {
    minibatch = .forDiagnosis(dataset, recipe)
  }

  /// Advances a trainer to a step, and remembers the parameters before the last one if an
  /// evaluation follows.
  func advance(_ trainer: Trainer, to target: Int, isEvaluation: Bool) throws(Divergence) {
    before = nil
    if isEvaluation, minibatch != nil, trainer.step < target {
      try trainer.advance(to: target - 1)
      before = trainer.parameters
    }
    try trainer.advance(to: target)
  }

  /// The measurements at the trainer's step; none where the sizes are too large.
  func json(_ trainer: Trainer) -> [(key: String, value: JSONValue)] {
    guard let minibatch else { return [] }
    let parameters = trainer.parameters
    let found = Diagnostics(parameters, minibatch)
    var pairs: [(key: String, value: JSONValue)] = [
      (key: "saturated", value: .number(found.saturatedShare)),
      (key: "dead_units", value: .integer(found.deadUnits)),
      (
        key: "gradient_deviation",
        value: .object(found.gradients.map { (key: $0.name, value: .number($0.deviation)) })
      ),
    ]
    if let before {
      let ratios = updateRatios(from: before, to: parameters)
      let values = ratios.map { (key: $0.name, value: $0.logarithm.map(JSONValue.number) ?? .null) }
      pairs.append((key: "update_ratio", value: .object(values)))
    }
    return pairs
  }
}
