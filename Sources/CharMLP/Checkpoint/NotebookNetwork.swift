// A network that was trained elsewhere: the parameters that a notebook saved, as a model.
//
// The file has the notebook's names, so that `save_file` on a dictionary of them is all a notebook
// has to do. Everything is validated and errors name the tensor: a transposed W2 must not become a
// model that produces garbage.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import LinearAlgebra
public import Safetensors

/// Parameters that a notebook saved, and the statistics of batch norm if it saved them too.
public struct NotebookNetwork: Equatable, Sendable {
  /// The symbols, ascending.
  public let vocabulary: Vocabulary
  /// The parameters, their symbols in that order. Rounded to Float if the file has float64.
  public let parameters: Parameters<Float>
  /// Batch norm's statistics over the training windows; nil if the file has none.
  public let statistics: BatchNormStatistics?
  /// The names in the file that mean nothing here, sorted.
  public let ignored: [String]

  /// The names of mean and variance in notebooks: running ones, or those computed at the end.
  static let statisticsNames = [("bnmean_running", "bnvar_running"), ("bnmean", "bnvar")]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - symbols: What the notebook's ids stand for.
  /// - Throws: `NotebookError`: the tensor that is missing or wrong, what was expected and what was
  ///   found.
  public init(file bytes: [UInt8], _ symbols: NotebookSymbols) throws(NotebookError) {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(decoding: bytes)
    } catch {
      throw .notSafetensors(error)
    }
    guard file.metadata["format"] != Checkpoint.format else { throw .model }
    let shape = try Self.shape(file, symbols)
    let parameters = try Parameters(shape, reading: file.matrix)
    let names = Self.statisticsNames.first { file[$0.0] != nil || file[$0.1] != nil }
    var statistics: BatchNormStatistics?
    if let (mean, variance) = names {
      statistics = BatchNormStatistics(
        bnmean: try file.matrix(mean, 1, shape.hidden),
        bnvar: try file.matrix(variance, 1, shape.hidden))
      guard statistics?.bnvar.elements.allSatisfy({ $0 >= 0 }) == true else {
        throw .negative(variance)
      }
    }
    self.statistics = statistics
    let known = Parameters<Float>.ordered.map(\.name) + (names.map { [$0.0, $0.1] } ?? [])
    ignored = file.tensors.map(\.name).filter { !known.contains($0) }.sorted()
    vocabulary = symbols.vocabulary
    self.parameters = symbols.ascending(parameters)
  }

  /// The sizes as the shapes of C and W1 give them.
  private static func shape(
    _ file: SafetensorsFile, _ symbols: NotebookSymbols
  ) throws(NotebookError) -> ModelShape {
    let C = try file.notebookTensor("C").shape
    guard C.count == 2, C[1] >= 1 else {
      throw .shape("C", expected: "(\(symbols.count), embedding)", found: C)
    }
    guard C[0] == symbols.count else { throw .vocabulary(symbols.count, rows: C[0]) }
    let W1 = try file.notebookTensor("W1").shape
    guard let shape = ModelShape(C: C, W1: W1) else {
      throw .shape("W1", expected: "(block·\(C[1]), hidden)", found: W1)
    }
    // A transposed W1 still is the W1 of some network, but not of one with the other tensors'
    // sizes.
    let others = [file["b1"]?.shape.last, file["bngain"]?.shape.last, file["W2"]?.shape.first]
    if let hidden = others[0], hidden != shape.hidden, others.allSatisfy({ $0 == hidden }) {
      throw .shape("W1", expected: "(block·\(C[1]), \(hidden))", found: W1)
    }
    return shape
  }

  /// How the notebook trains: the lecture's recipe, with the file's sizes.
  public var recipe: Recipe {
    var recipe = Recipe()
    let shape = parameters.shape
    (recipe.blockSize, recipe.embedding, recipe.hidden) =
      (shape.blockSize, shape.embedding, shape.hidden)
    return recipe
  }
}

