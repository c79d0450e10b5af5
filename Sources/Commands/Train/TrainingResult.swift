// What a run leaves: its result for people and programs, run.json, and what its metrics say of the
// network's health.
//
// The table that ends every run does not flatter: its n-gram models are the best of their kind by
// validation.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix
import RunReport

/// The end of a run: its models, the last and the best by validation, and their losses.
struct TrainingResult {
  let steps: Int
  private let parameters: Int
  /// Why training ended before its last step; nil if it did not.
  private let stop: EarlyStop?
  /// How many ranks trained together, and their seconds in sums; nil for one process.
  private let ranks: (count: Int, secondsInSums: Double)?
  /// Of training alone, without evaluations and saves; 0 for a run that had finished before.
  let stepsPerSecond: Double
  private let lastLosses: SplitLosses
  /// The best evaluation and its losses, if that is not the last.
  private let best: (step: Int, losses: SplitLosses)?
  /// The preferred network, together with counts if the run mixes them.
  let predictor: Predictor
  private let mixture: MixtureResult?
  private let baseline: BaselineComparison
  /// The size of the sample that losses are over and n-grams count, if they do not take all words.
  private let sampleSize: Int?
  /// The file of the preferred network.
  let model: String
  /// Where the report goes, if one was asked for.
  var report: String?
  var samples: [String] = []
  var seconds = 0.0

  /// The losses of the preferred network.
  var losses: SplitLosses { best?.losses ?? lastLosses }

  /// Takes the last model from the trainer, and the best from its file.
  init(_ trainer: Trainer, _ dataset: Dataset, _ directory: RunDirectory, stepsPerSecond: Double) {
    (steps, stop, self.stepsPerSecond) = (trainer.step, trainer.earlyStop, stepsPerSecond)
    ranks = trainer.rankCount.map { ($0, trainer.secondsInSums ?? 0) }
    let last = trainer.model()
    let best = Self.best(trainer, last, directory)
    let preferred = best?.model ?? last
    parameters = last.parameters.count
    if let mixture = trainer.mixture(with: preferred) {
      predictor = Predictor(preferred, mixture, trainedOn: dataset.train)
      self.mixture = MixtureResult(mixture, losses: predictor.losses(dataset))
    } else {
      (predictor, mixture) = (Predictor(preferred), nil)
    }
    model = best == nil ? directory.modelPath : directory.bestPath
    lastLosses = SplitLosses(last, dataset)
    self.best = best.map { ($0.step, SplitLosses($0.model, dataset)) }
    baseline = BaselineComparison(dataset, blockSize: trainer.recipe.blockSize)
    sampleSize = dataset.isSample ? dataset.words.count : nil
  }

  private static func best(
    _ trainer: Trainer, _ last: Model, _ directory: RunDirectory
  ) -> (step: Int, model: Model)? {
    guard let evaluation = trainer.best, evaluation.step != trainer.step else { return nil }
    let saved = try? Checkpoint(
      file: Checkpoint.read(directory.bestPath, limit: Host.readableBytes))
    if let saved, saved.training.step == evaluation.step, saved.model.shape == last.shape,
      saved.model.vocabulary == last.vocabulary
    {
      return (evaluation.step, saved.model)
    }
    let problem = saved == nil ? "cannot be read" : "is from another run"
    StandardError.shared.warn(
      "\(directory.bestPath): \(problem); showing the last state instead")
    return nil
  }

  // MARK: For people and programs

  var text: String {
    let columns = StandardOutput.shared.columns
    let note = sampleSize.map {
      "All losses are over a sample of \(Format.counted($0, "word")), and so are the n-grams' counts."
    }
    let sentences = [note, baseline.verdict(on: losses, mixture)].compactMap { $0 }
    let rate =
      stepsPerSecond == 0 ? "" : ", \(Format.rate(stepsPerSecond, "steps")) in training"
    var text = table + sentences.map { Format.paragraph($0, columns: columns) }.joined()
    if let stop { text += "stopped at \(Format.count(steps)): \(stop)\n" }
    text += """
      time: \(Format.duration(seconds: seconds))\(rate)
      model: \(model.shownPath)

      """
    if !samples.isEmpty {
      text += "samples:\n" + samples.map { "  \($0.singleLine())\n" }.joined()
    }
    return text
  }

