// The directory that a training run lives in.
//
// It holds `model.safetensors`, the last state, `best.safetensors`, the one with the smallest
// validation loss, `metrics.jsonl` and `run.json`, and `.lock` while a trainer is at work. A run
// never uses a directory with a user's files: nothing of theirs is overwritten.

internal import OrderedJSON
package import Posix

/// A directory with a run's files.
package struct RunDirectory: Equatable, Sendable {
  package let path: String

  package var modelPath: String { path + "/model.safetensors" }
  package var bestPath: String { path + "/best.safetensors" }
  package var metricsPath: String { path + "/metrics.jsonl" }
  package var descriptionPath: String { path + "/run.json" }
  package var reportPath: String { path + "/report.html" }
  var lockPath: String { path + "/.lock" }

  /// Makes the directory `path`, and those above it; an existing one is used if it is empty, or
  /// holds only what a run that saved nothing left behind.
  ///
  /// - Throws: `SystemError`, with `isExisting` if there is something of that name with something
  ///   in it.
  package init(creating path: String) throws(SystemError) {
    self.path = Self.withoutTrailingSlashes(path)
    try requireRoomForNames()
    try Self.makeParents(of: self.path)
    do throws(SystemError) {
      try FileSystem.makeDirectory(self.path)
    } catch {
      guard error.isExisting, let names = try? FileSystem.entries(in: self.path),
        names.allSatisfy({ $0.map(Self.isLeftover) ?? false })
      else { throw error }
      try FileSystem.requireWritable(directory: self.path)
    }
  }

  /// Makes `<root>/<name>-<k>` with the next k, 1 or one more than the largest there is.
  package init(creatingNextIn root: String, name: String) throws(SystemError) {
    try Self.makeParents(of: root + "/" + name)
    var k =
      try FileSystem.names(in: root).reduce(0) { max($0, Self.number($1, name: name) ?? 0) } + 1
    while true {
      do throws(SystemError) {
        let path = "\(root)/\(name)-\(k)"
        try FileSystem.makeDirectory(path)
        self.path = path
        return
      } catch {
        // Another run may have been quicker.
        guard error.isExisting else { throw error }
        k += 1
      }
    }
  }

  /// The run that lives in a directory.
  ///
  /// - Throws: `SystemError`, with `isMissing` if there is no directory of that name.
  package init(existing path: String) throws(SystemError) {
    self.path = Self.withoutTrailingSlashes(path)
    guard case .directory = try FileSystem.kind(of: self.path) else {
      throw SystemError.notDirectory(self.path)
    }
  }

  init(unchecked path: String) { self.path = path }

  /// The run in `root` whose model was saved last; nil if it has no runs. Times more than a minute
  /// in the future (clock skew) count as the oldest.
  package static func newest(in root: String) throws(SystemError) -> RunDirectory? {
    let names: [String]
    do throws(SystemError) {
      names = try FileSystem.names(in: root)
    } catch {
      if error.isMissing { return nil }
      throw error
    }
    let latest = FileSystem.now + 60 * 1_000_000_000
    let runs = names.compactMap { name -> (run: RunDirectory, time: Int)? in
      let run = RunDirectory(unchecked: "\(root)/\(name)")
      guard let time = try? FileSystem.modificationTime(of: run.modelPath) else { return nil }
      return (run, time <= latest ? time : time - .max)
    }
    return runs.max { ($0.time, $0.run.path) < ($1.time, $1.run.path) }?.run
  }

  /// The path of the model that a user names: a file, or a directory with a run.
  package static func modelPath(named path: String) throws(SystemError) -> String {
    guard case .directory = try FileSystem.kind(of: path) else { return path }
    return RunDirectory(unchecked: withoutTrailingSlashes(path)).preferredPath
  }

  /// The path of the model to predict with: the best by validation, or the last before any
  /// evaluation.
  package var preferredPath: String {
    FileSystem.exists(bestPath) ? bestPath : modelPath
  }

  /// A path may be short enough for a directory, but too long with the name of a file in it.
  private func requireRoomForNames() throws(SystemError) {
    do throws(SystemError) {
      let longest = String(repeating: "n", count: FileSystem.temporaryLength - 1)
      _ = try FileSystem.kind(of: path + "/" + longest)
    } catch {
      if error.isNameTooLong { throw error.at(path) }
    }
  }

  /// The number k of a directory named `<name>-<k>`.
  private static func number(_ directory: String, name: String) -> Int? {
    guard let digits = directory.remainder(after: name + "-"), let k = Int(digits) else {
      return nil
    }
    // Nobody makes a billion runs, or writes "+5" or "007".
    return (1..<1_000_000_000).contains(k) && "\(k)" == digits ? k : nil
  }

  private static func makeParents(of path: String) throws(SystemError) {
    let parent = FileSystem.parent(of: path)
    do throws(SystemError) {
      guard case .directory = try FileSystem.kind(of: parent) else {
        throw SystemError.notDirectory(parent)
      }
    } catch {
      guard error.isMissing, parent != path, parent != "." else { throw error }
      try makeParents(of: parent)
      do throws(SystemError) { try FileSystem.makeDirectory(parent) } catch {
        if !error.isExisting { throw error }
      }
    }
  }

  private static func withoutTrailingSlashes(_ path: String) -> String {
    var path = path
    while path.utf8.count > 1, path.ends(with: "/") { path.unicodeScalars.removeLast() }
    return path
  }

  // MARK: Reading a run for a report
  //
  // Missing files are not an error.

  /// The directory that a model's file lies in.
  package init(ofModel path: String) {
    self.init(unchecked: FileSystem.parent(of: path))
  }

  /// The whole lines of `metrics.jsonl`: a last one without its end was cut off by a crash, and is
  /// left out. Empty if the file is missing.
  package func metricsLines() -> [String] {
    (try? FileSystem.read(metricsPath)).map(Self.wholeLines) ?? []
  }

  private static func wholeLines(_ bytes: [UInt8]) -> [String] {
    let newline = UInt8(ascii: "\n")
    return bytes[..<(bytes.lastIndex(of: newline) ?? 0)].split(separator: newline)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The text of `run.json`; nil if it is missing, or too long for a description.
  package func descriptionText() -> String? {
    (try? FileSystem.read(descriptionPath, limit: 1 << 24)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  // MARK: Writing a run
  //
  // The model and the description are replaced as a whole. Metrics are appended, each line in one
  // write, and before the checkpoint of the same step: so whatever the crash, cutting the file
  // after the checkpoint's step leaves exactly the lines of the steps that need not be taken again.

  /// Saves the model, replacing one saved before.
  package func save(model bytes: [UInt8]) throws(SystemError) {
    try FileSystem.replace(modelPath, with: bytes)
  }

  /// Saves the best model so far, replacing one saved before.
  package func save(best bytes: [UInt8]) throws(SystemError) {
    try FileSystem.replace(bestPath, with: bytes)
  }

  /// Adds a line to `metrics.jsonl`: an object with the key `step`.
  package func append(metrics line: String) throws(SystemError) {
    try FileSystem.append(line: line, to: metricsPath)
  }

  /// Writes `run.json`.
  package func save(description text: String) throws(SystemError) {
    try FileSystem.replace(descriptionPath, with: Array((text + "\n").utf8))
  }

  /// Whether anything was saved.
  package var hasModel: Bool { FileSystem.exists(modelPath) }

  /// Whether the run is described, as it is from its start on.
  package var hasDescription: Bool { FileSystem.exists(descriptionPath) }

  /// Removes what a run that was killed while writing left behind. The caller must hold the lock.
  package func removeTemporaries() throws(SystemError) {
    for name in try FileSystem.names(in: path) where Self.isTemporary(name) {
      try FileSystem.remove(path + "/" + name)
    }
  }

  /// Cuts `metrics.jsonl` after the lines up to a step: those of later steps will come again, and a
  /// last line without its end was cut off. Returns the last line that is left.
  package func cutMetrics(after step: Int) throws(SystemError) -> String? {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try FileSystem.read(metricsPath)
    } catch {
      if error.isMissing { return nil }
      throw error
    }
    let kept = Self.wholeLines(bytes)
      .filter { line in Self.step(ofMetrics: line).map { $0 <= step } ?? false }
    let text = Array(kept.map { $0 + "\n" }.joined().utf8)
    if text != bytes { try FileSystem.replace(metricsPath, with: text) }
    return kept.last
  }

  /// The step of a line of metrics; nil if it is not one.
  private static func step(ofMetrics line: String) -> Int? {
    (try? JSONValue(parsing: line))?["step"]?.whole()
  }

  /// Whether a run that saved nothing can have left a file of this name.
  private static func isLeftover(_ name: String) -> Bool {
    name == ".lock" || isTemporary(name)
  }

  /// Whether a killed run, of this version or an older one, was writing a file of this name.
  private static func isTemporary(_ name: String) -> Bool {
    FileSystem.isTemporaryOfRun(name) || oldTemporaries.contains(name)
  }

  private static let oldTemporaries = [
    "model.safetensors.new", "best.safetensors.new", "metrics.jsonl.new", "run.json.new",
  ]
}

// MARK: - One trainer per run directory
//
// A directory that was moved away, or lost its lock file, is no longer its holder's: before writing
// by the path, a trainer checks.

/// The right to write into a run directory, as long as this value lives.
package final class RunLock: Sendable {
  private let lock: FileLock

  /// Takes the lock of a directory.
  ///
  /// - Throws: `RunLockError`: `held` if another process has it.
  package init(_ directory: RunDirectory) throws(RunLockError) {
    let attempt: FileLock.Attempt
    do throws(SystemError) { attempt = try FileLock.take(directory.lockPath) } catch {
      throw .file(error)
    }
    switch attempt {
    case .taken(let lock): self.lock = lock
    case .held(let process): throw .held(directory.path, by: process)
    }
  }

  /// Whether the directory's path still leads to the file that is locked.
  package var isInPlace: Bool { lock.isInPlace }
}

/// Why a run directory cannot be written into.
package enum RunLockError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another process is at work there; its id is nil if unknown.
  case held(String, by: Int?)
  /// The lock file cannot be opened or locked.
  case file(SystemError)

  package var description: String {
    switch self {
    case .held(let directory, let process):
      "\(directory): another trainer is using it" + (process.map { " (process \($0))" } ?? "")
    case .file(let error): error.description
    }
  }
}
