// The directory that a training run lives in.
//
// It holds `model.safetensors`, the last state, `best.safetensors`, the one with the smallest validation
// loss, `metrics.jsonl` and `run.json`, and `.lock` while a trainer is at work. A run never enters a directory that somebody else made: nothing of a user's is overwritten.

/// A directory with a run's files.
public struct RunDirectory: Equatable, Sendable {
  public let path: String

  public var modelPath: String { path + "/model.safetensors" }
  public var bestPath: String { path + "/best.safetensors" }
  public var metricsPath: String { path + "/metrics.jsonl" }
  public var descriptionPath: String { path + "/run.json" }
  var lockPath: String { path + "/.lock" }

  /// Makes the directory `path`, and those it lies in; one that is empty, but for what a run leaves that
  /// ended before it saved anything, is used as it is.
  ///
  /// - Throws: `FileError`, with `isExisting` if there is something of that name with something in it.
  public init(creating path: String) throws(FileError) {
    self.path = Self.withoutTrailingSlashes(path)
    try requireRoomForNames()
    try Self.makeParents(of: self.path)
    do throws(FileError) {
      try FileSystem.makeDirectory(self.path)
    } catch {
      guard error.isExisting, let names = try? FileSystem.names(in: self.path),
        names.allSatisfy(Self.isTrace)
      else { throw error }
      guard FileSystem.isWritable(self.path) else { throw FileError(self.path) }
    }
  }

  /// Makes `<root>/<name>-<k>` with the next k, 1 or one more than the largest there is.
  public init(creatingNextIn root: String, name: String) throws(FileError) {
    try Self.makeParents(of: root + "/" + name)
    var k =
      try FileSystem.names(in: root).reduce(0) { max($0, Self.number($1, name: name) ?? 0) } + 1
    while true {
      do throws(FileError) {
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
  /// - Throws: `FileError`, with `isMissing` if there is no directory of that name.
  public init(existing path: String) throws(FileError) {
    self.path = Self.withoutTrailingSlashes(path)
    guard case .directory = try FileSystem.kind(of: self.path) else {
      throw FileError(self.path, code: 20)  // ENOTDIR
    }
  }

  init(unchecked path: String) { self.path = path }

  /// The run in `root` whose model was saved last, or nil if there is none.
  public static func newest(in root: String) throws(FileError) -> RunDirectory? {
    let names: [String]
    do throws(FileError) {
      names = try FileSystem.names(in: root)
    } catch {
      if error.isMissing { return nil }
      throw error
    }
    let runs = names.compactMap { name -> (run: RunDirectory, time: Int)? in
      let run = RunDirectory(unchecked: "\(root)/\(name)")
      guard let time = try? FileSystem.modificationTime(of: run.modelPath) else { return nil }
      return (run, time)
    }
    return runs.max { ($0.time, $0.run.path) < ($1.time, $1.run.path) }?.run
  }

  /// The path of the model that a user names: a file, or a directory with a run.
  public static func modelPath(named path: String) throws(FileError) -> String {
    guard case .directory = try FileSystem.kind(of: path) else { return path }
    return RunDirectory(unchecked: withoutTrailingSlashes(path)).preferredPath
  }

  /// The path of the model to predict with: the best by validation, or the last before any evaluation.
  public var preferredPath: String {
    (try? FileSystem.kind(of: bestPath)) == nil ? modelPath : bestPath
  }

  /// A path may be short enough for a directory, and with the name of a file in it too long for the system.
  private func requireRoomForNames() throws(FileError) {
    do throws(FileError) {
      _ = try FileSystem.kind(of: modelPath + FileSystem.temporaryEnding)
    } catch {
      if error.isNameTooLong { throw FileError(path, code: error.code) }
    }
  }

  /// The number k of a directory named `<name>-<k>`.
  private static func number(_ directory: String, name: String) -> Int? {
    guard directory.hasPrefix(name + "-") else { return nil }
    // Nobody made a billion runs; what looks like it is somebody else's directory.
    return Int(directory.dropFirst(name.count + 1)).flatMap { (1..<1_000_000_000) ~= $0 ? $0 : nil }
  }

  private static func makeParents(of path: String) throws(FileError) {
    let parent = FileSystem.parent(of: path)
    do throws(FileError) {
      guard case .directory = try FileSystem.kind(of: parent) else {
        throw FileError(parent, code: 20)  // ENOTDIR
      }
    } catch {
      guard error.isMissing, parent != path, parent != "." else { throw error }
      try makeParents(of: parent)
      do throws(FileError) { try FileSystem.makeDirectory(parent) } catch {
        if !error.isExisting { throw error }
      }
    }
  }

  private static func withoutTrailingSlashes(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }
}
