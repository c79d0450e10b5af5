// What a run writes into its directory, and what it finds there when it goes on.
//
// The model and the description are replaced as a whole. Metrics are appended, each line in one write,
// and before the checkpoint of the same step: so whatever the crash, cutting the file after the
// checkpoint's step leaves exactly the lines of the steps that need not be taken again.

extension RunDirectory {
  /// Saves the model, in the place of one saved before.
  public func save(model bytes: [UInt8]) throws(FileError) {
    try FileSystem.replace(modelPath, with: bytes)
  }

  /// Saves the best model so far, in the place of one saved before.
  public func save(best bytes: [UInt8]) throws(FileError) {
    try FileSystem.replace(bestPath, with: bytes)
  }

  /// Adds a line to `metrics.jsonl`; it begins with the step: `{"step":…,`.
  public func append(metrics line: String) throws(FileError) {
    try FileSystem.append(line: line, to: metricsPath)
  }

  /// Writes `run.json`.
  public func save(description text: String) throws(FileError) {
    try FileSystem.replace(descriptionPath, with: Array((text + "\n").utf8))
  }

  /// Whether anything was saved.
  public var hasModel: Bool { (try? FileSystem.kind(of: modelPath)) != nil }

  /// Whether the run was described, as it is at its end.
  public var hasDescription: Bool { (try? FileSystem.kind(of: descriptionPath)) != nil }

  /// Removes what a run left that was killed while it wrote. Only for who holds the lock.
  public func removeTemporaries() throws(FileError) {
    for path in [modelPath, bestPath, metricsPath, descriptionPath] {
      try FileSystem.remove(path + FileSystem.temporaryEnding)
    }
  }

  /// Cuts `metrics.jsonl` after the lines up to a step: those of later steps will come again, and a
  /// last line without its end was torn off. Returns the last line that is left.
  public func cutMetrics(after step: Int) throws(FileError) -> String? {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try FileSystem.read(metricsPath)
    } catch {
      if error.isMissing { return nil }
      throw error
    }
    let newline = UInt8(ascii: "\n")
    let whole = bytes.prefix(bytes.lastIndex(of: newline).map { $0 + 1 } ?? 0)
    let kept = whole.split(separator: newline)
      .map { String(decoding: $0, as: UTF8.self) }
      .filter { line in Self.step(ofMetrics: line).map { $0 <= step } ?? false }
    let text = Array(kept.map { $0 + "\n" }.joined().utf8)
    if text != bytes { try FileSystem.replace(metricsPath, with: text) }
    return kept.last
  }

  /// The step of a line of metrics, nil for what is none.
  private static func step(ofMetrics line: String) -> Int? {
    let opening = "{\"step\":"
    guard line.hasPrefix(opening), line.hasSuffix("}") else { return nil }
    return Int(line.dropFirst(opening.count).prefix(while: \.isNumber))
  }

  /// Whether a file can stand in a directory in which nothing was saved yet.
  static func isTrace(_ name: String) -> Bool {
    let models = ["model.safetensors", "best.safetensors"]
    return name == ".lock" || models.contains { name == $0 + FileSystem.temporaryEnding }
  }
}

extension Checkpoint {
  /// The bytes of the model file at a path, as far as its header says that they are its bytes.
  ///
  /// - Parameters:
  ///   - limit: The most bytes that a file may have.
  ///   - allowingPipes: Whether the path may lead to a pipe; opening one can wait for its writer.
  public static func read(
    _ path: String, limit: Int = .max, allowingPipes: Bool = false
  ) throws(FileError) -> [UInt8] {
    try FileSystem.readSafetensors(path, limit: limit, allowingPipes: allowingPipes)
  }
}
