// Descriptors 0, 1 and 2 are taken before anything else is opened.
//
// A process can be started with one of them closed (`train >&-`). The next file it opens would get
// that number, and results would be printed into a checkpoint. The null device keeps the place, the
// wrong way round: reading what is open for writing, or writing what is open for reading, fails with
// EBADF exactly as on a closed descriptor. So a closed stdout is still reported, a closed stderr is
// still harmless. (The GNU tools do the same.)

import Glibc

enum StandardDescriptors {
  /// Takes those of the three that are closed. Without a null device they stay closed.
  static func takeMissing() {
    for (descriptor, access) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ]
    where !OperatingSystem.isOpen(descriptor) {
      _ = OperatingSystem.openNullDevice(access)
    }
  }
}
