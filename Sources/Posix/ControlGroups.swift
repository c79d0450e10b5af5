// What the control groups of a process say: files like `cpu.max`, in its own group and in every group
// above it, since each of them binds.
//
// Linux has two versions, and a system may use both at once: version 2 has one tree of groups, version 1
// one for each controller. /proc/self/cgroup names the process's group in each, and
// /proc/self/mountinfo where a tree, or a container's part of it, is mounted. Here files are found and
// read; what their numbers mean is Processors.swift's and Memory.swift's business. All paths begin at a
// root directory, so that tests can make a system of their own. What is missing or makes no sense is
// no limit. (Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.)

/// The control groups that a process is in.
struct ControlGroups {
  enum Version { case one, two }

  private let root: String
  private let memberships: [Membership]
  private let mounts: [Mount]

  /// Reads where the process is, on the system whose file tree begins at `root`.
  init(root: String = "") {
    self.root = root
    memberships = Self.lines(root + "/proc/self/cgroup").compactMap(Membership.init)
    let mounts = Self.lines(root + "/proc/self/mountinfo").compactMap(Mount.init)
    self.mounts = mounts.isEmpty ? Mount.usual : mounts
  }

  /// The words of a file of the given name, in each group in which there is one, the process's own first.
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
    func isRight(_ controllers: [Substring]) -> Bool {
      version == .two ? controllers.isEmpty : controllers.contains { $0 == controller }
    }
    let path = memberships.first { isRight($0.controllers) }?.path ?? "/"
    return mounts.filter {
      $0.version == version && ($0.version == .two || isRight($0.controllers))
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
  /// Where.
  let point: String

  /// A line of /proc/self/mountinfo (proc_pid_mountinfo(5)): the group and the place are its fourth and
  /// fifth fields; after a lone `-` come the type, the source and the tree's options.
  init?(_ line: Substring) {
    let fields = line.pieces(separatedBy: UInt8(ascii: " "))
    guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
      return nil
    }
    switch fields[dash + 1] {
    case "cgroup": version = .one
    case "cgroup2": version = .two
    default: return nil
    }
    controllers = fields[dash + 3].pieces(separatedBy: UInt8(ascii: ","))
    (group, point) = (String(fields[3]), String(fields[4]))
  }

  private init(_ version: ControlGroups.Version, _ point: String, _ controllers: [Substring]) {
    (self.version, self.controllers, group, self.point) = (version, controllers, "/", point)
  }

  /// Where systems mount them, for want of /proc.
  static let usual = [
    Mount(.two, "/sys/fs/cgroup", []), Mount(.one, "/sys/fs/cgroup/cpu", ["cpu"]),
    Mount(.one, "/sys/fs/cgroup/memory", ["memory"]),
  ]

  /// The directories of a group and of those above it, up to the mounted one.
  ///
  /// In a container the path may lie outside of what is mounted there; its root binds all the same.
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
