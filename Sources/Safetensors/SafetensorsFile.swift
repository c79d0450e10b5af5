// The content of a safetensors file (named tensors in order, and a dictionary of strings), decoded
// from bytes and encoded as bytes. The format: eight bytes of little-endian header length, the
// header, the data.
//
// It is a value in memory and opens no file, so it works the same on a download, a test fixture or
// a pipe. Names are compared as Swift compares strings: two that differ only in Unicode
// normalization are the same name, and a file that has both is refused.

/// The content of a safetensors file.
public struct SafetensorsFile: Equatable, Sendable {
  /// A tensor and its name.
  public struct NamedTensor: Hashable, Sendable {
    /// The name, unique in its file.
    public let name: String
    /// The tensor.
    public let tensor: Tensor
  }

  /// The key the format reserves for metadata; no tensor can have this name.
  public static let metadataKey = "__metadata__"

  /// The tensors: those of a decoded file in the order of their data, then in the order added.
  public private(set) var tensors: [NamedTensor]
  /// Free text about the tensors.
  public var metadata: [String: String]
  /// Where each name is in `tensors`.
  private var positions: [String: Int]

  /// Makes a file without tensors.
  public init(metadata: [String: String] = [:]) {
    self.tensors = []
    self.metadata = metadata
    self.positions = [:]
  }

  /// Makes a file of tensors whose names are unique.
  init(tensors: [NamedTensor], positions: [String: Int], metadata: [String: String]) {
    self.tensors = tensors
    self.metadata = metadata
    self.positions = positions
  }

  /// The tensor with a name, or nil if there is none.
  ///
  /// Setting a new name appends, setting a known one replaces in place, and setting nil removes, in
  /// time proportional to the number of tensors.
  public subscript(name: String) -> Tensor? {
    get { positions[name].map { tensors[$0].tensor } }
    set {
      switch (positions[name], newValue) {
      case (let position?, let tensor?):
        tensors[position] = NamedTensor(name: tensors[position].name, tensor: tensor)
      case (nil, let tensor?):
        positions[name] = tensors.count
        tensors.append(NamedTensor(name: name, tensor: tensor))
      case (let position?, nil):
        remove(at: position)
      case (nil, nil):
        break
      }
    }
  }

  /// The tensor with a name.
  ///
  /// - Throws: `SafetensorsError.tensorNotFound` if there is none.
  public func tensor(named name: String) throws(SafetensorsError) -> Tensor {
    guard let tensor = self[name] else { throw .tensorNotFound(name: name) }
    return tensor
  }

  private mutating func remove(at position: Int) {
    positions[tensors[position].name] = nil
    tensors.remove(at: position)
    for later in position..<tensors.count {
      positions[tensors[later].name] = later
    }
  }
}

// MARK: - Decoding
//
// Whatever the bytes are, this returns or throws and never traps. The time is proportional to the
// file, and n log n in the number of tensors, which are put into the order of their data. No tensor
// is built before the whole header has been checked.

extension SafetensorsFile {
  /// Reads the content of a file.
  ///
  /// This is stricter than the reference implementation: keys given twice, nulls, white space
  /// around the header other than padding spaces, and unknown fields are refused.
  ///
  /// - Throws: `SafetensorsError` naming the place, what was expected and what was found.
  public init(decoding bytes: [UInt8], limits: Limits = Limits()) throws(SafetensorsError) {
    let (header, headerEnd) = try Self.header(of: bytes, limits: limits)
    let positions = try header.positions()
    let order = try header.dataOrder(dataLength: bytes.count - headerEnd)

    var ranks = order
    for (rank, position) in order.enumerated() { ranks[position] = rank }
    let tensors = order.map { header.records[$0].namedTensor(in: bytes[headerEnd...]) }
    self.init(
      tensors: tensors, positions: positions.mapValues { ranks[$0] }, metadata: header.metadata)
  }

  /// The header, and where it ends; the data need not be there.
  static func header(
    of bytes: [UInt8], limits: Limits
  ) throws(SafetensorsError) -> (Header, end: Int) {
    let end = try headerEnd(of: bytes, limits: limits)
    try validateUTF8(bytes, in: lengthByteCount..<end)
    var scanner = HeaderScanner(
      bytes, in: lengthByteCount..<end, keyLengthLimit: limits.keyLength)
    return (try Header(scanning: &scanner, rankLimit: limits.rank), end)
  }

