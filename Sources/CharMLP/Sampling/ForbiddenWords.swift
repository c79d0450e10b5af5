// Words that must not be drawn, as a tree of their characters: the training list, a list of the
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
  func contains(_ word: [Int32]) -> Bool { node(of: word).map { isWord[$0] } ?? false }

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
