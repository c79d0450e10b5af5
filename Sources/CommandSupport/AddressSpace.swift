// Refuses to start where OpenBLAS would hang.
//
// OpenBLAS takes 128 MiB of addresses for each of its own threads, beside `main`, and for each thread
// that calls it. When it does not get them (`ulimit -v`, a batch system's limit) it asks again for ever,
// and so does the end of the process, which waits for its threads. So the same amount is asked for
// here, once, before anything else, and returned. That counts what its threads may already have, and
// so refuses a little more than it must.

import CBLAS
import CharMLP
import Glibc

enum AddressSpace {
  /// What OpenBLAS takes for a thread (BUFFER_SIZE in its common_x86_64.h, and the largest elsewhere).
  private static let bufferSize = 128 << 20
  /// Threads of ours that may call it at the same time; a product is never shared out further.
  private static let callerLimit = 8

  /// Ends the process with status 71 and two lines if there is too little room.
  ///
  /// By `_exit`: an ordinary end would wait for threads that never end.
  static func requireRoomForBLAS() {
    let callers = min(availableCores(), callerLimit)
    let threads = max(0, Int(openblas_get_num_threads()) - 1) + callers
    guard !OperatingSystem.canMap(pieces: threads, of: bufferSize) else { return }
    StandardError.shared.report(
      "the address space is too small: OpenBLAS needs \(threads * (bufferSize >> 20)) MiB of it")
    StandardError.shared.writeLine(
      "Raise the limit (ulimit -v), or set OPENBLAS_NUM_THREADS=1 to need less.")
    _exit(ExitStatus.resources.rawValue)
  }
}
