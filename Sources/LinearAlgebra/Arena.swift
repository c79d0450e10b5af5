// The owner of the memory behind padded matrices: what is asked for together lies together.
//
// Windows are cut by a closure that runs twice: once to count, once on the memory that was counted. So sizes
// stand in one place, and an arena that only counts can say beforehand what an engine will take.

import CBLAS

/// Blocks of zeroed memory, from which `PaddedMatrix` and `IndexVector` windows are cut.
///
/// Windows are valid as long as the arena lives.
@safe package final class Arena: @unchecked Sendable {
  /// What an arena does about memory.
  package enum Purpose: Sendable {
    case allocation
    /// Counts bytes and allocates nothing; its windows must not be read or written.
    case measurement
  }

  package let purpose: Purpose
  /// The bytes of all blocks; nil if their number exceeds an Int.
  package private(set) var byteCount: Int? = 0
  /// What the system's allocator set aside for all blocks.
  package var allocatedByteCount: Int {
    unsafe blocks.reduce(0) { sum, start in unsafe sum + Int(usable_size(start)) }
  }
  private var blocks: [UnsafeMutableRawPointer] = unsafe []

  /// Cache lines are 64 bytes, and so are the widest vectors.
  private static let alignment = 64

  package init(_ purpose: Purpose = .allocation) { self.purpose = purpose }

  deinit {
    while let start = unsafe blocks.popLast() { unsafe start.deallocate() }
  }

  /// Cuts windows from a new block that has just the room for them.
  package func block<Windows>(_ cut: (inout Cutter) -> Windows) -> Windows {
    var counter = unsafe Cutter(start: nil)
    let windows = cut(&counter)
    guard let start = unsafe allocate(counter.used) else { return windows }
    var cutter = unsafe Cutter(start: start)
    return cut(&cutter)
  }

  /// A vector of `rows` · `columns` zeros in a block of its own.
  package func numbers(_ rows: Int, _ columns: Int = 1) -> IndexVector {
    precondition(rows >= 0 && columns >= 0, "Arena: (\(rows), \(columns)) numbers")
    let count = product(rows, columns)
    guard let start = unsafe allocate(count) else {
      return unsafe IndexVector(
        start: Cutter.nowhere.assumingMemoryBound(to: Int32.self), count: count ?? .max)
    }
    return unsafe IndexVector(
      start: start.bindMemory(to: Int32.self, capacity: count ?? 0), count: count ?? 0)
  }

  /// Room for elements of four bytes, all zero; nil if nothing is to be allocated.
  ///
  /// - Parameter count: nil if it exceeds an Int.
  private func allocate(_ count: Int?) -> UnsafeMutableRawPointer? {
    // A vector more, for reads and writes that begin in the last row and go beyond its end.
    let elements = count.flatMap { sum($0, vectorWidth) }
    let bytes = elements.flatMap { product($0, MemoryLayout<Float>.stride) }
    byteCount = byteCount.flatMap { total in bytes.flatMap { sum(total, $0) } }
    guard purpose == .allocation else { return nil }
    guard let bytes else { preconditionFailure("Arena: more bytes than an Int can count") }
    let start = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    unsafe blocks.append(start)
    return unsafe start
  }
}

extension Arena {
  /// Cuts one block from its beginning on, or counts what cutting would take.
  @safe package struct Cutter {
    private let start: UnsafeMutablePointer<Float>?
    /// The floats that were cut; nil if their number exceeds an Int.
    fileprivate private(set) var used: Int? = 0

    /// Where windows point that must not be used.
    fileprivate static var nowhere: UnsafeMutableRawPointer {
      unsafe UnsafeMutableRawPointer(bitPattern: alignment)!
    }

    fileprivate init(start: UnsafeMutableRawPointer?) {
      unsafe self.start = start?.assumingMemoryBound(to: Float.self)
    }

    /// The next matrix.
    package mutating func matrix(_ rows: Int, _ columns: Int) -> PaddedMatrix {
      let stride = PaddedMatrix.stride(columns)
      defer { used = used.flatMap { used in product(rows, stride).flatMap { sum(used, $0) } } }
      return window(at: used ?? 0, rows: rows, columns: columns, stride: stride)
    }

    /// All that was cut so far, as one matrix of a single row: for updates that treat all alike.
    package var whole: PaddedMatrix {
      window(at: 0, rows: 1, columns: used ?? 0, stride: used ?? 0)
    }

    private func window(at offset: Int, rows: Int, columns: Int, stride: Int) -> PaddedMatrix {
      let place = unsafe start.map { unsafe $0 + offset }
      return unsafe PaddedMatrix(
        start: place ?? Self.nowhere.assumingMemoryBound(to: Float.self), rows: rows,
        columns: columns, stride: stride)
    }
  }
}

private func product(_ a: Int, _ b: Int) -> Int? {
  let (result, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? nil : result
}

private func sum(_ a: Int, _ b: Int) -> Int? {
  let (result, overflow) = a.addingReportingOverflow(b)
  return overflow ? nil : result
}

// MARK: Whole numbers

/// A window on whole numbers in an arena, such as row numbers for gathering and scattering.
///
/// As a `PaddedMatrix`, it owns nothing, may be handed to a thread without counting references, and is
/// public because what is to be inlined in another module must be.
@safe public struct IndexVector: @unchecked Sendable {
  @usableFromInline let start: UnsafeMutablePointer<Int32>
  /// How many numbers there are.
  public let count: Int

  fileprivate init(start: UnsafeMutablePointer<Int32>, count: Int) {
    unsafe self.start = start
    self.count = count
  }

  /// The number at an index.
  @inlinable
  public subscript(index: Int) -> Int {
    @inline(always) get {
      assert(index >= 0 && index < count)
      return unsafe Int(start[index])
    }
    @inline(always) nonmutating set {
      assert(index >= 0 && index < count)
      unsafe start[index] = Int32(truncatingIfNeeded: newValue)
    }
  }
}
