// Where a run comes from, as far as its recipe and its words do not tell: the network that it started from, and
// the ends that it had before it was given another.
//
// Both decide later bits, so a model file keeps them. Names and times of other runs are not here: two runs that
// learned the same have equal files.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

/// The part of a run's past that its last recipe does not tell.
public struct Lineage: Equatable, Sendable {
  /// The network that the run started from; nil if its parameters were drawn.
  public var origin: Origin?
  /// The ends that the run had before the present one, in their order.
  public var formerEnds: [FormerEnd] = []
  /// Whether the network was trained by another program: there is no training to go on with.
  public var isImported = false

  /// A run that began with drawn parameters and has the end that it began with.
  public init() {}

  /// An end that a run had until it was given another.
  public struct FormerEnd: Equatable, Sendable {
    /// The steps taken when it was given another end.
    public let step: Int
    /// The length of the run until then, in steps.
    public let steps: Int

    /// An end after `steps`, which was changed at `step`.
    public init(step: Int, steps: Int) { (self.step, self.steps) = (step, steps) }
  }

  /// The step from which patience counts, and a validation loss can be enough: that of the last change.
  var lastChange: Int? { formerEnds.last?.step }

  /// The last step that was evaluated because the run ended there.
  var lastEnd: Int { formerEnds.last { $0.step == $0.steps }?.step ?? 0 }
}

/// What is kept of a network that a run started from.
public struct Origin: Equatable, Sendable {
  /// The checksum of the file that it was read from: its metadata's `crc32`.
  public let fingerprint: String
  /// The steps that had trained it.
  public let step: Int
  /// The length of the run that trained it, in steps.
  public let steps: Int

  /// A network from the file with this checksum.
  public init(fingerprint: String, step: Int, steps: Int) {
    (self.fingerprint, self.step, self.steps) = (fingerprint, step, steps)
  }
}

// MARK: - Starting from a trained network

/// A trained network that a run on another list starts from.
public struct StartingNetwork: Equatable, Sendable {
  /// The network that predicts.
  public let model: Model
  /// What the file of the new run tells of it.
  public let origin: Origin

  /// A network and where it comes from.
  public init(_ model: Model, _ origin: Origin) { (self.model, self.origin) = (model, origin) }

  /// The network's parameters in the order of another vocabulary.
  ///
  /// Symbols are matched by character. Where the network has none, the row of C, the column of W2 and the
  /// entry of b2 are those of `drawn`.
  ///
  /// - Precondition: `drawn` has the network's sizes and the vocabulary's.
  func parameters(
    for vocabulary: Vocabulary, drawn: Parameters<Float>
  ) -> Parameters<Float> {
    let shape = model.shape
    precondition(
      drawn.shape
        == ModelShape(
          vocabulary: vocabulary.count, blockSize: shape.blockSize, embedding: shape.embedding,
          hidden: shape.hidden),
      "StartingNetwork: \(drawn.shape) for a network of \(shape)")
    let ids = [Vocabulary.terminator] + vocabulary.symbols.map(model.vocabulary.id)
    let old = model.parameters
    var result = old
    result.C = Matrix(
      rows: ids.count, columns: shape.embedding,
      elements: ids.enumerated().flatMap { row, id in
        let (source, row) = id.map { (old.C, Int($0)) } ?? (drawn.C, row)
        return (0..<shape.embedding).map { source[row, $0] }
      })
    func columns(_ path: KeyPath<Parameters<Float>, Matrix<Float>>) -> Matrix<Float> {
      Matrix(
        rows: old[keyPath: path].rows, columns: ids.count,
        elements: (0..<old[keyPath: path].rows).flatMap { row in
          ids.enumerated().map { column, id in
            id.map { old[keyPath: path][row, Int($0)] } ?? drawn[keyPath: path][row, column]
          }
        })
    }
    result.W2 = columns(\.W2)
    result.b2 = columns(\.b2)
    return result
  }

  /// The symbols of a vocabulary that the network does not know, ascending.
  public func newSymbols(of vocabulary: Vocabulary) -> [Unicode.Scalar] {
    vocabulary.symbols.filter { model.vocabulary.id(of: $0) == nil }
  }
}
