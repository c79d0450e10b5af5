// The kind of a mistake, where the numbers show it: a constant ratio, a lost term, the wrong
// tensor.
//
// A hint says what to look for and never what the line should be. Each kind is tried in the line's
// own bound, so that a hint is a fact about the numbers and no guess.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
package import OrderedJSON

/// Looks for the kind of mistake in a line that is wrong given its inputs.
struct LineHints {
  private typealias Sentence = HintSentence

  private let judge: PassJudge
  private let tensor: PassTensor
  private let found: Matrix<Double>
  private let line: EvaluatedLine
  /// A bound on all elements, smaller than the line's.
  private let limit: Double
  /// Whether an input is missing and no such bound is known: then too much is within the line's.
  private let isVague: Bool
  private let n: Double
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

  /// The hint; nil if the numbers show no kind.
  var text: String? {
    let shown: [() -> String?] = [{ emptiness }, { wrongSign }, { notZero }]
    let tried: [() -> String?] = [
      { rounding }, { fewerDigits }, { lastWrite }, { lostTerm }, { ratio }, { lostFactor },
      { forgottenEpsilon }, { equalTensor }, { scaledTerm }, { transposed },
      { constantDifference }, { usesOfMaxes },
    ]
    let guessed: [() -> String?] = [{ missingInputs }, { otherPass }]
    let vague: [() -> String?] = [{ equalTensor }]
    return (shown + (isVague ? vague : tried) + guessed).lazy.compactMap { $0() }.first
  }

  // MARK: Kinds

  private var emptiness: String? {
    if found.elements.contains(where: { !$0.isFinite }) { return Sentence.notFinite() }
    return found.elements.allSatisfy { $0 == 0 } ? Sentence.zero() : nil
  }

  private var wrongSign: String? {
    guard tensor.cancels != nil, isFound(line) else { return nil }
    return Sentence.oppositeRounding()
  }

  private var notZero: String? { tensor.cancels == nil ? nil : Sentence.notZero() }

