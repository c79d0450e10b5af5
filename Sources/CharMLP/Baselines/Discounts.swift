// What Kneser-Ney smoothing takes from every count, to give it to what was not seen.
//
// Fixed: 0.75 from every count of every level, as textbooks do. Estimated: from the data, one discount
// for counts of one, one for counts of two and one for all larger ones (modified Kneser-Ney; S. F. Chen
// and J. Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech
// and Language 13, 1999, equation 26).

/// How the discounts of an n-gram model are chosen.
public enum Discounting: String, CaseIterable, Sendable {
  /// 0.75, whatever the count.
  case fixed
  /// Estimated for each level from how many of its counts are one, two, three and four.
  case estimated
}

/// What is subtracted from counts of one, of two, and of three or more.
public struct Discounts: Equatable, Sendable {
  public let one: Double
  public let two: Double
  public let threeOrMore: Double

  /// 0.75 for all, as in many textbooks.
  public static let fixed = Discounts(one: 0.75, two: 0.75, threeOrMore: 0.75)

  /// Makes discounts; that of a count is above zero and at most the count.
  public init(one: Double, two: Double, threeOrMore: Double) {
    precondition(
      one > 0 && one <= 1 && two > 0 && two <= 2 && threeOrMore > 0 && threeOrMore <= 3,
      "Discounts: \(one), \(two), \(threeOrMore)")
    (self.one, self.two, self.threeOrMore) = (one, two, threeOrMore)
  }

  /// The estimate from how many counts are one, two, three and four: with Y = n₁ / (n₁ + 2n₂),
  /// D₁ = 1 − 2Y n₂/n₁, D₂ = 2 − 3Y n₃/n₂, D₃₊ = 3 − 4Y n₄/n₃.
  ///
  /// Nil where a number that the equations need is zero, or a discount would not be above zero: small
  /// lists, and lists without rare n-grams, have no such estimate.
  public init?(n1: Int, n2: Int, n3: Int, n4: Int) {
    guard n1 > 0, n2 > 0, n3 > 0, n4 > 0 else { return nil }
    let (n1, n2, n3, n4) = (Double(n1), Double(n2), Double(n3), Double(n4))
    let ratio = n1 / (n1 + 2 * n2)
    let two = 2 - 3 * ratio * n3 / n2
    let threeOrMore = 3 - 4 * ratio * n4 / n3
    guard two > 0, threeOrMore > 0 else { return nil }
    self.init(one: 1 - 2 * ratio * n2 / n1, two: two, threeOrMore: threeOrMore)
  }

  /// The discount of a count, which is at least 1.
  func discount(of count: Int32) -> Double {
    switch count {
    case 1: one
    case 2: two
    default: threeOrMore
    }
  }
}

extension Discounts {
  /// The discounts of one level by its counts; fixed where they cannot be estimated.
  init(_ discounting: Discounting, of counts: ArraySlice<Int32>) {
    var numbers = [0, 0, 0, 0]
    for count in counts where count <= 4 { numbers[Int(count) - 1] += 1 }
    let estimate = Discounts(n1: numbers[0], n2: numbers[1], n3: numbers[2], n4: numbers[3])
    self = discounting == .estimated ? estimate ?? .fixed : .fixed
  }
}
