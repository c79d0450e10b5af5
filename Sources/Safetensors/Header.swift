// Reading the header, an object of tensor entries and one optional metadata object of strings, and
// checking it against the data.
//
// The grammar is three levels deep and not recursive, and neither is its reader. Keys are collected
// first and hashed once at the end, when their number is known.

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
    do throws(ShapeError) {
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
/// Reading makes sure only that a record is well-formed: its numbers are checked once the whole
/// header is known.
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

// MARK: - The characters of a header
//
// A cursor over valid UTF-8 that knows the punctuation of JSON (RFC 8259) and its white space, and
// reports where it stopped. It accepts only what a header's grammar allows next, so it never holds
// a general JSON value and cannot be made to recurse. Offsets are bytes of the file, as a hex dump
// counts them.

struct HeaderScanner {
  let bytes: [UInt8]
  let end: Int
  let keyLengthLimit: Int
  var position: Int

  /// A scanner of a range of bytes, which must be valid UTF-8.
  init(_ bytes: [UInt8], in range: Range<Int>, keyLengthLimit: Int) {
    self.bytes = bytes
    self.end = range.upperBound
    self.keyLengthLimit = keyLengthLimit
    self.position = range.lowerBound
  }

  /// The byte at the cursor, or nil at the end of the header.
  var current: UInt8? { position < end ? bytes[position] : nil }

  /// The error of not finding what was expected at the cursor.
  func unexpected(expecting expected: StaticString) -> SafetensorsError {
    .unexpected(offset: position, expected: "\(expected)", found: describeCurrent())
  }

  /// Moves past a byte if it is the one at the cursor.
  mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  /// Moves past a byte that must be at the cursor.
  mutating func require(
    _ byte: UInt8, expecting expected: StaticString
  ) throws(SafetensorsError) {
    guard skip(byte) else { throw unexpected(expecting: expected) }
  }

  /// Moves past white space, as RFC 8259 section 2 defines it.
  mutating func skipWhiteSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  /// Checks that the header begins with its brace; the format allows nothing before it.
  func requireObjectStart() throws(SafetensorsError) {
    guard current == .openBrace else { throw unexpected(expecting: "'{' as the first byte") }
  }

  /// Checks that nothing but padding is left; the format allows no other white space there.
  mutating func requirePaddingToEnd() throws(SafetensorsError) {
    while skip(.space) {}
    guard position == end else {
      throw unexpected(expecting: "only spaces after the header's last brace")
    }
  }

  private func describeCurrent() -> String {
    guard let byte = current else { return "the end of the header" }
    guard byte >= 0x20 && byte < 0x7F else { return "byte 0x" + String(byte, radix: 16) }
    return "'\(Character(Unicode.Scalar(byte)))'"
  }
}

extension UInt8 {
  static var space: UInt8 { UInt8(ascii: " ") }
  static var openBrace: UInt8 { UInt8(ascii: "{") }
  static var quotationMark: UInt8 { UInt8(ascii: "\"") }
  static var backslash: UInt8 { UInt8(ascii: "\\") }
}

// MARK: Objects, arrays and integers

// The caller reads each member in a closure, so a header nests as deep as the calls do: three
// levels. Numbers are non-negative integers without sign, fraction, exponent or leading zero;
// shapes and offsets need no others.

extension HeaderScanner {
  /// Reads `{ key : member, … }`; the closure reads each member.
  mutating func scanObject(
    expecting opening: StaticString,
    member: (inout HeaderScanner, HeaderString) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    skipWhiteSpace()
    try require(.openBrace, expecting: opening)
    skipWhiteSpace()
    if skip(UInt8(ascii: "}")) { return }
    repeat {
      let key = try scanKey(expecting: "'\"' opening a key")
      skipWhiteSpace()
      try require(UInt8(ascii: ":"), expecting: "':' after a key")
      try member(&self, key)
      skipWhiteSpace()
    } while skip(UInt8(ascii: ","))
    try require(UInt8(ascii: "}"), expecting: "',' or '}' in an object")
  }

  /// Reads `[ element, … ]`; the closure reads each element.
  mutating func scanArray(
    expecting opening: StaticString,
    element: (inout HeaderScanner) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    skipWhiteSpace()
    try require(UInt8(ascii: "["), expecting: opening)
    skipWhiteSpace()
    if skip(UInt8(ascii: "]")) { return }
    repeat {
      try element(&self)
      skipWhiteSpace()
    } while skip(UInt8(ascii: ","))
    try require(UInt8(ascii: "]"), expecting: "',' or ']' after an integer")
  }

  /// Reads a non-negative integer.
  mutating func scanInteger(expecting expected: StaticString) throws(SafetensorsError) -> Int {
    skipWhiteSpace()
    let start = position
    guard var value = scanDigit() else { throw unexpected(expecting: expected) }
    if value == 0 { return 0 }  // A digit after a leading zero fails as neither ',' nor ']'.
    while let digit = scanDigit() {
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(digit)
      guard !overflow && !carry else { throw .integerTooLarge(offset: start) }
      value = sum
    }
    return value
  }

  private mutating func scanDigit() -> Int? {
    guard let byte = current, byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") else {
      return nil
    }
    position += 1
    return Int(byte - UInt8(ascii: "0"))
  }
}

