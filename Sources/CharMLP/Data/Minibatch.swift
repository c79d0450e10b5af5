// Minibatches: what one step learns from, what can be wrong with one, the training text, and how
// minibatches are drawn from it.

/// The windows that one step learns from: n contexts of `blockSize` characters and the n characters
/// that follow.
///
/// Both are flat arrays of ids, so that a minibatch can be refilled without an allocation.
public struct Minibatch: Equatable, Sendable {
  /// Characters of context.
  public let blockSize: Int
  /// Xb, row by row.  (n · block)
  public internal(set) var contexts: [Int32]
  /// Yb.  (n)
  public internal(set) var targets: [Int32]
  /// The place of each window in the whole minibatch, if other ranks have the rest; nil if this is
  /// all.
  public internal(set) var positions: [Int32]?

  /// Makes a minibatch from its ids.
  public init(blockSize: Int, contexts: [Int32], targets: [Int32]) {
    precondition(
      blockSize >= 1 && contexts.count == targets.count * blockSize,
      "Minibatch: \(contexts.count) ids for \(targets.count) contexts of \(blockSize)")
    self.blockSize = blockSize
    self.contexts = contexts
    self.targets = targets
  }

  /// Makes room for `count` windows.
  public init(blockSize: Int, count: Int) {
    self.init(
      blockSize: blockSize, contexts: Array(repeating: 0, count: count * blockSize),
      targets: Array(repeating: 0, count: count))
  }

  /// The number of windows: n, or a part of it.
  public var count: Int { targets.count }
}

// MARK: - Errors

/// Why a network cannot learn from a minibatch.
public enum MinibatchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Batch norm divides by n − 1: the variance of a single window is undefined.
  case tooFewWindows(Int)
  /// The network's steps are for minibatches of another size.
  case count(Int, expected: Int)
  /// Its contexts have another length than the network's.
  case blockSize(Int, expected: Int)
  /// It has an id that is not in the network's vocabulary.
  case unknownID(Int32, vocabulary: Int)

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .tooFewWindows(let count):
      "a minibatch of \(count), but batch norm needs at least 2 windows"
    case .count(let count, let expected):
      "a minibatch of \(count) windows for a network that learns from \(expected) at a time"
    case .blockSize(let size, let expected):
      "contexts of \(size) characters for a network that sees \(expected)"
    case .unknownID(let id, let vocabulary):
      "the id \(id) is not in the network's vocabulary, 0 to \(vocabulary - 1)"
    }
  }
}

// MARK: - Training text
//
// What minibatches are drawn from: the ids of all training words, a terminator after each.
//
// The window of an id has the ids before it in the same word as its context, so the text is all
// there is to store. Where ranks share a list that is split by hash, each holds the text of its own
// lines, and windows are numbered through all ranks, in the order of the file.

/// The training windows of a list as one sequence of targets, or a rank's part of it.
package struct TrainingText: Equatable, Sendable {
  /// The targets of the windows held here.
  let ids: CompactIDs
  /// The number of the first window held here.
  package let firstWindow: Int
  /// The number of training windows of the whole list, on all ranks.
  package let windowCount: Int
  /// Whether other ranks hold the rest.
  package let isPart: Bool

  /// The numbers of the windows held here.
  package var windows: Range<Int> { firstWindow..<firstWindow + ids.count }

  /// The whole text.
  init(_ ids: CompactIDs) {
    (self.ids, firstWindow, windowCount, isPart) = (ids, 0, ids.count, false)
  }

  /// A rank's part of a text.
  init(_ ids: CompactIDs, firstWindow: Int, of windowCount: Int) {
    precondition(
      firstWindow >= 0 && firstWindow <= windowCount - ids.count,
      "TrainingText: \(ids.count) windows from \(firstWindow) on, of \(windowCount)")
    (self.ids, self.firstWindow, self.windowCount, isPart) = (ids, firstWindow, windowCount, true)
  }

  /// The whole text of the words at some indices, in their order.
  ///
  /// - Precondition: the vocabulary has their characters.
  init(_ words: WordList, _ selection: ArraySlice<Int>, _ vocabulary: Vocabulary) {
    var ids = CompactIDs()
    var rest = selection
    while !rest.isEmpty {  // not all at once: ids take four bytes until they are appended
      let some = rest.prefix(1 << 16)
      ids.append(
        mustSucceed { try EncodedWords(words, selecting: some, vocabulary: vocabulary).ids })
      rest = rest.dropFirst(some.count)
    }
    self.init(ids)
  }

  /// The whole text of some windows.
  package init(_ windows: ContextWindows) {
    var ids = CompactIDs()
    ids.append(windows.targets)
    self.init(ids)
  }
}

