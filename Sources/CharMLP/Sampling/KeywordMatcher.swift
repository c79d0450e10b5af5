// How much of a keyword the end of a text matches: the automaton of Knuth, Morris and Pratt.

/// A deterministic automaton whose state is the longest beginning of a keyword that the text ends with.
struct KeywordMatcher {
  /// The state in which the whole keyword was just read.
  let whole: Int
  /// The next state by state and id.  (whole + 1, vocabulary)
  private let transitions: [Int]
  private let count: Int

  /// - Parameter isAbsorbing: Whether the whole keyword, once read, is never forgotten: a text that
  ///   contains it, instead of one that ends with it.
  init(_ keyword: [Int32], vocabulary count: Int, isAbsorbing: Bool) {
    var transitions = [Int](repeating: 0, count: (keyword.count + 1) * count)
    // The state that the text without its first character would be in: where a mismatch goes on.
    var shorter = 0
    for state in 0...keyword.count {
      for id in 0..<count { transitions[state * count + id] = transitions[shorter * count + id] }
      if state < keyword.count {
        let next = Int(keyword[state])
        let following = transitions[shorter * count + next]
        transitions[state * count + next] = state + 1
        if state > 0 { shorter = following }
      } else if isAbsorbing {
        for id in 0..<count { transitions[state * count + id] = state }
      }
    }
    self.transitions = transitions
    self.count = count
    whole = keyword.count
  }

  func next(_ state: Int, _ id: Int) -> Int { transitions[state * count + id] }
}
