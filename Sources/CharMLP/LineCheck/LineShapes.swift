// The shapes that a line makes of its inputs' shapes: why a wrong one is wrong, and whether it
// follows.
//
// A line is read as PyTorch would: what it adds or multiplies element by element is repeated to
// fit, and a sum takes one dimension away. Products of matrices and changes of shape are not
// followed.

/// The shapes of one line.
struct LineShapes {
  private let tensor: PassTensor
  private let sizes: PassSizes

  init(_ tensor: PassTensor, _ sizes: PassSizes) {
    self.tensor = tensor
    self.sizes = sizes
  }

  /// The shape to which the inputs are repeated; nil if they do not fit each other.
  ///
  /// - Parameter given: The shapes in the file, where those are not the notebook's.
  private func whole(_ given: [PassTensor: [Int]] = [:]) -> [Int]? {
    tensor.inputs.reduce([]) { shape, input in
      shape.flatMap { Self.broadcast($0, given[input] ?? sizes.shape(of: input)) }
    }
  }

  private static func broadcast(_ a: [Int], _ b: [Int]) -> [Int]? {
    let rank = max(a.count, b.count)
    let (a, b) = (
      Array(repeating: 1, count: rank - a.count) + a, Array(repeating: 1, count: rank - b.count) + b
    )
    guard zip(a, b).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else { return nil }
    return zip(a, b).map { $0 == 1 ? $1 : $0 }
  }

  /// A matrix's shape without one of its dimensions, as a sum leaves it with keepdim and without.
  private static func reduced(_ shape: [Int], _ axis: Int) -> [[Int]] {
    guard shape.count == 2 else { return [] }
    return [axis == 0 ? [1, shape[1]] : [shape[0], 1], [shape[1 - axis]]]
  }

  /// Whether the line makes this shape of shapes of its inputs that are not the notebook's.
  func makes(_ found: [Int], of given: [PassTensor: [Int]]) -> Bool {
    guard tensor.isElementwise || tensor.reducedAxis != nil else { return true }
    guard let whole = whole(given) else { return false }
    if let axis = tensor.reducedAxis { return Self.reduced(whole, axis).contains(found) }
    return found == whole || found == Self.broadcast(whole, sizes.shape(of: tensor))
  }

  /// Why a shape may be what it is.
  ///
  /// - Parameter given: The shapes of right inputs, where those are not the notebook's.
  func hint(_ found: [Int], _ given: [PassTensor: [Int]]) -> String {
    let expected = sizes.shape(of: tensor)
    let sentence = sentence(found, expected, given)
    var places = ["found": found.shapeDescription]
    if sentence != .transposedShape { places["expected"] = expected.shapeDescription }
    return sentence(places)
  }

  private func sentence(
    _ found: [Int], _ expected: [Int], _ given: [PassTensor: [Int]]
  ) -> HintSentence {
    let (count, expectedCount) = (found.reduce(1, *), expected.reduce(1, *))
    if expectedCount == 1 { return .notSummed }
    if count == 1 { return .summedOverAll }
    if found.count == 2, found == expected.reversed() { return .transposedShape }
    if makesByLostDimension(found, given) { return .keepdim }
    if found.count == 2, found[0] == found[1], expected.count == 2, expected.contains(1),
      expected.contains(found[0])
    {
      return .keepdimOrSum
    }
    let whole = whole()
    if let whole, let axis = tensor.reducedAxis {
      if found == whole { return .notSummed }
      if Self.reduced(whole, 1 - axis).contains(found) { return .otherDimension }
    }
    if found.count == expected.count, zip(found, expected).allSatisfy({ $0 == $1 || $0 == 1 }) {
      return found == whole ? .notRepeated : .summed
    }
    if count == expectedCount { return .otherForm }
    return sizes.others(explaining: [tensor: found], atLeast: 1) == nil
      ? .otherShape : .shapeOfAnother
  }

  /// Whether an input that has lost a dimension was repeated along the wrong one.
  private func makesByLostDimension(_ found: [Int], _ given: [PassTensor: [Int]]) -> Bool {
    let lost = given.filter { tensor.inputs.contains($0.key) }
    return tensor.isElementwise && !lost.isEmpty && found == whole(lost)
  }
}

extension PassTensor {
  /// Whether each element of the line is made of one element of each input.
  fileprivate var isElementwise: Bool {
    guard case .few = TensorRow<Double>(self).terms else { return false }
    return ids == nil && reducedAxis == nil && self != .embcat
  }

  /// The dimension that the line's sum, or its maximum, takes away of a matrix; nil if there is
  /// none.
  var reducedAxis: Int? {
    if self == .logit_maxes { return 1 }
    let row = TensorRow<Double>(self)
    guard case .sum(let dimension, 0) = row.terms,
      row.dimensions.count == 1 || row.dimensions.contains(.one)
    else { return nil }
    return dimension == .n ? 0 : 1
  }
}
