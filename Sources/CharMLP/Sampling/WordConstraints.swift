// The constraints on sampled words, and how a walk through the chain keeps to them: as the user
// gives them, then in a model's ids, with an automaton for everything except the prefix and the
// lengths.
//
// Constraints condition the chain: of all words that it makes, those that meet every constraint, in
// the same proportions as before. Constraints that no word at all can meet are refused here;
// whether the model makes such words is another question.

/// Conditions on whole words, all of which must hold. Characters are Unicode scalars.
public struct WordConstraints: Equatable, Sendable, CustomStringConvertible {
  /// The fewest characters; 0 allows the empty word.
  public var minLength = 1
  /// The most characters, or nil.
  public var maxLength: Int?
  /// What every word begins with.
  public var prefix = ""
  /// What every word ends with.
  public var suffix = ""
  /// What every word contains, anywhere.
  public var contains: [String] = []
  /// Characters that no word contains.
  public var avoid = ""
  /// The symbols that may begin a word, since words of the list do; nil for all but marks. Blanks,
  /// which reading trims, neither begin nor end one.
  public var beginnings: Set<Unicode.Scalar>?
  /// The symbols that end words of the list; nil if it is not known. A new word may end with any
  /// other letter too, but not with what needs something behind it: a hyphen, a joiner, a vowel
  /// sign that is written before its consonant.
  public var endings: Set<Unicode.Scalar>?

  /// No condition except that a word has a character.
  public init() {}

  /// The conditions, in one line.
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

/// Why constraints are refused.
public enum ConstraintError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The named constraint has a character that the model does not know.
  case unknownSymbol(Unicode.Scalar, in: String)
  /// No word can meet all constraints, whatever the model.
  case impossible(String)
  /// The constraints together need too many states.
  case tooComplex(limit: Int)
  /// An option of the chain, or of the search for words, has a value that it cannot have.
  case option(String, found: String, expected: String)

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .unknownSymbol(let symbol, let place):
      "\(place): \(VocabularyError.unknownSymbol(symbol))"
    case .impossible(let constraints): "no word can meet this: \(constraints)"
    case .tooComplex(let limit):
      "the constraints together need more than \(limit) states; use fewer of them, or shorter ones"
    case .option(let name, let found, let expected): "\(name) \(found): expected \(expected)"
    }
  }
}

// MARK: - Constraints in a model's ids

/// The set of words that meet all constraints.
struct EncodedConstraints: Sendable {
  let prefix: [Int32]
  let automaton: ConstraintAutomaton
  /// The automaton's state after the prefix.
  let startState: Int
  let minLength: Int
  let maxLength: Int?
  /// How many characters may be used, the terminator not counted.
  let letterCount: Int

  private let avoid: Set<Int32>
  /// The fewest characters from each state of the automaton to one that accepts.
  private let distances: [Int]

  /// - Throws: `ConstraintError` for an unknown character, a shortest length that no word reaches,
  ///   or constraints that no word meets.
  init(_ constraints: WordConstraints, _ vocabulary: Vocabulary) throws(ConstraintError) {
    func encode(_ text: String, _ name: String) throws(ConstraintError) -> [Int32] {
      try text.unicodeScalars.map { symbol throws(ConstraintError) in
        guard let id = vocabulary.id(of: symbol) else { throw .unknownSymbol(symbol, in: name) }
        return id
      }
    }
    guard constraints.minLength <= WordList.lineLimit else {
      throw .option(
        "min-length", found: "\(constraints.minLength)",
        expected: "at most \(WordList.lineLimit) characters")
    }
    var contains: [[Int32]] = []
    for part in constraints.contains { contains.append(try encode(part, "contains")) }
    let avoid = Set(try encode(constraints.avoid, "avoid"))
    prefix = try encode(constraints.prefix, "prefix")
    automaton = try ConstraintAutomaton(
      suffix: encode(constraints.suffix, "suffix"), contains: contains, avoid: avoid,
      neverFirst: constraints.neverFirst(vocabulary), neverLast: constraints.neverLast(vocabulary),
      vocabularyCount: vocabulary.count)
    self.avoid = avoid
    var state = 0
    for id in prefix { state = automaton.next(state, Int(id)) }
    startState = state
    distances = automaton.distances()
    minLength = max(0, constraints.minLength)
    maxLength = constraints.maxLength
    letterCount = vocabulary.count - 1 - avoid.count
    guard hasWord else { throw .impossible("\(constraints)") }
  }

  /// Whether the only conditions are a prefix and that a word has a character.
  var acceptsAll: Bool {
    automaton.count == 1 && automaton.accepts[0] && letterCount == automaton.vocabularyCount - 1
      && maxLength == nil && minLength <= max(1, prefix.count)
  }

