// Options with limits, declared in one line:
//
//   @Option(help: "Training steps.", in: 1...1_000_000_000) var steps = 200_000
//   @Option(help: "Learning rate.", above: 0, upTo: 100) var learningRate = 0.1
//
// They add the default to the help, which ArgumentParser leaves out when a transform parses. For an
// option without a default, `wholeNumber(in:)` and `decimalNumber(from:upTo:)` are its transform.

import ArgumentParser

extension Option where Value: FixedWidthInteger & Sendable {
  /// A whole number within `range`, in decimal digits.
  /// - Precondition: the default is within the range, and the range starts at 0 or above.
  public init(
    wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp,
    in range: ClosedRange<Value>
  ) {
    precondition(range.contains(wrappedValue), "the default \(wrappedValue) is not in \(range)")
    self.init(
      wrappedValue: wrappedValue, name: name, help: help.adding(default: "\(wrappedValue)"),
      transform: wholeNumber(in: range))
  }
}

extension Option
where Value: BinaryFloatingPoint & LosslessStringConvertible & Sendable {
  /// A decimal number with `lowest <= number <= highest`.
  public init(
    wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp,
    from lowest: Value, upTo highest: Value
  ) {
    self.init(
      wrappedValue: wrappedValue, name: name, help: help.adding(default: plain(wrappedValue)),
      transform: decimalNumber(from: lowest, upTo: highest))
  }

  /// A decimal number with `bound < number <= highest`.
  public init(
    wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp,
    above bound: Value, upTo highest: Value
  ) {
    self.init(
      wrappedValue: wrappedValue, name: name, help: help.adding(default: plain(wrappedValue)),
      transform: decimalNumber(above: bound, upTo: highest))
  }
}

extension ArgumentHelp {
  fileprivate func adding(default value: String) -> ArgumentHelp {
    var help = self
    help.abstract += " (default: \(value))"
    return help
  }
}
