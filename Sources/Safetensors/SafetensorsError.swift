// Everything that can be wrong with a file, or with a request to read or write one.
//
// One case for one mistake, so that a test or a caller can tell them apart without reading text;
// the texts are in SafetensorsError+Description.swift. Offsets of characters count from the first
// byte of the file; offsets of data count from the first byte after the header, as the file's do.

/// Why bytes are not a safetensors file, or a value is not what was asked for.
public enum SafetensorsError: Error, Hashable, Sendable {
  // The frame.

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
  /// There is no tensor with a name.
  case tensorNotFound(name: String)
  /// A tensor, which has a name if it was asked for by name, holds elements of another type.
  case dataTypeMismatch(tensor: String?, expected: DataType, found: DataType)
}