  /// Whether each character may be used.  (vocabulary)
  var allowedLetters: [Bool] {
    (0..<automaton.vocabularyCount).map { $0 > 0 && !avoid.contains(Int32($0)) }
  }

  /// Whether a word of this length may end in this state of the automaton.
  @inline(__always)
  func mayEnd(_ state: Int, length: Int) -> Bool {
    length >= minLength && length <= maxLength ?? .max && state < automaton.count
      && automaton.accepts[state]
  }

  /// Whether a word can still end in time, as far as the automaton and the longest length go.
  @inline(__always)
  func canContinue(_ state: Int, length: Int) -> Bool {
    let distance = distances[state]
    guard let maxLength else { return distance < Int.max }
    return distance <= maxLength - length
  }

  /// Whether any word meets the constraints: from the states that the shortest words can reach, a
  /// word has to be able to end in time.
  private var hasWord: Bool {
    let shortest = max(minLength, prefix.count)
    guard shortest <= maxLength ?? .max else { return false }
    return automaton.states(after: shortest - prefix.count, from: startState)
      .contains { canContinue($0, length: shortest) }
  }
}

extension Vocabulary {
  /// The ids of the symbols of a kind.
  fileprivate func ids(where isOfKind: (Unicode.Scalar) -> Bool) -> Set<Int32> {
    Set(symbols.indices.filter { isOfKind(symbols[$0]) }.map { Int32($0 + 1) })
  }
}

extension Unicode.Scalar {
  /// Whether this only changes or joins what stands before it: combining marks, joiners and other
  /// format characters, skin tones.
  fileprivate var isMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .format: true
    default: properties.isEmojiModifier
    }
  }

  /// Whether this needs something behind it, if no word of a list ends with it: punctuation,
  /// joiners and signs; a virama, which takes the vowel of its consonant; a vowel that is written
  /// before its consonant (Thai, Lao); the initial consonant of a Hangul syllable in pieces.
  fileprivate var isIncomplete: Bool {
    if properties.canonicalCombiningClass == .virama || properties.isLogicalOrderException {
      return true
    }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .otherSymbol: return false
    case .decimalNumber, .letterNumber, .otherNumber: return false
    default: return !properties.isAlphabetic || (0x1100...0x115F).contains(value)
    }
  }
}

extension WordConstraints {
  /// Lets words begin with what words of a list begin with, and with nothing else, and end with
  /// what they end with or what needs nothing behind it.
  public mutating func beginAndEnd(like words: WordList) {
    var (first, last): (Set<Unicode.Scalar>, Set<Unicode.Scalar>) = ([], [])
    let bytes = words.utf8.span
    // An ASCII letter that repeats from word to word is looked up once: many lists are sorted.
    var known: (first: UInt8, last: UInt8) = (0, 0)
    for word in words.indices {
      let range = words.utf8Range(of: word)
      var end = range.upperBound - 1
      if bytes[range.lowerBound] != known.first {
        known.first = bytes[range.lowerBound] < 0x80 ? bytes[range.lowerBound] : 0
        if let scalar = bytes.scalar(at: range.lowerBound)?.scalar { first.insert(scalar) }
      }
      if bytes[end] != known.last {
        known.last = bytes[end] < 0x80 ? bytes[end] : 0
        while end > range.lowerBound, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        if let scalar = bytes.scalar(at: end)?.scalar { last.insert(scalar) }
      }
    }
    (beginnings, endings) = (first, last)
  }

  /// The ids with which no word begins. A prefix that no word of the list begins with is allowed:
  /// the user asked for it.
  package func neverFirst(_ vocabulary: Vocabulary) -> Set<Int32> {
    vocabulary.ids { symbol in
      symbol.isBlank || prefix.isEmpty && !(beginnings?.contains(symbol) ?? !symbol.isMark)
    }
  }

  /// The ids with which no word ends, unless a suffix asks for it.
  package func neverLast(_ vocabulary: Vocabulary) -> Set<Int32> {
    vocabulary.ids { symbol in
      let isOpen =
        endings.map { !$0.contains(symbol) && symbol.isIncomplete }
        ?? symbol.properties.isJoinControl
      return symbol.isBlank || suffix.isEmpty && isOpen
    }
  }
}

// MARK: - The automaton

