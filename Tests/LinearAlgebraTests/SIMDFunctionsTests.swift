// The engine's exp and tanh, lane by lane, against swift-numerics in Double.

import LinearAlgebra
import RealModule
import Testing

@Suite("SIMD functions")
struct SIMDFunctionsTests {
  /// Every 997th float between two bounds, by bit pattern, so that every magnitude is met.
  private func floats(_ bounds: ClosedRange<Float>) -> [Float] {
    let positive = stride(from: UInt32(0), through: bounds.upperBound.bitPattern, by: 9973)
      .map { Float(bitPattern: $0) }
    return positive + positive.map { -$0 }.filter { $0 >= bounds.lowerBound }
  }

  /// The largest distance of a vector function from its reference, in units in the last place.
  private func largestError(
    _ inputs: [Float], _ vector: (FloatVector) -> FloatVector, _ reference: (Double) -> Double
  ) -> Double {
    inputs.map { x in
      let expected = reference(Double(x))
      let found = Double(vector(FloatVector(repeating: x))[vectorWidth - 1])
      return abs(found - expected) / Double(Float(expected).ulp)
    }.max() ?? .infinity
  }

  @Test("exp is within 1.25 ulp wherever its result is a normal number")
  func expIsAccurate() {
    let worst = largestError(floats(-87.3...88.7), exp(_:), Double.exp)
    #expect(worst <= 1.25)
  }

  @Test("tanh is within 5 ulp everywhere")
  func tanhIsAccurate() {
    let worst = largestError(floats(-20...20), tanh(_:), Double.tanh)
    #expect(worst <= 5)
  }

  @Test("1/√x is within 3 ulp for every positive normal number")
  func reciprocalSquareRootIsAccurate() {
    let inputs = floats(0...Float.greatestFiniteMagnitude).filter { $0.isNormal && $0 > 0 }
    let worst = largestError(inputs, reciprocalSquareRoot(_:)) { 1 / $0.squareRoot() }
    #expect(worst <= 3)
  }

  @Test("exp is 0 far below, infinity far above, and keeps NaN")
  func expAtItsLimits() {
    #expect(exp(FloatVector(repeating: -88)) == FloatVector(repeating: 0))
    #expect(exp(FloatVector(repeating: -.infinity)) == FloatVector(repeating: 0))
    #expect(exp(FloatVector(repeating: 89)) == FloatVector(repeating: .infinity))
    #expect(exp(FloatVector(repeating: .infinity)) == FloatVector(repeating: .infinity))
    #expect(exp(FloatVector(repeating: .nan))[0].isNaN)
  }

  @Test("tanh stays within ±1, odd, and keeps NaN", arguments: [0, 1e-30, 0.5, 7.9, 8, 1e30])
  func tanhAtItsLimits(x: Float) {
    let positive = tanh(FloatVector(repeating: x))[0]
    #expect(tanh(FloatVector(repeating: -x))[0] == -positive)
    #expect(positive <= 1)
    #expect(tanh(FloatVector(repeating: .nan))[0].isNaN)
  }

  @Test(
    "tanh of a matrix is tanh of its elements, wherever they stand", arguments: [1, 15, 16, 37])
  func tanhOfMatrix(columns: Int) {
    let x = Matrix<Float>(
      rows: 3, columns: columns, elements: (0..<3 * columns).map { Float($0) / 20 - 1 })
    let expected = x.elements.map { tanh(FloatVector(repeating: $0))[0] }
    #expect(vectorizedTanh(x).elements == expected)
  }
}
