// Files that are cut, damaged or made to hurt: each is refused, or read as another file; none
// traps, and none takes a careless reader hours. The format has no checksum, so a flip in the data
// only changes an element; a caller who must know stores a checksum beside the tensors.

import Glibc
import Testing

@testable import Safetensors

// MARK: - The frame: eight bytes of length, the header, the data

@Suite("Safetensors: the frame of a file")
struct FrameTests {
  private static let header =
    #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
    + #""b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}  "#
  private static let whole = fileBytes(header: header, dataLength: 5)

  @Test("A file cut anywhere is refused for the first thing missing", arguments: 0..<whole.count)
  func truncation(length: Int) {
    let headerLength = Self.header.utf8.count
    let headerEnd = 8 + headerLength
    let expected: SafetensorsError =
      switch length {
      case ..<8: .fileTooShort(byteCount: length)
      case ..<headerEnd: .headerTruncated(length: UInt64(headerLength), available: length - 8)
      case ..<(headerEnd + 2):
        .offsetBeyondData(tensor: "a", end: 2, dataLength: length - headerEnd)
      default: .offsetBeyondData(tensor: "b", end: 5, dataLength: length - headerEnd)
      }
    #expect(decodingError(Array(Self.whole.prefix(length))) == expected)
  }

  @Test("A file with bytes after the data is refused", arguments: [1, 2, 1000])
  func trailingBytes(count: Int) {
    let bytes = Self.whole + ascendingBytes(count)
    #expect(decodingError(bytes) == .trailingBytes(covered: 5, dataLength: 5 + count))
  }

  @Test("A file with data but no tensor is refused")
  func dataWithoutTensors() {
    let bytes = fileBytes(header: "{}", dataLength: 1)
    #expect(decodingError(bytes) == .trailingBytes(covered: 0, dataLength: 1))
  }

  @Test(
    "A file with an absurd header length is refused",
    arguments: [100_000_001, UInt64(Int.max), 1 << 63, UInt64.max - 7, UInt64.max])
  func absurdLength(length: UInt64) {
    var bytes = Self.whole
    for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    #expect(decodingError(bytes) == .headerTooLong(length: length, limit: 100_000_000))
    let limits = SafetensorsFile.Limits(headerLength: .max)
    let lenient = decodingError(bytes, limits: limits)
    if length <= Int.max {
      #expect(lenient == .headerTruncated(length: length, available: bytes.count - 8))
    } else {
      #expect(lenient == .headerTooLong(length: length, limit: .max))
    }
  }

  @Test("A file without a header is refused")
  func emptyHeader() {
    let error = SafetensorsError.unexpected(
      offset: 8, expected: "'{' as the first byte", found: "the end of the header")
    #expect(decodingError(fileBytes(header: "")) == error)
  }
}

// MARK: - Every cut and every flip of a bit

