// Whole numbers that several threads read: row numbers for gathering and scattering.
//
// What `PaddedMatrix` and `PaddedMemory` are to floats, an `IndexVector` is to numbers: a window that
// owns nothing, and may be handed to a thread without counting references. It is public for the same
// reason: what is to be inlined in another module must be.

/// A window on numbers in memory that an `IndexMemory` owns and must outlive.
@safe public struct IndexVector: @unchecked Sendable {
  @usableFromInline let start: UnsafeMutablePointer<Int32>
  public let count: Int

  fileprivate init(start: UnsafeMutablePointer<Int32>, count: Int) {
    unsafe self.start = start
    self.count = count
  }

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

/// The owner of an `IndexVector`: one allocation, all zero to begin with.
@safe package struct IndexMemory: ~Copyable, @unchecked Sendable {
  package let vector: IndexVector

  package init(count: Int) {
    precondition(count >= 0, "IndexMemory: \(count) numbers")
    let start = UnsafeMutablePointer<Int32>.allocate(capacity: max(count, 1))
    unsafe start.initialize(repeating: 0, count: max(count, 1))
    vector = unsafe IndexVector(start: start, count: count)
  }

  deinit { unsafe vector.start.deallocate() }
}
