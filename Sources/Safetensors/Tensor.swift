// One tensor: an element type, a shape, and the bytes exactly as the file holds them.
//
// The bytes are row-major and little-endian on every machine. A tensor checks that they fit its
// shape once, when it is made, and cannot be changed afterwards, so nobody has to check again.
// It has no arithmetic and no name; names belong to the file.

/// A tensor as a safetensors file holds it: row-major, little-endian bytes.
public struct Tensor: Hashable, Sendable {
  /// The type of every element.
  public let dataType: DataType
  /// The dimensions, outermost first; empty for a scalar, which has one element.
  public let shape: [Int]
  /// The elements' bytes: the product of `shape` × `dataType.bitWidth` / 8 of them.
  public let bytes: [UInt8]

  /// Makes a tensor of bytes that are already row-major and little-endian.
  ///
  /// - Precondition: `bytes.count` is what `dataType` and `shape` ask for, and no dimension is
  ///   negative.
  public init(dataType: DataType, shape: [Int], bytes: [UInt8]) {
    let expected = try? dataType.byteCount(shape: shape)
    precondition(
      expected == bytes.count,
      "Tensor: \(dataType.rawValue) \(shape) and \(bytes.count) bytes do not fit each other")
    self.dataType = dataType
    self.shape = shape
    self.bytes = bytes
  }

  /// The number of elements: the product of `shape`.
  public var elementCount: Int {
    shape.reduce(1, *)
  }
}
