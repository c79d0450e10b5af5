// The whole checkpoint behind `--model`, for a command that shows more of a run than its network.

public import CharMLP

extension ModelSource {
  /// Reads a model file with all that it says about its training.
  /// - Throws: `CommandFailure`: 66 if it cannot be read, 65 if it is none, 76 if it is too new.
  public static func checkpoint(_ path: String) throws(CommandFailure) -> Checkpoint {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try Checkpoint.read(path, limit: Host.readableBytes, allowingPipes: true)
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a run directory or a model file.")
    }
    do throws(ModelFileError) {
      return try Checkpoint(file: bytes)
    } catch {
      throw error.commandFailure(in: path)
    }
  }
}
