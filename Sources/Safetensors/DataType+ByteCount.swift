// How many bytes a tensor of a given type and shape takes, in checked arithmetic.
//
// Shapes come from files, so nothing here may trap or wrap. A zero in a shape does not excuse the
// other dimensions: [0, 2^62, 2^62] is refused, because whoever computes strides would overflow.

/// Why a type and a shape have no byte count.
enum ShapeFlaw: Error {
  case negativeDimension
  case overflow
  case partialByte
}

extension DataType {
  /// The bytes of a tensor of this type: the product of `shape` × `bitWidth` / 8.
  /// - Throws: `ShapeFlaw` if a dimension is negative, the product of the dimensions that are not
  ///   zero leaves `Int`, or the last byte would be filled only in part.
  func byteCount(shape: [Int]) throws(ShapeFlaw) -> Int {
    var bits = bitWidth
    var isEmpty = false
    for dimension in shape {
      guard dimension >= 0 else { throw .negativeDimension }
      if dimension == 0 {
        isEmpty = true
        continue
      }
      let product = bits.multipliedReportingOverflow(by: dimension)
      guard !product.overflow else { throw .overflow }
      bits = product.partialValue
    }
    if isEmpty { return 0 }
    guard bits.isMultiple(of: 8) else { throw .partialByte }
    return bits / 8
  }
}
