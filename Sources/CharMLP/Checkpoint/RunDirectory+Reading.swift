// What a report reads of a run besides its model: as much as is there, and no complaint about the rest.

extension RunDirectory {
  public var reportPath: String { path + "/report.html" }

  /// The directory that a model's file lies in.
  public init(ofModel path: String) {
    self.init(unchecked: FileSystem.parent(of: path))
  }

  /// The whole lines of `metrics.jsonl`: a last one without its end was torn off by a crash, and is
  /// left out. None if there is no such file.
  public func metricsLines() -> [String] {
    guard let bytes = try? FileSystem.read(metricsPath),
      let end = bytes.lastIndex(of: UInt8(ascii: "\n"))
    else { return [] }
    return bytes[..<end].split(separator: UInt8(ascii: "\n")).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// The text of `run.json`, nil if there is none.
  public func descriptionText() -> String? {
    (try? FileSystem.read(descriptionPath)).map { String(decoding: $0, as: UTF8.self) }
  }
}
