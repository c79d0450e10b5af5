// How many threads can run at the same time in this process: cores, and the share of them that a
// container or a batch system allows.

import CLinux

/// The number of threads that can run at the same time in this process, at least 1.
///
/// It is the number of cores that the process may run on (`taskset`, a container's set of cores), or less
/// if a control group has a quota of processor time: more threads would all be stopped for the rest of
/// every period once they have used it up.
public func availableCores() -> Int { availableCores(root: "") }

/// The same, on the system whose file tree begins at `root`.
func availableCores(root: String, affinity: Int = affinityCores()) -> Int {
  max(1, min(affinity, quotaCores(ControlGroups(root: root)) ?? .max))
}

/// The cores that this process may run on; 1 if the system does not tell.
func affinityCores() -> Int { max(1, CoreSet.ofCallingThread?.cores.count ?? 1) }

/// Cores that a thread may run on, by the system's numbers.
public struct CoreSet: Equatable, Sendable {
  private var mask: [UInt]

  /// Those of the calling thread; nil if the system does not tell.
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
  public func holdCallingThread() {
    _ = unsafe mask.withUnsafeBytes { buffer in
      unsafe sched_setaffinity(
        0, buffer.count, buffer.assumingMemoryBound(to: cpu_set_t.self).baseAddress!)
    }
  }
}

/// The whole cores that the smallest quota of processor time pays for, at least 1; nil without a quota.
///
/// A quota is a time in every period, both in microseconds, or none: `max` in version 2's `cpu.max`, −1
/// in version 1's.
private func quotaCores(_ groups: ControlGroups) -> Int? {
  let quotas =
    groups.values("cpu.max", of: "cpu", .two)
    + groups.values("cpu.cfs_quota_us", "cpu.cfs_period_us", of: "cpu", .one)
  return quotas.compactMap { words -> Int? in
    let numbers = words.compactMap { Int($0) }
    guard words.count == 2, numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { return nil }
    return max(1, numbers[0] / numbers[1])
  }.min()
}