// MARK: - Compact ids

/// Ids, one byte each as long as all are below 256, else two, else four.
///
/// So lists of hundreds of millions of characters fit into memory, and four times as much text fits
/// into the cache that minibatches are gathered from.
struct CompactIDs: Equatable, Sendable {
  // The ids are in the array with the smallest integers that hold all of them; the others are
  // empty.
  private(set) var narrow: [UInt8] = []
  private(set) var medium: [UInt16] = []
  private(set) var wide: [Int32] = []

  var count: Int { narrow.count + medium.count + wide.count }
  var byteCount: Int { narrow.count + 2 * medium.count + 4 * wide.count }

  /// All ids, four bytes each.
  var expanded: [Int32] { narrow.map(Int32.init) + medium.map(Int32.init) + wide }

  /// Makes room for `count` ids of one byte.
  mutating func reserve(_ count: Int) { narrow.reserveCapacity(count) }

  /// Appends ids, none negative.
  mutating func append(_ new: [Int32]) {
    let largest = new.max() ?? 0
    widen(to: largest)
    if largest > UInt16.max || !wide.isEmpty {
      wide += new
    } else if largest > UInt8.max || !medium.isEmpty {
      medium += new.lazy.map { UInt16(truncatingIfNeeded: $0) }
    } else {
      narrow += new.lazy.map { UInt8(truncatingIfNeeded: $0) }
    }
  }

  /// Replaces every id by its entry in a table, none negative.
  mutating func renumber(_ table: [Int32]) {
    widen(to: table.max() ?? 0)
    replace(&narrow, table)
    replace(&medium, table)
    replace(&wide, table)
  }

  private mutating func widen(to largest: Int32) {
    if largest > UInt16.max, wide.isEmpty {
      (narrow, medium, wide) = ([], [], expanded)
    } else if largest > UInt8.max, medium.isEmpty, wide.isEmpty {
      (narrow, medium) = ([], narrow.map(UInt16.init))
    }
  }
}

private func replace<ID: FixedWidthInteger>(_ ids: inout [ID], _ table: [Int32]) {
  let table = table.span
  var ids = ids.mutableSpan
  for index in 0..<ids.count { ids[index] = ID(truncatingIfNeeded: table[Int(ids[index])]) }
}

// MARK: - Drawing them
//
// As the notebook does: windows of the training text, drawn with replacement.
//
// All ranks draw the same window numbers from the same generator, and each computes a part of them,
// so together they see what one process would. If every rank holds the whole text, its part is an
// equal share of the minibatch's places; if each holds its own lines, the windows in them, possibly
// none.

/// An endless stream of random minibatches, or of this rank's part of each.
public struct MinibatchStream: Sendable {
  private let text: TrainingText
  private var generator: TorchGenerator
  /// The places of a minibatch among which this rank's windows are.
  private let share: Range<Int>
  private let isPart: Bool
  private var numbers: [Int]  // of a minibatch's windows
  private var places: [Int32]  // in the minibatch, of the windows that are wanted here
  private var minibatch: Minibatch
  private var previous: Minibatch

  /// The most windows that a minibatch can have here.
  var capacity: Int { share.count }

  /// Makes a stream over a text of at least one window.
  ///
  /// - Parameter share: The places of a minibatch that are wanted here, if all ranks hold the whole
  ///   text; nil for all of them.
  package init(
    _ text: TrainingText, blockSize: Int, batchSize: Int, share: Range<Int>? = nil,
    generator: TorchGenerator
  ) {
    precondition(
      text.windowCount > 0 && blockSize >= 1 && batchSize >= 1,
      "MinibatchStream: \(batchSize) of \(text.windowCount) windows of \(blockSize)")
    self.text = text
    self.generator = generator
    isPart = text.isPart || share != nil
    // A part of the text may hold all windows of a minibatch.
    self.share = text.isPart ? 0..<batchSize : share ?? 0..<batchSize
    numbers = Array(repeating: 0, count: batchSize)
    places = self.share.map(Int32.init)
    minibatch = Minibatch(blockSize: blockSize, count: self.share.count)
    if isPart { minibatch.positions = places }
    previous = minibatch
  }

