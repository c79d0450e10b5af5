// Hashes of words and places: the same in every run and on every machine, since splits, samples and
// fingerprints depend on them.
//
// FNV-1a (Fowler, Noll and Vo; offset basis and prime of its 64-bit form) goes over the bytes, and the
// output function of SplitMix64 (Steele, Lea and Flood, 2014) mixes what it leaves in the upper bits.
// Neither keeps anybody from looking for collisions; a split has no enemies.

/// 64-bit hashes that depend on nothing but their input.
enum WordHash {
  /// The hash of some bytes.
  @inline(always)
  static func of(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for position in range { hash = (hash ^ UInt64(bytes[position])) &* 0x0000_0100_0000_01B3 }
    return mixed(hash)
  }

  /// A number for a number, one to one, as if drawn.
  @inline(always)
  static func mixed(_ number: UInt64) -> UInt64 {
    var hash = number &+ 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 31)
  }
}