  private var table: String {
    var table = Table(
      ["loss (perplexity)", "discount", "train", "validation", "test"], leftAligned: [0, 1])
    func add(_ name: String, _ discounting: Discounting?, _ losses: SplitLosses) {
      let parts = [losses.train, losses.validation, losses.test]
      table.add([name, discounting?.rawValue ?? ""] + parts.map(Format.loss))
    }
    if let best { add("network, step \(Format.count(best.step))", nil, best.losses) }
    add(best == nil ? "network" : "network, last step", nil, lastLosses)
    let (rival, ngram) = (baseline.rival, baseline.baseline.best)
    add(baseline.rivalName, rival.discounting, rival.losses)
    if ngram != rival { add("\(ngram.order)-gram, best", ngram.discounting, ngram.losses) }
    if let mixture { add("mixture", mixture.mixture.discounting, mixture.losses) }
    return table.text
  }

  var json: JSONValue {
    [
      "steps": .integer(steps),
      "parameters": .integer(parameters),
      "seconds": .number(seconds),
      "steps_per_second": .number(stepsPerSecond),
      "early_stop": stop.map { .string("\($0)") } ?? .null,
      "ranks": ranks.map {
        ["count": .integer($0.count), "seconds_in_sums": .number($0.secondsInSums)]
      } ?? .null,
      "loss": .object(losses.json),
      "best_step": .integer(best?.step ?? steps),
      "last_loss": .object(lastLosses.json),
      "baseline": .array(
        baseline.baseline.entries.map { entry in
          .object(
            [
              ("order", .integer(entry.order)), ("discount", .string(entry.discounting.rawValue)),
            ] + entry.losses.json)
        }),
      "mixture": mixture.map { found in
        .object(
          [
            ("weight", .number(found.mixture.weight)), ("order", .integer(found.mixture.order)),
            ("discount", .string(found.mixture.discounting.rawValue)),
          ] + found.losses.json)
      } ?? .null,
      "sample_words": sampleSize.map { .integer($0) } ?? .null,
      "samples": .array(samples.map { .string($0) }),
      "model": .string(model),
      "report": report.map { .string($0) } ?? .null,
    ]
  }
}

// MARK: When nothing was learned

/// What is wrong with a validation loss that is no better than that of a model that learns nothing.
enum LearningFailure {
  /// Nil if the loss is not so large that nothing can have been learned.
  static func certain(_ loss: Double, _ dataset: Dataset, _ recipe: Recipe) -> String? {
    let guess = SplitLosses.guessing(among: dataset.vocabulary.count)
    guard !(loss <= 1.5 * guess) else { return nil }
    let search = recipe.isDecayTooLarge ? "" : ", which train --find-learning-rate suggests"
    return sentence(loss, guess, "a uniform guess") + recipe.divergenceAdvice + search
  }

  /// Nil if the network has learned something, or has not seen enough words for that yet.
  static func possible(_ loss: Double, _ dataset: Dataset, _ recipe: Recipe, steps: Int) -> String?
  {
    if let failure = certain(loss, dataset, recipe) { return failure }
    let unigram = SplitLosses.unigram(dataset).validation
    guard loss > unigram, steps * recipe.batchSize >= dataset.train.count else { return nil }
    return sentence(loss, unigram, "a unigram model")
      + "try another learning rate, which train --find-learning-rate suggests, or more steps"
  }

  private static func sentence(_ loss: Double, _ least: Double, _ rival: String) -> String {
    "the validation loss is \(Format.significant(loss)), worse than the "
      + "\(Format.fixed(least, decimals: 2)) of \(rival); "
  }
}

