// The fast path: one step in place on memory that is allocated once.
//
// It computes what the derivation computes, with cross-entropy and batch norm "all in one go", six
// calls of sgemm and vector code for the rest. Its unit is a slice of the hidden layer: batch norm's
// statistics belong to a hidden unit, so everything between the two linear layers is local to a
// slice, and slices meet only in two sums, of their partial logits and of their partial dembcat.
// It keeps the derivation's names, and is only ever as right as its test against the derivation.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra

/// Gradient descent without an allocation in a step.
public final class FusedEngine: Engine {
  let shape: ModelShape
  let batchSize: Int
  let embedding: EmbeddingLayer
  let slices: [HiddenSlice]
  let output: OutputLayer

  /// Allocates all memory for steps of `batchSize` windows, and copies the parameters into it.
  ///
  /// - Parameter keepsIntermediates: Gives dh, dhpreact and dhprebn memory of their own, so that a
  ///   test can read all three; otherwise each takes the place of the one before.
  package init(
    _ parameters: Parameters<Float>, batchSize: Int, keepsIntermediates: Bool
  ) {
    precondition(batchSize >= 2, "FusedEngine: the variance of one window is undefined")
    shape = parameters.shape
    self.batchSize = batchSize
    embedding = EmbeddingLayer(parameters, batchSize: batchSize)
    output = OutputLayer(parameters, batchSize: batchSize)
    slices = HiddenSlice.units(hidden: shape.hidden).map { units in
      HiddenSlice(
        parameters, units: units, batchSize: batchSize, keepsIntermediates: keepsIntermediates)
    }
  }

  /// Allocates all memory for steps of `batchSize` windows, at least 2, and copies the parameters.
  public convenience init(_ parameters: Parameters<Float>, batchSize: Int) {
    self.init(parameters, batchSize: batchSize, keepsIntermediates: false)
  }

  public func step(_ minibatch: Minibatch, learningRate: Float) -> Float {
    let loss = differentiate(minibatch)
    update(learningRate: learningRate)
    return loss
  }

  /// Computes the loss and leaves every parameter's gradient in memory.
  package func differentiate(_ minibatch: Minibatch) -> Float {
    precondition(
      minibatch.count == batchSize && minibatch.blockSize == shape.blockSize,
      """
      FusedEngine: \(minibatch.count) windows of \(minibatch.blockSize) for a batch of \
      \(batchSize) windows of \(shape.blockSize)
      """)
    embedding.gather(minibatch)
    for slice in slices { slice.forward(embcat: embedding.embcat) }
    let logits = Reduction.sum(slices.count) { slices[$0].logits }
    let loss = output.crossEntropy(logits, minibatch)
    for slice in slices { slice.backward(embcat: embedding.embcat, dlogits: output.dlogits) }
    let dembcat = Reduction.sum(slices.count) { slices[$0].dembcat }
    embedding.scatter(dembcat, minibatch)
    return loss
  }

  /// Moves every parameter against its gradient.
  private func update(learningRate: Float) {
    embedding.memory.descend(learningRate: learningRate)
    output.memory.descend(learningRate: learningRate)
    for slice in slices { slice.memory.descend(learningRate: learningRate) }
  }

  public var parameters: Parameters<Float> { read().parameters }

  /// The gradients that the last call of `differentiate` left.
  package var gradients: Gradients<Float> { read().gradients }

  /// Puts the layers' parts together again as matrices.
  private func read() -> (parameters: Parameters<Float>, gradients: Gradients<Float>) {
    var parameters = Parameters<Float>(zeros: shape)
    var gradients = Gradients<Float>(zeros: shape)
    embedding.read(into: &parameters, &gradients)
    output.read(into: &parameters, &gradients)
    for slice in slices { slice.read(into: &parameters, &gradients) }
    return (parameters, gradients)
  }
}

extension FusedEngine {
  /// The bytes that an engine for these sizes allocates, or nil if their number exceeds an Int.
  public static func byteCount(_ shape: ModelShape, batchSize: Int) -> Int? {
    // Parameters and gradients, then activations: rows of padded columns, as the layers cut them.
    let matrices: [(rows: [Int], columns: Int)] = [
      ([2, shape.vocabulary], shape.embedding),
      ([2, shape.contextWidth + 3], shape.hidden), ([2, shape.hidden], shape.vocabulary),
      ([3, batchSize], shape.hidden), ([2, batchSize], shape.vocabulary),
      ([2, batchSize], shape.contextWidth + 1),
    ]
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
