// One tensor: an element type, a shape, and the bytes exactly as the file holds them.
//
// The bytes are row-major and little-endian on every machine. That they fit the shape is checked
// once, when the tensor is made; it cannot change afterwards. It has no arithmetic, and no name:
// names belong to the file.

/// A tensor as a safetensors file holds it: row-major, little-endian bytes.
public struct Tensor: Hashable, Sendable {
  /// The type of every element.
  public let dataType: DataType
  /// The dimensions, outermost first; empty for a scalar, which has one element.
  public let shape: [Int]
  /// The elements' bytes: the product of `shape` × `dataType.bitWidth` / 8 of them.
  public let bytes: [UInt8]

  /// Makes a tensor of bytes that are already row-major and little-endian.
  ///
  /// - Precondition: `bytes.count` is what `dataType` and `shape` ask for, and no dimension is
  ///   negative.
  public init(dataType: DataType, shape: [Int], bytes: [UInt8]) {
    let expected = try? dataType.byteCount(shape: shape)
    precondition(
      expected == bytes.count,
      "Tensor: \(dataType.rawValue) \(shape) and \(bytes.count) bytes do not fit each other")
    self.dataType = dataType
    self.shape = shape
    self.bytes = bytes
  }

  /// The number of elements: the product of `shape`.
  public var elementCount: Int {
    shape.reduce(1, *)
  }
}

// MARK: - From Swift numbers and back

// A tensor is read only as the type it was written with. Converting would be convenient, but it
// would hide that a file is not the one the caller expects.

extension Tensor {
  /// Makes a tensor of Swift numbers, in row-major order.
  ///
  /// - Precondition: the number of elements is the product of `shape`.
  @inlinable
  public init<Element: TensorElement>(_ elements: [Element], shape: [Int]) {
    self.init(
      dataType: Element.tensorDataType, shape: shape,
      bytes: Element.littleEndianBytes(of: elements))
  }

  /// The elements in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  @inlinable
  public func elements<Element: TensorElement>(
    as type: Element.Type = Element.self
  ) throws(SafetensorsError) -> [Element] {
    guard dataType == Element.tensorDataType else {
      throw .dataTypeMismatch(
        tensor: nil, expected: Element.tensorDataType, found: dataType)
    }
    return Element.elements(littleEndianBytes: bytes)
  }

  /// The elements of an F32 tensor in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  public func floats() throws(SafetensorsError) -> [Float] { try elements() }

  /// The elements of an F64 tensor in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  public func doubles() throws(SafetensorsError) -> [Double] { try elements() }

  /// The elements of an I64 tensor in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  public func integers() throws(SafetensorsError) -> [Int64] { try elements() }
}

extension SafetensorsFile {
  /// The elements of the tensor with a name, in row-major order.
  ///
  /// - Throws: `SafetensorsError.tensorNotFound`, or `dataTypeMismatch` with the tensor's name.
  @inlinable
  public func elements<Element: TensorElement>(
    named name: String, as type: Element.Type = Element.self
  ) throws(SafetensorsError) -> [Element] {
    let tensor = try tensor(named: name)
    guard tensor.dataType == Element.tensorDataType else {
      throw .dataTypeMismatch(
        tensor: name, expected: Element.tensorDataType, found: tensor.dataType)
    }
    return try tensor.elements()
  }
}

// MARK: - Elements and their bytes

// Everything goes through bit patterns and shifts: no unsafe pointer, no assumption about the
// machine's byte order, and NaN payloads survive. The optimizer turns the shifts into plain loads,
// in other modules too, because the functions are inlinable.

/// A Swift type whose values are elements of a tensor, bit for bit.
public protocol TensorElement {
  /// The unsigned integer as wide as the element.
  associatedtype BitPattern: FixedWidthInteger & UnsignedInteger
  /// The element type's name in the file.
  static var tensorDataType: DataType { get }
  /// The element's bits.
  var bitPattern: BitPattern { get }
  /// The element with the given bits.
  init(bitPattern: BitPattern)
}

extension TensorElement where Self: FixedWidthInteger, BitPattern == Magnitude {
  /// The integer's bits, in two's complement.
  @inlinable public var bitPattern: Magnitude { Magnitude(truncatingIfNeeded: self) }
  /// The integer with the given bits.
  @inlinable public init(bitPattern: Magnitude) { self.init(truncatingIfNeeded: bitPattern) }
}

extension TensorElement {
  /// The elements' bytes, each element with its least significant byte first.
  @inlinable
  static func littleEndianBytes(of elements: [Self]) -> [UInt8] {
    let width = BitPattern.bitWidth / 8
    return [UInt8](capacity: elements.count * width) { output in
      for element in elements {
        var bits = element.bitPattern
        for _ in 0..<width {
          output.append(UInt8(truncatingIfNeeded: bits))
          bits >>= 8
        }
      }
    }
  }

  /// The elements with these bytes, each element with its least significant byte first.
  @inlinable
  static func elements(littleEndianBytes bytes: [UInt8]) -> [Self] {
    let width = BitPattern.bitWidth / 8
    let source = bytes.span
    return [Self](capacity: bytes.count / width) { output in
      for start in stride(from: 0, to: source.count, by: width) {
        var bits = BitPattern.zero
        for index in 0..<width {
          bits |= BitPattern(truncatingIfNeeded: source[start + index]) << (8 * index)
        }
        output.append(Self(bitPattern: bits))
      }
    }
  }
}

