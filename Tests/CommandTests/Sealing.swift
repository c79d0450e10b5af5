// A checksum for a model file that a test has changed, computed by other means than the program's.

import Safetensors

/// The bytes of a file, with the CRC-32 that a model file has to have.
func sealed(_ file: SafetensorsFile) throws -> [UInt8] {
  var file = file
  file.metadata["crc32"] = "00000000"
  let digits = String(crc32(try file.encoded()), radix: 16)
  file.metadata["crc32"] = String(repeating: "0", count: 8 - digits.count) + digits
  return try file.encoded()
}

/// The reflected polynomial 0xEDB88320, a bit at a time.
private func crc32(_ bytes: [UInt8]) -> UInt32 {
  var sum = UInt32.max
  for byte in bytes {
    sum ^= UInt32(byte)
    for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
  }
  return ~sum
}
