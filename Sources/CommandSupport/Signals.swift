// What the process does about signals, decided once at its start.
//
// A write that fails comes back as an error instead of ending the process, since a training run must
// outlive the reader of its output and a limit on file sizes. What SIGINT and SIGTERM do is decided by
// the command that has something to save: see Interruption.

import Glibc

enum Signals {
  /// Lets `write` report a reader that is gone (EPIPE) and a file grown too large (EFBIG).
  static func reportFailedWritesAsErrors() {
    OperatingSystem.ignore(signal: SIGPIPE)
    OperatingSystem.ignore(signal: SIGXFSZ)
  }
}
