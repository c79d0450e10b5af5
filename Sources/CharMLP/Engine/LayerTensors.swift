// How parameters get into an engine's blocks of memory, and out again: the same way for all blocks.

import LinearAlgebra

/// The windows that a layer has on one of its blocks: its part of `Parameters`, in the layer's layout.
protocol LayerTensors {
  /// Copies the layer's part of the parameters into the block.
  func assign(_ parameters: Parameters<Float>)

  /// Copies the block into the layer's part of the parameters.
  func copy(to parameters: inout Parameters<Float>)
}

/// What an engine begins with.
struct EngineStart {
  let parameters: Parameters<Float>
  /// What the optimizer remembers, if it remembers anything.
  let moments: Moments<Float>?
}

extension ParameterMemory where Tensors: LayerTensors {
  /// Copies the layer's part of what an engine begins with.
  func assign(_ start: EngineStart) {
    parameters.assign(start.parameters)
    guard let moments, let values = start.moments else { return }
    moments.first.assign(values.first)
    moments.second.assign(values.second)
  }

  /// Copies the layer's part of all blocks.
  func copy(to contents: inout EngineContents) {
    parameters.copy(to: &contents.parameters)
    gradients.copy(to: &contents.gradients)
    guard let moments, var values = contents.moments else { return }
    moments.first.copy(to: &values.first)
    moments.second.copy(to: &values.second)
    contents.moments = values
  }
}

/// All that an engine's memory holds of its parameters.
struct EngineContents {
  var parameters: Parameters<Float>
  var gradients: Gradients<Float>
  var moments: Moments<Float>?

  /// Zeros, to be filled layer by layer.
  init(zeros shape: ModelShape, hasMoments: Bool) {
    parameters = Parameters(zeros: shape)
    gradients = Gradients(zeros: shape)
    moments = hasMoments ? Moments(zeros: shape) : nil
  }
}