// The standard floating-point types have a `bitPattern`; the integers get theirs from the extension
// above. Bool is left out on purpose: a BOOL byte of a hostile file may hold anything, and a Swift
// Bool may not. BF16, the narrow floats and C64 have no Swift counterpart; their bytes can be read.

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  extension Float16: TensorElement { public static var tensorDataType: DataType { .float16 } }
#endif

extension Float: TensorElement { public static var tensorDataType: DataType { .float32 } }
extension Double: TensorElement { public static var tensorDataType: DataType { .float64 } }
extension Int8: TensorElement { public static var tensorDataType: DataType { .int8 } }
extension Int16: TensorElement { public static var tensorDataType: DataType { .int16 } }
extension Int32: TensorElement { public static var tensorDataType: DataType { .int32 } }
extension Int64: TensorElement { public static var tensorDataType: DataType { .int64 } }
extension UInt8: TensorElement { public static var tensorDataType: DataType { .uint8 } }
extension UInt16: TensorElement { public static var tensorDataType: DataType { .uint16 } }
extension UInt32: TensorElement { public static var tensorDataType: DataType { .uint32 } }
extension UInt64: TensorElement { public static var tensorDataType: DataType { .uint64 } }

// MARK: - Element types

/// An element type of the safetensors format; the raw value is its name in the file.
///
/// The cases are in the order of the reference implementation, which writes tensors by descending
/// type; the writer takes the order from `allCases`.
public enum DataType: String, CaseIterable, Hashable, Sendable {
  /// A truth value in a byte.
  case bool = "BOOL"
  /// A float of 4 bits.
  case float4 = "F4"
  /// A float of 6 bits: 2 of exponent, 3 of mantissa.
  case float6E2M3 = "F6_E2M3"
  /// A float of 6 bits: 3 of exponent, 2 of mantissa.
  case float6E3M2 = "F6_E3M2"
  /// An unsigned integer of 8 bits.
  case uint8 = "U8"
  /// A signed integer of 8 bits.
  case int8 = "I8"
  /// A float of 8 bits: 5 of exponent, 2 of mantissa.
  case float8E5M2 = "F8_E5M2"
  /// A float of 8 bits: 4 of exponent, 3 of mantissa.
  case float8E4M3 = "F8_E4M3"
  /// A power of two in 8 bits of exponent.
  case float8E8M0 = "F8_E8M0"
  /// A float of 8 bits, 4 of exponent, without infinities and negative zero.
  case float8E4M3FNUZ = "F8_E4M3FNUZ"
  /// A float of 8 bits, 5 of exponent, without infinities and negative zero.
  case float8E5M2FNUZ = "F8_E5M2FNUZ"
  /// A signed integer of 16 bits.
  case int16 = "I16"
  /// An unsigned integer of 16 bits.
  case uint16 = "U16"
  /// An IEEE float of 16 bits.
  case float16 = "F16"
  /// The upper half of a float of 32 bits.
  case bfloat16 = "BF16"
  /// A signed integer of 32 bits.
  case int32 = "I32"
  /// An unsigned integer of 32 bits.
  case uint32 = "U32"
  /// An IEEE float of 32 bits.
  case float32 = "F32"
  /// Two floats of 32 bits: real and imaginary part.
  case complex64 = "C64"
  /// An IEEE float of 64 bits.
  case float64 = "F64"
  /// A signed integer of 64 bits.
  case int64 = "I64"
  /// An unsigned integer of 64 bits.
  case uint64 = "U64"

  /// The width of one element in bits; F4 and F6 elements are packed without gaps.
  public var bitWidth: Int {
    switch self {
    case .float4: 4
    case .float6E2M3, .float6E3M2: 6
    case .bool, .uint8, .int8: 8
    case .float8E5M2, .float8E4M3, .float8E8M0, .float8E4M3FNUZ, .float8E5M2FNUZ: 8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .complex64, .float64, .int64, .uint64: 64
    }
  }
}

// Shapes come from files, so nothing here may trap or wrap. A zero in a shape does not excuse the
// other dimensions: [0, 2^62, 2^62] is refused, because computing its strides would overflow.

/// Why a type and a shape have no byte count.
enum ShapeError: Error {
  case negativeDimension
  case overflow
  case partialByte
}

extension DataType {
  /// The number of bytes of a tensor of this type: the product of `shape` × `bitWidth` / 8.
  ///
  /// - Throws: `ShapeError` if a dimension is negative, the product of the dimensions that are not
  ///   zero leaves `Int`, or the last byte would be filled only in part.
  func byteCount(shape: [Int]) throws(ShapeError) -> Int {
    var bits = bitWidth
    var isEmpty = false
    for dimension in shape {
      guard dimension >= 0 else { throw .negativeDimension }
      if dimension == 0 {
        isEmpty = true
        continue
      }
      let product = bits.multipliedReportingOverflow(by: dimension)
      guard !product.overflow else { throw .overflow }
      bits = product.partialValue
    }
    if isEmpty { return 0 }
    guard bits.isMultiple(of: 8) else { throw .partialByte }
    return bits / 8
  }
}
