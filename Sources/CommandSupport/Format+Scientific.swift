// Numbers of any size with two digits, as a table of differences shows them.

import Glibc

extension Format {
  /// A number in scientific notation with two digits: 1.2e-07; 0, inf and nan as they are.
  public static func scientific(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : value.description }
    var exponent = Int(log10(value.magnitude).rounded(.down))
    // In two steps, because 10³²³ is no Double.
    let half = exponent / 2
    let scaled = value.magnitude * pow(10, Double(-half)) * pow(10, Double(half - exponent))
    var tenths = (scaled * 10).rounded()
    if tenths >= 100 {
      tenths /= 10
      exponent += 1
    }
    let digits = String(exponent.magnitude)
    let padded = (digits.count < 2 ? "0" : "") + digits
    let mantissa = fixed(tenths / 10, decimals: 1)
    return (value < 0 ? "-" : "") + mantissa + (exponent < 0 ? "e-" : "e+") + padded
  }
}
