// A run from the word list to the saved model: the order of events, and what is printed on the way.

import CharMLP
import CommandSupport
import OrderedJSON
import Posix
import RunReport

/// One execution of `train`.
final class TrainingRun {
  let start: RunStart
  private let options: Train
  private let recipe: Recipe
  private let progress: ProgressDisplay
  private let started = ContinuousClock.now
  private var health: HealthRecord
  private var history: RunHistory
  private var schedule: SavingSchedule
  /// Spent in training steps alone, without evaluations and saves.
  private var trainingTime = Duration.zero
  // Narrow enough for the whole moving line to fit into eighty columns.
  private var curve = Sparkline(width: 10)
  private var hasReportedFailure = false

  /// Reads the words and takes the directory; the clock runs from here on.
  /// - Parameter communicator: The ranks that train together; nil for this process alone.
  init(_ options: Train, _ communicator: (any Communicator)? = nil) throws {
    let startedAt = timestamp()
    self.options = options
    start = try RunStart(options, communicator)
    history = RunHistory(start, startedAt: startedAt)
    recipe = start.trainer.recipe
    progress = ProgressDisplay(isQuiet: options.quiet)
    health = HealthRecord(start.dataset, recipe)
    schedule = SavingSchedule(
      every: options.checkpoints.checkpointEvery,
      // A new length is saved at once: whatever happens, the run keeps it.
      savedAt: start.isResumed && start.formerSteps == nil ? start.firstStep : nil)
  }

  func run() throws {
    defer { withExtendedLifetime(start.lock) {} }
    Interruption.startCatching()
    start.trainer.stop { Interruption.pending != nil }
    introduce()
    do {
      try train()
      if let status = Interruption.stopCatching() { throw interruption(status) }
    } catch {
      // What ended the run is reported, not that the description could not be completed.
      if Self.isEnd(error) { try? completeDescription(seconds: seconds) }
      throw error
    }
    progress.update("evaluating")
    let result = try result()
    progress.finish()
    try finish(result)
  }

  /// Evaluates what was trained, and draws its samples.
  private func result() throws -> TrainingResult {
    var result = TrainingResult(
      start.trainer, start.dataset, start.directory, stepsPerSecond: stepsPerSecond)
    // The notebook samples with its seed plus ten.
    result.samples = try samples(
      result.predictor, options.output.samples, seed: recipe.samplingSeed)
    if options.output.report { result.report = start.directory.reportPath }
    return result
  }

  private func introduce() {
    let trainer = start.trainer
    let report = DataReport(start.dataset)
    for line in report.summary(of: start.name) { progress.line(line) }
    let hasNetwork = start.isResumed || start.startedFrom != nil
    for warning in report.warnings {
      StandardError.shared.warn(warning.text(forGivenNetwork: hasNetwork))
      if let line = start.source.flatMap({ warning.line(for: $0) }) {
        progress.line("  try:  " + line)
      }
    }
    progress.line(
      """
      \(Format.count(trainer.parameters.count)) parameters: block \(recipe.blockSize), \
      embedding \(recipe.embedding), hidden \(recipe.hidden)
      """)
    if let network = start.startedFrom { progress.line(beginning(network, trainer)) }
    let flags = recipe.flags(startingFromNetwork: trainer.lineage.origin != nil)
    let name = start.recipeTitle.map { "recipe \($0)" } ?? "its recipe"
    progress.line(
      "\(Format.count(recipe.steps)) steps of \(recipe.batchSize); "
        + (flags.isEmpty ? "recipe notebook, the lecture's" : "\(name) as flags:"))
    // As a shell reads them when they are pasted.
    let lines = Format.filled(flags, columns: progress.columns - 2)
    for line in lines.dropLast() { progress.line(line + " \\") }
    if let last = lines.last { progress.line(last) }
    if recipe.warmup > recipe.steps {
      progress.line(
        "the warm-up of \(recipe.warmup) steps is longer than the run: the learning rate stays below "
          + "\(recipe.learningRate)")
    }
    if let ranks = trainer.rankCount {
      progress.line("\(ranks) ranks, each with a share of every minibatch")
    }
    if start.isResumed { progress.line(resumption) }
    if !trainer.isFinished, let change = history.kernelChange { StandardError.shared.warn(change) }
  }

