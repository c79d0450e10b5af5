// Discounts from counts of counts.

import CharMLP
import Testing

@Suite("Discounts")
struct DiscountsTests {
  @Test("are those of Chen and Goodman's equation 26")
  func estimate() throws {
    let discounts = try #require(Discounts(n1: 100, n2: 50, n3: 20, n4: 10))
    // Y = 100 / 200
    #expect(
      discounts == Discounts(one: 0.5, two: 2 - 1.5 * 20 / 50, threeOrMore: 3 - 2 * 10.0 / 20))
  }

  @Test(
    "cannot be estimated without counts of one, two, three and four",
    arguments: [(0, 5, 5, 5), (5, 0, 5, 5), (5, 5, 0, 5), (5, 5, 5, 0), (0, 0, 0, 0)])
  func missing(n1: Int, n2: Int, n3: Int, n4: Int) {
    #expect(Discounts(n1: n1, n2: n2, n3: n3, n4: n4) == nil)
  }

  @Test("are none where an estimate is not above zero", arguments: [(9, 1, 9, 1), (9, 9, 1, 9)])
  func outOfRange(n1: Int, n2: Int, n3: Int, n4: Int) {
    #expect(Discounts(n1: n1, n2: n2, n3: n3, n4: n4) == nil)
  }

  @Test("are 0.75 at every level where a list is too small to estimate them")
  func fallBack() throws {
    let words = try WordList(["ab", "b"])
    let windows = ContextWindows(
      try EncodedWords(words, vocabulary: Vocabulary(of: words)), blockSize: 5)
    let model = NGramModel(of: windows, order: 6, discounting: .estimated)
    #expect(model.discounts == Array(repeating: .fixed, count: 6))
  }
}
