// Counts with what is counted, and shares of a whole.

extension Format {
  /// A number and its noun: 1 word, 2 words.
  public static func counted(_ number: Int, _ noun: String) -> String {
    "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// A part of a whole: 13.0 %.
  public static func percent(_ part: Int, of whole: Int) -> String {
    fixed(100 * Double(part) / Double(max(whole, 1)), decimals: 1) + " %"
  }

  /// A part of a whole, and what share that is: 416 (13.0 %).
  public static func share(_ part: Int, of whole: Int) -> String {
    "\(count(part)) (\(percent(part, of: whole)))"
  }
}
