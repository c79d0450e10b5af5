// What a process needs of the others that train with it: sums, and little else; and the ranks of an
// MPI job, which provide it.
//
// A process is a rank, as MPI calls it: one of `count`, numbered from 0. Every rank makes the same
// calls in the same order.

/// The ranks of one training, as one of them sees the others.
package protocol Communicator: AnyObject {
  /// The number of this rank, from 0.
  var rank: Int { get }

  /// The number of ranks.
  var count: Int { get }

  /// The seconds spent in `sum` so far, including the wait for other ranks.
  var secondsInSums: Double { get }

  /// Replaces every number by its sum over all ranks, added in their order: every rank has the same
  /// bits, and so has every run with as many ranks.
  func sum(_ values: inout MutableSpan<Float>)

  /// Replaces the bytes of every rank by those of rank 0.
  func broadcast(_ bytes: inout [UInt8])

  /// The bytes of all ranks, in their order: below 2 GiB together.
  func gather(_ bytes: [UInt8]) -> [[UInt8]]
}

extension Communicator {
  /// This rank's share of `total` things in a row, such as the windows of a minibatch or the bytes
  /// of a file. Shares are as equal as they can be, and in the order of ranks.
  func share(of total: Int) -> Range<Int> { .part(rank, of: count, from: total) }

  /// Replaces a loss by that of rank 0.
  func broadcast(_ loss: Double) -> Double {
    let bits = loss.bitPattern
    var bytes = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> $0) }
    broadcast(&bytes)
    return Double(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })
  }
}

// MARK: - The ranks of an MPI job
//
// The only code that calls MPI. A sum takes two messages for each pair of ranks: every rank
// receives its piece of the numbers from all, adds in the order of ranks, and sends the result to
// all. MPI_Allreduce would leave the order, and with it the last bits, to the library.
//
// An error of MPI's own ends the job, which is its default: no rank could go on alone.

