// The calls into the operating system that outputs and terminals need.
//
// Every pointer of this module lives in this file; the rest of it is memory-safe. The functions
// retry what POSIX says to retry (EINTR, EAGAIN) and turn errno into a value at once. They decide
// nothing: which failure matters, and to whom, is decided by their callers.

import CBLAS
import CharMLP
import Glibc

/// A failed system call: errno and its text.
struct SystemError: Error, Equatable, CustomStringConvertible {
  let code: CInt

  var description: String {
    // glibc's longest message has under 60 bytes; strerror_r cuts what does not fit.
    var text = [CChar](repeating: 0, count: 256)
    let status = unsafe strerror_r(code, &text, text.count)
    let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    return status == 0 ? String(decoding: bytes, as: UTF8.self) : "Error \(code)"
  }
}

enum OperatingSystem {
  /// Writes all of `bytes`, however many calls it takes; waits where the descriptor does not.
  static func write(_ bytes: Span<UInt8>, to descriptor: CInt) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let rest = bytes.extracting(droppingFirst: written)
      let (count, code) = unsafe rest.withUnsafeBytes { buffer in
        let count = unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        return (count, errno)
      }
      if count > 0 {
        written += count
      } else {
        try recover(fromWriting: count == 0 ? EIO : code, to: descriptor)
      }
    }
  }

  private static func recover(
    fromWriting code: CInt, to descriptor: CInt
  ) throws(SystemError) {
    switch code {
    case EINTR: break
    case EAGAIN: waitUntilWritable(descriptor)
    default: throw SystemError(code: code)
    }
  }

  /// Waits as a blocking descriptor would; an interrupted wait is the caller's next attempt.
  private static func waitUntilWritable(_ descriptor: CInt) {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = unsafe poll(&request, 1, -1)
  }

  /// Closes `descriptor`: the last moment at which a network file system reports a full disk.
  static func close(_ descriptor: CInt) throws(SystemError) {
    guard Glibc.close(descriptor) != 0 else { return }
    // Linux has released the descriptor even when the call was interrupted.
    if errno != EINTR { throw SystemError(code: errno) }
  }

  static func isOpen(_ descriptor: CInt) -> Bool {
    fcntl(descriptor, F_GETFD) != -1 || errno != EBADF
  }

  /// Opens the null device at the lowest free descriptor; nil if that fails.
  static func openNullDevice(_ access: CInt) -> CInt? {
    let descriptor = unsafe open("/dev/null", access)
    return descriptor < 0 ? nil : descriptor
  }

  static func isTerminal(_ descriptor: CInt) -> Bool {
    isatty(descriptor) == 1
  }

  /// The number of columns the terminal reports; nil for anything that has none.
  static func columns(of descriptor: CInt) -> Int? {
    var size = winsize()
    let status = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
    return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// Whether there is anything at a path.
  static func exists(_ path: String) -> Bool {
    unsafe access(path, F_OK) == 0
  }

  /// The name of this machine.
  static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The current time in UTC, as ISO 8601 writes it: 2026-01-31T12:00:00Z.
  static func timestamp() -> String {
    var seconds = time_t()
    var parts = unsafe tm()
    unsafe time(&seconds)
    unsafe gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let length = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The machine's memory in bytes.
  static func physicalMemory() -> Int {
    sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The bytes of addresses that this process may use, as `ulimit -v` limits them; nil without a limit.
  static func addressSpaceLimit() -> Int? { limit(RLIMIT_AS) }

  /// The bytes of stack that a thread may use (`ulimit -s`); nil without a limit.
  static func stackLimit() -> Int? { limit(RLIMIT_STACK) }

  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
      limit.rlim_cur <= UInt(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  /// Whether the process could have pieces of memory of so many bytes at the same time.
  static func canMap(_ byteCounts: [Int]) -> Bool {
    var pieces: [(address: UInt, byteCount: Int)] = []
    defer {
      for piece in pieces {
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: piece.address), piece.byteCount)
      }
    }
    for byteCount in byteCounts {
      let piece = unsafe mmap(
        nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard unsafe piece != MAP_FAILED else { return false }
      pieces.append((UInt(bitPattern: piece), byteCount))
    }
    return true
  }

  static func ignore(signal number: CInt) {
    _ = signal(number, SIG_IGN)
  }

  static func isIgnored(signal number: CInt) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    let ignoring = unsafe unsafeBitCast(SIG_IGN, to: Int.self)
    return handler == ignoring
  }

  /// Calls `handler` for a signal; system calls that it interrupts are repeated where they can be.
  ///
  /// A thread that starts a process hands down its mask, and some libraries' threads block everything:
  /// so the signal is let through too.
  static func handle(signal number: CInt, _ handler: @escaping @convention(c) (CInt) -> Void) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    unsafe sigaction(number, &action, nil)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}

// MARK: - Refuses to start on a stack off whose end it would run

// Swift's runtime builds the types that parsing flags takes on some 100 KiB of it, threads that are started
// get as much as the limit on the first one's says, and an overflow is a segmentation fault.

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

// MARK: - Refuses to start where OpenBLAS would hang

// OpenBLAS takes 128 MiB of addresses for each of its own threads, beside `main`, and for each thread
// that calls it. When it does not get them (`ulimit -v`, a batch system's limit) it asks again for ever,
// and so does the end of the process, which waits for its threads. So the same amount is asked for
// here, before anything else, and returned; and again by a command that is to use more threads than
// there are cores. That counts what its threads may already have, and so refuses a little more than it must.

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
