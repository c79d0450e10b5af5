// The output function of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014): 64 bits for 64 bits, one to one, as if drawn at random.
//
// Dropout's masks, splits by hash and hash tables mix with it. It is the one stateless piece of the
// generator; sequences of random numbers come from elsewhere.

/// Mixes the bits of 64-bit numbers, the same way in every run and on every machine.
public enum SplitMix64 {
  /// What the generator adds to its state at each step: 2⁶⁴ divided by the golden ratio.
  @inlinable public static var increment: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  /// The output for a state.
  @inlinable
  public static func output(_ state: UInt64) -> UInt64 {
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}
