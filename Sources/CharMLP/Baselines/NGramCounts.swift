// How often each character follows each context, for all context lengths up to a limit.
//
// Contexts form a tree: a node's parent is its context without the oldest character, so that the way up
// is the way in which an n-gram model backs off. Nodes are numbered level by level and, within a level,
// in the order of their contexts read backwards; children are neighbours and no node needs a pointer.
//
// Counting conventions, which decide the third decimal of a loss: a word is preceded by as many
// terminators as the longest context asks for, as in ContextWindows, and its end is a character like any
// other. The continuation count of (context, character) is the number of distinct characters, the
// terminator being one, that stand before it; padded n-grams are no exception.
//
// Not here: probabilities (NGramModel). One tree serves the models of all orders.

/// Counts of all n-grams of encoded words, up to an order.
public struct NGramCounts: Sendable {
  /// The longest n-gram that is counted: a context and the character after it.
  public let maximumOrder: Int
  /// The number of classes of the vocabulary.
  public let vocabularyCount: Int

  /// Where each level's nodes start, the root being level 0; last the number of nodes:
  /// (maximumOrder + 1).
  let levelStarts: [Int]
  /// The oldest character of each node's context: (nodes).
  let symbols: [Int32]
  /// Where each node's children start; they end where the next node's start: (nodes + 1).
  let childStarts: [Int32]
  /// Where each node's entries in the following three start: (nodes + 1).
  let targetStarts: [Int32]
  /// The characters that follow the context, ascending: (entries).
  let targets: [Int32]
  /// In how many windows: (entries).
  let counts: [Int32]
  /// After how many distinct characters before the context; zero in the last level: (entries).
  let continuations: [Int32]

  /// Counts what the windows behind `contexts` hold; the maximum order is their block size plus one.
  ///
  /// Time and memory are proportional to the number of distinct contexts × the block size.
  public init(_ contexts: DistinctContexts) {
    let levels = NGramLevel.all(of: contexts)
    maximumOrder = contexts.blockSize + 1
    vocabularyCount = contexts.vocabularyCount
    levelStarts = levels.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.symbols.count) }
    symbols = levels.flatMap(\.symbols)
    targets = levels.flatMap(\.targets)
    counts = levels.flatMap(\.counts)
    continuations = levels.flatMap(\.continuations)
    targetStarts = [0] + Self.runningSums(levels.flatMap(\.targetCounts), from: 0)
    let firstChild = Int32(levels[0].symbols.count)
    childStarts = [firstChild] + Self.runningSums(levels.flatMap(\.childCounts), from: firstChild)
  }

  private static func runningSums(_ lengths: [Int32], from start: Int32) -> [Int32] {
    var sum = start
    return lengths.map { length in
      sum += length
      return sum
    }
  }
}

// MARK: Finding contexts and characters

extension NGramCounts {
  /// The nodes of a context and of its ends, from the empty one on, as far as they were seen.
  ///
  /// - Parameters:
  ///   - context: At least `length` ids, the newest last.
  ///   - length: How many of them to use, at most.
  ///   - path: Becomes the nodes; given by the caller, so that many contexts need one array.
  func find(_ context: ArraySlice<Int32>, length: Int, path: inout [Int]) {
    path.removeAll(keepingCapacity: true)
    path.append(0)
    var node = 0
    for position in 1..<length + 1 {
      let symbol = context[context.endIndex - position]
      let children = Int(childStarts[node])..<Int(childStarts[node + 1])
      guard let child = index(of: symbol, in: symbols, children) else { return }
      path.append(child)
      node = child
    }
  }

  /// Where the counts of a character after each context of a path stand; -1 where it never followed.
  func find(_ target: Int32, along path: [Int], entries: inout [Int]) {
    entries.removeAll(keepingCapacity: true)
    for node in path {
      // What never followed a context never followed a longer one.
      guard let entry = index(of: target, in: targets, self.entries(of: node)) else { break }
      entries.append(entry)
    }
    while entries.count < path.count { entries.append(-1) }
  }

  /// Where the counts of all characters after a node's context stand.
  func entries(of node: Int) -> Range<Int> {
    Int(targetStarts[node])..<Int(targetStarts[node + 1])
  }

  /// Where the counts after all contexts of the given length stand.
  func entries(ofLength length: Int) -> Range<Int> {
    let nodes = nodes(ofLength: length)
    return Int(targetStarts[nodes.lowerBound])..<Int(targetStarts[nodes.upperBound])
  }

  /// The nodes whose contexts have the given length.
  func nodes(ofLength length: Int) -> Range<Int> {
    levelStarts[length]..<levelStarts[length + 1]
  }
}

/// The place of an element in an ascending stretch of an array, by bisection.
@inline(__always)
private func index(of element: Int32, in array: [Int32], _ range: Range<Int>) -> Int? {
  let elements = array.span
  var (low, high) = (range.lowerBound, range.upperBound)
  while low < high {
    let middle = (low + high) >> 1
    if elements[middle] < element { low = middle + 1 } else { high = middle }
  }
  return low < range.upperBound && elements[low] == element ? low : nil
}
