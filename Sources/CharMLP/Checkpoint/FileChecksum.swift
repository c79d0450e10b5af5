// The checksum that a model file carries of itself.
//
// Safetensors has none, and a flipped bit in a weight still is a weight. The metadata's field "crc32"
// holds eight lower-case hexadecimal digits: the CRC-32 of the whole file, from the header's length to
// the last weight, taken with 0s in place of those digits. CRC-32 finds every change of up to 32 bits in
// a row, so every single bit. It is no signature: whoever wants to can compute it anew.
//
// The field is found in the text as `"crc32":"`. Inside a JSON string its quotation marks would be
// escaped, so the text can stand nowhere but at a key.

enum FileChecksum {
  static let key = "crc32"
  static let zero = "00000000"
  private static let opening = Array("\"\(key)\":\"".utf8)

  /// A file whose checksum is still zero, with the right one.
  static func sealed(_ file: consuming [UInt8]) -> [UInt8] {
    guard let place = place(in: file) else { preconditionFailure("a file without a checksum") }
    let sum = sum(of: file, digitsAt: place)
    file.replaceSubrange(place, with: sum.utf8)
    return file
  }

  /// The checksum that a file has, and the one that it should have; nil if it has none.
  static func read(_ file: [UInt8]) -> (found: String, expected: String)? {
    guard let place = place(in: file) else { return nil }
    let found = String(decoding: file[place], as: UTF8.self)
    return (found, sum(of: file, digitsAt: place))
  }

  private static func sum(of file: [UInt8], digitsAt place: Range<Int>) -> String {
    var sum = Zlib.crc32(file[..<place.lowerBound])
    sum = Zlib.crc32(Array(zero.utf8)[...], continuing: sum)
    let digits = String(Zlib.crc32(file[place.upperBound...], continuing: sum), radix: 16)
    return zero.dropLast(digits.count) + digits
  }

  /// Where the digits stand in a file that was decoded without an error.
  private static func place(in file: [UInt8]) -> Range<Int>? {
    var length = 0
    for byte in file.prefix(8).reversed() { length = length << 8 | Int(byte) }
    guard let key = file[..<(8 + length)].firstRange(of: opening),
      key.upperBound + zero.utf8.count <= 8 + length
    else { return nil }
    return key.upperBound..<key.upperBound + zero.utf8.count
  }
}