// MARK: run.json

/// A run's description while it trains: when, where and how its parts were made. A part is a start
/// or a resumption.
struct RunHistory {
  private var description: RunDescription
  private let start: RunStart
  private let startedAt: String
  private var hasBegun = false
  /// Whether this part is recorded. One that only shows a finished run's results is not, unless the
  /// record before it has no end.
  private let isRecorded: Bool

  /// Reads what a resumed run recorded before.
  init(_ start: RunStart, startedAt: String) {
    (self.start, self.startedAt) = (start, startedAt)
    description = RunDescription(start.directory.descriptionText())
    isRecorded =
      !start.trainer.isFinished || !start.directory.hasDescription
      || (!description.parts.isEmpty && !description.isComplete)
  }

  /// A warning that this part uses other kernels than the one before; nil if they are the same or
  /// unknown.
  var kernelChange: String? {
    guard let before = description.lastCore, before != BLASLibrary.core else { return nil }
    return """
      the steps up to \(Format.count(start.firstStep)) were taken with \(before) kernels, those from here \
      on are with \(BLASLibrary.core): the bits will differ from those of an uninterrupted run
      """
  }

  /// The description with the part that begins; nil if it is not recorded.
  mutating func begin() -> String? {
    guard isRecorded else { return nil }
    hasBegun = true
    description.append(part(nil))
    return description.json.encoded()
  }

  /// The description with the part's end; nil if its start was not recorded.
  mutating func end(seconds: Double, stepsPerSecond: Double) -> String? {
    guard hasBegun else { return nil }
    description.replaceLast(with: part((seconds, stepsPerSecond)))
    return description.json.encoded()
  }

  /// The current part: a path, or `-`, for each list that was read; null for what is known only at
  /// its end.
  private func part(_ end: (seconds: Double, stepsPerSecond: Double)?) -> JSONValue {
    let (data, trainer) = (start.paths.map { JSONValue.string($0) }, start.trainer)
    return .object(
      [
        ("command_line", .array(processArguments().map { .string($0) })),
        ("data", data.count == 1 ? data[0] : .array(data)),
      ] + (start.startedFrom.map { [("started_from", .string($0))] } ?? [])
        + [
          ("steps", .integer(trainer.recipe.steps)),
          ("first_step", .integer(start.firstStep)),
          ("last_step", end == nil ? .null : .integer(trainer.step)),
          ("started_at", .string(startedAt)),
          ("finished_at", end == nil ? .null : .string(timestamp())),
          ("seconds", end.map { .number($0.seconds) } ?? .null),
          ("steps_per_second", end.map { .number($0.stepsPerSecond) } ?? .null),
          ("host", .string(hostName())),
          ("versions", ["charmlp": .string(version), "blas": .string(BLASLibrary.configuration)]),
          ("blas_core", .string(BLASLibrary.core)),
          ("blas_picked", .string(BLASLibrary.picked)),
          ("threads", .integer(trainer.threadLimit)),
          ("build", .string(Host.buildMode)),
        ])
  }
}

// MARK: - Diagnostics in metrics.jsonl
//
// docs/metrics.md says what each means. They take a copy of the parameters before the step that
// ends in an evaluation, and one pass of the derivation after it. Training does not notice: its
// steps, and their bits, stay the same.

/// Watches a run at its evaluations.
struct HealthRecord {
  private let minibatch: Minibatch?
  private var before: Parameters<Float>?

  init(_ dataset: Dataset, _ recipe: Recipe) {
    minibatch = .forDiagnosis(dataset, recipe)
  }

  /// Advances a trainer to a step, and remembers the parameters before the last one if an
  /// evaluation follows.
  mutating func advance(
    _ trainer: Trainer, to target: Int, isEvaluation: Bool
  ) throws(Divergence) {
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
