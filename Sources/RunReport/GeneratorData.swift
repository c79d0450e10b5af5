// The network as JSON for the page's live generator, with probabilities for the script's
// self-check.
//
// Tensors are little-endian Float32 in base64, batch norm's statistics among them: the script folds
// nothing, so its lines read like the derivation.

import CharMLP
import CommandSupport
import FoundationEssentials
import LinearAlgebra
import OrderedJSON

/// The JSON of the live generator.
struct GeneratorData {
  let model: Model
  let dataset: Dataset?

  /// Limits on the self-check, which should be small beside the network.
  private static let checkedNumbers = 4000
  private static let checkedContexts = 64

  var json: JSONValue {
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
      "embedding": .integer(shape.embedding),
      "hidden": .integer(shape.hidden),
      "tensors": .object(tensors),
      "checks": [
        "contexts": .string(Self.base64(contexts.map { UInt32(bitPattern: $0) })),
        "probabilities": base64(probabilities(contexts)),
      ],
    ]
  }

  /// The start of a word, and windows spread over the validation words.  (contexts · block)
  private var contexts: [Int32] {
    let block = model.shape.blockSize
    let count = max(2, min(Self.checkedContexts, Self.checkedNumbers / model.shape.vocabulary))
    let start = Array(repeating: Vocabulary.terminator, count: block)
    guard let windows = dataset?.validation else { return start }
    let spread = (1..<count).flatMap { index in
      Array(windows.context(of: index * (windows.count - 1) / count))
    }
    return start + spread
  }

  /// Softmax of the model's logits, each row on its own.  (contexts, vocabulary)
  private func probabilities(_ contexts: [Int32]) -> Matrix<Float> {
    let logits = model.logits(contexts[...]).converted(to: Double.self)
    let counts = exp(logits - logits.max(.columns))
    return (counts * pow(counts.sum(.columns), -1)).converted()
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
