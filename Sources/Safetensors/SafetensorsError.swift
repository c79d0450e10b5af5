// Everything that can be wrong with a file, or with a request to read or write one.
//
// Each mistake has its own case, so that a test or a caller can tell them apart without reading
// text. Offsets of characters count from the first byte of the file; offsets of data count from the
// first byte after the header, as in the file itself.

/// Why bytes are not a safetensors file, or a value is not what was asked for.
public enum SafetensorsError: Error, Hashable, Sendable {
  // The file as a whole.

  /// The file ends before the eight bytes that hold the header's length.
  case fileTooShort(byteCount: Int)
  /// The header is longer than the limit.
  case headerTooLong(length: UInt64, limit: Int)
  /// The file ends before its header does.
  case headerTruncated(length: UInt64, available: Int)

  // The header's text.

  /// The header is not UTF-8.
  case headerNotUTF8(offset: Int)
  /// The header is not the JSON it must be.
  case unexpected(offset: Int, expected: String, found: String)
  /// A string has an escaped surrogate without its other half.
  case loneSurrogate(offset: Int)
  /// A number is above `Int.max`.
  case integerTooLarge(offset: Int)
  /// A key or a type's name is longer than the limit.
  case keyTooLong(offset: Int, limit: Int)
  /// A key occurs twice in its object.
  case duplicateKey(offset: Int, key: String)

  // A tensor's entry.

  /// The entry has a field the format does not know.
  case unknownField(offset: Int, tensor: String, field: String)
  /// The entry lacks a field.
  case missingField(tensor: String, field: String)
  /// The element type is not one of `DataType`.
  case unknownDataType(offset: Int, tensor: String, found: String)
  /// There are more dimensions than the limit.
  case rankTooHigh(tensor: String, limit: Int)
  /// The data offsets are not a start and an end.
  case offsetCountNotTwo(tensor: String)

  // The data.

  /// The number of bits a tensor takes is above `Int.max`.
  case shapeOverflow(tensor: String, dataType: DataType, shape: [Int])
  /// Elements narrower than a byte do not fill the last byte.
  case partialByte(tensor: String, dataType: DataType, shape: [Int])
  /// A tensor ends before it starts.
  case offsetsReversed(tensor: String, start: Int, end: Int)
  /// A tensor ends after the file.
  case offsetBeyondData(tensor: String, end: Int, dataLength: Int)
  /// The offsets span more or fewer bytes than the type and the shape ask for.
  case byteCountMismatch(tensor: String, expected: Int, found: Int)
  /// A tensor starts inside another one.
  case overlap(tensor: String, start: Int, covered: Int)
  /// Bytes before a tensor belong to no tensor.
  case hole(tensor: String, start: Int, covered: Int)
  /// Bytes at the end belong to no tensor.
  case trailingBytes(covered: Int, dataLength: Int)

  // What the caller asked for.

  /// A tensor to be written has the name the format keeps for metadata.
  case reservedName
  /// A tensor's name or a metadata key to be written is longer than the limit.
  case nameTooLong(name: String, limit: Int)
  /// There is no tensor of that name.
  case tensorNotFound(name: String)
  /// A tensor holds elements of another type; `tensor` is its name if it was asked for by name.
  case dataTypeMismatch(tensor: String?, expected: DataType, found: DataType)
}

// MARK: - Messages

// One line each: where, what was expected, what was found. Names and strings may come from a
// hostile file, so they are quoted, escaped and cut. The lines name no file and give no advice; the
// caller knows both better.

