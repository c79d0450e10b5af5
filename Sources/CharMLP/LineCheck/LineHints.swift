// The kind of a mistake, where the numbers show it: a constant ratio, a lost term, the wrong
// tensor. Whole lines that learners write by mistake are tried in CommonMistakes.
//
// A hint says what to look for and never what the line should be. Each kind is tried within the
// line's own bound, so that a hint is a fact about the numbers and not a guess.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// Looks for the kind of mistake in a line that is wrong given its inputs.
struct LineHints {
  typealias Sentence = HintSentence

  let judge: PassJudge
  let tensor: PassTensor
  let found: Matrix<Double>
  let line: LineValue
  /// A bound on all elements, smaller than the line's.
  private let limit: Double
  /// Whether an input is missing and no such bound is known: then too much is within the line's.
  private let isVague: Bool
  let n: Double
  private let vocabulary: Double

  init(
    _ judge: PassJudge, _ tensor: PassTensor, _ found: Matrix<Double>,
    _ candidate: PassJudge.Candidate, limit: Double
  ) {
    self.judge = judge
    self.tensor = tensor
    self.found = found
    self.limit = limit
    line = candidate.line
    isVague = candidate.isChained && !limit.isFinite
    n = Double(judge.reference.problem.minibatch.count)
    vocabulary = Double(judge.reference.problem.parameters.shape.vocabulary)
  }

  /// Where the mistake may be, if its kind does not show.
  var guess: String? { missingInputs ?? otherPass }

  /// The kind of mistake, if the numbers show one.
  var kind: String? {
    let shown: [() -> String?] = [{ emptiness }, { wrongSign }, { notZero }]
    let tried: [() -> String?] = [
      { otherDimension }, { rounding }, { fewerDigits }, { lostWrites }, { lostTerm },
      { scaledParameter }, { ratio }, { lostFactor }, { otherEpsilon }, { equalTensor },
      { scaledTerm }, { otherInput }, { otherForm }, { otherPower }, { transposed }, { otherOrder },
      { constantDifference }, { usesOfMaxes },
    ]
    let vague: [() -> String?] = [{ equalTensor }]
    return (shown + (isVague ? vague : tried)).lazy.compactMap { $0() }.first
  }

  // MARK: Kinds

  private var emptiness: String? {
    if found.elements.contains(where: { !$0.isFinite }) { return Sentence.notFinite() }
    return found.elements.allSatisfy { $0 == 0 } ? Sentence.zero() : nil
  }

  private var wrongSign: String? {
    guard let cancelled = tensor.cancels, isFound(line) else { return nil }
    guard let factor = judge.rounding(tensor, found, of: cancelled)?.clearFactor else {
      return Sentence.oppositeRounding()
    }
    // The factor is known to within a fifth.
    let times = factor > 1 ? factor : 1 / factor
    var unit = 1.0
    while times >= 10 * unit { unit *= 10 }
    let text = Self.number((times / unit).rounded() * unit)
    return (factor > 1 ? Sentence.largeRounding : .smallRounding)(["factor": text])
  }

  private var notZero: String? { tensor.cancels == nil ? nil : Sentence.notZero() }

  /// Terms that cancel where the line's do not.
  private var rounding: String? {
    let nothing = LineValue(value: 0 * line.value, size: line.size, terms: line.terms)
    return isFound(nothing) && !isRounding(line) ? Sentence.rounding() : nil
  }

  /// The line in a type with fewer digits.
  private var fewerDigits: String? {
    let types = [(name: "bfloat16", digits: 8), (name: "float16", digits: 11)]
    for (name, digits) in types {
      // Two inputs and the result have each lost half a unit of this.
      let unit = Double(sign: .plus, exponent: 2 - digits, significand: 1)
      let isRounded = found.elements.indices.allSatisfy { index in
        let (element, expected) = (found.elements[index], line.value.elements[index])
        return element.hasAtMost(digits: digits)
          && abs(element - expected) <= unit * line.size.elements[index]
      }
      if isRounded { return Sentence.fewerDigits(["type": name]) }
    }
    return nil
  }

  /// The line with one of its inputs zero.
  private var lostTerm: String? {
    for input in tensor.inputs {
      let rest = variant(input) { 0 * $0 }
      guard isClearlyFound(rest) else { continue }
      if let owner = tensor.owner, owner.readers.count > 1 {
        return Sentence.oneTerm(["owner": owner.name])
      }
      return Sentence.lostTerm()
    }
    return nil
  }

