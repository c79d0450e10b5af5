// A run from the word list to the saved model: the order of things, and what is told about them.

import CharMLP
import CommandSupport
import RunReport

/// One execution of `train`.
struct TrainingRun {
  let options: Train
  let start: RunStart
  let recipe: Recipe
  private let progress: ProgressDisplay
  private let trace = LossTrace()
  private let health: HealthRecord
  private let started = ContinuousClock.now
  private let startedAt = Host.timestamp

  /// Reads the words and takes the directory; the clock runs from here on.
  ///
  /// - Parameter communicator: The ranks that train together; nil for this process alone.
  init(_ options: Train, _ communicator: (any Communicator)? = nil) throws {
    self.options = options
    start = try RunStart(options, communicator)
    recipe = start.trainer.recipe
    progress = ProgressDisplay(isQuiet: options.quiet)
    health = HealthRecord(start.dataset, recipe)
  }

  func run() throws {
    defer { withExtendedLifetime(start.lock) {} }
    let (trainer, dataset, directory) = (start.trainer, start.dataset, start.directory)
    Interruption.startCatching()
    trainer.stop { Interruption.pending != nil }
    introduce(trainer, dataset)

    var stopwatch = TrainingStopwatch()
    try train(trainer, dataset, directory, &stopwatch)
    if let status = Interruption.stopCatching() { throw interruption(status) }
    progress.update("evaluating")
    let models = TrainedModels(trainer, directory)
    let result = TrainingResult(
      steps: trainer.step, parameters: models.last.parameters.count, seconds: 0,
      stepsPerSecond: rate(stopwatch),
      ranks: trainer.ranks.map { ($0, trainer.secondsInSums ?? 0) }, losses: models.losses(dataset),
      baseline: BaselineComparison(
        Baseline(dataset), blockSize: recipe.blockSize,
        sampleSize: dataset.isSample ? dataset.words.count : nil),
      samples: try samples(models.preferred), model: models.path,
      report: options.report ? directory.reportPath : nil)
    progress.finish()
    try finish(result, directory)
  }

  private func introduce(_ trainer: Trainer, _ dataset: Dataset) {
    let report = DataReport(dataset)
    for line in report.summary(of: start.name) { progress.line(line) }
    for warning in report.warnings { StandardError.shared.warn(warning.text) }
    progress.line(
      """
      \(Format.count(trainer.parameters.count)) parameters: block \(recipe.blockSize), \
      embedding \(recipe.embedding), hidden \(recipe.hidden)
      """)
    progress.line(recipe.trainingText)
    if let preset = options.settings.preset {
      progress.line("recipe \(preset.rawValue): \(recipe.flags)")
    }
    if let ranks = trainer.ranks {
      progress.line("\(ranks) ranks, each with a share of every minibatch")
    }
    if start.isResumed { progress.line(resumption) }
  }

  /// Words of the finished model, fewer than asked for if it has none to offer.
  private func samples(_ model: Model) throws -> [String] {
    // The notebook samples with its seed plus ten.
    var sampler = try Sampler(model, seed: recipe.seed &+ 10)
    var words: [String] = []
    do throws(SamplingError) {
      while words.count < options.samples { words.append(try sampler.next()) }
    } catch {
      StandardError.shared.warn("\(error)")
    }
    return words
  }
}

// MARK: Training

extension TrainingRun {
  private func train(
    _ trainer: Trainer, _ dataset: Dataset, _ directory: RunDirectory,
    _ stopwatch: inout TrainingStopwatch
  ) throws {
    var pace = Pace()
    var schedule = SavingSchedule(
      every: options.checkpoints.checkpointEvery, savedAt: start.isResumed ? start.firstStep : nil)
    try saveIfDue(&schedule, stopwatch)
    while !trainer.isFinished {
      let target = min(
        recipe.nextEvaluation(after: trainer.step), schedule.next(after: trainer.step),
        trainer.step + pace.steps)
      let duration = try stopwatch.measure {
        try health.advance(trainer, to: target, isEvaluation: recipe.isEvaluated(at: target))
      }
      pace.adapt(to: duration)
      progress.update(movingLine(trainer, stopwatch))
      if recipe.isEvaluated(at: trainer.step) {
        let (model, loss) = trainer.evaluate()
        try record(trainer, validationLoss: loss, stopwatch, directory)
        if trainer.best?.step == trainer.step {
          schedule.best = Checkpoint(trainer, model, words: start.words)
        }
      }
      // After the line of metrics, so that a checkpoint's step is never missing there.
      try saveIfDue(&schedule, stopwatch)
    }
    progress.finish()
  }

