// Saving on the way, and what a signal does.
//
// A signal is looked for before every step, so the step it hits is finished; then the run is saved as at
// any other time, and the command says how to go on.

import CharMLP
import CommandSupport

extension TrainingRun {
  /// Saves the step that the trainer is at if its time has come, if it is the last, or after a signal.
  ///
  /// - Throws: `CommandFailure` with the signal's status, once all is saved.
  func saveIfDue(
    _ schedule: inout SavingSchedule, _ stopwatch: TrainingStopwatch
  ) throws {
    let trainer = start.trainer
    let isLast = trainer.isFinished || pendingStop != nil
    if schedule.isDue(trainer.step, stopwatch.total)
      || (isLast && schedule.isUnsaved(trainer.step))
    {
      // The best one first: whatever a run goes on from, the best before that is there.
      if let best = schedule.best {
        let bytes = try best.encoded()
        try reportingWrites { () throws(FileError) in try start.directory.save(best: bytes) }
        schedule.best = nil
      }
      let bytes = try Checkpoint(trainer, words: start.words).encoded()
      try reportingWrites { () throws(FileError) in try start.directory.save(model: bytes) }
      schedule.note(trainer.step, stopwatch.total)
    }
    // What arrived during the save itself waits for the next step, which then is saved too.
    if isLast, let status = pendingStop { throw interruption(status) }
  }

  /// The status to end with after a signal; among ranks, when all have agreed to.
  private var pendingStop: ExitStatus? {
    guard start.trainer.isShared else { return Interruption.pending }
    return start.trainer.isStopped ? Interruption.pending ?? .terminated : nil
  }

  /// How the run ends after a signal.
  func interruption(_ status: ExitStatus) -> CommandFailure {
    let steps = "\(Format.count(start.trainer.step)) of \(Format.count(recipe.steps))"
    // A list that was too long to be stored has to be named again.
    let data = start.words.isComplete ? "" : " --data \(shellWord(start.path))"
    return CommandFailure(
      status, "interrupted at step \(steps); all of it is saved in \(start.directory.path)",
      advice: "To go on:  train --resume \(shellWord(start.directory.path))\(data)")
  }

  /// What is said about a run that goes on.
  var resumption: String {
    let steps = Format.count(recipe.steps)
    let first = Format.count(start.firstStep)
    if start.firstStep == recipe.steps { return "finished before: all \(steps) steps are taken" }
    return start.trainer.isFinished
      ? "finished before: its validation losses ended training at step \(first) of \(steps)"
      : "going on after step \(first) of \(steps)"
  }
}
