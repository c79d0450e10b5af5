// SHA-256 (FIPS 180-4), to recognize a word list that is too long to be stored with its model.
//
// The sum is that of the list's normalized text, so that `sha256sum` shows the same for a list without
// blanks, blank lines or carriage returns. It protects no secret: nothing here is written against
// timing.

enum SHA256 {
  /// The hash of bytes as 64 hexadecimal digits.
  static func hexadecimal(_ bytes: [UInt8]) -> String {
    var state = initialState
    var schedule = [UInt32](repeating: 0, count: 64)
    let whole = bytes.count / 64 * 64
    for start in stride(from: 0, to: whole, by: 64) {
      compress(bytes, at: start, &schedule, &state)
    }
    // The rest, a 1 bit, zeros, and the length in bits as eight bytes, high ones first.
    var tail = Array(bytes[whole...]) + [0x80]
    while tail.count % 64 != 56 { tail.append(0) }
    let bitCount = UInt64(bytes.count) * 8
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      tail.append(UInt8(truncatingIfNeeded: bitCount >> shift))
    }
    for start in stride(from: 0, to: tail.count, by: 64) {
      compress(tail, at: start, &schedule, &state)
    }
    return state.map(hexadecimal).joined()
  }

  /// A word as eight hexadecimal digits.
  static func hexadecimal(_ word: UInt32) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Mixes 64 bytes into the state; the names are the standard's.
  private static func compress(
    _ bytes: [UInt8], at start: Int, _ w: inout [UInt32], _ state: inout [UInt32]
  ) {
    for t in 0..<16 {
      let place = start + 4 * t
      w[t] =
        UInt32(bytes[place]) << 24 | UInt32(bytes[place + 1]) << 16
        | UInt32(bytes[place + 2]) << 8 | UInt32(bytes[place + 3])
    }
    for t in 16..<64 {
      let (x, y) = (w[t - 15], w[t - 2])
      let s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >> 3)
      let s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >> 10)
      w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<64 {
      let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
      let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ roundConstants[t] &+ w[t]
      let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
      let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
  }

  private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word >> count | word << (32 - count)
  }

  /// The first 32 bits of the fractional parts of the square roots of the first eight primes.
  private static let initialState: [UInt32] = primes.prefix(8).map { prime in
    UInt32(truncatingIfNeeded: floorRoot(2, of: UInt128(prime) << 64))
  }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let roundConstants: [UInt32] = primes.map { prime in
    UInt32(truncatingIfNeeded: floorRoot(3, of: UInt128(prime) << 96))
  }

  private static let primes = (2...311).filter { number in
    !(2..<number).contains { number.isMultiple(of: $0) }
  }

  /// The largest whole number below 2³⁶ whose power is at most `value`, by bisection.
  private static func floorRoot(_ power: Int, of value: UInt128) -> UInt64 {
    var (low, high): (UInt64, UInt64) = (0, 1 << 36)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      var product = UInt128(1)
      for _ in 0..<power { product *= UInt128(middle) }
      if product <= value { low = middle } else { high = middle }
    }
    return low
  }
}
