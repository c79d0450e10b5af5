// The activations of a slice and their gradients: what has a row for each window that is computed here.
//
// There is room for the most windows that may come; a slice sees each with as many rows as the step has.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The matrices of a slice that have a row for each window.
final class HiddenActivations {
  let logits: PaddedMatrix  // (capacity, vocabulary), this slice's share
  let hprebn: PaddedMatrix  // (capacity, units)
  let h: PaddedMatrix  // (capacity, units)
  let dh: PaddedMatrix  // (capacity, units)
  let dhpreact: PaddedMatrix  // (capacity, units)
  let dhprebn: PaddedMatrix  // (capacity, units)
  private let memory: PaddedMemory

  /// - Parameter keepsIntermediates: Gives the three gradients memory of their own; otherwise each takes
  ///   the place of the one before.
  init(_ input: StepInput, units: Int, vocabulary: Int, keepsIntermediates: Bool) {
    let rows = input.capacity
    let gradientBuffers = keepsIntermediates ? 3 : 1
    var memory = PaddedMemory(
      capacity: PaddedMemory.size(rows: (2 + gradientBuffers) * rows, columns: units)
        + PaddedMemory.size(rows: rows, columns: vocabulary))
    hprebn = memory.matrix(rows: rows, columns: units)
    h = memory.matrix(rows: rows, columns: units)
    logits = memory.matrix(rows: rows, columns: vocabulary)
    dh = memory.matrix(rows: rows, columns: units)
    dhpreact = keepsIntermediates ? memory.matrix(rows: rows, columns: units) : dh
    dhprebn = keepsIntermediates ? memory.matrix(rows: rows, columns: units) : dh
    self.memory = memory
  }
}
