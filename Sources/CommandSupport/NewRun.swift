// A place for a new run: a directory that nobody else has, and the lock on it.
//
// `train` and `import` make runs; both refuse a place that is taken, and overwrite nothing.

package import CharMLP
import Posix

/// The directory of a new run, locked.
package struct NewRun {
  package let directory: RunDirectory
  package let lock: RunLock

  /// Makes and locks the directory that `--out` names, or the next free `runs/<stem>-<k>`.
  ///
  /// - Throws: `CommandFailure`: 73 if it cannot be made or is taken, 75 if another process holds it.
  package init(out: String?, stem: String) throws(CommandFailure) {
    do throws(SystemError) {
      if let out {
        directory = try RunDirectory(creating: out)
      } else {
        directory = try RunDirectory(creatingNextIn: ModelSource.runs, name: stem)
      }
    } catch {
      guard let out, error.isExisting, (try? RunDirectory(existing: out))?.hasModel == true else {
        let advice = error.isExisting ? Self.advice : "Name another directory with --out."
        throw CommandFailure(.cannotCreate, "\(error)", advice: advice)
      }
      throw CommandFailure(
        .cannotCreate, "\(out): a run is there",
        advice: "Name another directory with --out, or continue it with --resume.")
    }
    lock = try RunLock(of: directory)
    // Another run may have started and ended between our check and our lock.
    guard !directory.hasModel else {
      throw CommandFailure(
        .cannotCreate, "\(directory.path): another run has just been saved there",
        advice: Self.advice)
    }
  }

  private static let advice = "Nothing is overwritten: name another directory with --out."
}

extension RunLock {
  /// The lock of a directory, or the reason for which there is none, with its status.
  package convenience init(of directory: RunDirectory) throws(CommandFailure) {
    do throws(RunLockError) {
      try self.init(directory)
    } catch {
      if case .held = error {
        throw CommandFailure(.locked, "\(error)", advice: "Wait for it, or stop it first.")
      }
      throw CommandFailure(.cannotCreate, "\(error)")
    }
  }
}

extension String {
  /// What a run is called after a file: the file's name up to its first full stop.
  package func fileStem(or other: String) -> String {
    guard let file = pieces(separatedBy: UInt8(ascii: "/")).last else { return other }
    let stem = file.pieces(separatedBy: UInt8(ascii: ".")).first.map(String.init) ?? String(file)
    return stem.isEmpty ? other : stem
  }
}
