// What an engine needs of the other processes that train with it: sums, and little else.
//
// A process is a rank, as MPI calls it: one of `count`, numbered from 0. Every rank makes the same calls
// in the same order. How ranks are started and what becomes of them when one fails is not asked here.

/// The ranks of one training, as one of them sees the others.
public protocol Communicator: AnyObject {
  /// The number of this rank, from 0.
  var rank: Int { get }

  /// The number of ranks.
  var count: Int { get }

  /// Replaces every number by its sum over all ranks, added in their order: every rank has the same
  /// bits, and so has every run with as many ranks.
  func sum(_ values: inout MutableSpan<Float>)

  /// Replaces the bytes of every rank by those of rank 0.
  func broadcast(_ bytes: inout [UInt8])
}

extension Communicator {
  /// The positions of a minibatch that this rank computes: an equal share, in order.
  func share(of batchSize: Int) -> Range<Int> {
    rank * batchSize / count..<(rank + 1) * batchSize / count
  }

  /// Replaces a loss by that of rank 0.
  func broadcast(_ loss: Double) -> Double {
    let bits = loss.bitPattern
    var bytes = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> $0) }
    broadcast(&bytes)
    return Double(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })
  }
}
