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
