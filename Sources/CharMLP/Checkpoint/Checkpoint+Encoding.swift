// A checkpoint as a safetensors file that Python's `safetensors` opens too.
//
// - Under the notebook's names: the parameters; `bnmean` and `bnvar`, batch norm's statistics.
// - Under `training.…`: the step, the last and the smoothed loss, the sums of losses since the last
//   evaluation (see LossStretches), and the generator of minibatches as Python's `getstate` lists it,
//   624 words and the position; a normal deviate if one waits. After an evaluation, step and validation loss of the best one. For AdamW `first_moment.…` and
//   `second_moment.…`, each under the parameters' names.
// - `words`: the text of the word list, one word a line, in zlib's format. Of more than 16 MB only the
//   length and a fingerprint are kept, in the metadata.
// - In the metadata: format, version, architecture, vocabulary, recipe, the backward pass, and a CRC-32
//   of the whole file (see FileChecksum).
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
public import Safetensors

extension Checkpoint {
  /// The version of the file's layout that is written, and the newest that is read.
  ///
  /// 1 and 2 came before any release, and are no longer read.
  public static let fileVersion = 3
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
    file.add(model.parameters, prefix: "")
    file["bnmean"] = Tensor(model.statistics.bnmean)
    file["bnvar"] = Tensor(model.statistics.bnvar)
    training.write(to: &file)
    switch words.content {
    case .compressed(let bytes): file["words"] = Tensor(bytes, shape: [bytes.count])
    case .fingerprint(let text): file.metadata["words_fingerprint"] = text
    }
    return FileChecksum.sealed(try file.encoded())
  }
}

extension TrainingState {
  static let firstMoment = "training.first_moment."
  static let secondMoment = "training.second_moment."

  fileprivate func write(to file: inout SafetensorsFile) {
    file["training.step"] = Tensor([Int64(step)], shape: [])
    file["training.minibatch_loss"] = Tensor([minibatchLoss], shape: [])
    file["training.smoothed_loss"] = Tensor([smoothedLoss], shape: [])
    if !lossSums.isEmpty {
      file["training.loss_sums"] = Tensor(lossSums, shape: [lossSums.count])
    }
    if let best {
      file["training.best_step"] = Tensor([Int64(best.step)], shape: [])
      file["training.best_validation_loss"] = Tensor([best.validationLoss], shape: [])
    }
    if let moments {
      file.add(moments.first, prefix: Self.firstMoment)
      file.add(moments.second, prefix: Self.secondMoment)
    }
    let twister = generator.twister
    let numbers = twister.words.map(Int64.init) + [Int64(twister.position)]
    file["training.generator"] = Tensor(numbers, shape: [numbers.count])
    if let normal = generator.cachedNormal {
      file["training.generator_normal"] = Tensor([normal], shape: [])
    }
  }
}

extension SafetensorsFile {
  /// Adds a tensor for each parameter, under its name.
  fileprivate mutating func add(_ parameters: Parameters<Float>, prefix: String) {
    for (name, path) in Parameters<Float>.ordered {
      self[prefix + name] = Tensor(
        parameters[keyPath: path], isVector: name == "b1" || name == "b2")
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
