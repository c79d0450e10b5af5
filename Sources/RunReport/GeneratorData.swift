// What the page's live generator draws from, as JSON, with probabilities for the script's self-check.
//
// Tensors are little-endian Float32 in base64, batch norm's statistics among them: the script folds
// nothing, so its lines read like the derivation. Of the n-gram model that a run mixes in there are the
// words, which the script counts, and the discounts. A list that is too long for a page is left out, and the
// network stands alone.

import CharMLP
import CommandSupport
import FoundationEssentials
import LinearAlgebra
import OrderedJSON

/// The JSON of the live generator.
struct GeneratorData {
  private let predictor: Predictor
  private let dataset: Dataset?
  private let hasWords: Bool

  /// Limits on the self-check, which should be small beside the network.
  private static let checkedNumbers = 4000
  private static let checkedContexts = 64
  /// The most bytes of words in a page.
  private static let wordBytes = 1_000_000

  init(_ predictor: Predictor, _ dataset: Dataset?) {
    hasWords = (dataset?.words.utf8.count ?? .max) <= Self.wordBytes
    self.predictor = hasWords ? predictor : Predictor(predictor.model)
    self.dataset = dataset
  }

  /// Whether the generator draws from the network together with counts.
  var isMixed: Bool { predictor.counting != nil }

  var json: JSONValue {
    let model = predictor.model
    let shape = model.shape
    let tensors =
      Parameters<Float>.ordered.map {
        (key: $0.name, value: base64(model.parameters[keyPath: $0.path]))
      }
      + [
        (key: "bnmean", value: base64(model.statistics.bnmean)),
        (key: "bnvar", value: base64(model.statistics.bnvar)),
      ]
    let contexts = contexts
    let symbols = model.vocabulary.symbols
    return [
      "symbols": .array(symbols.map { .string(String($0)) }),
      "shown": .array(symbols.map { .string($0.visible) }),
      "blockSize": .integer(shape.blockSize),
      "contextLength": .integer(predictor.contextLength),
      "embedding": .integer(shape.embedding),
      "hidden": .integer(shape.hidden),
      "tensors": .object(tensors),
      "counting": counting,
      "words": words,
      "checks": [
        "contexts": .string(Self.base64(contexts.map { UInt32(bitPattern: $0) })),
        "probabilities": .string(Self.base64(probabilities(contexts).map(\.bitPattern))),
      ],
    ]
  }

  private var counting: JSONValue {
    guard let counting = predictor.counting else { return .null }
    return [
      "weight": .number(counting.weight),
      "order": .integer(counting.ngram.order),
      "discounts": .array(
        counting.ngram.discounts.map { .array($0.map { .number($0) }) }),
    ]
  }

  /// The words that train, which are counted, and the others of the list, a line for each.
  private var words: JSONValue {
    guard hasWords, let dataset else { return .null }
    let (list, split) = (dataset.words, dataset.split)
    func lines(_ selection: ArraySlice<Int>) -> JSONValue {
      .string(selection.map { list[$0] }.joined(separator: "\n"))
    }
    return [
      "train": lines(split.train), "others": lines((split.validation + split.test)[...]),
    ]
  }

  /// The start of a word, and windows spread over the validation words.  (contexts · contextLength)
  private var contexts: [Int32] {
    let length = predictor.contextLength
    let count = max(
      2, min(Self.checkedContexts, Self.checkedNumbers / predictor.model.shape.vocabulary))
    let start = Array(repeating: Vocabulary.terminator, count: length)
    guard let dataset else { return start }
    let windows = ContextWindows(dataset.validation, blockSize: length)
    let spread = (1..<count).flatMap { index in
      Array(windows.context(of: index * (windows.count - 1) / count))
    }
    return start + spread
  }

  /// The distributions after contexts, each on its own.  (contexts, vocabulary)
  private func probabilities(_ contexts: [Int32]) -> [Float] {
    let scorer = WordScorer(predictor)
    let length = predictor.contextLength
    return stride(from: 0, to: contexts.count, by: length).flatMap { start in
      scorer.distribution(after: Array(contexts[start..<start + length])).map { Float($0) }
    }
  }

  private func base64(_ matrix: Matrix<Float>) -> JSONValue {
    .string(Self.base64(matrix.elements.map(\.bitPattern)))
  }

  private static func base64(_ words: [UInt32]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * words.count)
    for word in words {
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return Data(bytes).base64EncodedString()
  }
}
