// The folded network against the derivation's lines, and its rows against each other.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The network that samples")
struct NextCharacterNetworkTests {
  /// The logits line by line, batch norm apart, in Double.
  private func unfolded(_ model: Model, _ contexts: [Int32]) -> Matrix<Double> {
    let parameters = model.parameters.converted(to: Double.self)
    let emb = parameters.C.gatheringRows(contexts[...])
    let shape = model.shape
    let embcat = emb.reshaped(contexts.count / shape.blockSize, shape.contextWidth)
    let hprebn = MatrixProduct.naive(embcat, parameters.W1) + parameters.b1
    let bnmean = model.statistics.bnmean.converted(to: Double.self)
    let bnvar = model.statistics.bnvar.converted(to: Double.self)
    let hpreact =
      parameters.bngain * ((hprebn - bnmean) * pow(bnvar + 1e-5, -0.5)) + parameters.bnbias
    return MatrixProduct.naive(tanh(hpreact), parameters.W2) + parameters.b2
  }

  @Test(
    "Folding batch norm changes no logit by more than 2e-6 of the largest",
    arguments: [1, 2, 3] as [UInt64])
  func folding(seed: UInt64) throws {
    let model = try tinyModel(letters: 26, block: 3, hidden: 200, seed: seed)
    var generator = TorchGenerator(seed: seed)
    let network = NextCharacterNetwork(Predictor(model))
    let count = network.batchRows
    let contexts = (0..<count * 3).map { _ in Int32(generator.uniform() * 27) }
    let expected = unfolded(model, contexts)
    network.evaluate(contexts)
    let largest = expected.elements.map(abs).max() ?? 0
    for row in 0..<count {
      for id in 0..<27 {
        let difference = abs(Double(network.logit(row, id)) - expected[row, id])
        #expect(difference <= 2e-6 * largest)
      }
    }
  }

  @Test(
    "A context's logits do not depend on its row or its neighbours, to the last bit",
    arguments: [1, 37, 64, 200, 512])
  func rows(hidden: Int) throws {
    let model = try tinyModel(letters: 26, block: 3, hidden: hidden)
    let network = NextCharacterNetwork(Predictor(model))
    #expect((1...64).contains(network.batchRows))
    func logits(_ row: Int) -> [Float] { (0..<27).map { network.logit(row, $0) } }
    network.evaluate([1, 2, 3])
    let alone = logits(0)
    for row in 0..<network.batchRows {
      let others = (0..<row * 3).map { Int32($0 % 27) }
      network.evaluate(others + [1, 2, 3])
      #expect(logits(row) == alone)
    }
  }
}

/// Options, and what they make of 0.5, 0.25, 0.125, 0.125.
private let truncations: [(ChainOptions, [Double])] = {
  var cases: [(ChainOptions, [Double])] = []
  func add(_ options: ChainOptions, _ shares: Double...) {
    let sum = shares.reduce(0, +)
    cases.append((options, shares.map { $0 / sum }))
  }
  add(ChainOptions(), 4, 2, 1, 1)
  add(ChainOptions(temperature: 0.5), 16, 4, 1, 1)
  add(ChainOptions(topK: 1), 1, 0, 0, 0)
  add(ChainOptions(topK: 3), 4, 2, 1, 0)
  add(ChainOptions(topK: 9), 4, 2, 1, 1)
  add(ChainOptions(topP: 0.4), 1, 0, 0, 0)
  add(ChainOptions(topP: 0.7), 2, 1, 0, 0)
  add(ChainOptions(topP: 0.8), 4, 2, 1, 0)
  add(ChainOptions(topK: 3, topP: 0.7), 2, 1, 0, 0)
  add(ChainOptions(temperature: 0.5, topP: 0.9), 4, 1, 0, 0)
  return cases
}()

@Suite("Chain options")
struct ChainOptionsTests {
  /// Logits whose softmax is 0.5, 0.25, 0.125, 0.125.
  private let logits: [Float] = [0, -0.6931472, -1.3862944, -1.3862944]

  private func distribution(_ options: ChainOptions) throws -> [Double] {
    let model = try tinyModel(letters: 3)
    var parameters = model.parameters
    parameters.W2 = 0 * parameters.W2
    parameters.b2 = Matrix(rows: 1, columns: 4, elements: logits)
    let network = Model(
      vocabulary: model.vocabulary, parameters: parameters, statistics: model.statistics)
    return try WordScorer(network, options).distribution(after: [])
  }

  @Test(
    "Temperature is applied first, then top-k, then top-p, then normalization",
    arguments: truncations)
  func truncation(options: ChainOptions, expected: [Double]) throws {
    let found = try distribution(options)
    // Float logits are off by up to 6e-8.
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 2e-7 })
    #expect(found.indices.allSatisfy { (found[$0] == 0) == (expected[$0] == 0) })
  }

  @Test("A temperature near zero leaves only the likeliest character, and no NaN")
  func cold() throws {
    #expect(try distribution(ChainOptions(temperature: 1e-300)) == [1, 0, 0, 0])
  }
}
