// Numbers for people to read: the same in every locale.
//
// A reader of a terminal gets thousands separators, units and few digits; a program gets JSONValue
// instead, with every digit. Rounding is to nearest on the value times a power of ten, which may
// differ from printf in the last digit of an exact tie.

/// Numbers as text for people.
public enum Format {
  /// A count with thousands separators: 12,297.
  public static func count(_ value: some BinaryInteger) -> String {
    let digits = String(value.magnitude)
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// A number with a fixed number of decimals: 2.1043. Beyond 2⁵³ units of the last decimal, where
  /// a Double has no decimals left to round, it is Swift's shortest form.
  public static func fixed(_ value: Double, decimals: Int) -> String {
    precondition((0...15).contains(decimals), "fixed: \(decimals) decimals")
    let scale = powerOfTen(decimals)
    let units = (value.magnitude * scale).rounded()
    guard units < 0x1p53 else { return value.description }
    let digits = String(Int(units))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && units > 0 ? "-" : ""
    guard decimals > 0 else { return sign + padded }
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// A rate to three significant digits: 13,500 steps/s, 8.12 steps/s.
  public static func rate(_ perSecond: Double, _ unit: String) -> String {
    significant(perSecond) + " " + unit + "/s"
  }

  /// A number to three significant digits with thousands separators: 13,500, 812, 8.12, 0.0812.
  public static func significant(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : value.description }
    let magnitude = orderOfMagnitude(value)
    guard (-6...14).contains(magnitude) else { return value.description }
    if magnitude < 2 { return fixed(value, decimals: 2 - magnitude) }
    let step = powerOfTen(magnitude - 2)
    return count(Int((value / step).rounded() * step))
  }

  /// The exponent of `value` in scientific notation once it is rounded to three digits: 2 for 999.4,
  /// 3 for 999.6.
  private static func orderOfMagnitude(_ value: Double) -> Int {
    var exponent = 0
    var mantissa = value.magnitude
    while mantissa >= 9.995, exponent < 20 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa < 0.9995, exponent > -20 {
      mantissa *= 10
      exponent -= 1
    }
    return exponent
  }

  private static func powerOfTen(_ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }
}
