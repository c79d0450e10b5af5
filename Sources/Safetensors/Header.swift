// The header: an object of tensor entries and one optional metadata object of strings. Here it is
// read, checked against the data, and written. The grammar is three levels deep and not recursive,
// and neither is its reader; the characters are HeaderScanner's.
//
// Keys are collected first and hashed once at the end, when their number is known.

/// What a header says, before it is compared with the data.
struct Header {
  private(set) var metadata: [String: String] = [:]
  private(set) var records: [TensorRecord] = []

  /// Reads a whole header, padding included.
  init(scanning scanner: inout HeaderScanner, rankLimit: Int) throws(SafetensorsError) {
    var hasMetadata = false
    try scanner.requireObjectStart()
    try scanner.scanObject(expecting: "'{' opening the header") {
      (scanner, name) throws(SafetensorsError) in
      if name.text == SafetensorsFile.metadataKey {
        guard !hasMetadata else { throw name.duplicate }
        hasMetadata = true
        metadata = try Self.scanMetadata(&scanner)
      } else {
        records.append(try TensorRecord(named: name, scanning: &scanner, rankLimit: rankLimit))
      }
    }
    try scanner.requirePaddingToEnd()
  }

  private static func scanMetadata(
    _ scanner: inout HeaderScanner
  ) throws(SafetensorsError) -> [String: String] {
    var entries: [(key: HeaderString, value: String)] = []
    try scanner.scanObject(expecting: "'{' opening the metadata") {
      (scanner, key) throws(SafetensorsError) in
      entries.append((key, try scanner.scanString(expecting: "a string, a metadata value").text))
    }
    var metadata = [String: String](minimumCapacity: entries.count)
    for entry in entries {
      guard metadata.updateValue(entry.value, forKey: entry.key.text) == nil else {
        throw entry.key.duplicate
      }
    }
    return metadata
  }

  /// Where each tensor's name is among the records.
  func positions() throws(SafetensorsError) -> [String: Int] {
    var positions = [String: Int](minimumCapacity: records.count)
    for (position, record) in records.enumerated() {
      guard positions.updateValue(position, forKey: record.name.text) == nil else {
        throw record.name.duplicate
      }
    }
    return positions
  }
}

/// A string in the header and where it starts.
struct HeaderString {
  let text: String
  /// The byte of the file at which the opening quotation mark is.
  let offset: Int

  /// The error of meeting this key a second time.
  var duplicate: SafetensorsError { .duplicateKey(offset: offset, key: text) }
}

// MARK: - Checking the entries against the data

// Each entry is as long as its type and shape require, and together, in the order of their offsets,
// the entries cover every byte exactly once. So a file has no hidden bytes, no shared bytes and
// none outside itself.

extension Header {
  /// Checks all records against the data.
  ///
  /// - Returns: their places in the header, in the order of their data.
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

// MARK: - Tensor entries

/// What the header says about one tensor: {"dtype": …, "shape": […], "data_offsets": [start, end]},
/// the three fields in any order, each exactly once, and no others.
///
/// A record that was read is well-formed, no more: its numbers are checked once the whole header is
/// known.
struct TensorRecord {
  let name: HeaderString
  let dataType: DataType
  let shape: [Int]
  /// Where the tensor's bytes start, counted from the first byte after the header.
  let start: Int
  /// Where they end.
  let end: Int

  /// Reads the entry that follows a tensor's name.
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

  /// Cuts the tensor out of the data, against which the record was checked.
  func namedTensor(in data: ArraySlice<UInt8>) -> SafetensorsFile.NamedTensor {
    let bytes = Array(data[data.startIndex + start..<data.startIndex + end])
    let tensor = Tensor(dataType: dataType, shape: shape, bytes: bytes)
    return SafetensorsFile.NamedTensor(name: name.text, tensor: tensor)
  }
}

/// The fields of an entry read so far.
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

// MARK: - Writing

/// Writes a header as the reference implementation's JSON library does: no white space, and only
/// those characters escaped that must be.
struct HeaderWriter {
  private var text: [UInt8] = []

  /// The unpadded header of tensors whose data come in this order.
  static func header(
    of tensors: [SafetensorsFile.NamedTensor], metadata: [String: String]
  ) -> [UInt8] {
    var writer = HeaderWriter()
    writer.append("{")
    if !metadata.isEmpty {
      writer.appendMetadata(metadata)
      if !tensors.isEmpty { writer.append(",") }
    }
    writer.appendTensors(tensors)
    writer.append("}")
    return writer.text
  }

  /// The order of keys in a file: by UTF-8 bytes, which is also the order by scalars.
  static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private mutating func appendMetadata(_ metadata: [String: String]) {
    append("\"\(SafetensorsFile.metadataKey)\":{")
    let entries = metadata.sorted { Self.precedes($0.key, $1.key) }
    for (index, entry) in entries.enumerated() {
      if index > 0 { append(",") }
      appendQuoted(entry.key)
      append(":")
      appendQuoted(entry.value)
    }
    append("}")
  }

  private mutating func appendTensors(_ tensors: [SafetensorsFile.NamedTensor]) {
    var offset = 0
    for (index, entry) in tensors.enumerated() {
      if index > 0 { append(",") }
      let tensor = entry.tensor
      let end = offset + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      appendQuoted(entry.name)
      append(":{\"dtype\":\"\(tensor.dataType.rawValue)\",\"shape\":[\(shape)],")
      append("\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
  }

  private mutating func append(_ string: String) {
    text.append(contentsOf: string.utf8)
  }

  private mutating func appendQuoted(_ string: String) {
    text.append(.quotationMark)
    for byte in string.utf8 { appendEscaped(byte) }
    text.append(.quotationMark)
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    switch byte {
    case .quotationMark: append("\\\"")
    case .backslash: append("\\\\")
    case 0x08: append("\\b")
    case 0x09: append("\\t")
    case 0x0A: append("\\n")
    case 0x0C: append("\\f")
    case 0x0D: append("\\r")
    case ..<0x10: append("\\u000" + String(byte, radix: 16))
    case ..<0x20: append("\\u00" + String(byte, radix: 16))
    default: text.append(byte)
    }
  }
}
