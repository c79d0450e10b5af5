// What the machine gives this process: cores and memory, or the share of them that a container or a
// batch system allows.

import CLinux
import Glibc

/// The number of threads that can run at the same time in this process, at least 1.
///
/// It is the number of cores that the process may run on (`taskset`, a container's set of cores),
/// or less if a control group has a quota of processor time: more threads would only exhaust the
/// quota sooner and then all be throttled.
public func availableCores() -> Int { availableCores(root: "") }

/// The same, on the system whose file tree begins at `root`.
func availableCores(root: String, affinity: Int = affinityCores()) -> Int {
  max(1, min(affinity, quotaCores(ControlGroups(root: root)) ?? .max))
}

/// The number of cores that this process may run on; 1 if unknown.
func affinityCores() -> Int { max(1, CoreSet.ofCallingThread?.cores.count ?? 1) }

/// Cores that a thread may run on, by the system's numbers.
public struct CoreSet: Equatable, Sendable {
  private var mask: [UInt]

  /// Those of the calling thread; nil if unknown.
  public static var ofCallingThread: CoreSet? {
    // The kernel refuses a mask shorter than its own; 2^16 bytes are half a million cores.
    var words = 16
    while words <= 1 << 13 {
      var mask = [UInt](repeating: 0, count: words)
      let status = unsafe mask.withUnsafeMutableBytes { buffer in
        unsafe sched_getaffinity(
          0, buffer.count, buffer.assumingMemoryBound(to: cpu_set_t.self).baseAddress!)
      }
      if status == 0 { return CoreSet(mask: mask) }
      words *= 2
    }
    return nil
  }

  /// The numbers, ascending.
  public var cores: [Int] {
    (0..<mask.count * UInt.bitWidth).filter {
      mask[$0 / UInt.bitWidth] >> UInt($0 % UInt.bitWidth) & 1 == 1
    }
  }

  /// One of these cores alone.
  public func only(_ core: Int) -> CoreSet {
    var one = CoreSet(mask: Array(repeating: 0, count: mask.count))
    one.mask[core / UInt.bitWidth] = 1 << UInt(core % UInt.bitWidth)
    return one
  }

  /// Keeps the calling thread to these cores, if the system lets it.
  public func pinCallingThread() {
    _ = unsafe mask.withUnsafeBytes { buffer in
      unsafe sched_setaffinity(
        0, buffer.count, buffer.assumingMemoryBound(to: cpu_set_t.self).baseAddress!)
    }
  }
}

/// The whole cores that the smallest quota of processor time pays for, at least 1; nil without a
/// quota.
///
/// A quota is a time per period, both in microseconds. Where there is none, version 2 writes `max`
/// for the time, version 1 −1.
private func quotaCores(_ groups: ControlGroups) -> Int? {
  let quotas =
    groups.values("cpu.max", of: "cpu", .v2)
    + groups.values("cpu.cfs_quota_us", "cpu.cfs_period_us", of: "cpu", .v1)
  return quotas.compactMap { words -> Int? in
    let numbers = words.compactMap { Int($0) }
    guard words.count == 2, numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { return nil }
    return max(1, numbers[0] / numbers[1])
  }.min()
}

// MARK: - Memory
//
// How much this process could have: the machine's, what is free of it, and the limits of the shell,
// of a batch system and of a container.

/// Facts about memory, all in bytes.
public enum Memory {
  /// The machine's memory.
  static var physical: Int {
    sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The most that this process could have: the smallest of the machine's memory, the part of it
  /// that is free or can be freed, the limit of every control group it is in, and the limit on its
  /// address space.
  ///
  /// A group's limit counts in full, however much of it is in use.
  public static var available: Int { available(root: "") }

  /// The same, on the system whose file tree begins at `root`.
  static func available(
    root: String, physical: Int = physical, addressSpace: Int? = addressSpaceLimit
  ) -> Int {
    let limits = [addressSpace, unused(root: root), groupLimit(ControlGroups(root: root))]
    return limits.compactMap { $0 }.reduce(physical, min)
  }

  /// The memory that can be had without swapping, as the kernel estimates it; nil if unknown.
  private static func unused(root: String) -> Int? {
    guard let bytes = try? FileSystem.read(root + "/proc/meminfo") else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).pieces(separatedBy: UInt8(ascii: "\n"))
    // MemAvailable:   12345678 kB
    guard let words = lines.first(where: { $0.begins(with: "MemAvailable:") })?.asciiWords,
      words.count == 3, words[2] == "kB", let kilobytes = Int(words[1]), kilobytes > 0
    else { return nil }
    return kilobytes << 10
  }

  /// The smallest limit of the control groups; nil without one. Version 2 writes `max` for none,
  /// version 1 a number larger than any memory.
  private static func groupLimit(_ groups: ControlGroups) -> Int? {
    let limits =
      groups.values("memory.max", of: "memory", .v2)
      + groups.values("memory.limit_in_bytes", of: "memory", .v1)
    return limits.compactMap { words -> Int? in
      guard words.count == 1, let limit = Int(words[0]), limit > 0 else { return nil }
      return limit
    }.min()
  }

  /// The bytes of address space that this process may use (`ulimit -v`); nil without a limit.
  static var addressSpaceLimit: Int? { limit(RLIMIT_AS) }

