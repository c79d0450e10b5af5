// The time that an input takes, as the processor counts it.
//
// libFuzzer's own limit is wall-clock time, which also passes while the process waits on a busy
// machine, and innocent inputs would be blamed. It is kept only for inputs that never end.

import Glibc

/// Does the work on one input and stops the program if that takes a second of processor time or
/// more.
func withinOneSecond(_ work: () -> Void) {
  let start = processorTime()
  work()
  let seconds = processorTime() - start
  precondition(seconds < 1, "an input that takes \(seconds) s")
}

/// The seconds of processor time of this thread.
private func processorTime() -> Double {
  var time = timespec()
  let status = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  precondition(status == 0, "no clock for processor time")
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