  /// Makes a stream over all of the given windows, at least one.
  public init(_ windows: ContextWindows, batchSize: Int, generator: TorchGenerator) {
    self.init(
      TrainingText(windows), blockSize: windows.blockSize, batchSize: batchSize,
      generator: generator)
  }

  /// The state of the generator: with it, another stream over the same text goes on from here.
  public var generatorState: TorchGenerator.State { generator.state }

  /// The next minibatch: `torch.randint(0, windows, (batchSize,))` and the windows with these
  /// numbers.
  ///
  /// Nothing is allocated as long as only the last minibatch is still held.
  public mutating func next() -> Minibatch {
    swap(&minibatch, &previous)
    draw(text.windowCount, &generator, &numbers)
    if text.isPart {
      selectPlaces(text.windows, of: numbers, &places)
      minibatch.resize(to: places)
    }
    let ids = text.ids
    if !ids.wide.isEmpty {
      gather(ids.wide)
    } else if !ids.medium.isEmpty {
      gather(ids.medium)
    } else {
      gather(ids.narrow)
    }
    return minibatch
  }

  @inline(always)
  private mutating func gather(_ ids: [some FixedWidthInteger]) {
    let first = text.firstWindow
    gatherTargets(ids, numbers, places, first, &minibatch.targets)
    gatherContexts(ids, numbers, places, first, minibatch.blockSize, &minibatch.contexts)
  }
}

extension Minibatch {
  /// Makes room for the windows at some places of a minibatch.
  fileprivate mutating func resize(to places: [Int32]) {
    setCount(of: &targets, to: places.count)
    setCount(of: &contexts, to: places.count * blockSize)
    positions = places
  }
}

// One function for one array: each takes its span alone.

private func setCount(of array: inout [Int32], to count: Int) {
  if count < array.count {
    array.removeLast(array.count - count)
  } else {
    array.append(contentsOf: repeatElement(0, count: count - array.count))
  }
}

private func draw(_ bound: Int, _ generator: inout TorchGenerator, _ numbers: inout [Int]) {
  var span = numbers.mutableSpan
  generator.randint(below: bound, into: &span)
}

/// The places of those windows that are in a range.
private func selectPlaces(_ windows: Range<Int>, of numbers: [Int], _ places: inout [Int32]) {
  places.removeAll(keepingCapacity: true)
  for (place, number) in numbers.enumerated() where windows.contains(number) {
    places.append(Int32(place))
  }
}

@inline(always)
private func gatherTargets<ID: FixedWidthInteger>(
  _ text: [ID], _ numbers: [Int], _ places: [Int32], _ first: Int, _ targets: inout [Int32]
) {
  let (text, numbers, places) = (text.span, numbers.span, places.span)
  var targets = targets.mutableSpan
  for row in 0..<places.count {
    targets[row] = Int32(truncatingIfNeeded: text[numbers[Int(places[row])] - first])
  }
}

/// Reads each window's context off the targets before its own: the sequence of targets is the text,
/// and everything before the start of the word is padding.
///
/// So a window costs one access to memory instead of two, and the text is a fraction of all
/// contexts.
@inline(always)
private func gatherContexts<ID: FixedWidthInteger>(
  _ text: [ID], _ numbers: [Int], _ places: [Int32], _ first: Int, _ blockSize: Int,
  _ contexts: inout [Int32]
) {
  let (text, numbers, places) = (text.span, numbers.span, places.span)
  var contexts = contexts.mutableSpan
  for row in 0..<places.count {
    let window = numbers[Int(places[row])] - first
    var isInWord = true
    for distance in 1...blockSize {
      let id =
        isInWord && distance <= window
        ? Int32(truncatingIfNeeded: text[window - distance]) : Vocabulary.terminator
      isInWord = id != Vocabulary.terminator
      contexts[(row + 1) * blockSize - distance] = id
    }
  }
}
