// One line for each error: where, what was expected, what was found.
//
// Names and strings come from a file that may be hostile, so they are shown quoted, escaped and
// cut (QuotedText.swift). The lines name no file and give no advice; the caller knows both better.

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
      "tensor \(quoted(tensor)): expected two data offsets, found another number of them"
    case .shapeOverflow(let tensor, let dataType, let shape):
      "tensor \(quoted(tensor)): expected a size that can be counted, "
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
