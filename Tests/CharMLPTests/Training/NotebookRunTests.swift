// The notebook's run on the bundled list, as PyTorch runs it: split, parameters, minibatches,
// losses.

import Foundation
import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("The notebook's run")
struct NotebookRunTests {
  /// What Tools/make_fixtures.py wrote about the run in JSON.
  struct Notebook: Decodable {
    struct Part: Decodable {
      let words: Int
      let windows: Int
      let firstWords: [String]
    }
    let train: Part
    let validation: Part
    let test: Part
    let characters: [String]
  }

  let run: Fixture
  let notebook: Notebook
  let dataset: Dataset

  init() throws {
    run = try Fixture("notebook-run")
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/notebook-run", withExtension: "json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    notebook = try decoder.decode(Notebook.self, from: Data(contentsOf: url))
    dataset = try Dataset(bundledWords(), splitSeed: 42, blockSize: 3)
  }

  @Test("The split has the notebook's words, in its order, and as many windows")
  func split() {
    let parts = [
      (dataset.split.train, dataset.train, notebook.train),
      (dataset.split.validation, dataset.validation, notebook.validation),
      (dataset.split.test, dataset.test, notebook.test),
    ]
    for (indices, windows, expected) in parts {
      #expect(indices.count == expected.words)
      #expect(windows.count == expected.windows)
      #expect(indices.prefix(20).map { dataset.words[$0] } == expected.firstWords)
    }
    #expect(dataset.vocabulary.symbols.map(String.init) == notebook.characters)
  }

  @Test("The initial parameters are PyTorch's within 1e-6")
  func initialParameters() throws {
    var generator = TorchGenerator(seed: 2_147_483_647)
    let parameters = Parameters.notebook(
      Recipe().shape(vocabulary: 27), seed: 2_147_483_647, generator: &generator)
    let expected: Parameters<Float> = try run.parameters()
    for (name, path) in Parameters<Float>.ordered {
      // PyTorch's normal deviates come from vectorized logarithms and cosines, 5e-7 from exact
      // ones.
      #expect(distance(parameters[keyPath: path], expected[keyPath: path]) <= 1e-6, "\(name)")
    }
  }

  @Test("The first hundred minibatches are the notebook's")
  func minibatches() throws {
    var generator = TorchGenerator(seed: 2_147_483_647)
    _ = Parameters.notebook(
      Recipe().shape(vocabulary: 27), seed: 2_147_483_647, generator: &generator)
    var stream = MinibatchStream(dataset.train, batchSize: 32, generator: generator)
    let indices = try run.file.elements(named: "ix", as: Int64.self).map(Int.init)
    #expect(indices.count == 3200)
    for step in 0..<100 {
      let minibatch = stream.next()
      let expected = indices[step * 32..<(step + 1) * 32]
      #expect(minibatch.contexts == expected.flatMap { dataset.train.context(of: $0) })
      #expect(minibatch.targets == expected.map { dataset.train.targets[$0] })
    }
  }

  // PyTorch's own losses in float32 and float64 differ by 7e-7, and its parameters from ours by
  // 5e-7.
  @Test(
    "The first hundred losses are PyTorch's within 5e-6, however they are computed",
    arguments: [Trainer.Backward.fused, .derivation(.blas), .derivation(.naive)])
  func losses(backward: Trainer.Backward) throws {
    let expected = try run.file.elements(named: "losses_float32", as: Float.self)
    let trainer = try Trainer(Recipe(), dataset, backward: backward)
    for step in 0..<100 {
      try trainer.advance(to: step + 1)
      #expect(abs(trainer.minibatchLoss - expected[step]) <= 5e-6, "step \(step)")
    }
  }

  // AdamW divides by the root of a gradient's average: float32 and float64 differ by 6e-7 in
  // PyTorch.
  @Test(
    "With AdamW and weight decay, the first hundred losses are PyTorch's within 5e-6",
    arguments: [Trainer.Backward.fused, .derivation(.blas)])
  func adamw(backward: Trainer.Backward) throws {
    let expected = try run.file.elements(named: "adamw_losses_float32", as: Float.self)
    var recipe = Recipe()
    recipe.optimizer = .adamw
    recipe.learningRate = 0.003
    recipe.weightDecay = 0.5
    let trainer = try Trainer(recipe, dataset, backward: backward)
    for step in 0..<100 {
      try trainer.advance(to: step + 1)
      #expect(abs(trainer.minibatchLoss - expected[step]) <= 5e-6, "step \(step)")
    }
  }
}
