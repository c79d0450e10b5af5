// Files made to hurt: every small change to a good file, and headers that would take a careless
// reader hours.

import Testing

@testable import Safetensors

@Suite("A hostile file")
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

  @Test("with one byte changed never traps and is never half read")
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

  @Test("with a byte removed or a token put in never traps and is never half read")
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
  // took the square of the file's size; a minute is the smallest limit there is.

  @Test("with very many tensors is read in time", .timeLimit(.minutes(1)))
  func manyTensors() throws {
    let count = 100_000
    let entries = (0..<count).reversed().map { index in
      #""\#(index)":{"dtype":"U8","shape":[1],"data_offsets":[\#(index),\#(index + 1)]}"#
    }
    let header = "{" + entries.joined(separator: ",") + "}"
    let file = try SafetensorsFile(decoding: fileBytes(header: header, dataLength: count))
    #expect(file.tensors.count == count)
    #expect(file["77777"]?.bytes == [UInt8(truncatingIfNeeded: 77777)])
  }

  @Test("with very many metadata keys is read in time", .timeLimit(.minutes(1)))
  func manyKeys() throws {
    let count = 200_000
    let entries = (0..<count).map { #""\#($0)":"""# }
    let header = "{\"__metadata__\":{" + entries.joined(separator: ",") + "}}"
    let file = try SafetensorsFile(decoding: fileBytes(header: header))
    #expect(file.metadata.count == count)
  }

  @Test(
    "with very long runs of combining marks is read or refused in time", .timeLimit(.minutes(1)))
  func combiningMarks() throws {
    let marks = String(repeating: "\u{301}\u{316}", count: 500_000)
    let value = "{\"__metadata__\":{\"k\":\"\(marks)\"}}"
    let file = try SafetensorsFile(decoding: fileBytes(header: value))
    #expect(file.metadata["k"]?.utf8.count == marks.utf8.count)

    let key = decodingError(fileBytes(header: "{\"\(marks)\":{}}"))
    #expect(key == .keyTooLong(offset: 9, limit: 1024))
    let metadataKey = decodingError(fileBytes(header: "{\"__metadata__\":{\"\(marks)\":\"\"}}"))
    #expect(metadataKey == .keyTooLong(offset: 25, limit: 1024))
  }
}
