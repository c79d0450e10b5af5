// Bytes to a checkpoint: the frame, the checksum, the version, and only then the content.
//
// Whatever the bytes are, this returns or throws; a file that was changed on the way is found by its
// checksum, and one that somebody made is held to everything that training relies on.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
import Safetensors

extension Checkpoint {
  /// Reads a checkpoint from a file's bytes. The word list stays compressed: see `wordList()`.
  ///
  /// - Throws: `ModelFileError`: what is wrong with the file, or in which way it is too new.
  public init(file bytes: [UInt8]) throws(ModelFileError) {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(decoding: bytes)
    } catch {
      throw .notSafetensors(error)
    }
    try Self.checkFormat(file.metadata, bytes)
    let model = try Model(file)
    let recipe = try Self.recipe(file.metadata, model.shape)
    let name = file.metadata["backward"] ?? "none"
    guard let backward = Trainer.Backward(name: name) else { throw .unknownBackward(name) }
    self.init(
      model: model, recipe: recipe, backward: backward,
      training: try TrainingState(file, model.parameters, recipe),
      words: try StoredWords(file))
  }

  private static func checkFormat(
    _ metadata: [String: String], _ bytes: [UInt8]
  ) throws(ModelFileError) {
    guard metadata["format"] == format, let version = metadata["version"].flatMap(Int.init) else {
      throw .notAModel
    }
    guard let checksum = FileChecksum.read(bytes), metadata[FileChecksum.key] == checksum.found
    else { throw .noChecksum }
    guard checksum.found == checksum.expected else {
      throw .wrongChecksum(found: checksum.found, expected: checksum.expected)
    }
    guard version <= fileVersion else { throw .newerVersion(version) }
    guard version == fileVersion else { throw .notAModel }
    guard metadata["architecture"] == architecture else {
      throw .otherArchitecture(metadata["architecture"] ?? "none")
    }
  }

  private static func recipe(
    _ metadata: [String: String], _ shape: ModelShape
  ) throws(ModelFileError) -> Recipe {
    let recipe: Recipe
    do {
      recipe = try Recipe(text: metadata["recipe"] ?? "")
    } catch {
      throw .recipe(error)
    }
    guard recipe.shape(vocabulary: shape.vocabulary) == shape else {
      throw .training("recipe", expected: "the sizes of the tensors")
    }
    return recipe
  }
}

extension Model {
  /// Reads the network of a checkpoint's file.
  ///
  /// - Throws: `ModelFileError`: what is wrong with the file, or in which way it is too new.
  public init(file bytes: [UInt8]) throws(ModelFileError) {
    self = try Checkpoint(file: bytes).model
  }

  fileprivate init(_ file: SafetensorsFile) throws(ModelFileError) {
    let vocabulary: Vocabulary
    do {
      vocabulary = try Vocabulary(
        symbols: Array((file.metadata["vocabulary"] ?? "").unicodeScalars))
    } catch {
      throw .vocabulary(error)
    }
    let shape = try Self.shape(file, vocabulary)
    let parameters = try file.parameters(shape, prefix: "")
    let statistics = BatchNormStatistics(
      bnmean: try file.matrix("bnmean", 1, shape.hidden),
      bnvar: try file.matrix("bnvar", 1, shape.hidden))
    guard statistics.bnvar.elements.allSatisfy({ $0 >= 0 }) else {
      throw .training("bnvar", expected: "variances of at least 0")
    }
    self.init(vocabulary: vocabulary, parameters: parameters, statistics: statistics)
  }

  /// The sizes as the shapes of C and W1 give them.
  private static func shape(
    _ file: SafetensorsFile, _ vocabulary: Vocabulary
  ) throws(ModelFileError) -> ModelShape {
    guard let C = file["C"]?.shape, C.count == 2, C[0] == vocabulary.count, C[1] >= 1 else {
      throw .tensor("C", expected: "(\(vocabulary.count), embedding)")
    }
    guard let W1 = file["W1"]?.shape, W1.count == 2, W1[0] >= 1, W1[0].isMultiple(of: C[1]),
      W1[1] >= 1
    else { throw .tensor("W1", expected: "(block·\(C[1]), hidden)") }
    return ModelShape(
      vocabulary: C[0], blockSize: W1[0] / C[1], embedding: C[1], hidden: W1[1])
  }
}

extension TrainingState {
  fileprivate init(
    _ file: SafetensorsFile, _ parameters: Parameters<Float>, _ recipe: Recipe
  ) throws(ModelFileError) {
    let steps = recipe.steps
    let step: Int64 = try file.scalar("training.step", expected: "a number of steps")
    guard (0...Int64(steps)).contains(step) else {
      throw .training("training.step", expected: "0 to \(steps), the recipe's steps")
    }
    let expectedLoss = "a finite loss"
    let minibatchLoss: Float = try file.scalar("training.minibatch_loss", expected: expectedLoss)
    let smoothedLoss: Double = try file.scalar("training.smoothed_loss", expected: expectedLoss)
    guard step == 0 || (minibatchLoss.isFinite && smoothedLoss.isFinite) else {
      throw .training("training.smoothed_loss", expected: expectedLoss)
    }
    self.init(
      step: Int(step), minibatchLoss: minibatchLoss, smoothedLoss: smoothedLoss,
      lossSums: try Self.lossSums(file, recipe, step: Int(step)), parameters: parameters,
      moments: recipe.optimizer.hasMoments ? try Self.moments(file, parameters.shape) : nil,
      best: try Self.best(file, upTo: step), generator: try Self.generator(file))
  }

