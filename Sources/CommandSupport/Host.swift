// The machine and the moment: what a run's description says besides the model.

/// Facts about where and when a command runs.
public enum Host {
  /// The name of this machine.
  public static var name: String { OperatingSystem.hostName() }

  /// The current time in UTC, in ISO 8601.
  public static var timestamp: String { OperatingSystem.timestamp() }

  /// The machine's memory in bytes.
  public static var physicalMemory: Int { OperatingSystem.physicalMemory() }

  /// The memory in bytes that this process could have: the machine's, or less under `ulimit -v`.
  public static var availableMemory: Int {
    min(physicalMemory, OperatingSystem.addressSpaceLimit() ?? .max)
  }

  /// The bytes of a model file that this process could hold: the file, its tensors, and twice their
  /// content beside them.
  public static var readableBytes: Int { availableMemory / 4 }

  /// How this command was built.
  public static var buildMode: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }
}

/// The version of all commands.
public let version = "0.1.0"

// MARK: - Sizes without measure are refused before the first allocation: a process that asks for too much is

// ended by the system, without a word and with a status that says nothing.

extension Host {
  /// Refuses what this process could not hold.
  ///
  /// - Parameters:
  ///   - need: The bytes that are needed, or nil if they cannot be counted.
  ///   - purpose: What needs them, as the subject of a sentence.
  ///   - advice: What to do about it.
  /// - Throws: `CommandFailure` (71).
  public static func require(
    _ need: Int?, for purpose: String, advice: String
  ) throws(CommandFailure) {
    let available = availableMemory
    if let need, need <= available { return }
    let size = need.map { "\(Format.count($0 >> 20)) MiB" } ?? "more memory than can be counted"
    throw CommandFailure(
      .resources,
      "\(purpose) need \(size); there are \(Format.count(available >> 20)) MiB", advice: advice)
  }
}
