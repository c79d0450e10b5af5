// What is computed for a report from the model and its words: losses, counts, diagnostics, new words.
//
// Everything is drawn with seeds that follow from the recipe's, so that a run's report is always the same.

import CharMLP
import CommandSupport
import LinearAlgebra

/// The measurements behind a page; what the words are needed for is nil where they are not stored.
struct Findings: Sendable {
  let losses: SplitLosses?
  let baseline: BaselineComparison?
  let data: DataReport?
  let minibatch: Minibatch?
  let diagnostics: Diagnostics?
  let gradients: GradientReport?
  let words: NewWords
  let axes: PrincipalAxes?

  init(_ run: RecordedRun) {
    let (model, recipe) = (run.checkpoint.model, run.checkpoint.recipe)
    losses = run.dataset.map { SplitLosses(model, $0) }
    baseline = run.dataset.map {
      BaselineComparison(Baseline($0), blockSize: recipe.blockSize)
    }
    data = run.dataset.map { DataReport($0) }
    minibatch = run.dataset.flatMap { Minibatch.forDiagnosis($0, recipe) }
    diagnostics = minibatch.map { Diagnostics(model.parameters, $0) }
    gradients = minibatch.flatMap { Self.check(model.parameters, $0) }
    words = NewWords(model, run.dataset, seed: recipe.seed &+ 10)
    axes = PrincipalAxes(ofRows: model.parameters.C)
  }

  /// The check of this very network; nil if it would take longer than a report may.
  private static func check(
    _ parameters: Parameters<Float>, _ minibatch: Minibatch
  ) -> GradientReport? {
    let shown = minibatch.prefix(parameters.count > smallNetwork ? 16 : 32)
    guard parameters.count <= parameterLimit else { return nil }
    return GradientCheck(
      GradientProblem(parameters.converted(), shown), threads: availableCores()
    ).report()
  }

  /// Up to so many parameters 32 windows are checked, else half as many: each is passed through hundreds
  /// of times.
  private static let smallNetwork = 50_000
  private static let parameterLimit = 1_000_000
}

extension Minibatch {
  /// The first windows, at most `count`.
  func prefix(_ count: Int) -> Minibatch {
    Minibatch(
      blockSize: blockSize, contexts: Array(contexts.prefix(count * blockSize)),
      targets: Array(targets.prefix(count)))
  }
}
