// How much memory this process could have: the machine's, what is free of it, and the limits of the
// shell, of a batch system and of a container.

import Glibc

/// Facts about memory, all in bytes.
public enum Memory {
  /// The machine's memory.
  public static var physical: Int {
    sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The most that this process could have: the smallest of the machine's memory, what of it is free or
  /// can be freed, the limit of every control group it is in, and the limit on its addresses.
  ///
  /// A group's limit is told whole, whatever its processes have taken of it already.
  public static var available: Int { available(root: "") }

  /// The same, on the system whose file tree begins at `root`.
  static func available(
    root: String, physical: Int = physical, addressSpace: Int? = addressSpaceLimit
  ) -> Int {
    let limits = [addressSpace, unused(root: root), groupLimit(ControlGroups(root: root))]
    return limits.compactMap { $0 }.reduce(physical, min)
  }

  /// The memory that can be had without swapping, as the kernel estimates it; nil if it does not tell.
  private static func unused(root: String) -> Int? {
    guard let bytes = try? FileSystem.read(root + "/proc/meminfo") else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).pieces(separatedBy: UInt8(ascii: "\n"))
    // MemAvailable:   12345678 kB
    guard let words = lines.first(where: { $0.begins(with: "MemAvailable:") })?.asciiWords,
      words.count == 3, words[2] == "kB", let kilobytes = Int(words[1]), kilobytes > 0
    else { return nil }
    return kilobytes << 10
  }

  /// The smallest limit of the control groups; nil without one. Version 2 writes `max` for none, version
  /// 1 a number larger than any memory.
  private static func groupLimit(_ groups: ControlGroups) -> Int? {
    let limits =
      groups.values("memory.max", of: "memory", .two)
      + groups.values("memory.limit_in_bytes", of: "memory", .one)
    return limits.compactMap { words -> Int? in
      guard words.count == 1, let limit = Int(words[0]), limit > 0 else { return nil }
      return limit
    }.min()
  }

  /// The bytes of addresses that this process may use, as `ulimit -v` limits them; nil without a limit.
  public static var addressSpaceLimit: Int? { limit(RLIMIT_AS) }

  /// The bytes of stack that a thread may use (`ulimit -s`); nil without a limit.
  public static var stackLimit: Int? { limit(RLIMIT_STACK) }

  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
      limit.rlim_cur <= UInt(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  /// Whether the process could have pieces of memory of so many bytes at the same time.
  public static func canMap(_ byteCounts: [Int]) -> Bool {
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
}
