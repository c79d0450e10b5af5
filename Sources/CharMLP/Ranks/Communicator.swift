// What a process needs of the others that train with it: sums, and little else.
//
// A process is a rank, as MPI calls it: one of `count`, numbered from 0. Every rank makes the same
// calls in the same order. How ranks are started, and what happens when one fails, is not decided
// here.

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
  func share(of total: Int) -> Range<Int> {
    let (quotient, remainder) = total.quotientAndRemainder(dividingBy: count)
    let first = rank * quotient + rank * remainder / count
    let last = (rank + 1) * quotient + (rank + 1) * remainder / count
    return first..<last
  }

  /// Replaces a loss by that of rank 0.
  func broadcast(_ loss: Double) -> Double {
    let bits = loss.bitPattern
    var bytes = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> $0) }
    broadcast(&bytes)
    return Double(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })
  }
}
