// One line of the derivation on a file's own numbers, and how far they may be from it.
//
// The line is Derivation's; only its inputs are set. The bound is
//
//     4 · (terms + 1) · (ulp · Σ|terms| + least normal number)
//
// for each element, in the precision of the file: ulp is 2⁻²³ or 2⁻⁵², terms are those that the
// line adds up (at least 4, for the roundings of a line without a sum), and Σ|terms| is the sum of
// their magnitudes. That sum is the line itself with magnitudes for its inputs; the few lines that
// subtract, divide or apply a function have their own below.
//
// An input that the file lacks is computed by its own line. Then its Σ|terms| takes the place of
// its magnitude, and its terms are added to those of the line that reads it.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// A tensor as a line makes or reads it, and what is needed for bounds.
struct LineValue {
  var value: Matrix<Double>
  /// Σ|terms| of each element of a line; the magnitude of a tensor of the file.
  var size: Matrix<Double>
  /// The terms that are added up, in the line and in those of inputs that are missing; 0 for a
  /// tensor of the file.
  var terms: Int

  /// The factor of every bound.
  static let factor = 4.0

  /// How far a number in the given precision may be from each element.
  func bound(_ precision: Precision) -> Matrix<Double> {
    let factor = Self.factor * Double(terms + 1)
    return factor * precision.ulpOfOne * size + factor * precision.leastNormalMagnitude
  }

  /// A multiple of this.
  func scaled(by factor: Double) -> LineValue {
    LineValue(value: factor * value, size: max(1, abs(factor)) * size, terms: terms)
  }

  var isComputed: Bool { terms > 0 }
}

extension LineValue {
  /// A tensor of the file.
  init(_ value: Matrix<Double>) { self.init(value: value, size: magnitude(value), terms: 0) }
}

/// |x| of every element.
func magnitude(_ x: Matrix<Double>) -> Matrix<Double> {
  Matrix(rows: x.rows, columns: x.columns, elements: x.elements.map { abs($0) })
}

extension Matrix<Double> {
  /// ∞ where an element is above a limit or not a number, and 0 elsewhere.
  fileprivate func replacing(above limit: Double) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: elements.map { $0 <= limit ? 0 : .infinity })
  }
}

/// A way to write a line.
enum LineForm: Equatable {
  /// The line of Derivation.swift.
  case step
  /// The line with its result multiplied: what belongs to a forward pass whose own line differs by
  /// that factor.
  case scaled(Double)
  /// The line with one of its inputs multiplied, likewise.
  case scaledInput(PassTensor, Double)
  /// Cross-entropy, or batch norm, in one expression.
  case oneGo(varianceFactor: Double = 1)
  /// The gradient of cross-entropy from the probabilities.
  case fromProbabilities
  /// The gradient of batch norm's inverse root from its result, whatever the ε in it is.
  case fromResult
}

/// Evaluates lines of one problem.
struct LineEvaluator {
  let problem: GradientProblem
  private let precision: Precision
  private let sizes: PassSizes
  private let occurrences: Int
  private let magnitudes: Parameters<Double>
  private let n: Double

  init(_ problem: GradientProblem, _ precision: Precision) {
    self.problem = problem
    self.precision = precision
    sizes = PassSizes(problem)
    occurrences = problem.minibatch.mostOccurrences
    var magnitudes = problem.parameters
    for parameter in PassTensor.parameters {
      magnitudes[parameter] = magnitude(magnitudes[parameter])
    }
    self.magnitudes = magnitudes
    n = Double(problem.minibatch.count)
  }

  /// The forms in which a line may be written, its own first, and the tensors that each reads.
  static func forms(of tensor: PassTensor) -> [(form: LineForm, inputs: [PassTensor])] {
    let others: [(form: LineForm, inputs: [PassTensor])] =
      switch tensor {
      case .logprobs, .loss: [(.oneGo(), [.logits])]
      case .dlogits: [(.oneGo(), [.logits]), (.fromProbabilities, [.probs])]
      case .dhprebn: [(.oneGo(), [.dhpreact, .bnvar_inv, .bnraw, .bngain])]
      case .dbnvar: [(.fromResult, [.bnvar_inv, .dbnvar_inv])]
      default: []
      }
    return [(.step, tensor.inputs)] + others
  }

