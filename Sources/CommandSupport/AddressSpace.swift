// Refuses to start where OpenBLAS would hang.
//
// OpenBLAS takes 128 MiB of addresses for each of its own threads, beside `main`, and for each thread
// that calls it. When it does not get them (`ulimit -v`, a batch system's limit) it asks again for ever,
// and so does the end of the process, which waits for its threads. So the same amount is asked for
// here, before anything else, and returned; and again by a command that is to use more threads than
// there are cores. That counts what its threads may already have, and so refuses a little more than it must.

import CBLAS
import CharMLP
import Glibc

public enum AddressSpace {
  /// What OpenBLAS takes for a thread (BUFFER_SIZE in its common_x86_64.h, and the largest elsewhere).
  private static let bufferSize = 128 << 20
  /// What a thread of ours takes besides, and may take before its first product: 8 MiB of stack, and a heap
  /// of its own, for which glibc reserves 64 MiB.
  private static let ownSize = 80 << 20
  /// Threads of ours that may call it at the same time; a product is never shared out further.
  private static let callerLimit = 8

  /// Ends the process with status 71 and two lines if there is too little room.
  ///
  /// By `_exit`: an ordinary end would wait for threads that never end.
  ///
  /// - Parameter callers: The threads of ours that will call it, as far as they can do so at the same time.
  public static func requireRoomForBLAS(callers: Int = availableCores()) {
    let callers = min(callers, callerLimit)
    let threads = max(0, Int(openblas_get_num_threads()) - 1) + callers
    let pieces =
      Array(repeating: bufferSize, count: threads) + Array(repeating: ownSize, count: callers)
    guard !OperatingSystem.canMap(pieces) else { return }
    StandardError.shared.report(
      """
      the address space is too small: OpenBLAS needs \(threads * (bufferSize >> 20)) MiB of it, \
      and the rest \(callers * (ownSize >> 20))
      """)
    StandardError.shared.writeLine(
      "Raise the limit (ulimit -v), or set OPENBLAS_NUM_THREADS=1 to need less.")
    _exit(ExitStatus.resources.rawValue)
  }
}
