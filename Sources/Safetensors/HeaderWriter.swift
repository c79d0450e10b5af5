// The header's text, as the reference implementation's JSON library writes it: no white space, and
// only those characters escaped that must be.
//
// A writer of this one grammar, not of JSON at large.

struct HeaderWriter {
  private var text: [UInt8] = []

  /// The unpadded header of tensors that follow each other in this order.
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

  /// The order of keys in the file: by their UTF-8 bytes, which is also that of their scalars.
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
