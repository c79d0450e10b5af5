// Refuses to start on a stack off whose end it would run.
//
// Swift's runtime builds the types that parsing flags takes on some 100 KiB of it, threads that are started
// get as much as the limit on the first one's says, and an overflow is a segmentation fault.

import Glibc

enum StackSpace {
  /// Twice what a debug build was seen to need.
  private static let least = 256 << 10

  /// Ends the process with status 71 and two lines if the limit on stacks is too small (`ulimit -s`).
  static func requireEnough() {
    guard let limit = OperatingSystem.stackLimit(), limit < least else { return }
    StandardError.shared.report(
      "the stack is too small: \(limit >> 10) KiB, and \(least >> 10) KiB are needed")
    StandardError.shared.writeLine("Raise the limit (ulimit -s).")
    _exit(ExitStatus.resources.rawValue)
  }
}
