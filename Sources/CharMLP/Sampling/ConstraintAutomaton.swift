// One deterministic automaton for all constraints but lengths and the prefix.
//
// Its states are tuples of the states of its parts (suffix, each keyword), as far as they can be reached;
// a character to avoid leads to the one dead state, which has the number `count`. Lengths are counted by
// whoever walks, because they would multiply the states.

/// Reads the characters of a word and says whether it may end.
struct ConstraintAutomaton: Sendable {
  /// The number of states, the dead one left out; 0 is the start.
  let count: Int
  let vocabularyCount: Int
  /// The next state by state and id; `count` is dead. The end of a word leads nowhere.
  /// (count, vocabulary)
  let transitions: [Int32]
  /// Whether a word may end in a state.  (count)
  let accepts: [Bool]

  static let stateLimit = 4096

  /// - Throws: `tooComplex` if there would be more than `stateLimit` states.
  init(
    suffix: [Int32], contains: [[Int32]], avoid: Set<Int32>, vocabularyCount: Int
  ) throws(ConstraintError) {
    let suffixes = suffix.isEmpty ? [] : [suffix]
    let matchers =
      suffixes.map { KeywordMatcher($0, vocabulary: vocabularyCount, isAbsorbing: false) }
      + contains.filter { !$0.isEmpty }
      .map { KeywordMatcher($0, vocabulary: vocabularyCount, isAbsorbing: true) }
    var states = [matchers.map { _ in 0 }]
    var numbers = [states[0]: 0]
    var rows: [[Int]] = []
    while rows.count < states.count {
      let state = states[rows.count]
      var row = [Int](repeating: -1, count: vocabularyCount)
      for id in 1..<vocabularyCount where !avoid.contains(Int32(id)) {
        let next = zip(matchers, state).map { $0.next($1, id) }
        row[id] = numbers[next, default: states.count]
        if row[id] == states.count {
          guard states.count < Self.stateLimit else { throw .tooComplex(limit: Self.stateLimit) }
          numbers[next] = states.count
          states.append(next)
        }
      }
      rows.append(row)
    }
    let count = states.count
    self.count = count
    self.vocabularyCount = vocabularyCount
    transitions = rows.flatMap { $0.map { Int32($0 < 0 ? count : $0) } }
    accepts = states.map { state in zip(matchers, state).allSatisfy { $0.whole == $1 } }
  }

  /// The state after a character; the dead state stays.
  @inline(__always)
  func next(_ state: Int, _ id: Int) -> Int {
    state == count ? count : Int(transitions[state * vocabularyCount + id])
  }

  /// The fewest characters from each state to one that accepts; `Int.max` where there are none.
  /// (count + 1), the dead state last
  func distances() -> [Int] {
    var distances = accepts.map { $0 ? 0 : Int.max } + [Int.max]
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for state in 0..<count {
        for id in 1..<vocabularyCount {
          let next = distances[next(state, id)]
          if next < Int.max, next + 1 < distances[state] {
            distances[state] = next + 1
            hasChanged = true
          }
        }
      }
    }
    return distances
  }
}