  /// The number of bytes before the header, which hold its length.
  static let lengthByteCount = 8

  /// Where the header ends, checked against the limit and the file before anything is allocated.
  private static func headerEnd(
    of bytes: [UInt8], limits: Limits
  ) throws(SafetensorsError) -> Int {
    guard bytes.count >= lengthByteCount else { throw .fileTooShort(byteCount: bytes.count) }
    var length: UInt64 = 0
    for index in (0..<lengthByteCount).reversed() {
      length = length << 8 | UInt64(bytes[index])
    }
    guard length <= limits.headerLength else {
      throw .headerTooLong(length: length, limit: limits.headerLength)
    }
    let available = bytes.count - lengthByteCount
    guard length <= available else {
      throw .headerTruncated(length: length, available: available)
    }
    return lengthByteCount + Int(length)
  }

  private static func validateUTF8(
    _ bytes: [UInt8], in range: Range<Int>
  ) throws(SafetensorsError) {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span.extracting(range))
    } catch {
      throw .headerNotUTF8(offset: range.lowerBound + error.byteOffsets.lowerBound)
    }
  }
}

// MARK: - Encoding
//
// The bytes are those of the reference implementation: tensors by descending data type, then by
// name; compact JSON; spaces up to a multiple of eight, which aligns the data for every type. They
// do not depend on the order in which tensors and metadata were added. The reference leaves the
// order of metadata keys to chance; here they are sorted. What is written under some limits can be
// read under the same limits.

extension SafetensorsFile {
  /// The bytes of a file with this content.
  ///
  /// Empty metadata are left out.
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

// MARK: - The header's text

/// Writes a header as the reference implementation's JSON library does: no white space, and only
/// the mandatory escapes.
private struct HeaderWriter {
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

// MARK: - The length of a file, from its beginning
//
// A pipe has no length and a sparse file's misleads, but the header gives the exact length, so a
// reader knows where to stop before the data arrive.

extension SafetensorsFile {
  /// What the beginning of a file says about the length of all of it, in bytes.
  public enum Length: Hashable, Sendable {
    /// The header is not complete yet: it, or the eight bytes before it, ends here.
    case atLeast(Int)
    /// The data end here, unless decoding refuses the file.
    case exactly(Int)
  }

  /// The length of a file that begins with these bytes, whether or not its data are there.
  ///
  /// - Throws: `SafetensorsError` if no file begins like this.
  public static func length(
    ofFileBeginning bytes: [UInt8], limits: Limits = Limits()
  ) throws(SafetensorsError) -> Length {
    do throws(SafetensorsError) {
      let (header, headerEnd) = try header(of: bytes, limits: limits)
      let dataEnd = header.records.reduce(0) { max($0, $1.end) }
      // No file can reach an end beyond the largest Int.
      let (end, overflow) = headerEnd.addingReportingOverflow(dataEnd)
      return .exactly(overflow ? .max : end)
    } catch {
      switch error {
      case .fileTooShort: return .atLeast(lengthByteCount)
      // The length fits an Int: it is within the limit, or the error would be `headerTooLong`.
      case .headerTruncated(let length, _): return .atLeast(lengthByteCount + Int(length))
      default: throw error
      }
    }
  }
}

// MARK: - Limits
//
// The format itself sets none. The limit on keys saves time, not space: before Swift hashes or
// compares a string, it sorts combining marks into canonical order by insertion sort, so that a key
// of nothing but marks takes time in the square of its length. Values are never hashed and may have
// any length.

extension SafetensorsFile {
  /// The limits a header is held to, when it is read and when it is written.
  public struct Limits: Hashable, Sendable {
    /// The most bytes in a header, padding included.
    public var headerLength: Int
    /// The most UTF-8 bytes in a key, which is a tensor's name or a metadata key.
    public var keyLength: Int
    /// The most dimensions of a tensor.
    public var rank: Int

    /// Makes a set of limits.
    ///
    /// The default header limit is the reference implementation's; NumPy 2 holds up to 64
    /// dimensions.
    ///
    /// - Precondition: no limit is negative.
    public init(headerLength: Int = 100_000_000, keyLength: Int = 1024, rank: Int = 64) {
      precondition(
        headerLength >= 0 && keyLength >= 0 && rank >= 0, "Limits: a limit must not be negative")
      self.headerLength = headerLength
      self.keyLength = keyLength
      self.rank = rank
    }
  }
}
