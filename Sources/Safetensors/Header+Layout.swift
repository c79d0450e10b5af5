// Whether the tensors are the data: each entry's length is what its type and shape ask for, and in
// the order of their offsets the entries cover every byte exactly once.
//
// Together the two leave a file no room for hidden bytes, shared bytes or bytes outside itself.

extension Header {
  /// Checks all records against the data; gives their places in the header by data order.
  func dataOrder(dataLength: Int) throws(SafetensorsError) -> [Int] {
    for record in records {
      try record.validate(dataLength: dataLength)
    }
    // Empty tensors may share an offset, so the place in the header decides last.
    let order = records.indices.sorted { left, right in
      let (first, second) = (records[left], records[right])
      return (first.start, first.end, left) < (second.start, second.end, right)
    }
    try validateTiling(in: order, dataLength: dataLength)
    return order
  }

  private func validateTiling(in order: [Int], dataLength: Int) throws(SafetensorsError) {
    var covered = 0
    for record in order.lazy.map({ records[$0] }) {
      guard record.start >= covered else {
        throw .overlap(tensor: record.name.text, start: record.start, covered: covered)
      }
      guard record.start == covered else {
        throw .hole(tensor: record.name.text, start: record.start, covered: covered)
      }
      covered = record.end
    }
    guard covered == dataLength else {
      throw .trailingBytes(covered: covered, dataLength: dataLength)
    }
  }
}

extension TensorRecord {
  /// Checks what can be checked without the other records.
  fileprivate func validate(dataLength: Int) throws(SafetensorsError) {
    guard start <= end else {
      throw .offsetsReversed(tensor: name.text, start: start, end: end)
    }
    guard end <= dataLength else {
      throw .offsetBeyondData(tensor: name.text, end: end, dataLength: dataLength)
    }
    let expected = try byteCount()
    guard end - start == expected else {
      throw .byteCountMismatch(tensor: name.text, expected: expected, found: end - start)
    }
  }

  private func byteCount() throws(SafetensorsError) -> Int {
    do throws(ShapeFlaw) {
      return try dataType.byteCount(shape: shape)
    } catch .partialByte {
      throw .partialByte(tensor: name.text, dataType: dataType, shape: shape)
    } catch {
      throw .shapeOverflow(tensor: name.text, dataType: dataType, shape: shape)
    }
  }
}
