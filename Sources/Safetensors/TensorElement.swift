// The Swift types that are a tensor's elements bit for bit, and the conversion to and from bytes.
//
// Everything goes through bit patterns and shifts: no unsafe pointer, no assumption about the
// machine's byte order, and NaN payloads survive. The optimizer turns the shifts into plain loads.
// The functions are inlinable so that it can do so in other modules too.
// Nothing converts between types: an F64 tensor is not read as Float.

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
  /// The elements one after the other, each with its least significant byte first.
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

  /// The elements whose bytes stand one after the other, each least significant byte first.
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