  /// Evaluates a line on the given inputs; parameters are the problem's, unless they are given too.
  func evaluate(
    _ tensor: PassTensor, _ form: LineForm = .step, on inputs: [PassTensor: LineValue]
  ) -> LineValue {
    let line = Line(
      tensor: tensor, inputs: inputs,
      values: pass(problem.parameters, inputs) { $1.value },
      sizes: pass(magnitudes, inputs) { input, given in
        tensor.divisor == input ? magnitude(given.value) : given.size
      })
    let terms = inputs.values.reduce(sizes.terms(of: tensor, occurrences: occurrences)) {
      $0 + $1.terms
    }
    switch form {
    case .step:
      return LineValue(value: line.values[tensor], size: line.size(precision), terms: terms)
    case .scaled(let factor):
      return evaluate(tensor, on: inputs).scaled(by: factor)
    case .scaledInput(let input, let factor):
      var scaled = inputs
      scaled[input] = inputs[input]?.scaled(by: factor)
      return evaluate(tensor, on: scaled)
    case .fromResult:
      let value = -0.5 * (pow(line.values.bnvar_inv, 3) * line.values.dbnvar_inv)
      let size = 0.5 * (pow(line.sizes.bnvar_inv, 3) * line.sizes.dbnvar_inv)
      return LineValue(value: value, size: size, terms: terms)
    case .fromProbabilities:
      let targets = Matrix<Double>.oneHot(line.values.Yb, columns: line.values.W2.columns)
      return LineValue(
        value: (line.values.probs - targets) / n, size: (line.sizes.probs + targets) / n,
        terms: terms)
    case .oneGo(let varianceFactor):
      let (value, size) = line.inOneGo(n, varianceFactor)
      let added = tensor == .dhprebn ? sizes.n : sizes.model.vocabulary
      return LineValue(value: value, size: size, terms: added + terms)
    }
  }

  /// A pass whose inputs are set, to their values or to their sizes.
  private func pass(
    _ parameters: Parameters<Double>, _ inputs: [PassTensor: LineValue],
    _ number: (PassTensor, LineValue) -> Matrix<Double>
  ) -> Derivation<Double> {
    var parameters = parameters
    for (tensor, input) in inputs where PassTensor.parameters.contains(tensor) {
      parameters[tensor] = number(tensor, input)
    }
    let pass = Derivation(parameters, problem.minibatch)
    for (tensor, input) in inputs where !PassTensor.parameters.contains(tensor) {
      pass[tensor] = number(tensor, input)
    }
    return pass
  }
}

/// A line whose inputs are set, in a pass of values and in one of sizes.
private struct Line {
  let tensor: PassTensor
  let inputs: [PassTensor: LineValue]
  let values: Derivation<Double>
  let sizes: Derivation<Double>

  /// Σ|terms| of the step; ∞ where a number on the way to it is too large or too small for the
  /// precision.
  func size(_ precision: Precision) -> Matrix<Double> {
    let (v, s) = (values, sizes)
    switch tensor {
    case .bndiff: return s.hprebn + s.bnmeani
    case .norm_logits: return s.logits + s.logit_maxes
    case .dlogits: return s.dnorm_logits + v.logits.maximaOfRows * s.dlogit_maxes
    case .dhpreact: return (1 - (-pow(s.h, 2))) * s.dh
    // An error in an argument that was computed here is multiplied by the function's slope.
    case .h: return magnitude(v.h) + loss(of: .hpreact, slope: 1 - pow(v.h, 2))
    case .counts: return v.counts + loss(of: .norm_logits, slope: v.counts)
    case .logprobs: return magnitude(v.logprobs) + loss(of: .probs, slope: pow(v.probs, -1))
    case .dprobs:
      let inverses = magnitude(pow(v.probs, -1))
      let overflow = inverses.replacing(above: precision.greatestFiniteMagnitude)
      return quotient(magnitude(s.dprobs)) + overflow
    case .dbnvar:
      // A power below the least normal number has lost digits, and a large factor magnifies that.
      let inverses = 2 * pow(v.bnvar + 1e-5, 1.5)
      let underflow = inverses.replacing(above: 1 / precision.leastNormalMagnitude)
      return quotient(magnitude(s.dbnvar)) + underflow
    case .logit_maxes:
      return isComputed(.logits) ? s.logits.max(.columns) : magnitude(v.logit_maxes)
    default: return quotient(magnitude(s[tensor]))
    }
  }

  /// The size of a line that may divide by something that was computed here.
  private func quotient(_ size: Matrix<Double>) -> Matrix<Double> {
    guard let divisor = tensor.divisor, isComputed(divisor),
      let input = inputs[divisor]
    else { return size }
    return size * (input.size * pow(magnitude(input.value), -1))
  }

