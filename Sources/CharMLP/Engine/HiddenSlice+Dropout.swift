// Dropout on the two ways through a slice, for sixteen units at a time: a mask that is computed, not stored.
//
// The mask depends on a window's place in the whole minibatch, so that ranks drop what one process would.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

extension HiddenSlice {
  /// hdrop = h · hmask, in the place of h.
  func drop(unitsOf v: Int, _ hmask: RandomMask) {
    let (h, positions, unit) = (h, input.positions, units.lowerBound + v * vectorWidth)
    for row in 0..<h.rows { h[row, vector: v] *= hmask[positions[row], from: unit] }
  }

  /// dh = dhdrop · hmask, in its place; and h again, where it is needed: where dh is not zero.
  func differentiateDropout(unitsOf v: Int, _ hmask: RandomMask) {
    let (h, dh, unit) = (h, dh, units.lowerBound + v * vectorWidth)
    let positions = input.positions
    for row in 0..<h.rows {
      h[row, vector: v] *= hmask.keptShare
      dh[row, vector: v] *= hmask[positions[row], from: unit]
    }
  }
}
