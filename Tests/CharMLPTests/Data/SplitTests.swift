// The notebook's split, and the general one.

import CharMLP
import Testing

@Suite("A split")
struct SplitTests {
  @Test(
    "A split cuts where Python's int(0.8 * n) and int(0.9 * n) do",
    arguments: [
      // n, and what Python 3 prints for both products; 32,033 is the lecture's list
      (32_033, 25_626, 28_829), (10, 8, 9), (5, 4, 4), (1, 0, 0), (0, 0, 0), (15, 12, 13),
      (30, 24, 27), (55, 44, 49), (100, 80, 90), (101, 80, 90), (1_000_003, 800_002, 900_002),
    ])
  func cuts(n: Int, n1: Int, n2: Int) {
    let split = Split.notebook(permutation: Array(0..<n))
    #expect(split.train == 0..<n1)
    #expect(split.validation == n1..<n2)
    #expect(split.test == n2..<n)
  }

  @Test("A split has the words in the order of the permutation")
  func takesTheOrder() {
    let split = Split.notebook(permutation: [3, 9, 0, 7, 1, 8, 2, 6, 4, 5])
    #expect(split.train == [3, 9, 0, 7, 1, 8, 2, 6])
    #expect(split.validation == [4])
    #expect(split.test == [5])
  }

  @Test("A split can be made from any order and two cuts")
  func otherWays() {
    let split = Split(order: [1, 3, 0, 2], trainCount: 2, validationCount: 0)
    #expect(split.train == [1, 3])
    #expect(split.validation.isEmpty)
    #expect(split.test == [0, 2])
  }

  @Test("A split stops the program at an order that is no permutation, and at cuts outside it")
  func stopsAtBadOrders() async {
    await #expect(processExitsWith: .failure) { _ = Split.notebook(permutation: [0, 0]) }
    await #expect(processExitsWith: .failure) { _ = Split.notebook(permutation: [1, 2]) }
    await #expect(processExitsWith: .failure) {
      _ = Split(order: [0, 1], trainCount: 2, validationCount: 1)
    }
  }
}

extension ArraySlice<Int> {
  fileprivate static func == (slice: ArraySlice<Int>, range: Range<Int>) -> Bool {
    slice.elementsEqual(range)
  }
}