  private var ratio: String? {
    guard let factor = Self.factor(found, line, judge.precision, limit: limit) else { return nil }
    let isKnown = kind(of: factor) != .anyFactor
    let bounds = line.bound(judge.precision).elements
    let isClear = bounds.indices.contains {
      abs(found.elements[$0] - line.value.elements[$0]) > 32 * min(bounds[$0], limit)
    }
    // A single number is always some number times another.
    guard isKnown || (isClear && found.count > 1) else { return nil }
    return Sentence.ratio(["factor": Self.number(factor), "kind": words(for: factor)])
  }

  /// The line with one of its inputs 1.
  private var lostFactor: String? {
    let isLost = tensor.inputs.contains { input in
      isClearlyFound(
        variant(input) { Matrix(rows: $0.rows, columns: $0.columns, repeating: 1) })
    }
    return isLost ? Sentence.lostFactor() : nil
  }

  private var otherEpsilon: String? {
    guard [.bnvar_inv, .dbnvar].contains(tensor) else { return nil }
    let others = ["0", "1e-12", "1e-8", "1e-7", "1e-6", "1e-4", "1e-3", "1e-2", "0.1", "1"]
    let other = others.first { text in
      isFound(variant(.bnvar) { $0 + (Double(text)! - 1e-5) })
    }
    guard let other else { return nil }
    return other == "0" ? Sentence.noEpsilon() : Sentence.otherEpsilon(["epsilon": other])
  }

  private var equalTensor: String? {
    let others = PassTensor.computed.filter { $0 != tensor && !tensor.inputs.contains($0) }
    let equal = (others + tensor.inputs).first {
      judge.reference.tensors[$0]?.elements == found.elements && !isMadeOfThis($0)
    }
    guard let equal else { return nil }
    return Sentence.equalTensor(["tensor": equal.name])
  }

  /// Whether another tensor's own line makes it equal to this one to the last bit: then it is no
  /// mistake that they are equal.
  private func isMadeOfThis(_ other: PassTensor) -> Bool {
    guard other.inputs.contains(tensor) else { return false }
    guard let made = judge.line(of: other)?.value else { return false }
    return judge.precision.rounded(made) == judge.value(other)
  }

  /// The line with one of its inputs multiplied.
  private var scaledTerm: String? {
    let factors = [-1, 2, 0.5, n / (n - 1), (n - 1) / n, n, 1 / n]
    for input in tensor.inputs {
      for factor in factors where isFound(variant(input) { factor * $0 }) {
        return Sentence.scaledTerm(["factor": Self.number(factor), "kind": words(for: factor)])
      }
    }
    return nil
  }

  /// The line with another tensor of the file in place of one of its inputs.
  private var otherInput: String? {
    if isFound(line) { return nil }
    for input in tensor.inputs {
      guard let expected = self.input(input) else { continue }
      for other in PassTensor.allCases where other != input && other != tensor {
        guard let value = judge.value(other), value.rows == expected.rows,
          value.columns == expected.columns
        else { continue }
        let rest = variant(input) { _ in value }
        if isClearlyFound(rest) {
          return Sentence.otherInput(["tensor": other.name])
        }
      }
    }
    return nil
  }

  /// A common mistake that is more than a change of one input.
  private var otherForm: String? {
    if isFound(line) { return nil }
    return wrongForms.first { isFound(like: $0.value()) }?.sentence()
  }

  /// The line with another power of one of its inputs; the variance's includes ε.
  private var otherPower: String? {
    if isFound(line) { return nil }
    for input in tensor.inputs {
      guard let value = self.input(input), value.elements.allSatisfy({ $0 > 0 }) else { continue }
      for power in [-1, 2, 0.5, -2, -0.5, 1 / 3, 2 / 3, 4 / 3] as [Double] {
        let rest = variant(input) { x in
          input == .bnvar ? pow(x + 1e-5, power) + -1e-5 : pow(x, power)
        }
        if isClearlyFound(rest) { return Sentence.otherPower() }
      }
    }
    return nil
  }

  private var transposed: String? {
    func isSquare(_ x: Matrix<Double>) -> Bool { x.rows == x.columns && x.rows > 1 }
    if isSquare(found),
      isFound(
        LineValue(
          value: line.value.transposed(), size: line.size.transposed(), terms: line.terms))
    {
      return Sentence.transpose()
    }
    let isFactor = tensor.inputs.contains { input in
      guard let value = self.input(input), isSquare(value) else { return false }
      return isClearlyFound(variant(input) { $0.transposed() })
    }
    return isFactor ? Sentence.transposedFactor() : nil
  }

