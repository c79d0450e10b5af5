// What a run leaves to predict with: the last state of the network, and the best by validation.

import CharMLP
import CommandSupport

/// The models of a run that has come to its end.
struct TrainedModels {
  let last: Model
  /// The best evaluation and its model, if that is not the last.
  let best: (evaluation: BestEvaluation, model: Model)?
  private let directory: RunDirectory

  /// Takes the last model from the trainer, and the best from its file.
  init(_ trainer: Trainer, _ directory: RunDirectory) {
    last = trainer.model()
    self.directory = directory
    guard let evaluation = trainer.best, evaluation.step != trainer.step else {
      best = nil
      return
    }
    if let model = try? Checkpoint(
      file: Checkpoint.read(directory.bestPath, limit: Host.readableBytes)
    ).model {
      best = (evaluation, model)
    } else {
      StandardError.shared.warn("\(directory.bestPath): not to be read; the last state is shown")
      best = nil
    }
  }

  /// The one to predict with.
  var preferred: Model { best?.model ?? last }
  var path: String { best == nil ? directory.modelPath : directory.bestPath }

  func losses(_ dataset: Dataset) -> TrainedLosses {
    TrainedLosses(
      last: SplitLosses(last, dataset),
      best: best.map { ($0.evaluation.step, SplitLosses($0.model, dataset)) })
  }
}
