// From the bytes of a file to a reference, every promise checked on the way.
//
// C, W1 and Xb say all sizes; everything else has to fit them. Xb and Yb are I64 as PyTorch makes them,
// all else is of one type, F32 or F64. A name that is no tensor of the pass is left alone, since
// notebooks hold a lot (Xtr, g); but one that begins with d is refused: a misspelt gradient would
// pass unchecked.

import LinearAlgebra
import Safetensors

extension Reference {
  /// Reads a reference.
  ///
  /// - Throws: `ReferenceError` naming the tensor, what was expected and what was found.
  public init(decoding bytes: [UInt8]) throws(ReferenceError) {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(decoding: bytes)
    } catch {
      throw .file(error)
    }
    try self.init(ReferenceReader(file))
  }

  private init(_ reader: ReferenceReader) throws(ReferenceError) {
    precision = reader.precision
    problem = GradientProblem(try reader.parameters(), try reader.minibatch())
    let names = Set(Self.tensorNames)
    var tensors: [String: Matrix<Double>] = [:]
    for name in Self.tensorNames where reader.file[name] != nil {
      tensors[name] = try reader.matrix(name)
    }
    self.tensors = tensors
    ignored = try Self.ignored(reader.file, except: names)
  }

  /// The names that are neither given nor computed.
  private static func ignored(
    _ file: SafetensorsFile, except computed: Set<String>
  ) throws(ReferenceError) -> [String] {
    let given = Parameters<Double>.ordered.map(\.name) + ["Xb", "Yb"]
    let others = file.tensors.map(\.name).filter { !computed.contains($0) && !given.contains($0) }
      .sorted()
    if let gradient = others.first(where: { $0.hasPrefix("d") }) {
      throw .unknownGradient(tensor: gradient)
    }
    return others
  }
}
