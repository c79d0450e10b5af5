// The owner of the memory behind padded matrices: one allocation, handed out piece by piece.
//
// What is allocated together lies together, so that an engine's whole working set is one block whose
// size is known before it is asked for.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One zeroed, aligned block of floats from which `PaddedMatrix` windows are cut.
@safe package struct PaddedMemory: ~Copyable, @unchecked Sendable {
  private let start: UnsafeMutablePointer<Float>
  private let capacity: Int
  private var used = 0

  /// Cache lines are 64 bytes, and so are the widest vectors.
  private static let alignment = 64

  /// Allocates room for `capacity` floats, all zero.
  package init(capacity: Int) {
    precondition(capacity >= 0, "PaddedMemory: \(capacity) floats")
    self.capacity = capacity
    // A vector more, for reads and writes that begin in the last row and go beyond its end.
    let bytes = (capacity + vectorWidth) * MemoryLayout<Float>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    unsafe start = raw.bindMemory(to: Float.self, capacity: capacity)
  }

  deinit { unsafe UnsafeMutableRawPointer(start).deallocate() }

  /// The number of floats a row of `columns` takes.
  package static func stride(_ columns: Int) -> Int {
    max(1, (columns + vectorWidth - 1) / vectorWidth) * vectorWidth
  }

  /// The number of floats that a matrix takes from the block.
  package static func size(rows: Int, columns: Int) -> Int { rows * stride(columns) }

  /// Cuts the next matrix from the block.
  package mutating func matrix(rows: Int, columns: Int) -> PaddedMatrix {
    let size = Self.size(rows: rows, columns: columns)
    precondition(used + size <= capacity, "PaddedMemory: \(used) + \(size) of \(capacity) floats")
    defer { used += size }
    return unsafe PaddedMatrix(
      start: start + used, rows: rows, columns: columns, stride: Self.stride(columns))
  }

  /// All that was cut so far, as one matrix of a single row: for updates that treat all alike.
  package func whole() -> PaddedMatrix {
    unsafe PaddedMatrix(start: start, rows: 1, columns: used, stride: used)
  }
}
