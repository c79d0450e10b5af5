// Where a step waits for other ranks: between the parts of batch norm, and before the update.
//
// Only the calling thread speaks to other ranks; the others wait for it. So a communicator needs to know
// nothing of threads.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

extension FusedStep {
  /// One thread's way from the contexts to its slices' shares of the logits.
  func forward(
    _ index: Int, _ slices: [HiddenSlice], _ dropout: RandomMask?, _ ranks: RankSums,
    _ clock: StepClock?
  ) {
    for slice in slices { slice.forwardToSums(clock) }
    form(ranks.rows, index, clock)
    for slice in slices { slice.forwardToSquares(clock) }
    form(ranks.squares, index, clock)
    for slice in slices { slice.forwardToLogits(dropout, clock) }
  }

  /// One thread's way back to this rank's shares of its slices' gradients.
  func backward(
    _ index: Int, _ slices: [HiddenSlice], _ dropout: RandomMask?, _ ranks: RankSums,
    _ clock: StepClock?
  ) {
    for slice in slices { slice.backwardToSums(dlogits: output.dlogits, dropout, clock) }
    form(ranks.normalization, index, clock)
    for slice in slices { slice.backwardToInput(clock) }
  }

  /// Adds up the gradients of all ranks, and updates one thread's slices.
  func finishGradients(
    _ index: Int, _ layers: FusedLayers, _ update: ParameterUpdate?, _ ranks: RankSums,
    _ clock: StepClock?
  ) {
    if index == 0 { ranks.loss = output.finish() }
    form(ranks.gradients, index, clock)
    if index > 0 { Reduction.sum([embedding.dC], into: layers.embedding.dC) }
    guard let update else { return }
    for slice in layers.slices { slice.apply(update) }
    clock?.mark(.update)
    // Whoever reads the parameters after the step finds them all updated.
    wait(index, clock)
  }

  /// Forms a sum over all ranks when every thread has done its part of it.
  private func form(_ sum: RankSum, _ index: Int, _ clock: StepClock?) {
    wait(index, clock)
    if index == 0 { sum.form() }
    wait(index, clock)
  }
}