  /// Describes the network that a run starts from.
  private func beginning(_ network: String, _ trainer: Trainer) -> String {
    let step = trainer.lineage.origin.map { Format.count($0.step) } ?? ""
    let new = start.newSymbols
    let symbols =
      new.isEmpty
      ? "it knows every symbol"
      : "\(Format.counted(new.count, "new symbol")): "
        + new.prefix(40).map(\.visible).joined(separator: " ") + (new.count > 40 ? " …" : "")
    return "starting from \(network.shownPath), step \(step); \(symbols)"
  }

  /// Words of a model, fewer than asked for if it has none to offer.
  private func samples(_ model: Predictor, _ count: Int, seed: UInt64) throws -> [String] {
    var request = Sampler.Request(seed: seed)
    if !start.dataset.isSample { request.constraints.beginAndEnd(like: start.dataset.words) }
    var sampler = try Sampler(model, request)
    var words: [String] = []
    do throws(SamplingError) {
      while words.count < count { words.append(try sampler.next()) }
    } catch {
      StandardError.shared.warn("\(error)")
    }
    return words
  }

  /// Shows words of the network as it is, from a seed of their own: training does not notice.
  private func showSamples(_ model: Model) throws {
    let count = options.output.samplesDuring
    guard count > 0, !options.quiet else { return }
    let seed = recipe.samplingSeed(at: start.trainer.step)
    let words = try samples(Predictor(model), count, seed: seed).map { $0.singleLine() }
    let pieces = words.indices.map { words[$0] + ($0 + 1 < words.count ? "," : "") }
    for line in Format.filled(pieces, columns: progress.columns) { progress.line(line) }
  }

  // MARK: Training

  private func train() throws {
    let trainer = start.trainer
    // Steps that take about a twentieth of a second.
    var pace = 1
    var hasReportedContention = false
    try saveIfDue()
    // After the first save: a directory with a description has a model as well.
    if let description = history.begin() { try save(description: description) }
    while !trainer.isFinished {
      let target = min(
        recipe.nextEvaluation(after: trainer.step), schedule.next(after: trainer.step),
        trainer.step + pace)
      let duration = try ContinuousClock().measure {
        try health.advance(trainer, to: target, isEvaluation: recipe.isEvaluated(at: target))
      }
      trainingTime += duration
      if duration < .milliseconds(25) { pace = min(pace * 2, 1 << 20) }
      if duration > .milliseconds(100) { pace = max(1, pace / 2) }
      if trainer.threads < trainer.threadLimit, !hasReportedContention {
        hasReportedContention = true
        progress.line(
          """
          the cores are busy with other work: using \(trainer.threads) of \(trainer.threadLimit) threads \
          for now; the result stays the same
          """)
      }
      progress.update(movingLine())
      if recipe.isEvaluated(at: trainer.step) { try evaluate() }
      // After the line of metrics, so that a checkpoint's step is never missing there.
      try saveIfDue()
    }
    progress.finish()
  }

  /// Records and shows the network as it is, and keeps it for the next save if it is the best.
  private func evaluate() throws {
    let trainer = start.trainer
    let (model, loss) = trainer.evaluate()
    try record(validationLoss: loss)
    try showSamples(model)
    if !hasReportedFailure, trainer.step >= recipe.steps / 10, !trainer.isFinished,
      let failure = LearningFailure.certain(loss, start.dataset, recipe)
    {
      hasReportedFailure = true
      StandardError.shared.warn(
        "step \(Format.count(trainer.step)): \(failure); Ctrl-C stops the run")
    }
    if trainer.best?.step == trainer.step {
      schedule.best = Checkpoint(trainer, model, words: start.words)
    }
  }

  /// Steps per second of this process, 0 before the first.
  private var stepsPerSecond: Double {
    let steps = start.trainer.step - start.firstStep
    return steps == 0 ? 0 : Double(steps) / (trainingTime / .seconds(1))
  }

  /// The moving line; each call adds a point to its curve.
  private func movingLine() -> String {
    let (trainer, rate) = (start.trainer, stepsPerSecond)
    curve.add(trainer.smoothedLoss)
    return """
      step \(Format.count(trainer.step))/\(Format.count(recipe.steps))  \
      loss \(Format.fixed(trainer.smoothedLoss, decimals: 4))  \
      \(curve.text)  \(Format.rate(rate, "steps"))  \
      \(Format.duration(seconds: Double(recipe.steps - trainer.step) / rate)) left
      """
  }