  /// Terms that cancel where the line's do not.
  private var rounding: String? {
    let nothing = EvaluatedLine(value: 0 * line.value, size: line.size, terms: line.terms)
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

  /// dC with the last window's gradient in each row.
  private var lastWrite: String? {
    guard tensor == .dC, let demb = input(.demb) else { return nil }
    var last = Matrix<Double>.zeros(found.rows, found.columns)
    for (row, id) in judge.reference.problem.minibatch.contexts.enumerated() {
      for column in 0..<last.columns { last[Int(id), column] = demb[row, column] }
    }
    return isFound(EvaluatedLine(value: last, size: magnitude(last), terms: 1))
      ? Sentence.lastWrite() : nil
  }

  /// The line with one of its inputs zero.
  private var lostTerm: String? {
    for input in tensor.inputs {
      let rest = variant(input) { 0 * $0 }
      guard !isRounding(rest), isFound(rest) else { continue }
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
      let rest = variant(input) { Matrix(rows: $0.rows, columns: $0.columns, repeating: 1) }
      return !isRounding(rest) && isFound(rest)
    }
    return isLost ? Sentence.lostFactor() : nil
  }

  private var forgottenEpsilon: String? {
    guard [.bnvar_inv, .dbnvar].contains(tensor) else { return nil }
    return isFound(variant(.bnvar) { $0 + -1e-5 }) ? Sentence.noEpsilon() : nil
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
    var inputs: [PassTensor: LineInput] = [:]
    for input in other.inputs {
      guard let value = judge.value(input) else { return false }
      inputs[input] = LineInput(value)
    }
    let made = judge.evaluator.evaluate(other, on: inputs).value
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

  private var transposed: String? {
    guard found.rows == found.columns, found.rows > 1 else { return nil }
    return isFound(
      EvaluatedLine(
        value: line.value.transposed(), size: line.size.transposed(), terms: line.terms))
      ? Sentence.transpose() : nil
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
    return alongRows ? Sentence.constantInRows() : Sentence.constantInColumns()
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
    let leftOut = unknown.filter(judge.isLeftOut)
    let names = unknown.map(\.name).joined(separator: ", ")
    let sentence: Sentence =
      switch (unknown.count, leftOut.count) {
      case (1, 0): .missingInput
      case (_, 0): .missingInputs
      case (1, 1): .leftOutInput
      case (let count, let others) where count == others: .leftOutInputs
      default: .unknownInputs
      }
    return sentence(["names": names])
  }

  // MARK: Trying

  private func input(_ input: PassTensor) -> Matrix<Double>? {
    judge.versions[input]?.first?.input.value
  }

  /// The line with one input changed.
  private func variant(
    _ changed: PassTensor, _ change: (Matrix<Double>) -> Matrix<Double>
  ) -> EvaluatedLine {
    var inputs: [PassTensor: LineInput] = [:]
    for input in tensor.inputs {
      guard let version = judge.versions[input]?.first else { continue }
      inputs[input] =
        input == changed ? LineInput(change(version.input.value)) : version.input
    }
    return judge.evaluator.evaluate(tensor, on: inputs)
  }

  private func isFound(_ line: EvaluatedLine) -> Bool {
    LineComparison(found, line, judge.precision, limit: limit) == .holds
  }

  /// Whether a line is nothing but rounding.
  private func isRounding(_ line: EvaluatedLine) -> Bool {
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
    _ found: Matrix<Double>, _ line: EvaluatedLine, _ precision: Precision, limit: Double
  ) -> Double? {
    let products = zip(found.elements, line.value.elements).reduce(0) { $0 + $1.0 * $1.1 }
    let squares = line.value.elements.reduce(0) { $0 + $1 * $1 }
    let factor = products / squares
    guard factor.isFinite, factor != 0, abs(factor - 1) > 1e-5, line.value.count > 1 || squares > 0
    else { return nil }
    let scaled = EvaluatedLine(
      value: factor * line.value, size: 2 * abs(factor) * line.size, terms: line.terms)
    let comparison = LineComparison(found, scaled, precision, limit: max(1, abs(factor)) * limit)
    return comparison == .holds ? factor : nil
  }

  /// A factor with five digits after the point, or six in all if it is very large or small.
  private static func number(_ factor: Double) -> String {
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

  /// What a ratio usually means.
  private func kind(of factor: Double) -> Sentence {
    var kinds: [(Double, Sentence)] = [
      (1, .sign), ((n - 1) / n, .bessel), (n / (n - 1), .bessel), (n, .mean), (1 / n, .mean),
      (n - 1, .meanWithoutOne), (1 / (n - 1), .meanWithoutOne), (2, .square), (0.5, .square),
    ]
    if tensor.reducedAxis == 1 {
      kinds += [(vocabulary, .meanOfRow), (1 / vocabulary, .meanOfRow)]
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
  /// What to note of a line that is right: a lost dimension, or what its numbers cannot show.
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
    let isSeen =
      judge.cancellingTerms(of: tensor, cancelled) != nil
      && !found.elements.allSatisfy { $0 == 0 }
    return isSeen ? nil : Sentence.unseenSign()
  }
}

extension PassTensor {
  /// What to look at where the numbers show no kind of mistake; never the line itself.
  package var question: String {
    guard let owner else {
      let names = inputs.map(\.name).joined(separator: ", ")
      return names.isEmpty ? "" : HintSentence.reads(["names": names])
    }
    let readers = owner.readers.map { "\($0) = \($0.line)" }
    let lines = readers.joined(separator: "; ")
    return (readers.count == 1 ? HintSentence.forwardLine : .forwardLines)(["lines": lines])
  }
}

// MARK: - Words of hints

// One table for the judge, the commands and docs/gradcheck.html. A place in braces is filled in
// where the sentence is used.

/// A text with places in braces.
package protocol Sentence: RawRepresentable<String>, CaseIterable, Sendable {}

extension Sentence {
  /// The text with its places filled in.
  /// - Precondition: every place has a value, and every value a place.
  package func callAsFunction(_ values: [String: String] = [:]) -> String {
    var text = rawValue
    for (place, value) in values {
      precondition(text.contains("{\(place)}"), "Sentence: \(self) has no place \(place)")
      text.replace("{\(place)}", with: value)
    }
    return text
  }

  /// Every text under the name of its case.
  package static var table: [(name: String, text: String)] {
    allCases.map { (name: "\($0)", text: $0.rawValue) }
  }
}

/// What is said of one line.
package enum HintSentence: String, Sentence {
  // Kinds of mistakes
  case notFinite = "not finite, and its line is"
  case zero = "zero everywhere"
  case lastWrite = "given your demb: equals the last write of each row; add, do not assign"
  case oneTerm = "equals one of its terms alone: {owner} has two uses"
  case lostTerm = "equals its line with a term left out"
  case ratio = "{factor} times its line: {kind}"
  case lostFactor = "equals its line with a factor left out"
  case noEpsilon = "equals its line without ε"
  case oppositeRounding = "zero but for rounding, and the rounding has the opposite sign"
  case notZero = "should be zero but for rounding"
  case rounding = "zero but for rounding, and its line is not"
  case fewerDigits = "equals its line in {type}: computed or saved with fewer digits"
  case equalTensor =
    "equals your {tensor}: the same memory (then clone it), or the wrong tensor"
  case scaledTerm = "one of its terms is {factor} times what it should be: {kind}"
  case transpose = "the transpose"
  case constantInRows =
    "off by the same number along each row: a term that is repeated there is missing or too many"
  case constantInColumns =
    "off by the same number along each column: a term that is repeated there is missing or too many"
  case otherUseOfMaxes = "its last bits show another use of dlogit_maxes"
  case otherPass = "{question}; or {names} changed after {tensor} was computed"
  case missingInput = "{names} is not in the file, so it may be there"
  case missingInputs = "{names} are not in the file, so it may be there"
  case leftOutInput = "{names} is left out, so it may be there"
  case leftOutInputs = "{names} are left out, so it may be there"
  case unknownInputs = "{names} are not in the file or left out, so it may be there"

  // What to look at
  case reads = "reads {names}"
  case forwardLine = "forward line: {lines}"
  case forwardLines = "forward lines: {lines}"

  // Kinds of factors
  case sign = "its sign"
  case signAnd = "its sign, and {kind}"
  case bessel = "Bessel's n − 1"
  case mean = "the mean over n"
  case meanWithoutOne = "the mean over n − 1"
  case meanOfRow = "the mean over the vocabulary"
  case square = "the square"
  case anyFactor = "a constant factor"

  // Shapes
  case otherDimension = "{found} is not {expected}: summed along the other dimension"
  case transposedShape = "{found} is the transpose"
  case keepdimOrSum = "{found} is not {expected}: keepdim, or not summed"
  case notSummed = "{found} is not {expected}: not summed"
  case keepdim = "{found} is not {expected}: keepdim"
  case summed = "{found} is not {expected}: summed"
  case summedOverAll = "{found} is not {expected}: summed over everything"
  case notRepeated = "{found} is not {expected}: not repeated"
  case otherForm = "{found} is not {expected}: the same number of elements in another shape"
  case shapeOfAnother = "{found} is not {expected}: of another minibatch?"
  case otherShape = "{found} is not {expected}"
  case lostDimension = "{found} for {expected}: keepdim"

  // What cannot be judged
  case unseenSign = "zero but for rounding: a wrong sign would not show"
  case stale = "of another minibatch: left out"
  case noBound = "its line overflows or divides by zero here: no bound is finite"
}

// MARK: - Tables for the page

// docs/gradcheck.html computes lines, bounds and verdicts itself. What it has to know of a tensor
// for that (its shape, the terms of its line, what it reads) comes from PassTensors.swift alone, as
// JSON.

extension PassTensor {
  /// All tensors in the derivation's order, the factor of every bound, and the sentences of hints.
  package static var table: JSONValue {
    [
      "factor": .number(EvaluatedLine.factor),
      "sumsForSign": .integer(PassJudge.sumsForSign),
      "elementsForBits": .integer(PassJudge.elementsForBits),
      "elementLimit": .integer(GradientProblem.elementLimit),
      "tensors": .array(allCases.map(\.entry)),
      "leftoversOfAnySize": .integer(leftoversOfAnySize),
      "leftovers": .array(leftovers.map { .array($0.map { .string($0.name) }) }),
      "hints": .object(HintSentence.table.map { (key: $0.name, value: .string($0.text)) }),
    ]
  }

  private var entry: JSONValue {
    let row = TensorRow<Double>(self)
    return [
      "name": .string(name),
      "owner": owner.map { .string($0.name) } ?? .null,
      "dimensions": .array(row.dimensions.map { .string("\($0)") }),
      "terms": row.terms.json,
      "line": .string(line),
      "inputs": .array(inputs.map { .string($0.name) }),
      "ids": ids.map { .string($0.rawValue) } ?? .null,
      "cancels": cancels.map { .string($0.name) } ?? .null,
      "reducedAxis": reducedAxis.map { .integer($0) } ?? .null,
      "divisor": divisor.map { .string($0.name) } ?? .null,
      "section": .string(section),
    ]
  }
}

extension TensorRow.Terms {
  /// What is added up: null, `[dimension, how many besides]` or `"occurrences"`.
  fileprivate var json: JSONValue {
    switch self {
    case .few: .null
    case .sum(let dimension, let others): [.string("\(dimension)"), .integer(others)]
    case .occurrences: "occurrences"
    }
  }
}
