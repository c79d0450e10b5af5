// Bytes to tensors: the frame first, then the header's text, then the promises it makes about the
// data, and only then are tensors built.
//
// Whatever the bytes are, this returns or throws; it never traps, and it takes time in proportion
// to the file (and n log n in the number of tensors, to put them in the order of their data).
// The format: eight bytes of little-endian header length, the header, the data.

extension SafetensorsFile {
  /// Reads the content of a file.
  ///
  /// Stricter than the reference implementation where that one shrugs: a key given twice, a null,
  /// white space around the header other than padding spaces, and unknown fields are all refused.
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

  /// The bytes before the header, which hold its length.
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