  private func record(validationLoss: Double) throws {
    let trainer = start.trainer
    let metrics = JSONValue.object(
      [
        (key: "step", value: .integer(trainer.step)),
        (key: "minibatch_loss", value: .number(trainer.minibatchLoss)),
        (key: "smoothed_loss", value: .number(trainer.smoothedLoss)),
        (key: "validation_loss", value: .number(validationLoss)),
        (key: "stretch", value: .integer(recipe.lossStretch)),
        (key: "losses", value: .array(trainer.meanLosses.map { .number($0) })),
        (key: "learning_rate", value: .number(recipe.learningRate(at: trainer.step - 1))),
        (key: "seconds", value: .number(start.secondsBefore + trainingTime / .seconds(1))),
        (key: "steps_per_second", value: .number(stepsPerSecond)),
      ] + health.json(trainer))
    try reportingWrites { () throws(SystemError) in
      try start.directory.append(metrics: metrics.encoded())
    }
    guard
      recipe.isShown(at: trainer.step) || trainer.isFinished || options.output.samplesDuring > 0
    else { return }
    progress.line(
      """
      step \(Format.count(trainer.step))/\(Format.count(recipe.steps))  \
      loss \(Format.fixed(trainer.smoothedLoss, decimals: 4))  \
      validation \(Format.fixed(validationLoss, decimals: 4))  \
      \(Format.rate(stepsPerSecond, "steps"))
      """)
  }
}

extension Recipe {
  /// Whether an evaluation is printed: about twenty in a run are.
  fileprivate func isShown(at step: Int) -> Bool {
    let evaluations = (steps + evaluationInterval - 1) / evaluationInterval
    return (step / evaluationInterval).isMultiple(of: max(1, (evaluations + 10) / 20))
  }
}

// MARK: The end

extension TrainingRun {
  private func finish(_ result: TrainingResult) throws {
    var result = result
    result.seconds = seconds
    try completeDescription(seconds: result.seconds)
    // A person reads the results while the page is made; it is named once it is there.
    if !options.json { try StandardOutput.shared.write(result.text) }
    let page = Result { try writePage(of: result) }
    if case .failure = page { result.report = nil }
    let line = result.report.map { "report: \($0.shownPath)\n" } ?? ""
    try StandardOutput.shared.write(line, orJSON: result.json, if: options.json)
    try page.get()
    try judge(result.losses)
  }

  private func writePage(of result: TrainingResult) throws {
    guard let path = result.report else { return }
    try ReportPage(RecordedRun(modelPath: result.model)) { progress.update($0) }.write(to: path)
    progress.finish()
  }

  /// Warns if nothing was learned: a finite loss can still be meaningless.
  /// - Throws: `CommandFailure` (70) if even the perplexity is too large for a number.
  private func judge(_ losses: SplitLosses) throws(CommandFailure) {
    let (loss, steps) = (losses.validation, start.trainer.step)
    guard let failure = LearningFailure.possible(loss, start.dataset, recipe, steps: steps) else {
      return
    }
    if !SplitLosses.perplexity(loss).isFinite { throw CommandFailure(.diverged, failure) }
    StandardError.shared.warn(failure)
  }

  /// The seconds since the command began.
  private var seconds: Double { (ContinuousClock.now - started) / .seconds(1) }

  /// Whether an error is an end that run.json records: a signal, after which everything is saved,
  /// or a loss that is no longer finite.
  private static func isEnd(_ error: any Error) -> Bool {
    let status = (error as? CommandFailure)?.status
    return status?.isSignal == true || error is Divergence
  }

  private func completeDescription(seconds: Double) throws(CommandFailure) {
    if let description = history.end(seconds: seconds, stepsPerSecond: stepsPerSecond) {
      try save(description: description)
    }
  }

  private func save(description: String) throws(CommandFailure) {
    try reportingWrites { () throws(SystemError) in
      try start.directory.save(description: description)
    }
  }

  /// Ends the command with 74 if the run directory cannot be written, or has been moved away:
  /// whatever is at its path now belongs to another run.
  func reportingWrites(
    _ write: () throws(SystemError) -> Void
  ) throws(CommandFailure) {
    guard start.lock.isInPlace else {
      throw CommandFailure(
        .inputOutput, "\(start.directory.path): no longer the directory that this run locked",
        advice: "Everything saved so far is in that directory, wherever it is now.")
    }
    do throws(SystemError) { try write() } catch {
      throw CommandFailure(.inputOutput, "\(error)", advice: "Nothing saved before is lost.")
    }
  }

