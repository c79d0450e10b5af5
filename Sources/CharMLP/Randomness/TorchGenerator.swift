// PyTorch's CPU generator, `torch.Generator().manual_seed(seed)`: a Mersenne Twister and one normal
// deviate kept for later. A run that draws from it starts from the same parameters and sees the
// same minibatches as the lecture's notebook. Checked against PyTorch 2.13.
//
// It is not the CUDA generator, which is Philox, and it draws a tensor's elements in order, as
// PyTorch does on the CPU.

import RealModule

/// PyTorch's CPU random number generator: the same seed gives the same tensors.
public struct TorchGenerator: Sendable, Equatable {
  @usableFromInline var twister: MersenneTwister

  /// The second deviate of the last pair drawn one by one. It is kept across any other draws, and
  /// is the next deviate drawn one by one.
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

// MARK: - Integers, as `torch.randint`
//
// PyTorch takes the remainder of 32 random bits, or of 64 where the range is wide. That favours low
// values slightly, by one part in 2³²/range: in 16 at worst, in 23,000 for the lecture's 182,625
// examples. Rejection, as in `PythonRandom.randbelow`, would be fair, but another stream.

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
  /// This draws a minibatch, without an allocation.
  public mutating func randint(below bound: Int, into indices: inout MutableSpan<Int>) {
    for i in indices.indices { indices[i] = randint(below: bound) }
  }
}

// MARK: - Uniform numbers, as `torch.rand`
//
// As many random bits as the significand holds, times a power of two. Nothing is rounded, so a
// number is below one, and the same on every machine.

extension TorchGenerator {
  /// Draws a number in [0, 1), a multiple of 2⁻⁵³: one element of `torch.rand(…, dtype=float64)`.
  mutating func uniform() -> Double {
    Double(next64() & ((1 << 53) - 1)) * 0x1p-53
  }

  /// Draws a number in [0, 1), a multiple of 2⁻²⁴: one element of `torch.rand(…, dtype=float32)`.
  @inlinable
  public mutating func uniformFloat() -> Float {
    Float(twister.next() & ((1 << 24) - 1)) * 0x1p-24
  }
}

// MARK: - Normal deviates, as `torch.randn`
//
// By Box and Muller (Ann. Math. Statist. 29(2), 1958). PyTorch draws tensors of fewer than 16
// elements one by one in double precision, and larger ones in blocks of 16, from different streams.
//
// In blocks, ours are not PyTorch's bits, because its vectorized log and cos round differently. Of
// 16 million deviates none was further than 4.8e-7, one rounding of the largest, from PyTorch on
// AVX2; PyTorch without AVX2 rounds the angle elsewhere and is up to 2.6e-6 from both.

extension TorchGenerator {
  /// Draws `count` normal deviates, as `torch.randn(count)` does.
  public mutating func randn(count: Int) -> [Float] {
    precondition(count >= 0, "randn needs a count of 0 or more, not \(count)")
    var values = [Float](repeating: 0, count: count)
    var span = values.mutableSpan
    randn(into: &span)
    return values
  }

  /// Fills `values` with normal deviates, as `torch.randn(values.count)` does.
  ///
  /// A matrix is filled row by row in one call. Its rows drawn one at a time would differ, because
  /// the total size decides how they are drawn.
  public mutating func randn(into values: inout MutableSpan<Float>) {
    if values.count < 16 {
      for i in values.indices { values[i] = Float(normal()) }
    } else {
      fillInBlocks(&values)
    }
  }

  /// One deviate in double precision, of a pair whose second member is kept for the next call.
  ///
  /// `r = √(−2 log(1 − u₂))`, `θ = 2π u₁`; `r cos θ` now, `r sin θ` next.
  private mutating func normal() -> Double {
    if let cached = cachedNormal.take() { return cached }
    let u1 = uniform()
    let u2 = uniform()
    let radius = Double.sqrt(-2 * .log(onePlus: -u2))
    let angle = 2 * Double.pi * u1
    cachedNormal = radius * .sin(angle)
    return radius * .cos(angle)
  }

  /// Sixteen or more deviates: uniforms, transformed in blocks of 16. If there is a remainder, the
  /// last 16 places get new uniforms, which replaces deviates already made.
  private mutating func fillInBlocks(_ values: inout MutableSpan<Float>) {
    for i in values.indices { values[i] = uniformFloat() }
    let remainder = values.count % 16
    for start in stride(from: 0, to: values.count - remainder, by: 16) {
      Self.transformBlock(of: &values, at: start)
    }
    if remainder > 0 {
      let start = values.count - 16
      for i in start..<values.count { values[i] = uniformFloat() }
      Self.transformBlock(of: &values, at: start)
    }
  }

  /// Turns 16 uniforms into 16 deviates: place j is paired with place j + 8.
  ///
  /// `r = √(−2 log(1 − u[j]))`, `θ = 2π u[j+8]`; `u[j] ← r cos θ`, `u[j+8] ← r sin θ`.
  private static func transformBlock(of values: inout MutableSpan<Float>, at start: Int) {
    // PyTorch rounds 2π and θ to single precision, by up to 5e-7 of angle, more than all its other
    // roundings. From there on, double precision is nearer to it than another single-precision
    // path. Not `2 * Float.pi`: that constant is rounded towards zero, one place below PyTorch's.
    let fullTurn = Float(2 * Double.pi)
    for j in start..<(start + 8) {
      let radius = Double.sqrt(-2 * .log(Double(1 - values[j])))
      let angle = Double(fullTurn * values[j + 8])
      values[j] = Float(radius * .cos(angle))
      values[j + 8] = Float(radius * .sin(angle))
    }
  }
}

// MARK: - Saved state
//
// Plain numbers, so that a checkpoint can continue a stream: what `generator.get_state()` packs
// into bytes, but not in its layout, and without the seed, on which no later draw depends.

extension TorchGenerator {
  /// A generator's state: the Mersenne Twister's, and the normal deviate that is kept, if there is
  /// one.
  public struct State: Sendable, Equatable {
    /// The generator of bits beneath it.
    public var twister: MersenneTwister.State

    /// The deviate that the next draw of fewer than 16 begins with; finite.
    public var cachedNormal: Double?

    /// Creates a state; whether a generator can have been in it is checked when one is restored.
    public init(twister: MersenneTwister.State, cachedNormal: Double?) {
      self.twister = twister
      self.cachedNormal = cachedNormal
    }
  }

  /// Why a saved state is not one a generator can have been in.
  public enum InvalidState: Error, Equatable, CustomStringConvertible {
    /// The generator of bits cannot have been in its state.
    case twister(MersenneTwister.InvalidState)
    /// The normal deviate is not finite.
    case cachedNormal(found: Double)

    /// What is wrong, in one line.
    public var description: String {
      switch self {
      case .twister(let reason):
        reason.description
      case .cachedNormal(let found):
        "expected a finite normal deviate in the generator's state, found \(found)"
      }
    }
  }

  /// The state now; a generator restored from it draws what this one would draw next.
  public var state: State {
    State(twister: twister.state, cachedNormal: cachedNormal)
  }

  /// Continues from a saved state.
  ///
  /// - Throws: `InvalidState` when no generator can have been in that state.
  public init(restoring state: State) throws(InvalidState) {
    if let normal = state.cachedNormal, !normal.isFinite {
      throw .cachedNormal(found: normal)
    }
    do {
      let twister = try MersenneTwister(restoring: state.twister)
      self.init(twister: twister, cachedNormal: state.cachedNormal)
    } catch {
      throw .twister(error)
    }
  }
}
