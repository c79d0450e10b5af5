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

// MARK: - What words may be asked for, in the words of whoever asks

// Constraints condition the chain: of all words that it makes, those that meet every constraint, each as
// probable as before among them. How that is done is the business of WordLanguage and what follows it.

/// Conditions on whole words, all of which hold at once. Characters are Unicode scalars.
public struct WordConstraints: Equatable, Sendable {
  /// The fewest characters; 0 lets the empty word in.
  public var minLength = 1
  /// The most characters, or nil.
  public var maxLength: Int?
  /// What every word begins with.
  public var prefix = ""
  /// What every word ends with.
  public var suffix = ""
  /// What every word contains, each somewhere.
  public var contains: [String] = []
  /// Characters that no word has.
  public var avoid = ""

  /// No condition but that a word has a character.
  public init() {}
}

/// Why no word can be asked for in this way.
public enum ConstraintError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A character that the model does not know, in the named constraint.
  case unknownSymbol(Unicode.Scalar, in: String)
  /// No word at all meets all constraints, whatever the model.
  case impossible(String)
  /// The constraints together need more states than are kept.
  case tooComplex(limit: Int)

  public var description: String {
    switch self {
    case .unknownSymbol(let symbol, let place):
      "\(place): \(VocabularyError.unknownSymbol(symbol))"
    case .impossible(let constraints): "no word can meet this: \(constraints)"
    case .tooComplex(let limit):
      "the constraints together have more than \(limit) states; ask for less at once"
    }
  }
}

extension WordConstraints: CustomStringConvertible {
  public var description: String {
    var parts: [String] = []
    if minLength > 1 { parts.append("at least \(minLength) characters") }
    if let maxLength { parts.append("at most \(maxLength) characters") }
    if !prefix.isEmpty { parts.append("begins with \"\(prefix)\"") }
    if !suffix.isEmpty { parts.append("ends with \"\(suffix)\"") }
    for part in contains where !part.isEmpty { parts.append("contains \"\(part)\"") }
    if !avoid.isEmpty { parts.append("avoids \"\(avoid)\"") }
    return parts.isEmpty ? "no constraint" : parts.joined(separator: ", ")
  }
}

// MARK: - One deterministic automaton for all constraints but lengths and the prefix

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

// MARK: - How much of a keyword the end of a text matches: the automaton of Knuth, Morris and Pratt

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

// MARK: - Words that must not be drawn, as a tree of their characters

// The list that the model is trained on, a list of the user's, and the words that were drawn already when
// each is wanted once: all are one tree. Children always have higher numbers than their parents, so that
// going through the numbers backwards visits a node after all that is below it.

/// A set of words of ids, in which a walk can follow a word character by character.
public struct ForbiddenWords: Sendable {
  private var ids: [Int32] = [0]
  private var firstChildren: [Int32] = [-1]
  private var siblings: [Int32] = [-1]
  private var isWord: [Bool] = [false]
  private(set) var parents: [Int32] = [-1]

  /// No words.
  public init() {}

  /// The number of nodes, the root included.
  var nodeCount: Int { ids.count }

  /// Whether a word was added.
  public private(set) var isEmpty = true

  /// Adds a word; one with characters that the vocabulary does not have is no word of the model's, and
  /// is left out.
  public mutating func add(_ word: String, _ vocabulary: Vocabulary) {
    if let ids = try? vocabulary.encode(word) { add(ids) }
  }

  /// Adds the words of a list.
  public mutating func add(_ words: WordList, _ vocabulary: Vocabulary) {
    for word in words { add(word, vocabulary) }
  }

  /// Adds a word and gives its node.
  @discardableResult
  mutating func add(_ word: some Sequence<Int32>) -> Int {
    var node = 0
    for id in word { node = child(of: node, id) ?? addChild(of: node, id) }
    isWord[node] = true
    isEmpty = false
    return node
  }

  /// The words that begin with a prefix, without it.
  func following(_ prefix: [Int32]) -> ForbiddenWords {
    guard !prefix.isEmpty else { return self }
    var result = ForbiddenWords()
    guard let root = node(of: prefix) else { return result }
    // Pairs of a node here and the same one in the result; parents first.
    var pending = [(root, 0)]
    while let (node, copy) = pending.popLast() {
      if isWord[node] {
        result.isWord[copy] = true
        result.isEmpty = false
      }
      forEachChild(of: node) { child in
        pending.append((child, result.addChild(of: copy, ids[child])))
      }
    }
    return result
  }

  /// Whether a word is forbidden.
  func contains(_ word: [Int32]) -> Bool { node(of: word).map { isWord[$0] } ?? false }

  /// The node of a text that words begin with, or nil.
  func node(of text: some Sequence<Int32>) -> Int? {
    var node: Int? = 0
    for id in text { node = node.flatMap { child(of: $0, id) } }
    return node
  }

  /// Whether the word that ends in a node is forbidden.
  @inline(__always)
  func isWord(_ node: Int) -> Bool { isWord[node] }

  /// The character that leads to a node.
  @inline(__always)
  func id(of node: Int) -> Int { Int(ids[node]) }

  /// The node of the next character, or nil.
  @inline(__always)
  func child(of node: Int, _ id: Int32) -> Int? {
    var child = Int(firstChildren[node])
    while child >= 0, ids[child] != id { child = Int(siblings[child]) }
    return child < 0 ? nil : child
  }

  /// The nodes below a node, in no particular order.
  @inline(__always)
  func forEachChild(of node: Int, _ body: (Int) -> Void) {
    var child = Int(firstChildren[node])
    while child >= 0 {
      body(child)
      child = Int(siblings[child])
    }
  }

  private mutating func addChild(of node: Int, _ id: Int32) -> Int {
    ids.append(id)
    firstChildren.append(-1)
    siblings.append(firstChildren[node])
    isWord.append(false)
    parents.append(Int32(node))
    firstChildren[node] = Int32(ids.count - 1)
    return ids.count - 1
  }
}
