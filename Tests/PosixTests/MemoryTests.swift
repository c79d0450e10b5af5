// How much memory a process counts with, on systems made of a few files.

import Testing

@testable import Posix

@Suite("Available memory")
struct MemoryTests {
  private let files = [
    "proc/self/cgroup": "9:memory:/job\n0::/job",
    "proc/self/mountinfo": MountLine.two + "\n" + MountLine.memory,
  ]
  private let group = "sys/fs/cgroup/job/memory.max"
  private let oldGroup = "sys/fs/cgroup/memory/job/memory.limit_in_bytes"

  private func memory(_ more: [String: String], addressSpace: Int? = nil) throws -> Int {
    let tree = try MadeTree(files.merging(more) { $1 })
    return withExtendedLifetime(tree) {
      Memory.available(root: tree.path, physical: 1 << 34, addressSpace: addressSpace)
    }
  }

  @Test("This machine has memory available, and no more than it has in all")
  func real() {
    #expect(Memory.available > 0)
    #expect(Memory.available <= Memory.physical)
  }

  @Test("Available memory is the machine's, or less under a limit on addresses")
  func plain() throws {
    #expect(try memory([:]) == 1 << 34)
    #expect(try memory([:], addressSpace: 1 << 30) == 1 << 30)
    #expect(try memory([:], addressSpace: 1 << 40) == 1 << 34)
  }

  @Test("Available memory is what the kernel calls available")
  func unused() throws {
    let text = "MemTotal:       16777216 kB\nMemFree:  12 kB\nMemAvailable:    4194304 kB\n"
    #expect(try memory(["proc/meminfo": text]) == 1 << 32)
    for garbage in [
      "", "MemAvailable:", "MemAvailable: x kB", "MemAvailable: 0 kB", "MemAvailable: 1",
    ] {
      #expect(try memory(["proc/meminfo": garbage]) == 1 << 34)
    }
  }

  @Test("Control groups of both versions, and those above them, limit available memory")
  func groups() throws {
    #expect(try memory([group: "1073741824"]) == 1 << 30)
    #expect(try memory([group: "max"]) == 1 << 34)
    #expect(try memory(["sys/fs/cgroup/memory.max": "1048576", group: "max"]) == 1 << 20)
    #expect(try memory([oldGroup: "2147483648"]) == 1 << 31)
    #expect(try memory([oldGroup: "9223372036854771712"]) == 1 << 34)
    let above = "sys/fs/cgroup/memory/memory.limit_in_bytes"
    #expect(try memory([oldGroup: "2147483648", above: "1048576"]) == 1 << 20)
    #expect(try memory([group: "3000", oldGroup: "4000"], addressSpace: 5000) == 3000)
    #expect(try memory([group: "6000", oldGroup: "4000"], addressSpace: 5000) == 4000)
    #expect(try memory([group: "6000", oldGroup: "7000"], addressSpace: 5000) == 5000)
  }

  @Test(
    "A malformed limit on memory is none",
    arguments: ["", "x", "-1", "0", "1 2", "\u{FF}", "1e9"])
  func garbage(text: String) throws {
    #expect(try memory([group: text, oldGroup: text]) == 1 << 34)
  }
}
