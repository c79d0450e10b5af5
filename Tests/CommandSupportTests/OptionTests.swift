// What an option accepts, in tables: each row is a text as a user may type it. The range of Swift's
// and ArgumentParser's own parsing is wider; the refused rows hold the difference.

import ArgumentParser
import Testing

@testable import CommandSupport

@Suite struct OptionTests {
  @Test(
    "A whole number is decimal digits within its range",
    arguments: [("1", 1), ("007", 7), ("100", 100)])
  func acceptedWholeNumbers(text: String, value: Int) throws {
    #expect(try wholeNumber(in: 1...100)(text) == value)
  }

  @Test(
    "Anything but a whole number is refused, and the error says what is allowed",
    arguments: [
      "0", "101", "-3", "+5", "", " 1", "1 ", "1,0", "1_0", "1.0", "1e1", "0x10", "ten", "nan", "٣",
      "99999999999999999999", "1\n",
    ])
  func refusedWholeNumbers(text: String) {
    let expected = OptionValueError(description: "must be a whole number from 1 to 100")
    #expect(throws: expected) { try wholeNumber(in: 1...100)(text) }
  }

  @Test("A seed option takes all 64-bit numbers and no more")
  func seeds() throws {
    let seed: (String) throws -> UInt64 = wholeNumber(in: 0...UInt64.max)
    #expect(try seed("18446744073709551615") == .max)
    #expect(throws: OptionValueError.self) { try seed("18446744073709551616") }
  }

  @Test(
    "A decimal option may have a point, an exponent and a sign",
    arguments: [
      ("0.1", 0.1), (".5", 0.5), ("5.", 5), ("3", 3), ("1e-3", 0.001), ("1.5E+1", 15),
      ("-0.25", -0.25),
      ("100", 100), ("00.10", 0.1),
    ])
  func acceptedDecimalNumbers(text: String, value: Double) throws {
    #expect(try decimalNumber(in: -1...100)(text) == value)
  }

  @Test(
    "A decimal option refuses what only Swift reads as a number",
    arguments: [
      "nan", "NaN", "inf", "-inf", "infinity", "0x1p3", "0x10", "1e308", "1e999", "-0.1", "0", "-0",
      "1e-999", "100.01", "", ".", "-", "1e", "1e+", "1.2.3", "1,5", " 1", "1 ", "+1", "٣", "1f",
      "e5",
    ])
  func refusedDecimalNumbers(text: String) {
    let expected = OptionValueError(
      description: "must be a decimal number above 0 and at most 100")
    #expect(throws: expected) { try decimalNumber(in: 0.0.nextUp...100)(text) }
  }

  @Test("The error names an excluded limit by the limit itself")
  func openRanges() {
    let share = OptionValueError(description: "must be a decimal number at least 0 and below 1")
    #expect(throws: share) { try decimalNumber(in: 0...Float(1).nextDown)("1") }
    #expect(throws: share) { try decimalNumber(in: 0...Float(1).nextDown)("0.99999999") }
    let inside = OptionValueError(description: "must be a decimal number above 0 and below 1")
    #expect(throws: inside) { try decimalNumber(in: 0.0.nextUp...1.0.nextDown)("0") }
  }

  @Test("A setting of a recipe has the limits of the recipe's table")
  func settings() throws {
    #expect(try setting(\.batchSize)("2") == 2)
    #expect(try setting(\.schedule)("cosine") == .cosine)
    #expect(try setting(\.deduplicate)("true"))
    let schedules = OptionValueError(description: "must be constant, step or cosine")
    #expect(throws: schedules) { try setting(\.schedule)("never") }
    let sizes = OptionValueError(description: "must be a whole number from 2 to 10000000")
    #expect(throws: sizes) { try setting(\.batchSize)("1") }
  }

  @Test("A decimal option accepts its limits, and -0 is 0")
  func closedRange() throws {
    let share: (String) throws -> Float = decimalNumber(in: 0...1)
    #expect(try share("1") == 1)
    #expect(try share("-0").sign == .plus)
    let expected = OptionValueError(description: "must be a decimal number from 0 to 1")
    #expect(throws: expected) { try share("1.0001") }
  }

  @Test("A number that the type rounds to an excluded bound is refused")
  func underflow() throws {
    let tiny = "1e-60"
    #expect(try decimalNumber(in: 0.0.nextUp...1)(tiny) == 1e-60)
    #expect(throws: OptionValueError.self) { try decimalNumber(in: Float(0).nextUp...1)(tiny) }
  }

  @Test("The help shows every default", arguments: ["1", "0.1", "0", "2147483647"])
  func defaults(value: String) {
    #expect(DemoCommand.helpMessage().contains("(default: \(value))"))
  }
}
