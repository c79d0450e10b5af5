// Uniform numbers as `torch.rand` draws them on the CPU: as many random bits as the significand holds,
// times a power of two. Nothing is rounded, so the result is below one and the same on every machine.

extension TorchGenerator {
  /// Draws a number in [0, 1), a multiple of 2⁻⁵³: one element of `torch.rand(…, dtype=float64)`.
  @inlinable
  public mutating func uniform() -> Double {
    Double(next64() & ((1 << 53) - 1)) * 0x1p-53
  }

  /// Draws a number in [0, 1), a multiple of 2⁻²⁴: one element of `torch.rand(…, dtype=float32)`.
  @inlinable
  public mutating func uniformFloat() -> Float {
    Float(twister.next() & ((1 << 24) - 1)) * 0x1p-24
  }
}