  /// Steps per second of this process, 0 before the first.
  private func rate(_ stopwatch: TrainingStopwatch) -> Double {
    let steps = start.trainer.step - start.firstStep
    return steps == 0 ? 0 : Double(steps) / stopwatch.seconds
  }

  private func movingLine(_ trainer: Trainer, _ stopwatch: TrainingStopwatch) -> String {
    let rate = rate(stopwatch)
    return """
      step \(Format.count(trainer.step))/\(Format.count(recipe.steps))  \
      loss \(Format.fixed(trainer.smoothedLoss, decimals: 4))  \
      \(trace.text(adding: trainer.smoothedLoss))  \(Format.rate(rate, "steps"))  \
      \(Format.duration(seconds: Double(recipe.steps - trainer.step) / rate)) left
      """
  }

  private func record(
    _ trainer: Trainer, validationLoss: Double, _ stopwatch: TrainingStopwatch,
    _ directory: RunDirectory
  ) throws {
    let metrics = JSONValue.object(
      [
        (key: "step", value: .integer(trainer.step)),
        (key: "minibatch_loss", value: .number(trainer.minibatchLoss)),
        (key: "smoothed_loss", value: .number(trainer.smoothedLoss)),
        (key: "validation_loss", value: .number(validationLoss)),
        (key: "stretch", value: .integer(recipe.lossStretch)),
        (key: "losses", value: .array(trainer.meanLosses.map { .number($0) })),
        (key: "learning_rate", value: .number(recipe.learningRate(at: trainer.step - 1))),
        (key: "seconds", value: .number(start.secondsBefore + stopwatch.seconds)),
        (key: "steps_per_second", value: .number(rate(stopwatch))),
      ] + health.json(trainer))
    try reportingWrites { () throws(FileError) in
      try directory.append(metrics: metrics.encoded())
    }
    progress.line(
      """
      step \(Format.count(trainer.step))/\(Format.count(recipe.steps))  \
      loss \(Format.fixed(trainer.smoothedLoss, decimals: 4))  \
      validation \(Format.fixed(validationLoss, decimals: 4))  \
      \(Format.rate(rate(stopwatch), "steps"))
      """)
  }
}

// MARK: The end

extension TrainingRun {
  private func finish(_ result: TrainingResult, _ directory: RunDirectory) throws {
    var result = result
    result.seconds = (ContinuousClock.now - started) / .seconds(1)
    let description = RunDescription(
      threads: start.trainer.threads, startedAt: startedAt, seconds: result.seconds,
      stepsPerSecond: result.stepsPerSecond, data: start.path, firstStep: start.firstStep)
    // A run that was finished before keeps its description.
    if start.firstStep < recipe.steps || !directory.hasDescription {
      try reportingWrites { () throws(FileError) in
        try directory.save(description: description.json.encoded())
      }
    }
    try StandardOutput.shared.write(options.json ? result.json.encoded() + "\n" : result.text)
    if let path = result.report {
      try ReportPage(RecordedRun(modelPath: result.model)).write(to: path)
    }
  }

  /// What could not be written to the run directory ends the command with 74, and so does a directory
  /// that has been moved away: what its path leads to now is somebody else's.
  func reportingWrites(
    _ write: () throws(FileError) -> Void
  ) throws(CommandFailure) {
    guard start.lock.isInPlace else {
      throw CommandFailure(
        .inputOutput, "\(start.directory.path): no longer the directory that this run has locked",
        advice: "What was saved before went with that directory.")
    }
    do throws(FileError) {
      try write()
    } catch {
      throw CommandFailure(.inputOutput, "\(error)", advice: "Nothing saved before is lost.")
    }
  }
}
