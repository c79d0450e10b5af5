// One tensor's entry in the header: {"dtype": …, "shape": […], "data_offsets": [start, end]},
// its three fields in any order, each exactly once, and no other.
//
// An entry that was read is well-formed, no more: whether its numbers make sense is decided when
// the whole header is known.

/// What the header says about one tensor.
struct TensorRecord {
  let name: HeaderString
  let dataType: DataType
  let shape: [Int]
  /// Where the tensor's bytes start, counted from the first byte after the header.
  let start: Int
  /// Where they end.
  let end: Int

  /// Reads the entry that stands after a tensor's name.
  init(
    named name: HeaderString, scanning scanner: inout HeaderScanner, rankLimit: Int
  ) throws(SafetensorsError) {
    var fields = Fields(tensor: name.text, rankLimit: rankLimit)
    try scanner.scanObject(expecting: "'{' opening a tensor's entry") {
      (scanner, field) throws(SafetensorsError) in
      try fields.scan(field, from: &scanner)
    }
    self.name = name
    (dataType, shape, start, end) = try fields.complete()
  }

  /// Cuts the tensor out of the data; the record must have been checked against it.
  func namedTensor(in data: ArraySlice<UInt8>) -> SafetensorsFile.NamedTensor {
    let bytes = Array(data[data.startIndex + start..<data.startIndex + end])
    let tensor = Tensor(dataType: dataType, shape: shape, bytes: bytes)
    return SafetensorsFile.NamedTensor(name: name.text, tensor: tensor)
  }
}

/// The fields of an entry as far as they have been read.
private struct Fields {
  let tensor: String
  let rankLimit: Int
  var dataType: DataType?
  var shape: [Int]?
  var offsets: [Int]?

  mutating func scan(
    _ field: HeaderString, from scanner: inout HeaderScanner
  ) throws(SafetensorsError) {
    switch field.text {
    case "dtype":
      guard dataType == nil else { throw field.duplicate }
      dataType = try scanDataType(&scanner)
    case "shape":
      guard shape == nil else { throw field.duplicate }
      shape = try scanShape(&scanner)
    case "data_offsets":
      guard offsets == nil else { throw field.duplicate }
      offsets = try scanOffsets(&scanner)
    default:
      throw .unknownField(offset: field.offset, tensor: tensor, field: field.text)
    }
  }

  func complete() throws(SafetensorsError) -> (DataType, [Int], Int, Int) {
    guard let dataType else { throw .missingField(tensor: tensor, field: "dtype") }
    guard let shape else { throw .missingField(tensor: tensor, field: "shape") }
    guard let offsets else { throw .missingField(tensor: tensor, field: "data_offsets") }
    return (dataType, shape, offsets[0], offsets[1])
  }

  private func scanDataType(_ scanner: inout HeaderScanner) throws(SafetensorsError) -> DataType {
    let name = try scanner.scanKey(expecting: "a string, the dtype")
    guard let dataType = DataType(rawValue: name.text) else {
      throw .unknownDataType(offset: name.offset, tensor: tensor, found: name.text)
    }
    return dataType
  }

  private func scanShape(_ scanner: inout HeaderScanner) throws(SafetensorsError) -> [Int] {
    var shape: [Int] = []
    try scanner.scanArray(expecting: "'[' opening the shape") {
      (scanner) throws(SafetensorsError) in
      guard shape.count < rankLimit else { throw .rankTooHigh(tensor: tensor, limit: rankLimit) }
      shape.append(try scanner.scanInteger(expecting: "a dimension, an integer of at least 0"))
    }
    return shape
  }

  private func scanOffsets(_ scanner: inout HeaderScanner) throws(SafetensorsError) -> [Int] {
    var offsets: [Int] = []
    try scanner.scanArray(expecting: "'[' opening the data offsets") {
      (scanner) throws(SafetensorsError) in
      guard offsets.count < 2 else { throw .offsetCountNotTwo(tensor: tensor) }
      offsets.append(try scanner.scanInteger(expecting: "an offset, an integer of at least 0"))
    }
    guard offsets.count == 2 else { throw .offsetCountNotTwo(tensor: tensor) }
    return offsets
  }
}
