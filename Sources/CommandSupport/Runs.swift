// A run beside its model: the place of a new one, and run.json, which says when, where and how it
// was made.
//
// `train` and `import` make runs; both refuse a place that is taken, and overwrite nothing.
// run.json has a part for a run's start and for each time it was resumed. It holds everything that
// is not the model, so that two runs that learned the same have equal model files. Training writes
// it and reports read it; both accept a file that is missing, older, newer or edited by hand.
// docs/metrics.md lists the keys of a part.

package import CharMLP
public import OrderedJSON
import Posix

// MARK: - The place of a new run

/// The directory of a new run, locked.
package struct NewRun {
  package let directory: RunDirectory
  package let lock: RunLock

  /// Makes and locks the directory that `--out` names, or the next free `runs/<stem>-<k>`.
  ///
  /// - Throws: `CommandFailure`: 73 if it cannot be made or is taken, 75 if another process holds
  ///   it.
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
  /// Locks a directory.
  ///
  /// - Throws: `CommandFailure`: 75 if another process holds the lock, 73 if it cannot be made.
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

// MARK: - run.json

/// When, where and how a run was made.
public struct RunDescription: Sendable {
  /// The parts of the run in their order, each an object. An older file without parts counts as
  /// one; there are none if the file is missing or unreadable.
  public private(set) var parts: [JSONValue] = []
  /// The pairs beside the parts, which repeat the last part.
  private var pairs: [(key: String, value: JSONValue)] = []

  private static let partsKey = "parts"

  /// Reads a file's text; nil if there is none.
  public init(_ text: String?) {
    guard let json = text.flatMap({ try? JSONValue(parsing: $0) }), let pairs = json.pairs else {
      return
    }
    self.pairs = pairs.filter { $0.key != Self.partsKey }
    if let list = json[Self.partsKey] {
      let elements = list.elements ?? []
      parts = elements.allSatisfy { $0.pairs != nil } ? elements : []
    } else if !pairs.isEmpty {
      parts = [json]
    }
  }

  /// Adds a part.
  /// - Precondition: it is an object.
  public mutating func append(_ part: JSONValue) {
    guard let pairs = part.pairs else { preconditionFailure("RunDescription: a part is an object") }
    parts.append(part)
    self.pairs = pairs
  }

  /// Replaces the last part.
  public mutating func replaceLast(with part: JSONValue) {
    parts.removeLast()
    append(part)
  }

  /// The file's object: all parts, and beside them the last part's keys for readers that know no
  /// parts.
  public var json: JSONValue { .object(pairs + [(key: Self.partsKey, value: .array(parts))]) }
}

// MARK: For a resumed run

extension RunDescription {
  /// Whether the last part recorded its end.
  public var isComplete: Bool { parts.last?["finished_at"]?.text != nil }

  /// The kernels of the last part, if it names any.
  public var lastCore: String? {
    guard let core = parts.last?["blas_core"]?.text, !core.isEmpty, core.utf8.count <= 40,
      core.unicodeScalars.allSatisfy({ $0.isASCII && $0.properties.isAlphabetic || $0.isDigit })
    else { return nil }
    return core
  }
}

extension Unicode.Scalar {
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}

// MARK: For a report

extension RunDescription {
  /// The words of the command lines that made the run: the one that started it, and those that
  /// resumed it.
  public var commandLines: [[String]] {
    let lines = parts.isEmpty ? [self["command_line"]] : parts.map { $0["command_line"] }
    return lines.map { $0?.elements?.compactMap(\.text) ?? [] }.filter { !$0.isEmpty }
  }

  /// A number of the last part.
  public func number(_ key: String) -> Double? { self[key]?.double }

  /// All values of the last part but the command line, sorted by key; nested ones under
  /// `outer.inner`.
  public var all: [(key: String, value: String)] {
    var values: [String: String] = [:]
    for (key, value) in pairs where key != "command_line" {
      Self.flatten(value, into: &values, under: key)
    }
    return values.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
  }

  private subscript(key: String) -> JSONValue? { pairs.first { $0.key == key }?.value }

  private static func flatten(
    _ json: JSONValue, into values: inout [String: String], under key: String
  ) {
    switch json {
    case .object(let pairs):
      for (name, value) in pairs { flatten(value, into: &values, under: "\(key).\(name)") }
    case .array(let elements): values[key] = elements.compactMap(\.text).joined(separator: " ")
    case .null: break
    default: values[key] = json.text ?? json.encoded()
    }
  }
}
