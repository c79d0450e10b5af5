// A run from the word list to the saved model: the order of things, and what is told about them.

import CharMLP
import CommandSupport

/// One execution of `train`.
struct TrainingRun {
  private let options: Train
  private let recipe: Recipe
  private let progress: ProgressDisplay
  private let started = ContinuousClock.now
  private let startedAt = Host.timestamp

  init(_ options: Train) {
    self.options = options
    recipe = options.recipe
    progress = ProgressDisplay(isQuiet: options.quiet)
  }

  func run() throws {
    let source = WordListSource(options.data)
    let dataset = try source.dataset(recipe)
    try checkMemory(vocabulary: dataset.vocabulary.count)
    let directory = try makeDirectory(source)
    let trainer = Trainer(
      recipe, dataset, backward: options.trainerBackward,
      threads: options.threads ?? availableCores())
    introduce(source, dataset, trainer)

    var stopwatch = TrainingStopwatch()
    try train(trainer, dataset, directory, &stopwatch)
    let model = trainer.model()
    try save(model, in: directory)
    progress.update("evaluating")
    let result = TrainingResult(
      steps: trainer.step, parameters: model.parameters.count, seconds: 0,
      stepsPerSecond: Double(trainer.step) / stopwatch.seconds,
      loss: SplitLosses(model, dataset),
      baseline: BaselineComparison(Baseline(dataset), blockSize: recipe.blockSize),
      samples: try samples(model), model: directory.modelPath)
    progress.finish()
    try finish(result, trainer, directory, source)
  }

  /// Refuses sizes for which the machine's memory could not suffice, before allocating any of it.
  private func checkMemory(vocabulary: Int) throws(CommandFailure) {
    let need = Trainer.byteCount(
      recipe, vocabulary: vocabulary, backward: options.trainerBackward)
    guard let need, need <= Host.physicalMemory else {
      let size = need.map { "\(Format.count($0 >> 20)) MiB" } ?? "more memory than can be counted"
      throw CommandFailure(
        .resources,
        "these sizes need \(size); this machine has \(Format.count(Host.physicalMemory >> 20)) MiB",
        advice: "Choose a smaller --hidden, --batch-size, --block-size or --embedding.")
    }
  }

  private func makeDirectory(_ source: WordListSource) throws(CommandFailure) -> RunDirectory {
    do throws(FileError) {
      if let out = options.out { return try RunDirectory(creating: out) }
      return try RunDirectory(creatingNextIn: ModelSource.runs, name: source.stem)
    } catch {
      let advice =
        error.isExisting
        ? "Nothing is overwritten: name another directory with --out."
        : "Name another directory with --out."
      throw CommandFailure(.cannotCreate, "\(error)", advice: advice)
    }
  }

  private func introduce(_ source: WordListSource, _ dataset: Dataset, _ trainer: Trainer) {
    let report = DataReport(dataset)
    for line in report.summary(of: source.name) { progress.line(line) }
    for warning in report.warnings { StandardError.shared.warn(warning.text) }
    progress.line(
      """
      \(Format.count(trainer.parameters.count)) parameters: block \(recipe.blockSize), \
      embedding \(recipe.embedding), hidden \(recipe.hidden)
      """)
    progress.line(
      """
      \(Format.count(recipe.steps)) steps of \(recipe.batchSize), learning rate \
      \(recipe.learningRate), then \(recipe.learningRate / 10)
      """)
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
    let validation = dataset.validation.distinct()
    var pace = Pace()
    while trainer.step < recipe.steps {
      let next = nextEvaluation(after: trainer.step)
      while trainer.step < next {
        let target = min(next, trainer.step + pace.steps)
        let duration = try stopwatch.measure { try trainer.advance(to: target) }
        pace.adapt(to: duration)
        progress.update(movingLine(trainer, stopwatch))
      }
      let loss = trainer.model().loss(over: validation)
      try record(trainer, validationLoss: loss, stopwatch, directory)
    }
    progress.finish()
  }

  private func nextEvaluation(after step: Int) -> Int {
    min(recipe.steps, (step / options.evaluationInterval + 1) * options.evaluationInterval)
  }

  private func movingLine(_ trainer: Trainer, _ stopwatch: TrainingStopwatch) -> String {
    let rate = Double(trainer.step) / stopwatch.seconds
    return """
      step \(Format.count(trainer.step))/\(Format.count(recipe.steps))  \
      loss \(Format.fixed(trainer.smoothedLoss, decimals: 4))  \
      \(Format.rate(rate, "steps"))  \
      \(Format.duration(seconds: Double(recipe.steps - trainer.step) / rate)) left
      """
  }

  private func record(
    _ trainer: Trainer, validationLoss: Double, _ stopwatch: TrainingStopwatch,
    _ directory: RunDirectory
  ) throws {
    let metrics: JSONValue = [
      "step": .integer(trainer.step),
      "minibatch_loss": .number(trainer.minibatchLoss),
      "smoothed_loss": .number(trainer.smoothedLoss),
      "validation_loss": .number(validationLoss),
      "learning_rate": .number(recipe.learningRate(at: trainer.step - 1)),
      "seconds": .number(stopwatch.seconds),
    ]
    try reportingWrites { () throws(FileError) in
      try directory.append(metrics: metrics.encoded())
    }
    progress.line(
      """
      step \(Format.count(trainer.step))/\(Format.count(recipe.steps))  \
      loss \(Format.fixed(trainer.smoothedLoss, decimals: 4))  \
      validation \(Format.fixed(validationLoss, decimals: 4))  \
      \(Format.rate(Double(trainer.step) / stopwatch.seconds, "steps"))
      """)
  }
}

// MARK: The end

extension TrainingRun {
  private func save(_ model: Model, in directory: RunDirectory) throws {
    let bytes = try model.file(recipe: recipe)
    try reportingWrites { () throws(FileError) in try directory.save(model: bytes) }
  }

  private func finish(
    _ result: TrainingResult, _ trainer: Trainer, _ directory: RunDirectory,
    _ source: WordListSource
  ) throws {
    var result = result
    result.seconds = (ContinuousClock.now - started) / .seconds(1)
    let description = RunDescription(
      threads: trainer.threads, startedAt: startedAt, seconds: result.seconds,
      stepsPerSecond: result.stepsPerSecond,
      data: source.path ?? "-")
    try reportingWrites { () throws(FileError) in
      try directory.save(description: description.json.encoded())
    }
    try StandardOutput.shared.write(options.json ? result.json.encoded() + "\n" : result.text)
  }

  /// What could not be written to the run directory ends the command with 74.
  private func reportingWrites(
    _ write: () throws(FileError) -> Void
  ) throws(CommandFailure) {
    do throws(FileError) {
      try write()
    } catch {
      throw CommandFailure(.inputOutput, "\(error)", advice: "Nothing saved before is lost.")
    }
  }
}