// MARK: Strings

// RFC 8259 section 7 to the letter: control characters must be escaped, escapes must be known, and
// \u escapes must form Unicode scalars. Half a surrogate pair is refused, because no Swift string
// can hold it and any replacement would be a different key. The header has been validated as UTF-8,
// so everything but an escape is copied as it stands.

extension HeaderScanner {
  /// Reads a string of any length.
  mutating func scanString(
    expecting expected: StaticString
  ) throws(SafetensorsError) -> HeaderString {
    try scanString(expecting: expected, lengthLimit: .max)
  }

  /// Reads a string that will be compared or hashed, so its length is bounded.
  mutating func scanKey(expecting expected: StaticString) throws(SafetensorsError) -> HeaderString {
    try scanString(expecting: expected, lengthLimit: keyLengthLimit)
  }

  private mutating func scanString(
    expecting expected: StaticString, lengthLimit: Int
  ) throws(SafetensorsError) -> HeaderString {
    skipWhiteSpace()
    let start = position
    try require(.quotationMark, expecting: expected)
    var text: [UInt8] = []
    while !skip(.quotationMark) {
      if current == .backslash {
        try scanEscape(into: &text)
      } else {
        try scanPlainRun(into: &text)
      }
      guard text.count <= lengthLimit else {
        throw .keyTooLong(offset: start, limit: lengthLimit)
      }
    }
    return HeaderString(text: String(decoding: text, as: UTF8.self), offset: start)
  }

  /// Copies everything up to the next quotation mark or escape.
  private mutating func scanPlainRun(into text: inout [UInt8]) throws(SafetensorsError) {
    let start = position
    while let byte = current, byte != .quotationMark, byte != .backslash, byte >= 0x20 {
      position += 1
    }
    guard current == .quotationMark || current == .backslash else {
      throw unexpected(expecting: "a character of a string, or '\"' ending it")
    }
    text.append(contentsOf: bytes[start..<position])
  }

  private mutating func scanEscape(into text: inout [UInt8]) throws(SafetensorsError) {
    let start = position
    position += 1
    switch current {
    case .quotationMark, .backslash, UInt8(ascii: "/"): text.append(bytes[position])
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      position = start
      text.append(contentsOf: try scanUnicodeEscape().utf8)
      return
    default: throw unexpected(expecting: "one of \"\\/bfnrtu after a backslash")
    }
    position += 1
  }

  /// Reads `\uXXXX`, or two of them that form a surrogate pair.
  private mutating func scanUnicodeEscape() throws(SafetensorsError) -> String {
    let start = position
    let first = try scanCodeUnit()
    if let scalar = Unicode.Scalar(first) { return String(Character(scalar)) }
    guard UTF16.isLeadSurrogate(first), isAtUnicodeEscape else {
      throw .loneSurrogate(offset: start)
    }
    let second = try scanCodeUnit()
    guard UTF16.isTrailSurrogate(second) else { throw .loneSurrogate(offset: start) }
    return String(decoding: [first, second], as: UTF16.self)
  }

  private var isAtUnicodeEscape: Bool {
    position + 1 < end && bytes[position] == .backslash && bytes[position + 1] == UInt8(ascii: "u")
  }

  /// Reads `\uXXXX`, whose first two characters have been seen.
  private mutating func scanCodeUnit() throws(SafetensorsError) -> UInt16 {
    position += 2
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected(expecting: "four hexadecimal digits after \\u")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }
}
