// What this project's reader says to many inputs, one after the other: the Swift half of
// differential.py, which compiles this file together with the sources of the module.
//
// An input is four bytes of length and the bytes. An answer is four bytes of length and one of
//   0  the error, as text
//   1  the content in the form below, then the content as the writer writes it
// Content: the metadata, then the tensors, each in the order of their names. A number is eight bytes,
// little-endian; a text or a tensor's data is its length and its bytes.

import Glibc

@main
struct SafetensorsAnswers {
  static func main() {
    while let length = read(4) {
      let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
      guard let input = read(count) else { exit(1) }
      let answer = answer(to: input)
      write(Array(bytes(answer.count).prefix(4)) + answer)
    }
  }

  private static func answer(to input: [UInt8]) -> [UInt8] {
    do throws(SafetensorsError) {
      let file = try SafetensorsFile(decoding: input)
      return try [1] + sized(content(of: file)) + sized(file.encoded())
    } catch {
      return [0] + error.description.utf8
    }
  }

  private static func content(of file: SafetensorsFile) -> [UInt8] {
    var content = bytes(file.metadata.count)
    let keys = file.metadata.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for key in keys { content += sized(key.utf8) + sized(file.metadata[key, default: ""].utf8) }
    content += bytes(file.tensors.count)
    for entry in file.tensors.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
      content += sized(entry.name.utf8) + sized(entry.tensor.dataType.rawValue.utf8)
      content += bytes(entry.tensor.shape.count) + entry.tensor.shape.flatMap(bytes)
      content += sized(entry.tensor.bytes)
    }
    return content
  }

  private static func bytes(_ number: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  private static func sized(_ content: some Collection<UInt8>) -> [UInt8] {
    bytes(content.count) + content
  }

  /// The next `count` bytes of standard input, or nil at its end.
  private static func read(_ count: Int) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let received = unsafe buffer.withUnsafeMutableBytes { [filled] in
        unsafe Glibc.read(STDIN_FILENO, $0.baseAddress! + filled, $0.count - filled)
      }
      guard received > 0 else { return nil }
      filled += received
    }
    return buffer
  }

  private static func write(_ answer: [UInt8]) {
    var rest = answer[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      guard written > 0 else { exit(1) }
      rest = rest.dropFirst(written)
    }
  }
}
