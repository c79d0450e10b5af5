// PyTorch's CPU generator, `torch.Generator().manual_seed(seed)`: one Mersenne Twister and one normal
// deviate kept for later. With it, `torch.randn` and `torch.randint` of a notebook become ours, so a
// run can start from the same parameters and see the same minibatches. Checked against PyTorch 2.13.
//
// What is drawn lives beside this file, by kind: whole numbers, uniforms, normals. It is not the CUDA
// generator (Philox), and it draws one tensor's elements in order, as PyTorch does on the CPU.

/// PyTorch's CPU random number generator: the same seed gives the same tensors.
public struct TorchGenerator: Sendable, Equatable {
  @usableFromInline var twister: MersenneTwister

  /// The second deviate of the last pair drawn one by one. It outlives the call that made it, waits
  /// through any other draws, and is the next deviate drawn one by one.
  var cachedNormal: Double?

  /// Seeds as `torch.Generator().manual_seed(seed)` does: only the low 32 bits of the seed count.
  ///
  /// PyTorch takes a negative seed s as 2⁶⁴ + s, which is `UInt64(bitPattern: s)`.
  public init(seed: UInt64) {
    twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
  }

  init(twister: MersenneTwister, cachedNormal: Double?) {
    self.twister = twister
    self.cachedNormal = cachedNormal
  }

  /// Draws 64 bits, the high half first.
  @inlinable
  mutating func next64() -> UInt64 {
    let high = UInt64(twister.next())
    let low = UInt64(twister.next())
    return high << 32 | low
  }
}
