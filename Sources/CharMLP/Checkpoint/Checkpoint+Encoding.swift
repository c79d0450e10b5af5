// A checkpoint as a safetensors file that Python's `safetensors` opens too.
//
// - Under the notebook's names: the parameters; `bnmean` and `bnvar`, batch norm's statistics.
// - Under `training.…`: the step, the last and the smoothed loss, and the generator of minibatches as
//   Python's `getstate` lists it, 624 words and the position; a normal deviate if one waits.
// - `words`: the text of the word list, one word a line, in zlib's format. Of more than 16 MB only the
//   length and the SHA-256 are kept, in the metadata.
// - In the metadata: format, version, architecture, vocabulary, recipe, the backward pass, and a CRC-32
//   of the whole file (see FileChecksum).
// An optimizer with a memory of its own adds tensors `training.<what>.<parameter>` and a version.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
public import Safetensors

extension Checkpoint {
  /// The version of the file's layout that is written, and the newest that is read.
  ///
  /// 1 held neither the training's state nor the words nor a checksum, and is no longer read.
  public static let fileVersion = 2
  static let format = "charmlp"
  static let architecture = "embedding-linear-batchnorm-tanh-linear"

  /// The checkpoint as a file: the same bytes for the same checkpoint.
  ///
  /// - Throws: `SafetensorsError` if the vocabulary is too long for a header.
  public func encoded() throws(SafetensorsError) -> [UInt8] {
    var file = SafetensorsFile(metadata: [
      "format": Self.format,
      "version": String(Self.fileVersion),
      "architecture": Self.architecture,
      "vocabulary": String(String.UnicodeScalarView(model.vocabulary.symbols)),
      "recipe": recipe.text,
      "backward": backward.name,
      "words_bytes": String(words.byteCount),
      FileChecksum.key: FileChecksum.zero,
    ])
    for (name, path) in Parameters<Float>.ordered {
      file[name] = Tensor(model.parameters[keyPath: path], isVector: name == "b1" || name == "b2")
    }
    file["bnmean"] = Tensor(model.statistics.bnmean)
    file["bnvar"] = Tensor(model.statistics.bnvar)
    training.write(to: &file)
    switch words.content {
    case .compressed(let bytes): file["words"] = Tensor(bytes, shape: [bytes.count])
    case .hash(let hash): file.metadata["words_sha256"] = hash
    }
    return FileChecksum.sealed(try file.encoded())
  }
}

extension TrainingState {
  fileprivate func write(to file: inout SafetensorsFile) {
    file["training.step"] = Tensor([Int64(step)], shape: [])
    file["training.minibatch_loss"] = Tensor([minibatchLoss], shape: [])
    file["training.smoothed_loss"] = Tensor([smoothedLoss], shape: [])
    let twister = generator.twister
    let numbers = twister.words.map(Int64.init) + [Int64(twister.position)]
    file["training.generator"] = Tensor(numbers, shape: [numbers.count])
    if let normal = generator.cachedNormal {
      file["training.generator_normal"] = Tensor([normal], shape: [])
    }
  }
}

extension Trainer.Backward {
  /// Its name in a file.
  public var name: String {
    switch self {
    case .fused: "fused"
    case .derivation(.blas): "derivation-blas"
    case .derivation(.naive): "derivation-naive"
    }
  }

  init?(name: String) {
    let all = [Self.fused, .derivation(.blas), .derivation(.naive)]
    guard let found = all.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}

extension Tensor {
  /// A matrix as a tensor of two dimensions, or of one as the notebook has its biases.
  fileprivate init(_ matrix: Matrix<Float>, isVector: Bool = false) {
    self.init(matrix.elements, shape: isVector ? [matrix.count] : [matrix.rows, matrix.columns])
  }
}
