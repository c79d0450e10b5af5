// What hints say, in one table: the judge, the commands and docs/gradcheck.html take their words from here.
//
// A place in braces is filled in by whoever says the sentence.

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
  case equalTensor =
    "equals your {tensor}: the same memory (then clone it), or the wrong tensor"
  case scaledTerm = "one of its terms is {factor} times what it should be: {kind}"
  case transpose = "the transpose"
  case constantInRows =
    "off by the same number along each row: a term that is repeated there is missing or too many"
  case constantInColumns =
    "off by the same number along each column: a term that is repeated there is missing or too many"
  case otherUseOfMaxes = "its last bits show another use of dlogit_maxes"
  case otherPass = "or {names} changed after {tensor} was computed"
  case missingInput = "{names} is not in the file, so it may be there"
  case missingInputs = "{names} are not in the file, so it may be there"

  // Kinds of factors
  case sign = "its sign"
  case signAnd = "its sign, and {kind}"
  case bessel = "Bessel's n − 1"
  case mean = "the mean over n"
  case meanWithoutOne = "the mean over n − 1"
  case square = "the square"
  case anyFactor = "a constant factor"

  // Shapes
  case otherDimension = "{found} is not {expected}: summed along the other dimension"
  case transposedShape = "{found} is the transpose"
  case keepdimOrSum = "{found} is not {expected}: keepdim, or not summed"
  case notSummed = "{found} is not {expected}: not summed"
  case keepdim = "{found} is not {expected}: keepdim"
  case otherShape = "{found} is not {expected}"
  case lostDimension = "{found} for {expected}: keepdim"

  // What cannot be judged
  case unseenSign = "zero but for rounding: a wrong sign would not show"
  case stale = "of another minibatch: left out"
  case noBound = "its line overflows or divides by zero here: no bound is finite"
}