extension SafetensorsFile {
  fileprivate func notebookTensor(_ name: String) throws(NotebookError) -> Tensor {
    if let tensor = self[name] { return tensor }
    let known =
      Parameters<Float>.ordered.map(\.name)
      + NotebookNetwork.statisticsNames.flatMap { [$0.0, $0.1] }
    let others = tensors.map(\.name).filter { other in
      // A single letter is equally near to every other.
      !known.contains(other) && (name.utf8.count > 1 || other.lowercased() == name.lowercased())
    }
    throw .missing(name, meant: NearestWords.likelyName(for: name, among: others))
  }

  /// A tensor of finite numbers as a matrix; a row may have one dimension or two.
  fileprivate func matrix(
    _ name: String, _ rows: Int, _ columns: Int
  ) throws(NotebookError) -> Matrix<Float> {
    let tensor = try notebookTensor(name)
    let shapes = rows == 1 ? [[columns], [1, columns]] : [[rows, columns]]
    guard shapes.contains(tensor.shape) else {
      let expected = shapes.map(\.shapeDescription).joined(separator: " or ")
      throw .shape(name, expected: expected, found: tensor.shape)
    }
    let elements: [Float]
    if let floats = try? tensor.floats() {
      elements = floats
    } else if let doubles = try? tensor.doubles() {
      elements = doubles.map { Float($0) }
    } else {
      throw .dataType(name, found: tensor.dataType)
    }
    guard elements.allSatisfy(\.isFinite) else { throw .notFinite(name) }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }
}

// MARK: - What ids stand for

/// The symbols of a notebook in the order of their ids; 0 is the terminator.
public struct NotebookSymbols: Equatable, Sendable {
  let vocabulary: Vocabulary
  /// The notebook's id of each of our ids.
  private let ids: [Int]

  /// The lecture's: the terminator and a to z.
  public static let lecture = ".a-z"

  /// How many ids there are, the terminator's included.
  var count: Int { ids.count }

  /// Reads symbols in the order of their ids: first the terminator's sign, which is not a symbol,
  /// then characters, and ranges such as `a-z`. A `-` at their beginning or end is itself.
  ///
  /// - Throws: `NotebookError.symbols`: why the text cannot be read.
  public init(_ text: String) throws(NotebookError) {
    let scalars = Array(text.unicodeScalars.dropFirst())
    if let first = text.unicodeScalars.first, first.properties.isAlphabetic,
      scalars.first == "-" || scalars.last == "."
    {
      throw .symbols("expected the terminator's sign first, as in \(Self.lecture)")
    }
    guard !scalars.isEmpty else {
      throw .symbols(
        "expected the terminator's sign and after it at least one symbol, as \(Self.lecture)")
    }
    var symbols: [Unicode.Scalar] = []
    var index = 0
    while index < scalars.count {
      let first = scalars[index]
      if index + 2 < scalars.count, scalars[index + 1] == "-" {
        let last = scalars[index + 2]
        guard first.value < last.value, last.value - first.value < 1 << 16 else {
          throw .symbols("'\(first)-\(last)' is not a range")
        }
        symbols += (first.value...last.value).compactMap(Unicode.Scalar.init)
        index += 3
      } else {
        symbols.append(first)
        index += 1
      }
    }
    let order = symbols.indices.sorted { symbols[$0] < symbols[$1] }
    for (left, right) in zip(order, order.dropFirst()) where symbols[left] == symbols[right] {
      throw .symbols("\(symbols[left].quoted) appears twice")
    }
    do {
      vocabulary = try Vocabulary(symbols: order.map { symbols[$0] })
    } catch {
      throw .symbols("\(error)")
    }
    ids = [0] + order.map { $0 + 1 }
  }

  /// Parameters whose symbols ascend, as ours do.
  func ascending(_ parameters: Parameters<Float>) -> Parameters<Float> {
    guard ids != Array(ids.indices) else { return parameters }
    var result = parameters
    result.C = parameters.C.gatheringRows(ids)
    result.W2 = parameters.W2.gatheringColumns(ids)
    result.b2 = parameters.b2.gatheringColumns(ids)
    return result
  }
}

// MARK: - As a run

