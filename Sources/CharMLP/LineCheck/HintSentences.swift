// The words of hints, and all that docs/gradcheck.html has to know of the tensors.
//
// One table for the judge, the commands and the page. A place in braces is filled in where the
// sentence is used.

package import OrderedJSON

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
  case firstWrite = "given your demb: equals the first write of each row; add them all"
  case onePosition = "given your demb: adds up only one position of the contexts"
  case lostPosition = "given your demb: leaves out one position of the contexts"
  case otherPosition =
    "given your demb: adds a position's gradients to another position's characters"
  case oneTerm = "equals one of its terms alone: {owner} has two uses"
  case lostTerm = "equals its line with a term left out"
  case ratio = "{factor} times its line: {kind}"
  case scaledParameter =
    """
    right with {factor} times your {name}, as is every line that reads it: the file's {name} is not \
    this pass's
    """
  case lostFactor = "equals its line with a factor left out"
  case noEpsilon = "equals its line without ε"
  case otherEpsilon = "equals its line with {epsilon} for ε"
  case oppositeRounding = "zero but for rounding, and the rounding has the opposite sign"
  case largeRounding = "zero but for rounding, and the rounding is about {factor} times too large"
  case smallRounding = "zero but for rounding, and the rounding is about {factor} times too small"
  case notZero = "should be zero but for rounding"
  case rounding = "zero but for rounding, but its line is not"
  case fewerDigits = "equals its line in {type}: computed or saved with fewer digits"
  case equalTensor =
    "equals your {tensor}: the same memory (then clone it), or the wrong tensor"
  case scaledTerm = "one of its terms is {factor} times what it should be: {kind}"
  case otherInput = "equals its line with your {tensor} in place of another tensor"
  case otherPower = "equals its line with another power"
  case otherDerivative = "equals its line with the derivative of another function"
  case sigmoidDerivative = "equals its line with the derivative of sigmoid"
  case reluDerivative = "equals its line with the derivative of ReLU"
  case otherSum = "equals its line summed along the other dimension"
  case everywhere = "the same number everywhere"
  case besselInOneGo = "equals its form in one go without Bessel's n − 1"
  case transpose = "the transpose"
  case transposedFactor = "equals its line with one factor transposed"
  case otherOrder = "has the right numbers in the wrong places"
  case constantInRows =
    "off by the same number along each row: a broadcast term is missing or extra"
  case constantInColumns =
    "off by the same number along each column: a broadcast term is missing or extra"
  case otherBias =
    """
    off by the same number along each column: a broadcast term is missing or extra, \
    or {name} changed after {tensor} was computed
    """
  case otherUseOfMaxes = "its last bits show that dlogit_maxes was used in another way"
  case otherPass = "{question}; or {names} changed after {tensor} was computed"
  case missingInputs = "{names} {are} not in the file, so the mistake may be there"
  case leftOutInputs = "{names} {are} left out, so the mistake may be there"
  case unknownInputs = "{names} {are} not in the file or left out, so the mistake may be there"

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
  case exponent = "the exponent of the power"
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
  case shapeOfAnother = "{found} is not {expected}: from another minibatch?"
  case otherShape = "{found} is not {expected}"
  case lostDimension = "{found} for {expected}: keepdim"

  // What cannot be judged
  case unseenSign = "zero but for rounding: a wrong sign or factor would not show"
  case unseenFactor = "zero but for rounding: a factor of a few would not show"
  case stale = "from another minibatch: left out"
  case otherType = "{found}, and C is {expected}: {line}"
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
      "factor": .number(LineValue.factor),
      "sumsForSign": .integer(PassJudge.sumsForSign),
      "sumsForFactor": .integer(PassJudge.sumsForFactor),
      "factorOfRounding": .number(PassJudge.factorOfRounding),
      "elementsForRate": .integer(PassJudge.elementsForRate),
      "elementsForBits": .integer(PassJudge.elementsForBits),
      "elementLimit": .integer(GradientProblem.elementLimit),
      "tensors": .array(allCases.map(\.entry)),
      "leftoversOfAnySize": .integer(leftoversOfAnySize),
      "leftovers": .array(leftovers.map { .array($0.map { .string($0.name) }) }),
      "hints": .object(HintSentence.table.map { (key: $0.name, value: .string($0.text)) }),
    ]
  }

  private var entry: JSONValue {
    [
      "name": .string(name),
      "owner": owner.map { .string($0.name) } ?? .null,
      "dimensions": .array(dimensions.map { .string("\($0)") }),
      "terms": terms.json,
      "line": .string(line),
      "notebookLine": .string(notebookLine),
      "inputs": .array(inputs.map { .string($0.name) }),
      "ids": ids.map { .string($0.rawValue) } ?? .null,
      "cancels": cancels.map { .string($0.name) } ?? .null,
      "reducedAxis": reducedAxis.map { .integer($0) } ?? .null,
      "factors": .array(factors.map { .string("\($0)") }),
      "divisor": divisor.map { .string($0.name) } ?? .null,
      "section": .string(section),
    ]
  }
}

extension PassTensor.Terms {
  /// What is added up: null, `[dimension, how many besides]` or `"occurrences"`.
  fileprivate var json: JSONValue {
    switch self {
    case .few: .null
    case .sum(let dimension, let others): [.string("\(dimension)"), .integer(others)]
    case .occurrences: "occurrences"
    }
  }
}
