// How a run gets its data: from its recipe, and on several ranks from rank 0.
//
// Rank 0 sends a list that is shuffled to the others. One that is split by hash is read by all
// ranks, each its own lines, unless rank 0 has it from a model file. Either way all ranks end up
// with equal data sets, except for their parts of the training text.

extension Dataset {
  /// Makes the data set of a recipe: duplicates removed if it says so, and split as it says.
  ///
  /// - Parameters:
  ///   - words: The list.
  ///   - recipe: The settings: what is removed, and how the rest is split.
  ///   - memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, _ recipe: Recipe, memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    try self.init(words, recipe, communicator: nil, memoryLimit: memoryLimit)
  }

  /// The same, where ranks share the training text if it is split by hash; nil for this process
  /// alone.
  package init(
    _ words: WordList, _ recipe: Recipe, communicator: (any Communicator)?,
    memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    if recipe.split == .hash {
      let list = HashSplitList(
        words, splitSeed: recipe.splitSeed, communicator: communicator)
      try self.init(list, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
      return
    }
    let kept = recipe.deduplicate ? words.deduplicated() : words
    guard kept.count >= Self.fewestWords || kept.count == words.count else {
      throw .tooFewWords(
        kept.count, needed: Self.fewestWords, removed: words.count - kept.count)
    }
    try self.init(
      kept, splitSeed: recipe.splitSeed, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
    duplicatesRemoved = words.count - kept.count
  }
}

// MARK: Ranks

/// What rank 0 sends to the other ranks first: the run to prepare for.
package struct RunAssignment: Equatable, Sendable {
  /// The recipe of the run.
  package let recipe: Recipe
  /// The list that every rank reads its share of; nil if rank 0 sends the words.
  package let path: String?

  package init(_ recipe: Recipe, path: String?) {
    (self.recipe, self.path) = (recipe, path)
  }

  /// Sends this to the other ranks; called by rank 0.
  package func send(_ communicator: any Communicator) {
    var message = Array("\(recipe.text)\n\(path ?? "")".utf8)
    communicator.broadcast(&message)
  }

  /// Receives what rank 0 sends; nil if there will be no run.
  package static func received(_ communicator: any Communicator) -> RunAssignment? {
    var message: [UInt8] = []
    communicator.broadcast(&message)
    let parts = String(decoding: message, as: UTF8.self)
      .pieces(separatedBy: UInt8(ascii: "\n"), maxSplits: 1, omittingEmpty: false)
    guard parts.count == 2 else { return nil }
    let recipe = mustSucceed { try Recipe(text: String(parts[0])) }
    return RunAssignment(recipe, path: parts[1].isEmpty ? nil : String(parts[1]))
  }

  /// Tells the other ranks that there will be no run, wherever they wait for rank 0.
  package static func cancel(_ communicator: any Communicator) {
    var nothing: [UInt8] = []
    communicator.broadcast(&nothing)
  }
}

// MARK: - Minibatches
//
// The notebook's: windows of the training text, drawn with replacement.
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
  private var places: [Int32]  // of those that are wanted here, in the minibatch
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

  /// Makes a stream over all of some windows, of which there is at least one.
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
    switch text.ids.storage {
    case .narrow(let ids): gather(ids)
    case .medium(let ids): gather(ids)
    case .wide(let ids): gather(ids)
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
