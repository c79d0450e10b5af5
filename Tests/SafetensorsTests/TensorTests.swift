// Tensors alone: numbers to bytes and back, and what a tensor refuses.

import Testing

@testable import Safetensors

@Suite("Safetensors: tensors")
struct TensorTests {
  @Test("A tensor holds numbers in little-endian order")
  func byteOrder() {
    #expect(Tensor([Float(1.5)], shape: []).bytes == [0, 0, 0xC0, 0x3F])
    #expect(Tensor([-2.0], shape: []).bytes == [0, 0, 0, 0, 0, 0, 0, 0xC0])
    #expect(Tensor([Int64(0x0102_0304_0506_0708)], shape: []).bytes == [8, 7, 6, 5, 4, 3, 2, 1])
    #expect(Tensor([Int16(-2), 3], shape: [2]).bytes == [0xFE, 0xFF, 3, 0])
    #expect(Tensor([UInt32(0x0102_0304)], shape: [1, 1]).bytes == [4, 3, 2, 1])
  }

  @Test("A tensor returns floating-point numbers bit for bit, NaN payloads included")
  func floatingPoint() throws {
    let floats = [
      0, -0, 1, .pi, -.infinity, .leastNonzeroMagnitude, Float(nan: 5, signaling: true),
    ]
    let doubles = [0, -0, 0.1, .greatestFiniteMagnitude, Double(nan: 77, signaling: false)]
    let halves: [Float16] = [0, -0, 65504, .infinity, Float16(nan: 3, signaling: false)]
    let readFloats = try Tensor(floats, shape: [7]).floats()
    #expect(readFloats.map(\.bitPattern) == floats.map(\.bitPattern))
    let readDoubles = try Tensor(doubles, shape: [5]).doubles()
    #expect(readDoubles.map(\.bitPattern) == doubles.map(\.bitPattern))
    let readHalves = try Tensor(halves, shape: [5]).elements(as: Float16.self)
    #expect(readHalves.map(\.bitPattern) == halves.map(\.bitPattern))
  }

  @Test("A tensor returns integers of every type")
  func integers() throws {
    let counts = [Int64.min, -1, 0, 1, .max]
    #expect(try Tensor(counts, shape: [5]).integers() == counts)
    try expectExtremes(Int8.self)
    try expectExtremes(Int16.self)
    try expectExtremes(Int32.self)
    try expectExtremes(Int64.self)
    try expectExtremes(UInt8.self)
    try expectExtremes(UInt16.self)
    try expectExtremes(UInt32.self)
    try expectExtremes(UInt64.self)
  }

  private func expectExtremes<Element: TensorElement & FixedWidthInteger>(
    _ type: Element.Type
  ) throws {
    let elements: [Element] = [.min, .min + 1, 0, 1, .max - 1, .max]
    let tensor = Tensor(elements, shape: [2, 3])
    #expect(tensor.dataType.bitWidth == Element.bitWidth)
    #expect(try tensor.elements(as: type) == elements)
  }

  @Test("A tensor cannot be read as another type, however close")
  func mismatch() {
    let doubles = Tensor([1.0], shape: [])
    #expect(throws: mismatch(expected: .float32, found: .float64)) { try doubles.floats() }
    #expect(throws: mismatch(expected: .int64, found: .float64)) { try doubles.integers() }
    let unsigned = Tensor([UInt64(1)], shape: [])
    #expect(throws: mismatch(expected: .int64, found: .uint64)) { try unsigned.integers() }
    #expect(throws: mismatch(expected: .float64, found: .uint64)) { try unsigned.doubles() }
  }

  private func mismatch(expected: DataType, found: DataType) -> SafetensorsError {
    .dataTypeMismatch(tensor: nil, expected: expected, found: found)
  }

  @Test("A tensor has as many elements as its shape says")
  func elementCount() {
    #expect(Tensor([Float(1)], shape: []).elementCount == 1)
    #expect(Tensor([Float](), shape: [1 << 40, 0]).elementCount == 0)
    #expect(Tensor(dataType: .float4, shape: [2, 3], bytes: [1, 2, 3]).elementCount == 6)
  }

  @Test("A tensor whose bytes do not fit its shape stops the program")
  func preconditions() async {
    await #expect(processExitsWith: .failure) { _ = Tensor([Float(1), 2], shape: [3]) }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(dataType: .float6E2M3, shape: [1], bytes: [0])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(dataType: .uint8, shape: [-1, -1], bytes: [0])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(dataType: .uint8, shape: [0, .max, .max], bytes: [])
    }
  }

  @Test("The byte count of a type and shape is computed in checked arithmetic")
  func byteCount() throws {
    #expect(try DataType.float4.byteCount(shape: [3, 4]) == 6)
    #expect(throws: ShapeError.partialByte) { try DataType.float4.byteCount(shape: [3]) }
    #expect(throws: ShapeError.partialByte) { try DataType.float6E3M2.byteCount(shape: [2, 3]) }
    #expect(throws: ShapeError.negativeDimension) { try DataType.uint8.byteCount(shape: [0, -1]) }
    #expect(throws: ShapeError.overflow) { try DataType.int16.byteCount(shape: [1 << 59]) }
    #expect(throws: ShapeError.overflow) { try DataType.int8.byteCount(shape: [.max, .max, 0]) }
  }
}