extension SafetensorsError: CustomStringConvertible {
  /// The error in one line.
  public var description: String {
    switch self {
    case .fileTooShort(let byteCount):
      "expected 8 bytes of header length, found a file of \(byteCount)"
    case .headerTooLong(let length, let limit):
      "expected a header of at most \(limit) bytes, found a length of \(length)"
    case .headerTruncated(let length, let available):
      "expected \(length) bytes of header, found a file that ends after \(available)"
    case .headerNotUTF8(let offset):
      "byte \(offset): expected a header in UTF-8, found an invalid sequence"
    case .unexpected(let offset, let expected, let found):
      "byte \(offset): expected \(expected), found \(found)"
    case .loneSurrogate(let offset):
      "byte \(offset): expected a Unicode scalar, found half a surrogate pair"
    case .integerTooLarge(let offset):
      "byte \(offset): expected an integer of at most \(Int.max), found a larger one"
    case .keyTooLong(let offset, let limit):
      "byte \(offset): expected a string of at most \(limit) bytes, found a longer one"
    case .duplicateKey(let offset, let key):
      "byte \(offset): expected every key once, found \(quoted(key)) again"
    case .unknownField(let offset, let tensor, let field):
      "byte \(offset): tensor \(quoted(tensor)): expected dtype, shape or data_offsets, "
        + "found a field \(quoted(field))"
    case .missingField(let tensor, let field):
      "tensor \(quoted(tensor)): expected a field \(field), found none"
    case .unknownDataType(let offset, let tensor, let found):
      "byte \(offset): tensor \(quoted(tensor)): expected a dtype of the format, "
        + "found \(quoted(found))"
    case .rankTooHigh(let tensor, let limit):
      "tensor \(quoted(tensor)): expected at most \(limit) dimensions, found more"
    case .offsetCountNotTwo(let tensor):
      "tensor \(quoted(tensor)): expected two data offsets, found more or fewer"
    case .shapeOverflow(let tensor, let dataType, let shape):
      "tensor \(quoted(tensor)): expected a size that fits in an Int, "
        + "found \(dataType.rawValue) \(shape)"
    case .partialByte(let tensor, let dataType, let shape):
      "tensor \(quoted(tensor)): expected whole bytes, found \(dataType.rawValue) \(shape)"
    case .offsetsReversed(let tensor, let start, let end):
      "tensor \(quoted(tensor)): expected an end at or after its start at \(start), found \(end)"
    case .offsetBeyondData(let tensor, let end, let dataLength):
      "tensor \(quoted(tensor)): expected \(end) bytes of data, found \(dataLength)"
    case .byteCountMismatch(let tensor, let expected, let found):
      "tensor \(quoted(tensor)): expected \(expected) bytes for its dtype and shape, "
        + "found offsets that span \(found)"
    case .overlap(let tensor, let start, let covered):
      "tensor \(quoted(tensor)): expected to start at \(covered), where the one before it ends, "
        + "found an overlap from \(start)"
    case .hole(let tensor, let start, let covered):
      "tensor \(quoted(tensor)): expected to start at \(covered), where the one before it ends, "
        + "found a hole up to \(start)"
    case .trailingBytes(let covered, let dataLength):
      "expected \(covered) bytes of data, as many as the tensors take, found \(dataLength)"
    case .reservedName:
      "expected a tensor's name, found \(quoted(SafetensorsFile.metadataKey)), which is reserved"
    case .nameTooLong(let name, let limit):
      "expected a name of at most \(limit) bytes, found \(quoted(name))"
    case .tensorNotFound(let name):
      "expected a tensor \(quoted(name)), found none"
    case .dataTypeMismatch(let tensor?, let expected, let found):
      "tensor \(quoted(tensor)): expected \(expected.rawValue), found \(found.rawValue)"
    case .dataTypeMismatch(nil, let expected, let found):
      "expected a tensor of \(expected.rawValue), found \(found.rawValue)"
    }
  }
}

/// A string from a file as an error shows it: in quotation marks, cut after 64 characters, and with
/// nothing in it that could break the line or control a terminal.
func quoted(_ string: String) -> String {
  let scalars = string.unicodeScalars
  let shown = scalars.prefix(64)
  let text = shown.map { escaped($0) }.joined()
  return "\"\(text)\"" + (shown.endIndex == scalars.endIndex ? "" : "…")
}

private func escaped(_ scalar: Unicode.Scalar) -> String {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
    "\\u{\(String(scalar.value, radix: 16))}"
  default:
    scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : String(Character(scalar))
  }
}
