// Normal deviates as `torch.randn(shape, generator=g)` draws them on the CPU, by Box and Muller (Ann.
// Math. Statist. 29(2), 1958). PyTorch has two programs for it, with different streams: tensors of
// fewer than 16 elements are drawn one by one in double precision, larger ones in blocks of 16.
//
// In blocks ours are not PyTorch's bits: its vectorized log and cos round differently. Of 16 million
// deviates none was further than 4.8e-7, one rounding of the largest, from PyTorch on AVX2; PyTorch
// without AVX2 rounds the angle elsewhere and is up to 2.6e-6 from both.

import RealModule

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
  /// A matrix is filled row by row in one call: its size as a whole decides the program, and rows
  /// drawn by themselves would differ.
  public mutating func randn(into values: inout MutableSpan<Float>) {
    if values.count < 16 {
      for i in values.indices { values[i] = Float(normal()) }
    } else {
      fillInBlocks(&values)
    }
  }

  /// One deviate in double precision, of a pair whose second member waits for the next call.
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

  /// Sixteen or more deviates: uniforms everywhere, then transformed in blocks of 16. A remainder
  /// draws 16 new uniforms for the last 16 places, and so replaces deviates already made.
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
    // PyTorch rounds 2π and θ to single precision: up to 5e-7 of angle, more than all its other
    // roundings. From there on double precision is nearer to it than another single-precision path.
    // Not `2 * Float.pi`: that constant is rounded towards zero, one place below PyTorch's.
    let fullTurn = Float(2 * Double.pi)
    for j in start..<(start + 8) {
      let radius = Double.sqrt(-2 * .log(Double(1 - values[j])))
      let angle = Double(fullTurn * values[j + 8])
      values[j] = Float(radius * .cos(angle))
      values[j + 8] = Float(radius * .sin(angle))
    }
  }
}
