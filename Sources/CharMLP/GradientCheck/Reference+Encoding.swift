// From a reference to the bytes of a file that a notebook reads with `safetensors.torch.load_file`.

import LinearAlgebra
import Safetensors

extension Reference {
  /// The bytes of a safetensors file with the minibatch, the parameters and all tensors, in the
  /// notebook's shapes.
  public func encoded() -> [UInt8] {
    let shapes = TensorShapes(problem)
    var file = SafetensorsFile()
    let minibatch = problem.minibatch
    file["Xb"] = Tensor(
      minibatch.contexts.map(Int64.init), shape: [minibatch.count, minibatch.blockSize])
    file["Yb"] = Tensor(minibatch.targets.map(Int64.init), shape: [minibatch.count])
    for (name, path) in Parameters<Double>.ordered {
      file[name] = tensor(problem.parameters[keyPath: path], shapes.shape(of: name))
    }
    for (name, matrix) in tensors {
      let owner = name.hasPrefix("d") ? String(name.dropFirst()) : name
      file[name] = tensor(matrix, shapes.shape(of: owner))
    }
    do {
      return try file.encoded()
    } catch {
      preconditionFailure("the names and shapes of a pass fit into a file: \(error)")
    }
  }

  private func tensor(_ matrix: Matrix<Double>, _ shape: [Int]) -> Tensor {
    switch precision {
    case .float32: Tensor(matrix.elements.map { Float($0) }, shape: shape)
    case .float64: Tensor(matrix.elements, shape: shape)
    }
  }
}
