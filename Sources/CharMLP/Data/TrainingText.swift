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
    while !rest.isEmpty {  // not all at once: ids take four bytes on the way
      let some = rest.prefix(1 << 16)
      do {
        ids.append(try EncodedWords(words, selecting: some, vocabulary: vocabulary).ids)
      } catch {
        preconditionFailure("TrainingText: \(error)")
      }
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
/// So lists of hundreds of millions of characters fit into memory, and minibatches are gathered
/// from a quarter of the cache.
struct CompactIDs: Equatable, Sendable {
  /// The ids in the smallest integers that hold all of them.
  enum Storage: Equatable, Sendable {
    case narrow([UInt8])
    case medium([UInt16])
    case wide([Int32])
  }

  private(set) var storage = Storage.narrow([])

  var count: Int {
    switch storage {
    case .narrow(let ids): ids.count
    case .medium(let ids): ids.count
    case .wide(let ids): ids.count
    }
  }

  /// Makes room for `count` ids of one byte.
  mutating func reserve(_ count: Int) {
    guard case .narrow(var ids) = storage else { return }
    storage = .narrow([])
    ids.reserveCapacity(count)
    storage = .narrow(ids)
  }

  /// Appends ids, none negative.
  mutating func append(_ new: [Int32]) {
    widen(to: new.max() ?? 0)
    // Taken out while it grows, so that it has one owner and is not copied.
    switch storage {
    case .narrow(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new.lazy.map { UInt8(truncatingIfNeeded: $0) })
      storage = .narrow(ids)
    case .medium(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new.lazy.map { UInt16(truncatingIfNeeded: $0) })
      storage = .medium(ids)
    case .wide(var ids):
      storage = .narrow([])
      ids.append(contentsOf: new)
      storage = .wide(ids)
    }
  }

  /// Replaces every id by its entry in a table, none negative.
  mutating func renumber(_ table: [Int32]) {
    widen(to: table.max() ?? 0)
    switch storage {
    case .narrow(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .narrow(ids)
    case .medium(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .medium(ids)
    case .wide(var ids):
      storage = .narrow([])
      replace(&ids, table)
      storage = .wide(ids)
    }
  }

  /// All ids, four bytes each.
  var expanded: [Int32] {
    switch storage {
    case .narrow(let ids): ids.map(Int32.init)
    case .medium(let ids): ids.map(Int32.init)
    case .wide(let ids): ids
    }
  }

  private mutating func widen(to largest: Int32) {
    if largest > UInt16.max {
      if case .wide = storage { return }
      storage = .wide(expanded)
    } else if largest > UInt8.max, case .narrow(let ids) = storage {
      storage = .medium(ids.map(UInt16.init))
    }
  }
}

private func replace<ID: FixedWidthInteger>(_ ids: inout [ID], _ table: [Int32]) {
  let table = table.span
  var ids = ids.mutableSpan
  for index in 0..<ids.count { ids[index] = ID(truncatingIfNeeded: table[Int(ids[index])]) }
}
