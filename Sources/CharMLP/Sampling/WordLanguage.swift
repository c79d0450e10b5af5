// The constraints in a model's numbers: the prefix, an automaton for what follows it, and two lengths.
//
// It is refused here if no word at all can meet them; whether the model makes such words is another
// question.

/// The set of words that meet all constraints.
struct WordLanguage: Sendable {
  let constraints: WordConstraints
  let prefix: [Int32]
  let automaton: ConstraintAutomaton
  /// The automaton's state after the prefix.
  let startState: Int
  let minLength: Int
  let maxLength: Int?
  /// How many characters besides the terminator may be used.
  let letterCount: Int

  /// The fewest characters from each of the automaton's states to one that accepts.
  private let distances: [Int]

  /// - Throws: `ConstraintError` for a character that the vocabulary does not have, or constraints that
  ///   no word meets.
  init(_ constraints: WordConstraints, _ vocabulary: Vocabulary) throws(ConstraintError) {
    func encode(_ text: String, _ name: String) throws(ConstraintError) -> [Int32] {
      var ids: [Int32] = []
      for symbol in text.unicodeScalars {
        guard let id = vocabulary.id(of: symbol) else {
          throw .unknownSymbol(symbol, in: name)
        }
        ids.append(id)
      }
      return ids
    }
    var contains: [[Int32]] = []
    for part in constraints.contains { contains.append(try encode(part, "contains")) }
    let avoid = Set(try encode(constraints.avoid, "avoid"))
    self.constraints = constraints
    prefix = try encode(constraints.prefix, "prefix")
    automaton = try ConstraintAutomaton(
      suffix: encode(constraints.suffix, "suffix"), contains: contains, avoid: avoid,
      vocabularyCount: vocabulary.count)
    var state = 0
    for id in prefix { state = automaton.next(state, Int(id)) }
    startState = state
    distances = automaton.distances()
    minLength = constraints.minLength
    maxLength = constraints.maxLength
    letterCount = vocabulary.count - 1 - avoid.count
    guard hasWord else { throw .impossible("\(constraints)") }
  }

  /// Whether nothing is asked but a prefix and that a word has a character.
  var isFree: Bool {
    automaton.count == 1 && automaton.accepts[0] && letterCount == automaton.vocabularyCount - 1
      && maxLength == nil && minLength <= max(1, prefix.count)
  }

  /// Whether a character may be used, by id.  (vocabulary)
  var allowedLetters: [Bool] {
    (0..<automaton.vocabularyCount).map { $0 > 0 && automaton.next(0, $0) < automaton.count }
  }

  /// Whether a word of this length may end in this state of the automaton.
  @inline(__always)
  func mayEnd(_ state: Int, length: Int) -> Bool {
    length >= minLength && length <= maxLength ?? .max && state < automaton.count
      && automaton.accepts[state]
  }

  /// Whether a word may still end, as far as the automaton and the longest length go: none that meets
  /// the constraints is lost.
  @inline(__always)
  func mayGoOn(_ state: Int, length: Int) -> Bool {
    let distance = distances[state]
    guard let maxLength else { return distance < Int.max }
    return distance <= maxLength - length
  }

  /// Whether some word meets the constraints: the states that some text of each length leads to.
  private var hasWord: Bool {
    guard startState < automaton.count, prefix.count <= maxLength ?? .max,
      minLength <= maxLength ?? .max
    else { return false }
    var states = [Bool](repeating: false, count: automaton.count)
    states[startState] = true
    let longest = maxLength ?? max(minLength, prefix.count) + automaton.count
    for length in prefix.count...longest {
      if states.indices.contains(where: { states[$0] && mayEnd($0, length: length) }) {
        return true
      }
      var next = [Bool](repeating: false, count: automaton.count)
      for state in states.indices where states[state] {
        for id in 1..<automaton.vocabularyCount {
          let target = automaton.next(state, id)
          if target < automaton.count { next[target] = true }
        }
      }
      states = next
    }
    return false
  }
}