  // MARK: - Saving during training, and after a signal

  // Signals are checked before every step, so the current step is finished first; then the run is
  // saved as usual, and the command says how to continue.

  /// Saves the step that the trainer is at if its time has come, if it is the last, or after a
  /// signal.
  /// - Throws: `CommandFailure` with the signal's status, once all is saved.
  private func saveIfDue() throws {
    let trainer = start.trainer
    let isLast = trainer.isFinished || pendingStop != nil
    if schedule.isDue(trainer.step, trainingTime)
      || (isLast && schedule.savedStep != trainer.step)
    {
      // The best first: whatever step a run resumes from, the best before it is on disk.
      if var best = schedule.best {
        best.mixture = StoredMixture(trainer, best.model, start.words)
        let bytes = try best.encoded()
        try reportingWrites { () throws(SystemError) in try start.directory.save(best: bytes) }
        schedule.best = nil
      }
      var checkpoint = Checkpoint(trainer, words: start.words)
      checkpoint.mixture = StoredMixture(trainer, checkpoint.model, start.words)
      let bytes = try checkpoint.encoded()
      try reportingWrites { () throws(SystemError) in try start.directory.save(model: bytes) }
      schedule.note(trainer.step, trainingTime)
    }
    // A signal during the save itself waits for the next step, which is saved as well.
    if isLast, let status = pendingStop { throw interruption(status) }
  }

  /// The status to end with after a signal; among ranks, when all have agreed to.
  private var pendingStop: ExitStatus? {
    guard start.trainer.rankCount != nil else { return Interruption.pending }
    return start.trainer.isStopped ? Interruption.pending ?? .terminated : nil
  }

  /// How the run ends after a signal.
  func interruption(_ status: ExitStatus) -> CommandFailure {
    let steps = "\(Format.count(start.trainer.step)) of \(Format.count(recipe.steps))"
    // A list that was too long to be stored has to be named again.
    let data = start.words.isComplete ? "" : start.paths.map { " " + shellWord($0) }.joined()
    let line = Program.commandLine("train --resume \(shellWord(start.directory.path))\(data)")
    return CommandFailure(
      status, "interrupted at step \(steps); everything is saved in \(start.directory.path)",
      advice: "To continue:  \(line)")
  }

  /// Where a resumed run continues, as a line.
  var resumption: String {
    let steps = Format.count(recipe.steps)
    let first = Format.count(start.firstStep)
    if let former = start.formerSteps {
      return """
        continuing after step \(first), now to step \(steps), on the schedule of a run of that length; \
        its length was \(Format.counted(former, "step"))
        """
    }
    if start.firstStep == recipe.steps { return "already finished: all \(steps) steps are done" }
    return start.trainer.isFinished
      ? "already finished: early stopping ended it at step \(first) of \(steps)"
      : "continuing after step \(first) of \(steps)"
  }
}

// MARK: - When a run is saved

// At the start, so that it can be resumed from then on; every so many steps or seconds; and at the
// end. The schedule does not affect what is learned.

/// Which steps are saved, and which one was last.
struct SavingSchedule {
  /// The best state since the last save, which is saved with the next.
  var best: Checkpoint?

  private let interval: Int?
  /// The step that is in the run's file.
  private(set) var savedStep: Int?
  private var savedTime = Duration.zero

  /// The training time between two saves if no number of steps is given.
  private static let period = Duration.seconds(10)

  /// A schedule for a run whose step `savedAt` is in its file already.
  init(every interval: Int?, savedAt savedStep: Int?) {
    self.interval = interval
    self.savedStep = savedStep
  }

  /// The next step that has to be saved whatever the time.
  func next(after step: Int) -> Int {
    interval.map { (step / $0 + 1) * $0 } ?? .max
  }

  /// Whether a step has to be saved after so much training.
  func isDue(_ step: Int, _ total: Duration) -> Bool {
    guard let savedStep else { return true }
    guard savedStep != step else { return false }
    return interval.map { step.isMultiple(of: $0) } ?? (total - savedTime >= Self.period)
  }

  /// Notes that a step was saved.
  mutating func note(_ step: Int, _ total: Duration) {
    (savedStep, savedTime) = (step, total)
  }
}
