// What a model file tells of a run's past: the network that it started from, and the ends that it had before.
//
// Most runs have neither, and their files no such key.

internal import OrderedJSON
import Safetensors

extension Lineage {
  static let originKey = "started_from"
  static let formerEndsKey = "former_ends"
  static let importedKey = "imported"
  private static let notebook = "notebook"

  func write(to file: inout SafetensorsFile) {
    if let origin {
      let json: JSONValue = [
        "crc32": .string(origin.fingerprint), "step": .integer(origin.step),
        "steps": .integer(origin.steps),
      ]
      file.metadata[Self.originKey] = json.encoded()
    }
    if isImported { file.metadata[Self.importedKey] = Self.notebook }
    if !formerEnds.isEmpty {
      let ends = formerEnds.map { end -> JSONValue in
        ["step": .integer(end.step), "steps": .integer(end.steps)]
      }
      file.metadata[Self.formerEndsKey] = JSONValue.array(ends).encoded()
    }
  }

  init(_ metadata: [String: String]) throws(ModelFileError) {
    self.init()
    if let origin = metadata[Self.importedKey] {
      guard origin == Self.notebook else {
        throw .training(Self.importedKey, expected: Self.notebook)
      }
      isImported = true
    }
    if let text = metadata[Self.originKey] {
      guard let origin = (try? JSONValue(parsing: text)).flatMap(Origin.init) else {
        throw .training(Self.originKey, expected: "a checksum, a step and steps")
      }
      self.origin = origin
    }
    if let text = metadata[Self.formerEndsKey] {
      let expected = "steps that do not fall, each with the run's length"
      guard let elements = (try? JSONValue(parsing: text))?.elements, !elements.isEmpty else {
        throw .training(Self.formerEndsKey, expected: expected)
      }
      for element in elements {
        guard element.pairs?.count == 2, let step: Int = element["step"]?.whole(),
          let steps: Int = element["steps"]?.whole(), steps >= 1,
          (0...steps).contains(step), step >= formerEnds.last?.step ?? 0
        else { throw .training(Self.formerEndsKey, expected: expected) }
        formerEnds.append(FormerEnd(step: step, steps: steps))
      }
    }
  }
}

extension Origin {
  fileprivate init?(_ json: JSONValue) {
    guard json.pairs?.count == 3, let fingerprint = json["crc32"]?.text,
      fingerprint.utf8.count == FileChecksum.zero.utf8.count,
      fingerprint.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let step: Int = json["step"]?.whole(), step >= 0,
      let steps: Int = json["steps"]?.whole(), steps >= step
    else { return nil }
    self.init(fingerprint: fingerprint, step: step, steps: steps)
  }
}

extension StartingNetwork {
  /// Takes the network of a model file: the one that predicts, without the counts it may be mixed with.
  ///
  /// - Throws: `ModelFileError`: what is wrong with the file, or in which way it is too new.
  public init(file bytes: [UInt8]) throws(ModelFileError) {
    let checkpoint = try Checkpoint(file: bytes)
    guard let checksum = FileChecksum.read(bytes)?.found else { throw .noChecksum }
    self.init(
      checkpoint.model,
      Origin(
        fingerprint: checksum, step: checkpoint.training.step, steps: checkpoint.recipe.steps))
  }
}
