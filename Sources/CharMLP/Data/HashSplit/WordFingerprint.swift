// A number that tells one list of words from another, and that ranks can put together from their parts.
//
// Σ h(wᵢ) · bⁿ⁻¹⁻ⁱ modulo the prime 2⁶¹ − 1: the words' hashes as digits. Two parts make a whole by
// shifting the first by the length of the second. It finds a wrong file, not a forged one.

/// What is left of a list to recognize it by: the words and their order.
struct WordFingerprint: Equatable, Sendable {
  /// The hashes of the words as digits of a number, modulo 2⁶¹ − 1.
  private(set) var value: UInt64 = 0
  /// The number of words.
  private(set) var count = 0

  private static let modulus: UInt64 = (1 << 61) - 1
  /// The base of the digits: any number that is far from the modulus' divisors and powers of two.
  private static let base: UInt64 = 0x1C58_F93D_2B47_0A6B & modulus

  init() {}

  init(value: UInt64, count: Int) {
    (self.value, self.count) = (value % Self.modulus, count)
  }

  /// The fingerprint of a list.
  init(_ words: WordList) {
    let bytes = words.utf8.span
    for word in words.indices {
      append(wordWithHash: WordHash.of(bytes, words.utf8Range(of: word)))
    }
  }

  /// Adds a word at the end.
  mutating func append(wordWithHash hash: UInt64) {
    value = (Self.product(value, Self.base) + hash % Self.modulus) % Self.modulus
    count += 1
  }

  /// Adds all words of another list at the end.
  mutating func append(_ other: WordFingerprint) {
    var (power, square, exponent) = (UInt64(1), Self.base, other.count)
    while exponent > 0 {
      if exponent & 1 == 1 { power = Self.product(power, square) }
      square = Self.product(square, square)
      exponent >>= 1
    }
    value = (Self.product(value, power) + other.value) % Self.modulus
    count += other.count
  }

  private static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
    modulus.dividingFullWidth(a.multipliedFullWidth(by: b)).remainder
  }

  /// The number in hexadecimal, as a model file has it.
  var text: String { String(value, radix: 16) }
}
