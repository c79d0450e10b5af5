// The header as a value, and its grammar: an object of tensor entries and one optional metadata
// object of strings. The grammar is three levels deep and has no recursion, so neither does this.
//
// Keys are collected first and hashed once at the end, when their number is known. Whether the
// entries fit the data is decided in Header+Layout.swift; the characters are HeaderScanner's.

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