  /// The bytes of stack that a thread may use (`ulimit -s`); nil without a limit.
  public static var stackLimit: Int? { limit(RLIMIT_STACK) }

  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
      limit.rlim_cur <= UInt(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  /// Whether the process could map pieces of memory of all these sizes at once.
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

// MARK: - Control groups
//
// Files like `cpu.max`, in the process's own group and in every group above it, since the limits of
// all of them apply. They are found and read here, and interpreted above.
//
// Linux has two versions, and a system may use both at once: version 2 has one tree of groups,
// version 1 one for each controller. /proc/self/cgroup names the process's group in each, and
// /proc/self/mountinfo where a tree, or a container's part of it, is mounted. Paths start at a
// configurable root for tests. A missing or malformed file means no limit. (Linux,
// Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.)

/// The control groups that a process is in.
struct ControlGroups {
  enum Version { case v1, v2 }

  private let root: String
  private let memberships: [Membership]
  private let mounts: [Mount]

  /// Reads which groups the process is in, on the system whose file tree begins at `root`.
  init(root: String = "") {
    self.root = root
    memberships = Self.lines(root + "/proc/self/cgroup").compactMap(Membership.init)
    let mounts = Self.lines(root + "/proc/self/mountinfo").compactMap(Mount.init)
    self.mounts = mounts.isEmpty ? Mount.defaults : mounts
  }

  /// The words of a file of the given name, in each group that has one, the process's own first.
  func values(_ file: String, of controller: String, _ version: Version) -> [[Substring]] {
    directories(controller, version).compactMap { Self.words($0 + "/" + file) }
  }

  /// The words of two files, in each group that has both.
  func values(
    _ first: String, _ second: String, of controller: String, _ version: Version
  ) -> [[Substring]] {
    directories(controller, version).compactMap { directory in
      guard let first = Self.words(directory + "/" + first),
        let second = Self.words(directory + "/" + second)
      else { return nil }
      return first + second
    }
  }

  /// The directories of the process's groups, from its own up to the mounted root.
  private func directories(_ controller: String, _ version: Version) -> [String] {
    func matches(_ controllers: [Substring]) -> Bool {
      version == .v2 ? controllers.isEmpty : controllers.contains { $0 == controller }
    }
    let path = memberships.first { matches($0.controllers) }?.path ?? "/"
    return mounts.filter {
      $0.version == version && ($0.version == .v2 || matches($0.controllers))
    }
    .flatMap { mount in mount.directories(of: path).map { root + $0 } }
  }

  private static func lines(_ path: String) -> [Substring] {
    guard let bytes = try? FileSystem.read(path, limit: 1 << 24) else { return [] }
    return String(decoding: bytes, as: UTF8.self).pieces(separatedBy: UInt8(ascii: "\n"))
  }

  private static func words(_ path: String) -> [Substring]? {
    guard let bytes = try? FileSystem.read(path, limit: 1 << 12) else { return nil }
    return String(decoding: bytes, as: UTF8.self).asciiWords
  }
}

/// A line of /proc/self/cgroup: `0::/user.slice`, or in version 1 `4:cpu,cpuacct:/user.slice`.
private struct Membership {
  /// The controllers of version 1; none in version 2.
  let controllers: [Substring]
  let path: String

  init?(_ line: Substring) {
    let parts = line.pieces(separatedBy: UInt8(ascii: ":"), maxSplits: 2, omittingEmpty: false)
    guard parts.count == 3, parts[2].begins(with: "/") else { return nil }
    controllers = parts[1].pieces(separatedBy: UInt8(ascii: ","))
    path = String(parts[2])
  }
}

/// A mounted tree of groups.
private struct Mount {
  let version: ControlGroups.Version
  /// The controllers of version 1, among other options.
  let controllers: [Substring]
  /// The group that is mounted, as a path from the tree's root.
  let group: String
  /// Where it is mounted.
  let point: String

  /// A line of /proc/self/mountinfo (proc_pid_mountinfo(5)): the group and the place are its fourth
  /// and fifth fields; after a lone `-` come the type, the source and the tree's options.
  init?(_ line: Substring) {
    let fields = line.pieces(separatedBy: UInt8(ascii: " "))
    guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
      return nil
    }
    switch fields[dash + 1] {
    case "cgroup": version = .v1
    case "cgroup2": version = .v2
    default: return nil
    }
    controllers = fields[dash + 3].pieces(separatedBy: UInt8(ascii: ","))
    (group, point) = (String(fields[3]), String(fields[4]))
  }

  private init(_ version: ControlGroups.Version, _ point: String, _ controllers: [Substring]) {
    (self.version, self.controllers, group, self.point) = (version, controllers, "/", point)
  }

  /// The usual mount points, for systems without /proc.
  static let defaults = [
    Mount(.v2, "/sys/fs/cgroup", []), Mount(.v1, "/sys/fs/cgroup/cpu", ["cpu"]),
    Mount(.v1, "/sys/fs/cgroup/memory", ["memory"]),
  ]

  /// The directories of a group and of those above it, up to the mounted one.
  ///
  /// In a container the path may lie outside what is mounted there; the limits at the mount point
  /// apply all the same.
  func directories(of path: String) -> [String] {
    let names = Self.names(path)
    let mounted = Self.names(group)
    guard names.starts(with: mounted), !names.contains("..") else { return [point] }
    let below = names.dropFirst(mounted.count)
    return (0...below.count).reversed().map { count in
      ([point[...]] + below.prefix(count)).joined(separator: "/")
    }
  }

  private static func names(_ path: String) -> [Substring] {
    path.pieces(separatedBy: UInt8(ascii: "/"))
  }
}