@Suite("Safetensors: damaged files")
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

  @Test("A file cut anywhere, or with bytes after its end, is refused", arguments: files)
  func length(_ file: SafetensorsFile) throws {
    let bytes = try file.encoded()
    for count in 0..<bytes.count {
      #expect(decodingError(Array(bytes.prefix(count))) != nil, "\(count) of \(bytes.count) bytes")
    }
    for byte in UInt8.min...UInt8.max { #expect(decodingError(bytes + [byte]) != nil) }
  }

  @Test("A file with any bit of the header's length flipped is refused", arguments: files)
  func headerLength(_ file: SafetensorsFile) throws {
    for (index, damaged) in Self.flips(of: try file.encoded(), in: 0..<8) {
      #expect(decodingError(damaged) != nil, "byte \(index)")
    }
  }

  @Test(
    "A file with any bit of the header flipped is refused or has other content", arguments: files)
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

  @Test("A file with one bit of the data flipped is read, and one tensor differs")
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

// MARK: - Every changed byte, and headers that take long

@Suite("Safetensors: hostile files")
struct HostileFileTests {
  private static let good = fileBytes(
    header: #"{"__metadata__":{"k\n":"v"},"é":{"dtype":"I16","shape":[2,1],"#
      + #""data_offsets":[1,5]},"b":{"dtype":"U8","shape":[],"data_offsets":[0,1]}} "#,
    dataLength: 5)

  /// A changed file is refused, or read into something that survives being written and read again.
  private func expectRefusalOrRoundTrip(_ bytes: [UInt8]) {
    guard let file = try? SafetensorsFile(decoding: bytes) else { return }
    #expect(throws: Never.self) {
      let again = try SafetensorsFile(decoding: file.encoded())
      #expect(again.metadata == file.metadata)
      #expect(again.tensors.count == file.tensors.count)
      for entry in file.tensors { #expect(again[entry.name] == entry.tensor) }
    }
  }

  @Test("A file with one byte changed never traps and is never read in part")
  func changedByte() throws {
    #expect(decodingError(Self.good) == nil)
    for index in Self.good.indices {
      for byte in UInt8.min...UInt8.max {
        var bytes = Self.good
        bytes[index] = byte
        expectRefusalOrRoundTrip(bytes)
      }
    }
  }

  @Test("A file with a byte removed or a token inserted never traps and is never read in part")
  func changedLength() {
    let tokens = ["{", "}", "[", "]", ",", ":", "\"", "\\", "0", "-", "9", " ", "\\ud800", "é"]
    let header = Array(Self.good[8..<(Self.good.count - 5)])
    for index in header.indices {
      var shorter = header
      shorter.remove(at: index)
      expectRefusalOrRoundTrip(fileBytes(header: shorter, data: ascendingBytes(5)))
      for token in tokens {
        var longer = header
        longer.insert(contentsOf: token.utf8, at: index)
        expectRefusalOrRoundTrip(fileBytes(header: longer, data: ascendingBytes(5)))
      }
    }
  }

  // Each of the following takes a second or so even without optimization, and hours if any step
  // took the square of the file's size. Processor time is what counts: a limit on time would fail
  // where other tests and other programs keep this one waiting.

  /// The seconds of processor time that this thread takes for something.
  private func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
      var time = timespec()
      unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    try body()
    return now() - start
  }

  @Test("A file with very many tensors is read within a minute of processor time")
  func manyTensors() throws {
    let count = 100_000
    let entries = (0..<count).reversed().map { index in
      #""\#(index)":{"dtype":"U8","shape":[1],"data_offsets":[\#(index),\#(index + 1)]}"#
    }
    let header = "{" + entries.joined(separator: ",") + "}"
    let seconds = try processorSeconds {
      let file = try SafetensorsFile(decoding: fileBytes(header: header, dataLength: count))
      #expect(file.tensors.count == count)
      #expect(file["77777"]?.bytes == [UInt8(truncatingIfNeeded: 77777)])
    }
    #expect(seconds < 60)
  }

  @Test("A file with very many metadata keys is read within a minute of processor time")
  func manyKeys() throws {
    let count = 200_000
    let entries = (0..<count).map { #""\#($0)":"""# }
    let header = "{\"__metadata__\":{" + entries.joined(separator: ",") + "}}"
    let seconds = try processorSeconds {
      let file = try SafetensorsFile(decoding: fileBytes(header: header))
      #expect(file.metadata.count == count)
    }
    #expect(seconds < 60)
  }

  @Test(
    "A file with very long runs of combining marks is read or refused within a minute of processor time"
  )
  func combiningMarks() throws {
    let marks = String(repeating: "\u{301}\u{316}", count: 500_000)
    let value = "{\"__metadata__\":{\"k\":\"\(marks)\"}}"
    let seconds = try processorSeconds {
      let file = try SafetensorsFile(decoding: fileBytes(header: value))
      #expect(file.metadata["k"]?.utf8.count == marks.utf8.count)

      let key = decodingError(fileBytes(header: "{\"\(marks)\":{}}"))
      #expect(key == .keyTooLong(offset: 9, limit: 1024))
      let metadataKey = decodingError(fileBytes(header: "{\"__metadata__\":{\"\(marks)\":\"\"}}"))
      #expect(metadataKey == .keyTooLong(offset: 25, limit: 1024))
    }
    #expect(seconds < 60)
  }
}
