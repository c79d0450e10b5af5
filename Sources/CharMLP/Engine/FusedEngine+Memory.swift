// How much memory an engine takes, asked before any of it is allocated.

import LinearAlgebra

extension FusedEngine {
  /// The bytes that an engine for these sizes allocates, or nil if their number exceeds an Int.
  public static func byteCount(_ shape: ModelShape, batchSize: Int) -> Int? {
    let slices = HiddenSlice.count(hidden: shape.hidden)
    let form = FirstLayerForm.fastest(shape, batchSize: batchSize)
    // Rows of padded columns, as the layers cut them: parameters and gradients, then activations, then
    // what each slice adds to the sums.
    var matrices: [(rows: [Int], columns: Int)] = [
      ([2, shape.vocabulary], shape.embedding),
      ([2, PaddedMemory.stride(shape.contextWidth + 1)], shape.hidden),
      ([2, PaddedMemory.stride(shape.vocabulary)], shape.hidden),
      ([3, batchSize], shape.hidden), ([2, batchSize], shape.vocabulary),
      ([slices, batchSize], shape.vocabulary), ([slices, shape.vocabulary], shape.embedding),
    ]
    switch form {
    case .perExample: matrices.append(([slices + 1, batchSize], shape.contextWidth + 1))
    case .perDistinctInput: matrices.append(([2, shape.blockSize, shape.vocabulary], shape.hidden))
    }
    var total = 0
    for (rows, columns) in matrices {
      let factors = rows + [PaddedMemory.stride(columns), MemoryLayout<Float>.stride]
      var bytes = 1
      for factor in factors {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: factor)
        if overflow { return nil }
        bytes = product
      }
      let (sum, overflow) = total.addingReportingOverflow(bytes)
      if overflow { return nil }
      total = sum
    }
    return total
  }
}
