// How many cores this process may run on: what `taskset` or a container's set of cores left it.

/// The number of cores that this process may run on; 1 if the system does not tell.
///
/// Linux tells it as a mask in hexadecimal, the line `Cpus_allowed` of /proc/self/status.
public func availableCores() -> Int {
  guard let bytes = try? FileSystem.read("/proc/self/status") else { return 1 }
  let lines = bytes.split(separator: UInt8(ascii: "\n"))
  let name = Array("Cpus_allowed:".utf8)
  guard let line = lines.first(where: { $0.starts(with: name) }) else { return 1 }
  let mask = line.dropFirst(name.count).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
  return max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount })
}
