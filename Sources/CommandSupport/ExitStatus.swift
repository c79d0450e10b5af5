// How a command ended, as the number its caller sees.
//
// The numbers from 64 to 76 are those of BSD's <sysexits.h>, so that a script can tell a wrong flag
// from a full disk without reading the message; 128 + n is what a shell reports for a program that
// signal n ended. This is only the list: CommandFailure carries one to the place that exits.

/// The exit statuses of all commands.
public enum ExitStatus: Int32, CaseIterable, Sendable {
  case success = 0
  /// A failure that none of the others describes.
  case failure = 1
  /// A flag or a value that the command does not take (EX_USAGE).
  case usage = 64
  /// Input that was read and is not what it should be (EX_DATAERR).
  case badData = 65
  /// Input that is missing or cannot be read (EX_NOINPUT).
  case noInput = 66
  /// Something that this machine or this build does not offer (EX_UNAVAILABLE).
  case unavailable = 69
  /// The loss is no longer finite (EX_SOFTWARE).
  case diverged = 70
  /// More memory, threads or files than the machine gives (EX_OSERR).
  case resources = 71
  /// A place where the output cannot be made, or is taken (EX_CANTCREAT).
  case cannotCreate = 73
  /// Reading or writing failed on the way (EX_IOERR).
  case inputOutput = 74
  /// Another process is at work in the same place (EX_TEMPFAIL: try again later).
  case locked = 75
  /// A checkpoint of another architecture or a newer version (EX_PROTOCOL).
  case incompatible = 76
  /// 128 + SIGINT.
  case interrupted = 130
  /// 128 + SIGPIPE: nobody reads the results any more. It is told by the status alone.
  case brokenPipe = 141
  /// 128 + SIGTERM.
  case terminated = 143
}
