// Options with limits, declared in one line:
//
//   @Option(help: "Words to print.", in: 0...1_000_000) var samples = 20
//   @Option(help: "Seconds for each table.", above: 0, upTo: 3600) var seconds = 2.0
//
// These add the default to the help, which ArgumentParser omits if there is a transform. Options
// without a default take `wholeNumber(in:)` or `decimalNumber(in:)` as their transform, and
// settings of a recipe take `setting(_:)`, with the limits in the recipe's table.

import ArgumentParser
public import CharMLP
import OrderedJSON
import Posix

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
  /// A decimal number with `bound < number <= highest`.
  public init(
    wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp,
    above bound: Value, upTo highest: Value
  ) {
    self.init(
      wrappedValue: wrappedValue, name: name, help: help.adding(default: plain(wrappedValue)),
      transform: decimalNumber(in: bound.nextUp...highest))
  }
}

extension ArgumentHelp {
  fileprivate func adding(default value: String) -> ArgumentHelp {
    var help = self
    help.abstract += " (default: \(value))"
    return help
  }
}

// MARK: Decimal numbers

// Swift's parsing, and so ArgumentParser's, accepts `nan`, `inf` and `0x1p3` and turns 1e999 into
// infinity. Here a number is `0.1`, `.5`, `3` or `1e-3`, and every option has limits.

/// A parser for numbers within `range`, as the `transform` of an `@Option`.
///
/// The parser throws an error that says "must be a decimal number from … to …". An open end is
/// given by its neighbour: a range from `Float.leastNonzeroMagnitude` means "above 0", one up to
/// `Float(1).nextDown` means "below 1". A negative zero is read as zero, and a number so small that
/// `Value` rounds it to an open end is refused.
public func decimalNumber<Value>(in range: ClosedRange<Value>) -> @Sendable (String) throws -> Value
where Value: BinaryFloatingPoint & LosslessStringConvertible & Sendable {
  return { text in
    let isDecimal = text.wholeMatch(of: /-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?/) != nil
    guard isDecimal, let value = Value(text), value.isFinite, range.contains(value)
    else {
      throw OptionValueError(description: "must be a decimal number \(limits(of: range))")
    }
    return value + 0
  }
}

/// The limits of a range in words: an end whose next number beyond is shorter to write is meant to
/// exclude that number.
private func limits<Value>(of range: ClosedRange<Value>) -> String
where Value: BinaryFloatingPoint & LosslessStringConvertible {
  let (lowest, highest) = (plain(range.lowerBound), plain(range.upperBound))
  let (below, above) = (plain(range.lowerBound.nextDown), plain(range.upperBound.nextUp))
  let isAbove = below.utf8.count < lowest.utf8.count
  let isBelow = above.utf8.count < highest.utf8.count
  return switch (isAbove, isBelow) {
  case (false, false): "from \(lowest) to \(highest)"
  case (true, false): "above \(below) and at most \(highest)"
  case (false, true): "at least \(lowest) and below \(above)"
  case (true, true): "above \(below) and below \(above)"
  }
}

/// A number as people write it: 100, not 100.0.
func plain<Value: BinaryFloatingPoint & LosslessStringConvertible>(
  _ value: Value
) -> String {
  let text = value.description
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

// MARK: Whole numbers

// ArgumentParser's own integers have no limits, and its message for a number that is negative or
// too large does not say what is allowed.

/// An option's value was refused; the description says what it must be.
struct OptionValueError: Error, Equatable, CustomStringConvertible {
  let description: String
}

/// A parser for whole numbers within `range`, as the `transform` of an `@Option`.
///
/// The parser takes ASCII digits only: no sign, no separators, no other base. It throws an error
/// that says "must be a whole number from … to …".
/// - Precondition: the range starts at 0 or above.
public func wholeNumber<Value: FixedWidthInteger & Sendable>(
  in range: ClosedRange<Value>
) -> @Sendable (String) throws -> Value {
  precondition(range.lowerBound >= 0, "wholeNumber: the range \(range) has negative numbers")
  return { text in
    // `Value(_:)` is nil on overflow. It accepts a leading "+", which is excluded first.
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let value = Value(text), range.contains(value)
    else {
      throw OptionValueError(
        description: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}

/// A parser for a number of threads, as the `transform` of an `@Option`.
public let threadCount: @Sendable (String) throws -> Int = wholeNumber(in: 1...1024)

// MARK: Settings of a recipe

/// A parser for a setting of a recipe, as the `transform` of an `@Option`, with the type and limits
/// in the recipe's table.
public func setting<Value>(
  _ path: KeyPath<Recipe, Value> & Sendable
) -> @Sendable (String) throws -> Value {
  guard let field = Recipe.fields.first(where: { $0.path == path }) else {
    preconditionFailure("setting: a property that is not in the recipe's table")
  }
  return { text in
    var recipe = Recipe()
    field.apply(try field.value(ofFlag: text), to: &recipe)
    return recipe[keyPath: path]
  }
}

extension RecipeField {
  /// Changes a recipe by a value that was checked when it was read.
  package func apply(_ value: JSONValue, to recipe: inout Recipe) {
    let isSet = set(&recipe, to: value)
    precondition(isSet, "the limits of \(key) are not those of its flag")
  }

  /// What a value must be: "must be a whole number from 1 to 100".
  package var requirement: String {
    do {
      return "must be \(try value(ofFlag: "?").encoded())"
    } catch {
      return "\(error)"
    }
  }

  /// The value that a flag's text stands for.
  /// - Throws: an error that says what it must be.
  package func value(ofFlag text: String) throws -> JSONValue {
    switch values {
    case .whole(let range): return .unsigned(try wholeNumber(in: range)(text))
    case .decimal(let range): return .float(try decimalNumber(in: range)(text))
    case .names(let names):
      guard names.contains(text) else {
        let alternatives = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
        throw OptionValueError(description: "must be \(alternatives)")
      }
      return .string(text)
    case .boolean:
      guard let value = Bool(text) else {
        throw OptionValueError(description: "must be true or false")
      }
      return .bool(value)
    }
  }
}