  /// The line's numbers in other places.
  private var otherOrder: String? {
    guard found.count > 1, found.count <= 1 << 20 else { return nil }
    let bounds = line.bound(judge.precision).elements
    let tolerance = min(bounds.max() ?? 0, limit)
    let isSame = zip(found.elements.sorted(), line.value.elements.sorted()).allSatisfy {
      abs($0 - $1) <= tolerance
    }
    let isClear = bounds.indices.contains {
      abs(found.elements[$0] - line.value.elements[$0]) > 32 * tolerance
    }
    return isSame && isClear ? Sentence.otherOrder() : nil
  }

  /// A difference that is the same along each row, or along each column.
  private var constantDifference: String? {
    let difference = found - line.value
    let tolerance = 4 * min(line.bound(judge.precision).elements.max() ?? 0, limit)
    guard difference.elements.contains(where: { abs($0) > 8 * tolerance }) else { return nil }
    func isConstant(_ difference: Matrix<Double>) -> Bool {
      difference.columns > 1
        && (0..<difference.rows).allSatisfy { row in
          (1..<difference.columns).allSatisfy {
            abs(difference[row, $0] - difference[row, 0]) <= tolerance
          }
        }
    }
    let alongRows = isConstant(difference)
    guard alongRows || isConstant(difference.transposed()) else { return nil }
    if alongRows { return Sentence.constantInRows() }
    guard let bias = tensor.inputs.first(where: [PassTensor.b1, .b2, .bnbias].contains) else {
      return Sentence.constantInColumns()
    }
    return Sentence.otherBias(["name": bias.name, "tensor": tensor.name])
  }

  private var usesOfMaxes: String? {
    guard tensor == .dlogits, judge.misusesMaxes(found) else { return nil }
    return Sentence.otherUseOfMaxes()
  }

  private var otherPass: String? {
    let parameters = tensor.inputs.filter(PassTensor.parameters.contains).map(\.name)
    let given = parameters + (tensor.ids.map { [$0.rawValue] } ?? [])
    guard !given.isEmpty else { return nil }
    return Sentence.otherPass([
      "question": tensor.question, "names": given.joined(separator: ", "), "tensor": tensor.name,
    ])
  }

  private var missingInputs: String? {
    let unknown = tensor.inputs.filter {
      PassTensor.computed.contains($0) && judge.found($0) == nil
    }
    guard !unknown.isEmpty else { return nil }
    let leftOut = unknown.count { judge.isLeftOut($0) || judge.reference.otherTypes[$0] != nil }
    let names = unknown.map(\.name).joined(separator: ", ")
    let sentence: Sentence =
      switch leftOut {
      case 0: .missingInputs
      case unknown.count: .leftOutInputs
      default: .unknownInputs
      }
    return sentence(["names": names, "are": unknown.count == 1 ? "is" : "are"])
  }

  // MARK: Trying

  /// Whether these are the file's numbers, to about the accuracy of the line.
  private func isFound(like value: Matrix<Double>) -> Bool {
    guard value.rows == found.rows, value.columns == found.columns else { return false }
    let like = LineValue(value: value, size: line.size + magnitude(value), terms: line.terms)
    return isClearlyFound(like)
  }

  func input(_ input: PassTensor) -> Matrix<Double>? {
    judge.versions[input]?.first?.input.value
  }

  /// The line with one input changed.
  func variant(
    _ changed: PassTensor, _ change: (Matrix<Double>) -> Matrix<Double>
  ) -> LineValue {
    var inputs: [PassTensor: LineValue] = [:]
    for input in tensor.inputs {
      guard let version = judge.versions[input]?.first else { continue }
      inputs[input] =
        input == changed ? LineValue(change(version.input.value)) : version.input
    }
    return judge.evaluator.evaluate(tensor, on: inputs)
  }

  func isFound(_ line: LineValue) -> Bool {
    LineComparison(found, line, judge.precision, limit: limit) == .holds
  }

  /// Whether a line is the file's, and more than rounding.
  private func isClearlyFound(_ line: LineValue) -> Bool { !isRounding(line) && isFound(line) }

  /// Whether a line is nothing but rounding.
  private func isRounding(_ line: LineValue) -> Bool {
    LineComparison(0 * line.value, line, judge.precision, limit: limit) == .holds
  }
}

extension Double {
  /// Whether a binary number has no more significant digits than that.
  fileprivate func hasAtMost(digits: Int) -> Bool {
    significandBitPattern & ((1 << (53 - digits)) - 1) == 0
  }
}

// MARK: - Constant ratios