  private func isComputed(_ input: PassTensor) -> Bool { inputs[input]?.isComputed ?? false }

  private func loss(of input: PassTensor, slope: Matrix<Double>) -> Matrix<Double> {
    guard isComputed(input), let size = inputs[input]?.size else { return 0 * slope }
    return magnitude(slope) * size
  }

  /// Cross-entropy or batch norm as one expression, and its Σ|terms|.
  func inOneGo(
    _ n: Double, _ varianceFactor: Double
  ) -> (value: Matrix<Double>, size: Matrix<Double>) {
    let (v, s) = (values, sizes)
    if tensor == .dhprebn {
      func form(_ d: Derivation<Double>, _ sign: Double) -> Matrix<Double> {
        let variance = (varianceFactor * n / (n - 1)) * d.bnraw * (d.dhpreact * d.bnraw).sum(.rows)
        return (1 / n) * (d.bngain * d.bnvar_inv)
          * (n * d.dhpreact + sign * d.dhpreact.sum(.rows) + sign * variance)
      }
      return (form(v, -1), form(s, 1))
    }
    // The relative error of exp is the error of its argument, which is in proportion to it.
    let maxes = v.logits.max(.columns)
    let exponents = v.logits - maxes
    let logs = log(exp(exponents).sum(.columns))
    let lost = s.logits + magnitude(maxes)
    if tensor == .dlogits {
      let targets = Matrix<Double>.oneHot(v.Yb, columns: v.W2.columns)
      return (v.dlogitsInOneGo, (softmax(v.logits) * (lost + 1) + targets) / n)
    }
    let logprobs = exponents - logs
    let size = lost + magnitude(logs)
    if tensor == .logprobs { return (logprobs, size) }
    return (
      (-1 / n) * logprobs.picking(v.Yb).sum(.rows), (1 / n) * size.picking(v.Yb).sum(.rows)
    )
  }
}

// MARK: - Comparison within bounds

/// The comparison of a file's tensor with its line.
enum LineComparison: Equatable {
  /// Every element is within its bound.
  case holds
  /// An element is not.
  case differs
  /// No element is outside its bound, but some have none: there the line is infinite or not a
  /// number.
  case incomparable

  /// Written so that a NaN is never within a bound.
  ///
  /// - Parameter limit: A bound for all elements, where a smaller one is known than the line's.
  init(
    _ found: Matrix<Double>, _ line: LineValue, _ precision: Precision,
    limit: Double = .infinity
  ) {
    let bound = line.bound(precision)
    var isComparable = true
    for (index, element) in found.elements.enumerated() {
      let expected = line.value.elements[index]
      if element == expected { continue }
      let isBounded =
        bound.elements[index].isFinite && abs(expected) <= precision.greatestFiniteMagnitude
      guard isBounded else {
        isComparable = false
        continue
      }
      guard abs(element - expected) <= min(bound.elements[index], limit) else {
        self = .differs
        return
      }
    }
    self = isComparable ? .holds : .incomparable
  }
}

// MARK: - Shapes
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

  /// Whether the line makes this shape from inputs, some of whose shapes are not the notebook's.
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
    // With as many windows as units, only the sum's dimension tells the two apart.
    if let whole = whole(), let axis = tensor.reducedAxis, found != expected,
      Self.reduced(whole, 1 - axis).contains(found)
    {
      return .otherDimension
    }
    if found.count == 2, found == expected.reversed() { return .transposedShape }
    if tensor == .dC, found.last == expected.last {
      return count < expectedCount ? .summed : .notSummed
    }
    if makesByLostDimension(found, given) { return .keepdim }
    if found.count == 2, found[0] == found[1], expected.count == 2, expected.contains(1),
      expected.contains(found[0])
    {
      return .keepdimOrSum
    }
    let whole = whole()
    if let whole, tensor.reducedAxis != nil, found == whole { return .notSummed }
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
    guard case .few = terms else { return false }
    return ids == nil && reducedAxis == nil && self != .embcat
  }

  /// The dimension that the line's sum or maximum removes from a matrix; nil if there is none.
  var reducedAxis: Int? {
    if self == .logit_maxes { return 1 }
    guard case .sum(let dimension, 0) = terms, dimensions.count == 1 || dimensions.contains(.one)
    else { return nil }
    return dimension == .n ? 0 : 1
  }
}