  /// None in a file that was saved before there were any: its curve has a gap, and nothing else.
  private static func lossSums(
    _ file: SafetensorsFile, _ recipe: Recipe, step: Int
  ) throws(ModelFileError) -> [Double] {
    let name = "training.loss_sums"
    guard file[name] != nil else { return [] }
    let count = LossStretches(recipe).count(at: step)
    guard let sums = try? file.elements(named: name, as: Double.self), sums.count == count else {
      throw .training(name, expected: "\(count) sums of losses")
    }
    return sums
  }

  private static func moments(
    _ file: SafetensorsFile, _ shape: ModelShape
  ) throws(ModelFileError) -> Moments<Float> {
    var moments = Moments<Float>(zeros: shape)
    moments.first = try file.parameters(shape, prefix: firstMoment)
    moments.second = try file.parameters(shape, prefix: secondMoment)
    for (name, path) in Parameters<Float>.ordered {
      guard moments.second[keyPath: path].elements.allSatisfy({ $0 >= 0 }) else {
        throw .training(secondMoment + name, expected: "averages of squares")
      }
    }
    return moments
  }

  private static func best(
    _ file: SafetensorsFile, upTo last: Int64
  ) throws(ModelFileError) -> BestEvaluation? {
    guard file["training.best_step"] != nil else { return nil }
    let expected = "an evaluation of a step up to \(last)"
    let step: Int64 = try file.scalar("training.best_step", expected: expected)
    let name = "training.best_validation_loss"
    let loss: Double = try file.scalar(name, expected: "a finite loss")
    guard (0...last).contains(step) else {
      throw .training("training.best_step", expected: expected)
    }
    guard loss.isFinite else { throw .training(name, expected: "a finite loss") }
    return BestEvaluation(step: Int(step), validationLoss: loss)
  }

  private static func generator(
    _ file: SafetensorsFile
  ) throws(ModelFileError) -> TorchGenerator.State {
    let name = "training.generator"
    guard let numbers = try? file.elements(named: name, as: Int64.self), let last = numbers.last
    else { throw .training(name, expected: "624 words and a position") }
    let words = numbers.dropLast().compactMap(UInt32.init(exactly:))
    guard words.count == numbers.count - 1 else {
      throw .training(name, expected: "words of 32 bits")
    }
    var normal: Double?
    if file["training.generator_normal"] != nil {
      normal = try file.scalar("training.generator_normal", expected: "a normal deviate")
    }
    let state = TorchGenerator.State(
      twister: MersenneTwister.State(words: words, position: Int(last)), cachedNormal: normal)
    do {
      _ = try TorchGenerator(restoring: state)
    } catch {
      throw .training(name, expected: "\(error)")
    }
    return state
  }
}

extension StoredWords {
  fileprivate init(_ file: SafetensorsFile) throws(ModelFileError) {
    guard let text = file.metadata["words_bytes"], let byteCount = Int(text), byteCount > 0 else {
      throw .words("expected the length of the word list")
    }
    if let bytes = try? file.elements(named: "words", as: UInt8.self) {
      guard byteCount <= Self.byteLimit else {
        throw .words("expected at most \(Self.byteLimit) bytes of words, found \(byteCount)")
      }
      self.init(.compressed(bytes), byteCount: byteCount)
    } else if let fingerprint = file.metadata["words_fingerprint"] {
      self.init(.fingerprint(fingerprint), byteCount: byteCount)
    } else {
      throw .words("expected a word list or its fingerprint")
    }
  }
}

extension SafetensorsFile {
  /// A tensor for each parameter, under its name.
  fileprivate func parameters(
    _ shape: ModelShape, prefix: String
  ) throws(ModelFileError) -> Parameters<Float> {
    var parameters = Parameters<Float>(zeros: shape)
    for (name, path) in Parameters<Float>.ordered {
      let expected = parameters[keyPath: path]
      parameters[keyPath: path] = try matrix(prefix + name, expected.rows, expected.columns)
    }
    return parameters
  }

  /// A tensor of finite floats as a matrix; one dimension stands for a row.
  fileprivate func matrix(
    _ name: String, _ rows: Int, _ columns: Int
  ) throws(ModelFileError) -> Matrix<Float> {
    let shapes = rows == 1 ? [[1, columns], [columns]] : [[rows, columns]]
    guard let tensor = self[name], shapes.contains(tensor.shape),
      let elements = try? tensor.floats(), elements.allSatisfy(\.isFinite)
    else { throw .tensor(name, expected: "(\(rows), \(columns))") }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  /// The one element of a tensor.
  fileprivate func scalar<Element: TensorElement>(
    _ name: String, expected: String
  ) throws(ModelFileError) -> Element {
    guard let elements = try? elements(named: name, as: Element.self), elements.count == 1 else {
      throw .training(name, expected: expected)
    }
    return elements[0]
  }
}
