// The machine and the moment: what a run's description says besides the model.

/// Facts about where and when a command runs.
public enum Host {
  /// The name of this machine.
  public static var name: String { OperatingSystem.hostName() }

  /// The current time in UTC, in ISO 8601.
  public static var timestamp: String { OperatingSystem.timestamp() }

  /// The machine's memory in bytes.
  public static var physicalMemory: Int { OperatingSystem.physicalMemory() }

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
