// A long sequence of ids in as few bytes as their vocabulary allows: one for each up to 256 symbols.
//
// Lists of hundreds of millions of characters fit into memory this way, and minibatches are gathered from
// a quarter of the cache. The width grows when an id asks for it.

/// Ids, one byte each as long as all are below 256, else two, else four.
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

  /// Makes room for so many ids of one byte.
  mutating func reserve(_ count: Int) {
    guard case .narrow(var ids) = storage else { return }
    storage = .narrow([])
    ids.reserveCapacity(count)
    storage = .narrow(ids)
  }

  /// Appends ids, which are not negative.
  mutating func append(_ new: [Int32]) {
    widen(to: new.max() ?? 0)
    // Taken out while it grows, so that there is no second owner and no copy.
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

  /// Replaces every id by its entry in a table, of which none is negative.
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