#if MPI
  import CMPI
  internal import Posix

  /// The processes that `mpirun`, or a scheduler, started together.
  @safe package final class MPICommunicator: Communicator {
    package let rank: Int
    package let count: Int
    package private(set) var secondsInSums = 0.0

    private var pieces: UnsafeMutablePointer<Float>  // (count, longest piece)
    private var capacity = 0
    // In floats, as MPI takes them.
    private let sent: Layout
    private let received: Layout

    /// Where each rank's part of a buffer is, for one collective call.
    @safe private struct Layout {
      let lengths: UnsafeMutablePointer<CInt>
      let starts: UnsafeMutablePointer<CInt>

      init(_ ranks: Int) {
        unsafe lengths = .allocate(capacity: ranks)
        unsafe starts = .allocate(capacity: ranks)
        unsafe lengths.initialize(repeating: 0, count: ranks)
        unsafe starts.initialize(repeating: 0, count: ranks)
      }

      func set(_ rank: Int, start: Int, length: Int) {
        precondition(
          max(start, length) <= CInt.max,
          "MPICommunicator: \(length) elements from \(start) on, more than MPI can count")
        unsafe (starts[rank], lengths[rank]) = (CInt(start), CInt(length))
      }

      func deallocate() {
        unsafe lengths.deallocate()
        unsafe starts.deallocate()
      }
    }

    /// Joins the job of this process; nil if it was started alone, without `mpirun`.
    ///
    /// A process may call this once, and only the calling thread may use the result.
    package static func joinJob() -> MPICommunicator? {
      guard isStartedInJob else { return nil }
      var provided: CInt = 0
      unsafe MPI_Init_thread(nil, nil, CInt(MPI_THREAD_FUNNELED), &provided)
      return MPICommunicator()
    }

    /// Whether the environment is that of Open MPI's mpirun, or of a scheduler that starts ranks by
    /// PMIx or PMI.
    private static var isStartedInJob: Bool {
      func isSet(_ name: String) -> Bool { environmentVariable(name) != nil }
      return isSet("OMPI_COMM_WORLD_SIZE") || isSet("PMIX_RANK") || isSet("PMI_RANK")
    }

    private init() {
      var (rank, count): (CInt, CInt) = (0, 0)
      unsafe MPI_Comm_rank(charmlp_world(), &rank)
      unsafe MPI_Comm_size(charmlp_world(), &count)
      (self.rank, self.count) = (Int(rank), Int(count))
      unsafe pieces = .allocate(capacity: 1)
      (sent, received) = (Layout(Int(count)), Layout(Int(count)))
    }

    deinit {
      unsafe pieces.deallocate()
      sent.deallocate()
      received.deallocate()
    }

    /// Leaves the job, once every rank has called this.
    package func leave() { MPI_Finalize() }

    /// Ends every rank of the job at once.
    package func abort(status: CInt) -> Never {
      unsafe MPI_Abort(charmlp_world(), status)
      exitProcessImmediately(status)
    }

    package func sum(_ values: inout MutableSpan<Float>) {
      guard count > 1 else { return }
      let start = MPI_Wtime()
      defer { secondsInSums += MPI_Wtime() - start }
      let total = values.count
      let piece = cut(total)
      unsafe values.withUnsafeMutableBufferPointer { values in
        guard let start = values.baseAddress else { return }
        unsafe MPI_Alltoallv(
          start, sent.lengths, sent.starts, charmlp_float(),
          pieces, received.lengths, received.starts, charmlp_float(), charmlp_world())
        addPieces(length: piece.count)
        unsafe MPI_Allgatherv(
          pieces, CInt(piece.count), charmlp_float(),
          start, sent.lengths, sent.starts, charmlp_float(), charmlp_world())
      }
    }

    /// Cuts `total` numbers into a piece for each rank, and returns this one's.
    private func cut(_ total: Int) -> Range<Int> {
      let own = share(of: total)
      reserve(own.count * count)
      for other in 0..<count {
        let piece = Range.part(other, of: count, from: total)
        sent.set(other, start: piece.lowerBound, length: piece.count)
        received.set(other, start: other * own.count, length: own.count)
      }
      return own
    }

    /// Adds all ranks' pieces into the first.
    private func addPieces(length: Int) {
      for other in 1..<count {
        let piece = unsafe pieces + other * length
        for index in 0..<length { unsafe pieces[index] += piece[index] }
      }
    }

    private func reserve(_ floats: Int) {
      guard floats > capacity else { return }
      unsafe pieces.deallocate()
      unsafe pieces = .allocate(capacity: floats)
      capacity = floats
    }

    /// The longest message, in bytes: MPI's lengths are 32-bit numbers.
    private static let longestMessage = 1 << 30

    package func broadcast(_ bytes: inout [UInt8]) {
      guard count > 1 else { return }
      var length = Int64(bytes.count)
      unsafe MPI_Bcast(&length, 8, charmlp_byte(), 0, charmlp_world())
      if rank != 0 { bytes = [UInt8](repeating: 0, count: Int(length)) }
      unsafe bytes.withUnsafeMutableBufferPointer { buffer in
        for first in stride(from: 0, to: Int(length), by: Self.longestMessage) {
          let count = min(Self.longestMessage, Int(length) - first)
          unsafe MPI_Bcast(
            buffer.baseAddress! + first, CInt(count), charmlp_byte(), 0, charmlp_world())
        }
      }
    }

    package func gather(_ bytes: [UInt8]) -> [[UInt8]] {
      var length = Int64(bytes.count)
      var lengths = [Int64](repeating: 0, count: count)
      unsafe MPI_Allgather(
        &length, 8, charmlp_byte(), &lengths, 8, charmlp_byte(), charmlp_world())
      let total = Int(lengths.reduce(0, +))
      precondition(total <= Int(CInt.max), "MPICommunicator.gather: \(total) bytes")
      let layout = Layout(count)
      defer { layout.deallocate() }
      var ends = [0]
      for (other, length) in lengths.enumerated() {
        layout.set(other, start: ends[other], length: Int(length))
        ends.append(ends[other] + Int(length))
      }
      var all = [UInt8](repeating: 0, count: total)
      unsafe MPI_Allgatherv(
        bytes, CInt(bytes.count), charmlp_byte(),
        &all, layout.lengths, layout.starts, charmlp_byte(), charmlp_world())
      return (0..<count).map { Array(all[ends[$0]..<ends[$0 + 1]]) }
    }
  }
#endif