extension Checkpoint {
  /// A run of a network that was trained elsewhere: its words, if they are known, and no training
  /// to resume.
  ///
  /// The statistics are the file's, or else those of the words that train.
  ///
  /// - Throws: `NotebookError`: `needsWords` without either, `words` if the list's symbols are not
  ///   the network's, or it is too small.
  public init(
    importing network: NotebookNetwork, trainedOn list: WordList?
  ) throws(NotebookError) {
    var windows: ContextWindows?
    if let list {
      try network.requireSymbols(of: list)
      do {
        windows = try Dataset(list, network.recipe).measured.train
      } catch {
        throw .words("\(error)")
      }
    }
    guard
      let statistics = network.statistics
        ?? windows.map({ Calibration($0).statistics(network.parameters) })
    else { throw .needsWords }
    var lineage = Lineage()
    lineage.isImported = true
    let generator = TorchGenerator(seed: network.recipe.seed)
    self.init(
      model: Model(
        vocabulary: network.vocabulary, parameters: network.parameters, statistics: statistics),
      recipe: network.recipe, backward: .fused,
      training: TrainingState(
        step: 0, minibatchLoss: .nan, smoothedLoss: .nan, lossSums: [],
        optimization: OptimizationState(network.parameters, moments: nil, average: nil),
        generator: generator.state),
      lineage: lineage, words: list.map { StoredWords($0) } ?? .unknown)
  }
}

extension NotebookNetwork {
  fileprivate func requireSymbols(of list: WordList) throws(NotebookError) {
    let other = Vocabulary(of: list)
    guard other != vocabulary else { return }
    if let unknown = other.symbols.first(where: { vocabulary.id(of: $0) == nil }) {
      throw .words("has \(unknown.quoted), which is not in the vocabulary")
    }
    let unused = vocabulary.symbols.first { other.id(of: $0) == nil }
    throw .words(
      "has no word with \(unused?.quoted ?? "a symbol"), which is in the vocabulary")
  }
}

extension Unicode.Scalar {
  /// The symbol, if it shows, and its number.
  fileprivate var quoted: String {
    reasonRefused == nil ? "\"\(self)\" (\(codePoint))" : codePoint
  }
}

// MARK: - Errors

/// Why a file is not a network that a notebook saved.
public enum NotebookError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not a safetensors file.
  case notSafetensors(SafetensorsError)
  /// It is a CharMLP model already.
  case model
  /// A tensor is not there; another may be meant.
  case missing(String, meant: String?)
  /// A tensor has other dimensions.
  case shape(String, expected: String, found: [Int])
  /// A tensor is neither float32 nor float64.
  case dataType(String, found: DataType)
  /// A tensor has a number that is not finite, or not as a Float.
  case notFinite(String)
  /// A variance is below zero.
  case negative(String)
  /// C has another number of rows than there are symbols.
  case vocabulary(Int, rows: Int)
  /// The symbols cannot be read.
  case symbols(String)
  /// There are no statistics, and no words to compute them from.
  case needsWords
  /// The words are not those of the network.
  case words(String)

  /// The error in one line.
  public var description: String {
    switch self {
    case .notSafetensors(let error): "not a safetensors file: \(error)"
    case .model: "already a CharMLP model; use it as it is"
    case .missing(let name, let meant):
      "expected a tensor \(name), found none" + (meant.map { "; is it \"\($0)\"?" } ?? "")
    case .shape(let name, let expected, let found):
      "tensor \(name): expected the shape \(expected), "
        + "found \(found.shapeDescription)"
    case .dataType(let name, let found):
      "tensor \(name): expected F32 or F64, found \(found.rawValue)"
        + ([.float16, .bfloat16].contains(found) ? "; save \(name).float()" : "")
    case .notFinite(let name): "tensor \(name): expected values that are finite in float32"
    case .negative(let name): "tensor \(name): expected variances of at least 0"
    case .vocabulary(let count, let rows):
      "tensor C has \(rows) rows, but there are \(count) symbols, counting the terminator"
    case .symbols(let reason): reason
    case .needsWords:
      "expected batch norm's statistics, bnmean_running and bnvar_running, or the words to compute them from"
    case .words(let reason): reason
    }
  }
}
