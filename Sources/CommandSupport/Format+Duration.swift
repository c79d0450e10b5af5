// Durations for people: two units at most, and never 60 of the smaller one.
//
// A value is rounded to the precision it is shown with before its unit is chosen, so that 59.7 s is
// a minute and 9.96 s is not "10.0 s".

extension Format {
  /// A duration: 4.2 ms, 48 ms, 0.8 s, 42 s, 1 min 12 s, 2 h 5 min, 3 d 4 h; "unknown" for what is
  /// negative or not finite.
  public static func duration(seconds: Double) -> String {
    switch seconds {
    case 0..<0.00995: return fixed(seconds * 1000, decimals: 1) + " ms"
    case 0..<0.0995: return fixed(seconds * 1000, decimals: 0) + " ms"
    case 0..<9.95: return fixed(seconds, decimals: 1) + " s"
    case 0..<0x1p53: return duration(wholeSeconds: Int(seconds.rounded()))
    default: return "unknown"
    }
  }

  /// A duration, as above.
  public static func duration(_ duration: Duration) -> String {
    self.duration(seconds: duration / .seconds(1))
  }

  private static func duration(wholeSeconds seconds: Int) -> String {
    // From an hour on the seconds are not shown, so they are rounded into the minutes, and so on.
    let minutes = (seconds + 30) / 60
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    if minutes < 24 * 60 { return "\(minutes / 60) h \(minutes % 60) min" }
    let hours = (seconds + 1800) / 3600
    return "\(count(hours / 24)) d \(hours % 24) h"
  }
}
