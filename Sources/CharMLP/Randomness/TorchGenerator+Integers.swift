// Whole numbers as `torch.randint(low, high, size, generator=g)` draws them on the CPU: a remainder
// of 32 random bits, or of 64 where the range is wide. A remainder favours low values slightly, by one
// part in 2³²/range: in 16 at the worst, in 23,000 for the 182,625 examples of the lecture. Rejection,
// as in `PythonRandom.randbelow`, would be fair, but it would not be PyTorch's stream.

extension TorchGenerator {
  /// Ranges from here on draw 64 bits, as in PyTorch 2.13 (ATen/core/DistributionsHelper.h).
  /// PyTorch 2.6 still drew 32 bits for every range below 2³²; below 2²⁸ they agree.
  @usableFromInline static let wideRange: UInt64 = 1 << 28

  /// Draws one integer in `range`, one element of `torch.randint(low, high, size)`.
  @inlinable
  public mutating func randint(in range: Range<Int>) -> Int {
    precondition(!range.isEmpty, "randint needs a range that is not empty, not \(range)")
    // Wrapping arithmetic, because a range of Int can be wider than Int.
    let width = UInt64(truncatingIfNeeded: range.upperBound &- range.lowerBound)
    let bits = width < Self.wideRange ? UInt64(twister.next()) : next64()
    return range.lowerBound &+ Int(truncatingIfNeeded: bits % width)
  }

  /// Draws one integer in [0, bound), one element of `torch.randint(0, bound, size)`.
  @inlinable
  public mutating func randint(below bound: Int) -> Int {
    precondition(bound > 0, "randint needs a positive bound, not \(bound)")
    return randint(in: 0..<bound)
  }

  /// Fills `indices` with integers in [0, bound), as `torch.randint(0, bound, (count,))` does.
  ///
  /// This is a minibatch's draw: nothing is allocated.
  public mutating func randint(below bound: Int, into indices: inout MutableSpan<Int>) {
    for i in indices.indices { indices[i] = randint(below: bound) }
  }
}
