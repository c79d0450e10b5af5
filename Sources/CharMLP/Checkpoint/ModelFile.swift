// Model files as bytes: safetensors files that Python's `safetensors` opens too.
//
// How a checkpoint, or a network alone, is written, and how it is read and checked. The paths and
// the errors are in Checkpoint.swift.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra
internal import OrderedJSON
public import Safetensors

// MARK: - A checkpoint
//
// docs/format.md says what each tensor and each key of the metadata holds. If parameters are
// averaged, the average has the plain names, because it is the network that predicts; the
// parameters that training goes on from are `training.unaveraged.…`.
//
// Whatever the bytes, reading returns or throws. The container format, the checksum and the version
// are checked before the content. The checksum finds a damaged file; a forged one must still
// satisfy everything that training relies on.

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
    var file = SafetensorsFile(of: model)
    file.metadata["recipe"] = recipe.text
    file.metadata["backward"] = backward.name
    training.write(to: &file)
    lineage.write(to: &file)
    words.write(to: &file)
    mixture?.write(to: &file)
    return FileChecksum.sealed(try file.encoded())
  }

  /// Reads a checkpoint from a file's bytes. The word list stays compressed: see `wordList()`.
  ///
  /// - Throws: `ModelFileError`: what is wrong with the file, or in which way it is too new.
  public init(file bytes: [UInt8]) throws(ModelFileError) {
    let file = try Self.checkedFile(bytes)
    guard !file.isNetworkAlone else { throw .networkAlone }
    try self.init(file)
  }

  /// A file whose container format, checksum and version are right.
  fileprivate static func checkedFile(
    _ bytes: [UInt8]
  ) throws(ModelFileError) -> SafetensorsFile {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(decoding: bytes)
    } catch {
      throw .notSafetensors(error)
    }
    let metadata = file.metadata
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
    return file
  }

  fileprivate init(_ file: SafetensorsFile) throws(ModelFileError) {
    let model = try Model(file)
    let recipe = try Self.recipe(file.metadata, model.shape)
    let name = file.metadata["backward"] ?? "none"
    guard let backward = Trainer.Backward.named(name) else { throw .unknownBackward(name) }
    let lineage = try Lineage(file.metadata)
    let training = try TrainingState(file, model.parameters, recipe, lineage)
    guard lineage.lastChangeStep ?? 0 <= training.step else {
      throw .training(Lineage.formerSchedulesKey, expected: "steps up to \(training.step)")
    }
    self.init(
      model: model, recipe: recipe, backward: backward, training: training, lineage: lineage,
      words: try StoredWords(file), mixture: try StoredMixture(file))
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

// MARK: - A network

extension Model {
  /// Reads the network of a file: a checkpoint's, or one of a network alone.
  ///
  /// - Throws: `ModelFileError`: what is wrong with the file, or in which way it is too new.
  public init(file bytes: [UInt8]) throws(ModelFileError) {
    let file = try Checkpoint.checkedFile(bytes)
    self = try file.isNetworkAlone ? Model(file) : Checkpoint(file).model
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
    guard let shape = file["W1"].flatMap({ ModelShape(C: C, W1: $0.shape) }) else {
      throw .tensor("W1", expected: "(block·\(C[1]), hidden)")
    }
    return shape
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

  fileprivate static func named(_ name: String) -> Self? {
    [.fused, .derivation(.blas), .derivation(.naive)].first { $0.name == name }
  }
}

// MARK: - The state of training

extension TrainingState {
  static let unaveraged = "training.unaveraged."
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
    if optimization.average != nil {
      // The plain names, which every program reads, are the averages'.
      file.add(optimization.parameters, prefix: Self.unaveraged)
    }
    if let moments = optimization.moments {
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

  fileprivate init(
    _ file: SafetensorsFile, _ parameters: Parameters<Float>, _ recipe: Recipe,
    _ lineage: Lineage
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
      lossSums: try Self.lossSums(file, recipe, lineage, step: Int(step)),
      optimization: try Self.optimization(file, parameters, recipe),
      best: try Self.best(file, upTo: step), generator: try Self.generator(file))
  }

  /// What steps change. If averages are kept, they are the network's parameters.
  private static func optimization(
    _ file: SafetensorsFile, _ parameters: Parameters<Float>, _ recipe: Recipe
  ) throws(ModelFileError) -> OptimizationState {
    let isAveraged = recipe.averaging > 0
    return OptimizationState(
      isAveraged ? try file.parameters(parameters.shape, prefix: unaveraged) : parameters,
      moments: recipe.optimizer.hasMoments ? try moments(file, parameters.shape) : nil,
      average: isAveraged ? parameters : nil)
  }

  /// The sums of losses. An older file has none, and a gap in its curve.
  private static func lossSums(
    _ file: SafetensorsFile, _ recipe: Recipe, _ lineage: Lineage, step: Int
  ) throws(ModelFileError) -> [Double] {
    let name = "training.loss_sums"
    guard file[name] != nil else { return [] }
    let count = LossStretches(recipe, after: lineage.lastCompletedStep).count(at: step)
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
    let step: Int64 = try file.scalar(
      "training.best_step", expected: "an evaluation of a step up to \(last)"
    ) { (0...last).contains($0) }
    let loss: Double = try file.scalar(
      "training.best_validation_loss", expected: "a finite loss", where: \.isFinite)
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

// MARK: - Tensors

extension SafetensorsFile {
  /// A network alone, its checksum still zero.
  init(of model: Model) {
    self.init(metadata: [
      "format": Checkpoint.format,
      "version": String(Checkpoint.fileVersion),
      "architecture": Checkpoint.architecture,
      "vocabulary": String(String.UnicodeScalarView(model.vocabulary.symbols)),
      FileChecksum.key: FileChecksum.zero,
    ])
    add(model.parameters, prefix: "")
    self["bnmean"] = Tensor(model.statistics.bnmean)
    self["bnvar"] = Tensor(model.statistics.bnvar)
  }

  /// Adds a tensor for each parameter, under its name.
  fileprivate mutating func add(_ parameters: Parameters<Float>, prefix: String) {
    for (name, path) in Parameters<Float>.ordered {
      self[prefix + name] = Tensor(
        parameters[keyPath: path], isVector: name == "b1" || name == "b2")
    }
  }

  /// Whether nothing says how the network was trained.
  fileprivate var isNetworkAlone: Bool {
    metadata["recipe"] == nil && self["training.step"] == nil
  }

  /// A tensor for each parameter, under its name.
  fileprivate func parameters(
    _ shape: ModelShape, prefix: String
  ) throws(ModelFileError) -> Parameters<Float> {
    try Parameters(shape) { (name, rows, columns) throws(ModelFileError) in
      try matrix(prefix + name, rows, columns)
    }
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
    _ name: String, expected: String, where isValid: (Element) -> Bool = { _ in true }
  ) throws(ModelFileError) -> Element {
    guard let elements = try? elements(named: name, as: Element.self), elements.count == 1,
      isValid(elements[0])
    else { throw .training(name, expected: expected) }
    return elements[0]
  }
}

extension Tensor {
  /// A matrix as a tensor of two dimensions, or of one as the notebook has its biases.
  fileprivate init(_ matrix: Matrix<Float>, isVector: Bool = false) {
    self.init(matrix.elements, shape: isVector ? [matrix.count] : [matrix.rows, matrix.columns])
  }
}

// MARK: - A run's history
//
// The network that it started from, and the lengths that it was to have before. Most runs have
// neither, and their files lack these keys.

extension Lineage {
  static let originKey = "started_from"
  static let formerSchedulesKey = "former_ends"
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
    if !formerSchedules.isEmpty {
      let ends = formerSchedules.map { end -> JSONValue in
        ["step": .integer(end.step), "steps": .integer(end.steps)]
      }
      file.metadata[Self.formerSchedulesKey] = JSONValue.array(ends).encoded()
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
    if let text = metadata[Self.formerSchedulesKey] {
      let expected = "steps in ascending order, each with the run's length"
      guard let elements = (try? JSONValue(parsing: text))?.elements, !elements.isEmpty else {
        throw .training(Self.formerSchedulesKey, expected: expected)
      }
      for element in elements {
        guard element.pairs?.count == 2, let step: Int = element["step"]?.whole(),
          let steps: Int = element["steps"]?.whole(), steps >= 1,
          (0...steps).contains(step), step >= formerSchedules.last?.step ?? 0
        else { throw .training(Self.formerSchedulesKey, expected: expected) }
        formerSchedules.append(FormerSchedule(step: step, steps: steps))
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
  /// Takes the network of a model file: the one that predicts, without the counts it may be mixed
  /// with.
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

// MARK: - The checksum of a model file
//
// Safetensors has none, and a flipped bit in a weight still is a weight. The metadata's field
// "crc32" holds eight lower-case hexadecimal digits: the CRC-32 of the whole file, from the
// header's length to the last weight, taken with 0s in place of those digits. CRC-32 finds every
// change of up to 32 bits in a row, so every single bit. It is not a signature: anyone can
// recompute it.
//
// The field is found in the text as `"crc32":"`. Inside a JSON string its quotation marks would be
// escaped, so the text can stand nowhere but at a key.

enum FileChecksum {
  static let key = "crc32"
  static let zero = "00000000"
  private static let opening = Array("\"\(key)\":\"".utf8)

  /// The file with the right checksum in place of the zeros.
  static func sealed(_ file: consuming [UInt8]) -> [UInt8] {
    guard let place = place(in: file) else { preconditionFailure("a file without a checksum") }
    let sum = sum(of: file, digitsAt: place)
    file.replaceSubrange(place, with: sum.utf8)
    return file
  }

  /// The checksum that a file has, and the one that it should have; nil if it has none.
  static func read(_ file: [UInt8]) -> (found: String, expected: String)? {
    guard let place = place(in: file) else { return nil }
    let found = String(decoding: file[place], as: UTF8.self)
    return (found, sum(of: file, digitsAt: place))
  }

  private static func sum(of file: [UInt8], digitsAt place: Range<Int>) -> String {
    var sum = Zlib.crc32(file[..<place.lowerBound])
    sum = Zlib.crc32(Array(zero.utf8)[...], continuing: sum)
    let digits = String(Zlib.crc32(file[place.upperBound...], continuing: sum), radix: 16)
    return zero.dropLast(digits.count) + digits
  }

  /// Where the digits stand in a file that was decoded without an error.
  private static func place(in file: [UInt8]) -> Range<Int>? {
    var length = 0
    for byte in file.prefix(8).reversed() { length = length << 8 | Int(byte) }
    guard let key = file[..<(8 + length)].firstRange(of: opening),
      key.upperBound + zero.utf8.count <= 8 + length
    else { return nil }
    return key.upperBound..<key.upperBound + zero.utf8.count
  }
}
