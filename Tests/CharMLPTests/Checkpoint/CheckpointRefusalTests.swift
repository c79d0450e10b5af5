// What is not a checkpoint as it was written, or asks for what cannot be, is refused.

import Safetensors
import Testing

@testable import CharMLP

@Suite("Checkpoint: refusals")
struct CheckpointRefusalTests {
  /// A sound file, changed, with or without a checksum that fits the change.
  private func changed(
    at step: Int = 3, sealed: Bool = true, _ change: (inout SafetensorsFile) throws -> Void
  ) throws -> [UInt8] {
    var file = try SafetensorsFile(decoding: SmallRun().file(at: step))
    try change(&file)
    if sealed { file.metadata[FileChecksum.key] = FileChecksum.zero }
    let bytes = try file.encoded()
    return sealed ? FileChecksum.sealed(bytes) : bytes
  }

  private func error(of bytes: [UInt8]) -> ModelFileError? {
    do throws(ModelFileError) {
      _ = try Checkpoint(file: bytes).wordList()
      return nil
    } catch {
      return error
    }
  }

  @Test("Sealing again what was not changed gives the same file")
  func unchanged() throws {
    #expect(try changed { _ in } == SmallRun().file(at: 3))
  }

  @Test("A file cut off at any length is refused")
  func truncation() throws {
    let file = try SmallRun().file(at: 3)
    let accepted = file.indices.filter { length in error(of: Array(file[..<length])) == nil }
    #expect(accepted.isEmpty)
    #expect(error(of: file + [0]) != nil)
  }

  @Test("Any single bit that flips is found, and never taken for a newer version")
  func bitFlips() throws {
    var file = try SmallRun().file(at: 3)
    var missed: [Int] = []
    for bit in 0..<(8 * file.count) {
      file[bit / 8] ^= 1 << UInt8(bit % 8)
      if error(of: file).map(\.isIncompatible) != false { missed.append(bit) }
      file[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    #expect(missed.isEmpty)
    #expect(error(of: file) == nil)
  }

  @Test("A file without its checksum, or with another, is refused")
  func checksum() throws {
    let without = try changed(sealed: false) { $0.metadata[FileChecksum.key] = nil }
    #expect(error(of: without) == .noChecksum)
    let short = try changed(sealed: false) { $0.metadata[FileChecksum.key] = "1" }
    #expect(error(of: short) == .noChecksum)
    let wrong = try changed(sealed: false) { $0.metadata[FileChecksum.key] = "00000000" }
    #expect(error(of: wrong)?.description.hasSuffix("it says 00000000") == true)
    // The digits of another key, in front of the real ones, are not mistaken for them.
    let decoy = try changed { $0.metadata["a"] = "\"crc32\":\"00000000\"" }
    #expect(error(of: decoy) == nil)
  }

  @Test("A newer version, another architecture, an unknown setting: sound, but not for us")
  func incompatible() throws {
    let changes: [((inout SafetensorsFile) -> Void, ModelFileError)] = [
      ({ $0.metadata["version"] = "4" }, .newerVersion(4)),
      ({ $0.metadata["architecture"] = "wavenet" }, .otherArchitecture("wavenet")),
      ({ $0.metadata["backward"] = "fused-2" }, .unknownBackward("fused-2")),
      (
        { $0.metadata["recipe"] = "{\"momentum\":0.9}" },
        .recipe(.unknownSetting("momentum"))
      ),
    ]
    for (change, expected) in changes {
      let found = error(of: try changed(change))
      #expect(found == expected)
      #expect(found?.isIncompatible == true)
    }
  }

  @Test(
    "Impossible content is refused although the checksum is right",
    arguments: [
      ("format", "other"), ("version", "1"), ("version", "2"), ("version", "two"),
      ("vocabulary", ""),
      ("vocabulary", "ba"), ("recipe", ""), ("recipe", "{}"), ("recipe", "{\"steps\":0}"),
      ("recipe", "{\"hidden\":2}"), ("words_bytes", "0"), ("words_bytes", "46"),
      ("words_bytes", "99999999999"), ("words_bytes", "-1"),
    ])
  func metadata(key: String, value: String) throws {
    let found = error(of: try changed { $0.metadata[key] = value })
    #expect(found != nil && found?.isIncompatible == false)
  }

  private static let nan: [(String, Tensor)] = [
    ("b1", Tensor([Float.nan], shape: [1])), ("b1", Tensor([Float.infinity], shape: [1])),
    ("bnmean", Tensor([Float.nan], shape: [1, 1])), ("bnvar", Tensor([Float(-1)], shape: [1, 1])),
    ("b1", Tensor([Float(1), 2], shape: [2])), ("b1", Tensor([1.0], shape: [1])),
    ("training.step", Tensor([Int64(-1)], shape: [])),
    ("training.step", Tensor([Int64(41)], shape: [])),
    ("training.step", Tensor([Int64(1), 2], shape: [2])),
    ("training.step", Tensor([Int32(1)], shape: [])),
    ("training.smoothed_loss", Tensor([Double.nan], shape: [])),
    ("training.minibatch_loss", Tensor([Float.nan], shape: [])),
    ("training.loss_sums", Tensor([1.0, 2.0], shape: [2])),
    ("training.loss_sums", Tensor([Float(1)], shape: [1])),
    ("training.generator", Tensor([Int64](repeating: 0, count: 625), shape: [625])),
    ("training.generator", Tensor([Int64](repeating: 1, count: 624), shape: [624])),
    ("training.generator", Tensor([Int64](repeating: 700, count: 625), shape: [625])),
    ("training.generator", Tensor([Int64](repeating: -1, count: 625), shape: [625])),
    ("training.generator", Tensor([Int64](), shape: [0])),
    ("training.generator_normal", Tensor([Double.nan], shape: [])),
    ("words", Tensor([UInt8](repeating: 7, count: 30), shape: [30])),
    ("words", Tensor([UInt8](), shape: [0])),
  ]

  @Test("A checkpoint with numbers that training cannot rely on is refused", arguments: nan.indices)
  func numbers(index: Int) throws {
    let (name, tensor) = Self.nan[index]
    let found = error(of: try changed { $0[name] = tensor })
    #expect(found != nil && found?.isIncompatible == false, "\(name)")
  }

  @Test("A checkpoint without one of its tensors is refused")
  func missingTensors() throws {
    let names = try SafetensorsFile(decoding: SmallRun().file(at: 3)).tensors.map(\.name)
    let optional = ["training.generator_normal", "training.loss_sums"]
    for name in names where !optional.contains(name) {
      #expect(error(of: try changed { $0[name] = nil }) != nil, "\(name)")
    }
  }

  @Test("A stored list of other symbols than the network's is refused, and one not in normal form")
  func words() throws {
    for text in ["anna\nberta\n", "anna", "anna\r\n", "\n", "an\u{0}na\n"] {
      let found = error(
        of: try changed { file in
          let bytes = Zlib.compressed(Array(text.utf8))
          file["words"] = Tensor(bytes, shape: [bytes.count])
          file.metadata["words_bytes"] = "\(text.utf8.count)"
        })
      guard case .words = found else {
        Issue.record("\(text.debugDescription): \(String(describing: found))")
        continue
      }
    }
  }
}
