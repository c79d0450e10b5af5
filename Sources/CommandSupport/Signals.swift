// What the process does about signals, decided once at its start.
//
// For now: a write that fails comes back as an error instead of ending the process, since a training
// run must outlive the reader of its output and a limit on file sizes. This is the place for what
// SIGINT and SIGTERM will do.

import Glibc

enum Signals {
  /// Lets `write` report a reader that is gone (EPIPE) and a file grown too large (EFBIG).
  static func reportFailedWritesAsErrors() {
    OperatingSystem.ignore(signal: SIGPIPE)
    OperatingSystem.ignore(signal: SIGXFSZ)
  }
}
