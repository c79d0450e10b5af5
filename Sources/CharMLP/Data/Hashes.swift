// Hashes of words, of places and of whole lists. They are the same in every run and on every
// machine, since splits, samples and model files depend on them.
//
// FNV-1a (Fowler, Noll and Vo; offset basis and prime of its 64-bit form) hashes the bytes, and
// SplitMix64 mixes the result into the upper bits. Neither is collision-resistant; a split needs no
// cryptographic hash.

import LinearAlgebra

/// 64-bit hashes that depend on nothing but their input.
enum WordHash {
  /// The hash of some bytes.
  @inline(always)
  static func of(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for position in range { hash = (hash ^ UInt64(bytes[position])) &* 0x0000_0100_0000_01B3 }
    return mixed(hash)
  }

  /// A number's hash: SplitMix64's first output from it, one to one.
  @inline(always)
  static func mixed(_ number: UInt64) -> UInt64 {
    SplitMix64.output(number &+ SplitMix64.increment)
  }
}

/// A number by which to recognize the words of a list and their order: Σ h(wᵢ) · bⁿ⁻¹⁻ⁱ modulo the
/// prime 2⁶¹ − 1, the words' hashes as digits.
///
/// The fingerprints of two parts combine to that of the whole: the first is shifted by the length
/// of the second. It finds a wrong file, not a forged one.
struct WordFingerprint: Equatable, Sendable {
  private(set) var value: UInt64 = 0
  /// The number of words.
  private(set) var count = 0

  private static let modulus: UInt64 = (1 << 61) - 1
  /// The base b: any number far from powers of two.
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
