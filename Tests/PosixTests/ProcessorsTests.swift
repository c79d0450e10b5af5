// How many cores a process counts with under quotas of control groups, on systems made of a few
// files.

import Testing

@testable import Posix

/// Lines of /proc/self/mountinfo.
enum MountLine {
  static let two = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
  static let hybrid = "31 23 0:27 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw"
  static let cpu =
    "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct"
  static let memory = "33 23 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
  static let disk = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw"
}

@Suite("Available cores")
struct ProcessorsTests {
  private func cores(_ files: [String: String], affinity: Int = 16) throws -> Int {
    let tree = try MadeTree(files)
    return withExtendedLifetime(tree) { availableCores(root: tree.path, affinity: affinity) }
  }

  private let two = [
    "proc/self/cgroup": "0::/a.slice/b.scope",
    "proc/self/mountinfo": MountLine.disk + "\n" + MountLine.two,
  ]
  private let one = [
    "proc/self/cgroup": "12:memory:/m\n4:cpu,cpuacct:/docker/c1\n0::/",
    "proc/self/mountinfo": [MountLine.disk, MountLine.cpu, MountLine.memory].joined(
      separator: "\n"),
  ]

  private func with(_ base: [String: String], _ files: [String: String]) -> [String: String] {
    base.merging(files) { $1 }
  }

  @Test("This machine allows at least one core, and no more than the affinity")
  func real() {
    #expect(availableCores() >= 1)
    #expect(availableCores() <= affinityCores())
  }

  @Test(
    "A quota of version 2 is rounded down, is at least 1, and never raises the affinity",
    arguments: [
      ("200000 100000", 2), ("250000 100000", 2), ("99999 100000", 1), ("1000 100000", 1),
      ("1600000 100000", 16), ("9000000 100000", 16), ("max 100000", 16), ("30000 10000", 3),
    ])
  func versionTwo(text: String, count: Int) throws {
    let group = "sys/fs/cgroup/a.slice/b.scope/cpu.max"
    #expect(try cores(with(two, [group: text])) == count)
  }

  @Test(
    "A malformed file of a control group is no quota on cores",
    arguments: [
      "", "200000", "200000 0", "-1 100000", "0 100000", "200000 -100000", "x y", "200000 100000 3",
      "99999999999999999999 100000", "\u{FF}", "max", "max max",
    ])
  func garbage(text: String) throws {
    #expect(try cores(with(two, ["sys/fs/cgroup/a.slice/b.scope/cpu.max": text])) == 16)
  }

  @Test(
    "The smallest quota on cores counts, of the process's group and all above it up to the mount")
  func nested() throws {
    let (own, parent) = ("sys/fs/cgroup/a.slice/b.scope/cpu.max", "sys/fs/cgroup/a.slice/cpu.max")
    let top = "sys/fs/cgroup/cpu.max"
    #expect(try cores(with(two, [own: "max 100000", parent: "300000 100000"])) == 3)
    #expect(try cores(with(two, [own: "200000 100000", parent: "300000 100000"])) == 2)
    #expect(try cores(with(two, [own: "500000 100000", top: "400000 100000"])) == 4)
    #expect(try cores(with(two, ["sys/fs/cgroup/other/cpu.max": "100000 100000"])) == 16)
  }

  @Test("A quota of version 1 is in two files of the controller's own tree")
  func versionOne() throws {
    let group = "sys/fs/cgroup/cpu,cpuacct/docker/c1/cpu.cfs_"
    let (quota, period) = (group + "quota_us", group + "period_us")
    #expect(try cores(with(one, [quota: "350000", period: "100000"])) == 3)
    #expect(try cores(with(one, [quota: "-1", period: "100000"])) == 16)
    #expect(try cores(with(one, [quota: "350000"])) == 16)
    let parent = "sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_"
    let above = [parent + "quota_us": "100000", parent + "period_us": "50000"]
    #expect(try cores(with(one, above)) == 2)
    #expect(try cores(with(with(one, [quota: "50000", period: "50000"]), above)) == 1)
    // The same names in another controller's tree mean nothing.
    let wrong = "sys/fs/cgroup/memory/m/cpu.cfs_"
    #expect(
      try cores(with(one, [wrong + "quota_us": "100000", wrong + "period_us": "100000"])) == 16)
  }

  @Test("In a container the mounted root counts, whatever path the group has outside")
  func container() throws {
    let top = ["sys/fs/cgroup/cpu.max": "200000 100000"]
    for path in ["/", "/../outside", "/docker/c1"] {
      #expect(try cores(with(with(two, ["proc/self/cgroup": "0::" + path]), top)) == 2)
    }
    // Version 1 without a namespace: the container's own group is what is mounted.
    let line = "32 23 0:28 /docker/c1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu"
    let files = [
      "proc/self/mountinfo": line, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    ]
    #expect(try cores(with(one, files)) == 2)
    let outside = ["proc/self/cgroup": "4:cpu,cpuacct:/docker/c2"]
    #expect(try cores(with(with(one, files), outside)) == 2)
    let below = [
      "proc/self/cgroup": "4:cpu,cpuacct:/docker/c1/x", "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "7",
      "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "7",
    ]
    #expect(try cores(with(with(one, files), below)) == 1)
  }

  @Test("Quotas on cores count in both versions of control groups at once")
  func hybrid() throws {
    let files = [
      "proc/self/cgroup": "4:cpu,cpuacct:/x\n0::/x",
      "proc/self/mountinfo": MountLine.hybrid + "\n" + MountLine.cpu,
      "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "500000",
      "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000",
    ]
    #expect(try cores(files) == 5)
    #expect(try cores(with(files, ["sys/fs/cgroup/unified/x/cpu.max": "300000 100000"])) == 3)
  }

  @Test("Without a sensible /proc, quotas on cores are looked for in the usual places")
  func missing() throws {
    #expect(try cores([:]) == 16)
    #expect(try cores(["sys/fs/cgroup/cpu.max": "200000 100000"]) == 2)
    let one = [
      "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    ]
    #expect(try cores(one) == 3)
    let garbage = [
      "proc/self/cgroup": "::\n0:\n\u{FF}\n:", "proc/self/mountinfo": "1 2 3 -\n- - -\n-",
    ]
    #expect(try cores(with(garbage, one)) == 3)
  }
}
