// What the format itself can see of damage: every truncation, every flip in the length, and every flip
// in the header that leaves another meaning or none. It has no checksum, so a flip in the data only
// changes an element; whoever needs to know about that must store a checksum beside the tensors.

import Safetensors
import Testing

@Suite("A damaged file")
struct DamagedFileTests {
  /// Files of every kind that the writer makes, small enough to be damaged in every place.
  private static let files: [SafetensorsFile] = {
    var numbers = SafetensorsFile(metadata: ["format": "\u{1f}\"ä\n", "": "\\"])
    numbers["weights"] = Tensor([1, -2, 0.5, 3.25, -0.0, Float.infinity], shape: [2, 3])
    numbers["größe"] = Tensor([Int64.min, 7], shape: [2, 1])
    numbers["scalar"] = Tensor([Float16(1.5)], shape: [])
    numbers["empty"] = Tensor([UInt16](), shape: [3, 0])
    numbers["packed"] = Tensor(dataType: .float6E2M3, shape: [4], bytes: [1, 2, 3])
    return [SafetensorsFile(), SafetensorsFile(metadata: ["k": "v"]), numbers]
  }()

  /// A flip and where it is.
  private static func flips(of bytes: [UInt8], in range: Range<Int>) -> [(Int, [UInt8])] {
    range.flatMap { index in
      (0..<8).map { bit in
        var damaged = bytes
        damaged[index] ^= 1 << bit
        return (index, damaged)
      }
    }
  }

  private static func headerEnd(of bytes: [UInt8]) -> Int {
    8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  @Test("is refused when it is cut anywhere, or goes on", arguments: files)
  func length(_ file: SafetensorsFile) throws {
    let bytes = try file.encoded()
    for count in 0..<bytes.count {
      #expect(decodingError(Array(bytes.prefix(count))) != nil, "\(count) of \(bytes.count) bytes")
    }
    for byte in UInt8.min...UInt8.max { #expect(decodingError(bytes + [byte]) != nil) }
  }

  @Test("is refused when any bit of the header's length is flipped", arguments: files)
  func headerLength(_ file: SafetensorsFile) throws {
    for (index, damaged) in Self.flips(of: try file.encoded(), in: 0..<8) {
      #expect(decodingError(damaged) != nil, "byte \(index)")
    }
  }

  @Test("is refused or seen to be another when any bit of the header is flipped", arguments: files)
  func header(_ file: SafetensorsFile) throws {
    let bytes = try file.encoded()
    let content = try SafetensorsFile(decoding: bytes)
    for (index, damaged) in Self.flips(of: bytes, in: 8..<Self.headerEnd(of: bytes)) {
      guard let read = try? SafetensorsFile(decoding: damaged) else { continue }
      // The one flip that means nothing: \u001f and \u001F are the same character.
      let isCaseOfDigit = damaged[index] ^ bytes[index] == 0x20 && bytes[index] == UInt8(ascii: "f")
      #expect(read != content || isCaseOfDigit, "byte \(index) is now \(damaged[index])")
    }
  }

  @Test("with one bit of the data flipped is read, with another value in one tensor")
  func data() throws {
    let bytes = try Self.files[2].encoded()
    for (index, damaged) in Self.flips(of: bytes, in: Self.headerEnd(of: bytes)..<bytes.count) {
      let read = try SafetensorsFile(decoding: damaged)
      let changed = Self.files[2].tensors.filter { read[$0.name] != $0.tensor }
      #expect(changed.count == 1, "byte \(index)")
      #expect(read.metadata == Self.files[2].metadata)
    }
  }
}