/// A deterministic automaton for all constraints except the prefix and the lengths: it reads the
/// characters of a word and says whether it may end.
///
/// Its states are tuples of the states of its parts (the suffix, each keyword, the ends), as far as
/// they can be reached; a character to avoid leads to the one dead state, which has the number
/// `count`. Lengths would multiply the states and are counted by the caller.
struct ConstraintAutomaton: Sendable {
  /// The number of states without the dead one; 0 is the start.
  let count: Int
  let vocabularyCount: Int
  /// The next state by state and id.  (count, vocabulary)
  let transitions: [Int32]
  /// Whether a word may end in a state.  (count)
  let accepts: [Bool]

  static let stateLimit = 4096

  /// - Throws: `tooComplex` if there would be more than `stateLimit` states.
  init(
    suffix: [Int32], contains: [[Int32]], avoid: Set<Int32>, neverFirst: Set<Int32> = [],
    neverLast: Set<Int32> = [], vocabularyCount: Int
  ) throws(ConstraintError) {
    let suffixes = suffix.isEmpty ? [] : [suffix]
    let matchers =
      suffixes.map { KeywordMatcher($0, vocabulary: vocabularyCount, isAbsorbing: false) }
      + contains.filter { !$0.isEmpty }
      .map { KeywordMatcher($0, vocabulary: vocabularyCount, isAbsorbing: true) }
    // For the ends, three states are enough: 0 at the beginning, 1 where a word may end, 2 after a
    // character that is never the last.
    let hasEnds = !neverFirst.isEmpty || !neverLast.isEmpty
    var states = [matchers.map { _ in 0 } + (hasEnds ? [0] : [])]
    var numbers = [states[0]: 0]
    var rows: [[Int]] = []
    while rows.count < states.count {
      let state = states[rows.count]
      var row = [Int](repeating: -1, count: vocabularyCount)
      for id in 1..<vocabularyCount where !avoid.contains(Int32(id)) {
        var next = zip(matchers, state).map { $0.next($1, id) }
        if hasEnds {
          if state[matchers.count] == 0, neverFirst.contains(Int32(id)) { continue }
          next.append(neverLast.contains(Int32(id)) ? 2 : 1)
        }
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
    accepts = states.map { state in
      zip(matchers, state).allSatisfy { $0.whole == $1 } && !(hasEnds && state[matchers.count] == 2)
    }
  }

  /// The state after a character; the dead state stays.
  @inline(__always)
  func next(_ state: Int, _ id: Int) -> Int {
    state == count ? count : Int(transitions[state * vocabularyCount + id])
  }

  /// The states that `length` characters can lead to, without the dead one.
  ///
  /// The sets of states repeat after a few characters; once one does, whole periods are skipped
  /// (Brent, "An improved Monte Carlo factorization algorithm", 1980).
  func states(after length: Int, from start: Int) -> [Int] {
    var states = (0..<count).map { $0 == start }
    var (position, marked, mark, distance) = (0, states, 0, 1)
    while position < length {
      var next = [Bool](repeating: false, count: count)
      for state in 0..<count where states[state] {
        for id in 1..<vocabularyCount {
          let target = self.next(state, id)
          if target < count { next[target] = true }
        }
      }
      states = next
      position += 1
      if states == marked {
        position = length - (length - position) % (position - mark)
      } else if position - mark == distance {
        (marked, mark, distance) = (states, position, 2 * distance)
      }
    }
    return states.indices.filter { states[$0] }
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

/// The automaton of Knuth, Morris and Pratt: its state is the length of the longest prefix of a
/// keyword that the text ends with.
struct KeywordMatcher {
  /// The state after the whole keyword.
  let whole: Int
  /// The next state by state and id.  (whole + 1, vocabulary)
  private let transitions: [Int]
  private let count: Int

  /// - Parameter isAbsorbing: Whether a text matches that contains the keyword, not only one that
  ///   ends with it.
  init(_ keyword: [Int32], vocabulary count: Int, isAbsorbing: Bool) {
    var transitions = [Int](repeating: 0, count: (keyword.count + 1) * count)
    // The state of the text without its first character: where a mismatch continues.
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

// MARK: - Forbidden words
//
// A tree of the characters of words that must not be drawn: the training list, a list of the
// user's, and the words drawn so far when each is wanted once.
//
// Children always have higher numbers than their parents, so that going through the numbers
// backwards visits a node after everything below it.

/// A set of words, which can be followed character by character.
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

  /// Whether there are no words.
  public private(set) var isEmpty = true

  /// Adds a word, unless the vocabulary lacks one of its characters, so that the model cannot make
  /// it.
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
    // Pairs of a node here and its copy in the result; parents first.
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
  func contains(_ word: [Int32]) -> Bool {
    !isEmpty && node(of: word).map { isWord[$0] } ?? false
  }

  /// The node of a text, or nil if no word begins with it.
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