extension LineHints {
  /// The number that a line is multiplied by in all elements; nil if there is none.
  static func factor(
    _ found: Matrix<Double>, _ line: LineValue, _ precision: Precision, limit: Double
  ) -> Double? {
    guard let factor = factor(line.value, to: found) else { return nil }
    let scaled = LineValue(
      value: factor * line.value, size: 2 * abs(factor) * line.size, terms: line.terms)
    let comparison = LineComparison(found, scaled, precision, limit: max(1, abs(factor)) * limit)
    return comparison == .holds ? factor : nil
  }

  /// The number that comes nearest to making one matrix another; nil if that is 1, or nothing does.
  static func factor(_ given: Matrix<Double>, to wanted: Matrix<Double>) -> Double? {
    let products = zip(wanted.elements, given.elements).reduce(0) { $0 + $1.0 * $1.1 }
    let factor = products / given.sumOfSquares
    return factor.isFinite && factor != 0 && abs(factor - 1) > 1e-5 ? factor : nil
  }

  /// A factor with five digits after the point, or six in all if it is very large or small.
  static func number(_ factor: Double) -> String {
    let size = abs(factor)
    var (scale, unit) = (1e5, 1.0)
    if !(size < 1e6 && size > 1e-3) {
      while size * scale < 1e5, scale < 1e300 { scale *= 10 }
      while size * scale >= 1e6, scale > 1 { scale /= 10 }
      while size / unit >= 1e6, unit < 1e300 { unit *= 10 }
    }
    let rounded = unit > 1 ? (size / unit).rounded() * unit : (size * scale).rounded() / scale
    let isWhole = rounded == rounded.rounded() && rounded < 1e15
    return (factor < 0 ? "−" : "") + (isWhole ? "\(Int(rounded))" : "\(rounded)")
  }

  /// What a ratio usually means, given what the line contains.
  private func kind(of factor: Double) -> Sentence {
    var kinds = [(1.0, Sentence.sign)]
    for kind in tensor.factors {
      let ratio: Double =
        switch kind {
        case .bessel: n / (n - 1)
        case .mean: n
        case .meanWithoutOne: n - 1
        case .meanOfRow: vocabulary
        default: 2
        }
      kinds += [(ratio, kind), (1 / ratio, kind)]
    }
    return kinds.first { abs(abs(factor) / $0.0 - 1) < 1e-4 && ($0.0 != 1 || factor < 0) }?.1
      ?? .anyFactor
  }

  /// A ratio's kind in words, and its sign if that is wrong too.
  private func words(for factor: Double) -> String {
    let kind = kind(of: factor)
    guard factor < 0, kind != .sign, kind != .anyFactor else { return kind() }
    return Sentence.signAnd(["kind": kind()])
  }
}

// MARK: - What to note, and what to ask

extension LineHints {
  /// What to note about a line that is right: a lost dimension, or what its numbers cannot show.
  static func note(
    on tensor: PassTensor, _ found: Matrix<Double>, in judge: PassJudge
  ) -> String? {
    let shape = PassSizes(judge.reference.problem).shape(of: tensor)
    if let given = judge.reference.shapes[tensor], given != shape, shape.contains(1) {
      return Sentence.lostDimension([
        "found": given.shapeDescription, "expected": shape.shapeDescription,
      ])
    }
    guard let cancelled = tensor.cancels else { return nil }
    let isSignSeen =
      judge.cancellingTerms(of: tensor, cancelled) != nil
      && !found.elements.allSatisfy { $0 == 0 }
    return (isSignSeen ? Sentence.unseenFactor : .unseenSign)()
  }
}

extension PassTensor {
  /// The kinds of factors that the line has, or that its sum or its form in one go may be given.
  var factors: [HintSentence] {
    switch self {
    case .bnvar, .dbndiff2: [.bessel, .mean, .meanWithoutOne]
    case .dhprebn: [.bessel, .mean]
    case .bnmeani, .loss, .dlogprobs, .dlogits: [.mean]
    case .dbnvar: [.exponent]
    case .dbndiff: [.square]
    default:
      switch terms {
      case .sum(.n, _): [.mean]
      case .sum(.vocabulary, _) where reducedAxis == 1: [.meanOfRow]
      default: []
      }
    }
  }

  /// What to look at where the numbers show no kind of mistake; never the line itself.
  package var question: String {
    guard let owner else {
      let names = inputs.map(\.name).joined(separator: ", ")
      return names.isEmpty ? "" : HintSentence.reads(["names": names])
    }
    let readers = owner.readers.map { "\($0) = \($0.notebookLine)" }
    let lines = readers.joined(separator: "; ")
    return (readers.count == 1 ? HintSentence.forwardLine : .forwardLines)(["lines": lines])
  }
}
