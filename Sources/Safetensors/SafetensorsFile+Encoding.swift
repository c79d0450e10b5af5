// Tensors to bytes, the same bytes as the reference implementation writes: tensors by descending
// data type, then by name; compact JSON; spaces up to a multiple of eight, so that the data that
// follows is aligned for every type.
//
// The same tensors and metadata give the same bytes, whatever the order in which they were added.
// The reference leaves the order of several metadata keys to chance; here they are sorted. What
// this writes under some limits, the reader accepts under the same limits.

extension SafetensorsFile {
  /// The bytes of a file with this content.
  ///
  /// An empty metadata dictionary is left out.
  ///
  /// - Throws: `SafetensorsError` if a tensor has the reserved name or something is over a limit.
  public func encoded(limits: Limits = Limits()) throws(SafetensorsError) -> [UInt8] {
    try validateForEncoding(limits: limits)
    let sorted = tensorsInFileOrder()
    var header = HeaderWriter.header(of: sorted, metadata: metadata)
    while !header.count.isMultiple(of: Self.headerAlignment) { header.append(.space) }
    guard header.count <= limits.headerLength else {
      throw .headerTooLong(length: UInt64(header.count), limit: limits.headerLength)
    }
    return Self.bytes(header: header, tensors: sorted)
  }

  /// The header's length is a multiple of this.
  private static let headerAlignment = 8

  private func validateForEncoding(limits: Limits) throws(SafetensorsError) {
    guard self[Self.metadataKey] == nil else { throw .reservedName }
    for entry in tensors {
      guard entry.name.utf8.count <= limits.keyLength else {
        throw .nameTooLong(name: entry.name, limit: limits.keyLength)
      }
      guard entry.tensor.shape.count <= limits.rank else {
        throw .rankTooHigh(tensor: entry.name, limit: limits.rank)
      }
    }
    for key in metadata.keys.sorted(by: HeaderWriter.precedes)
    where key.utf8.count > limits.keyLength {
      throw .nameTooLong(name: key, limit: limits.keyLength)
    }
  }

  private func tensorsInFileOrder() -> [NamedTensor] {
    var ranks: [DataType: Int] = [:]
    for (rank, dataType) in DataType.allCases.enumerated() { ranks[dataType] = rank }
    return tensors.sorted { left, right in
      if left.tensor.dataType == right.tensor.dataType {
        return HeaderWriter.precedes(left.name, right.name)
      }
      return ranks[left.tensor.dataType, default: 0] > ranks[right.tensor.dataType, default: 0]
    }
  }

  private static func bytes(header: [UInt8], tensors: [NamedTensor]) -> [UInt8] {
    var bytes: [UInt8] = []
    let dataLength = tensors.reduce(0) { $0 + $1.tensor.bytes.count }
    bytes.reserveCapacity(lengthByteCount + header.count + dataLength)
    bytes.append(contentsOf: UInt64.littleEndianBytes(of: [UInt64(header.count)]))
    bytes.append(contentsOf: header)
    for entry in tensors {
      bytes.append(contentsOf: entry.tensor.bytes)
    }
    return bytes
  }
}
