// Custom training loops sees the derivation's gradients, and learns what the trainer learns.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Custom training loops")
struct TrainableNetworkTests {
  @Test("A custom loop's loss and gradients are the derivation's", arguments: [1, 2])
  func gradients(threads: Int) throws {
    let shape = ModelShape(vocabulary: 11, blockSize: 3, embedding: 6, hidden: 70)
    var generator = TorchGenerator(seed: 3)
    let parameters = Parameters<Float>.notebook(shape, seed: 3, generator: &generator)
    let minibatch = Minibatch.random(shape, count: 40, &generator)
    let network = try TrainableNetwork(parameters, batchSize: 40, threads: threads)
    let loss = try network.differentiate(minibatch)
    let steps = Derivation(parameters.converted(to: Double.self), minibatch)
    #expect(abs(Double(loss) - steps.loss[0, 0]) <= 2e-6)
    let gradients = network.gradients
    for ((name, single), (_, double)) in zip(
      Parameters<Float>.ordered, Parameters<Double>.ordered)
    {
      let exact = steps.gradients[keyPath: double]
      let found = gradients[keyPath: single].converted(to: Double.self)
      #expect(found.largestDifference(from: exact) <= 2e-6, "d\(name)")
      #expect(exact.elements.contains { abs($0) > 1e-5 } || name == "b1", "d\(name) is all zero")
    }
    #expect(network.parameters == parameters)
  }

  private static func recipe(_ change: (inout Recipe) -> Void) -> Recipe {
    var recipe = Recipe()
    (recipe.hidden, recipe.steps, recipe.batchSize) = (70, 40, 48)
    change(&recipe)
    return recipe
  }

  @Test(
    "A custom loop with the recipe's updates has the trainer's bits",
    arguments: [
      recipe { _ in },
      recipe {
        ($0.optimizer, $0.learningRate, $0.weightDecay) = (.adamw, 2e-3, 0.5)
        ($0.averaging, $0.dropout, $0.embeddingScale) = (0.9, 0.3, 0.5)
      },
    ], [1, 2])
  func bits(recipe: Recipe, threads: Int) throws {
    let dataset = try Dataset(bundledWords(), recipe)
    let trainer = try Trainer(recipe, dataset)
    try trainer.advance(to: recipe.steps)

    var (parameters, minibatches) = try recipe.start(on: dataset)
    let network = try TrainableNetwork(
      parameters, batchSize: recipe.batchSize, optimizer: recipe.optimizer,
      keepsAverage: recipe.averaging > 0, threads: threads)
    var loss: Float = 0
    for step in 0..<recipe.steps {
      loss = try network.differentiate(
        minibatches.next(), dropout: recipe.dropoutMask(at: step))
      network.update(recipe.update(at: step))
    }
    parameters = network.parameters
    #expect(loss == trainer.minibatchLoss)
    #expect(parameters == trainer.parameters)
    #expect(network.average == trainer.state.optimization.average)
    #expect(try network.model(on: dataset) == trainer.model())
  }

  @Test(
    "A custom rule moves the parameters, and the next gradients are those of the new ones")
  func ownRule() throws {
    let shape = ModelShape(vocabulary: 7, blockSize: 2, embedding: 4, hidden: 33)
    var generator = TorchGenerator(seed: 5)
    let parameters = Parameters<Float>.notebook(shape, seed: 5, generator: &generator)
    let minibatches = (0..<5).map { _ in Minibatch.random(shape, count: 16, &generator) }
    let (own, builtIn) = (
      try TrainableNetwork(parameters, batchSize: 16, threads: 2),
      try TrainableNetwork(parameters, batchSize: 16)
    )
    for minibatch in minibatches {
      let losses = (try own.differentiate(minibatch), try builtIn.differentiate(minibatch))
      #expect(abs(losses.0 - losses.1) <= 2e-6)
      own.update { parameters, gradients in
        for (_, path) in Parameters<Float>.ordered {
          parameters[keyPath: path] =
            parameters[keyPath: path] - 0.1 * gradients[keyPath: path]
        }
      }
      builtIn.update(.descent(0.1))
    }
    #expect(own.updateCount == 5)
    for (name, path) in Parameters<Float>.ordered {
      let (mine, theirs) = (own.parameters[keyPath: path], builtIn.parameters[keyPath: path])
      #expect(mine.largestDifference(from: theirs) <= 2e-6, "\(name)")
    }
    #expect(own.parameters != parameters)
  }

  @Test("A step differentiates, then updates", arguments: Optimizer.allCases)
  func step(optimizer: Optimizer) throws {
    let shape = ModelShape(vocabulary: 7, blockSize: 2, embedding: 4, hidden: 33)
    var generator = TorchGenerator(seed: 5)
    let parameters = Parameters<Float>.notebook(shape, seed: 5, generator: &generator)
    let network = try TrainableNetwork(parameters, batchSize: 16, optimizer: optimizer)
    let engine = FusedEngine(OptimizationState(start: parameters, optimizer), batchSize: 16)
    for step in 0..<6 {
      let minibatch = Minibatch.random(shape, count: 16, &generator)
      let loss = try network.step(minibatch, learningRate: 0.01, weightDecay: 0.1)
      let update = ParameterUpdate(optimizer, learningRate: 0.01, weightDecay: 0.1, step: step)
      #expect(loss == engine.step(minibatch, StepSettings(update)))
    }
    #expect(network.parameters == engine.parameters)
  }

  @Test("A minibatch that does not fit is refused with both sizes")
  func errors() throws {
    let shape = ModelShape(vocabulary: 5, blockSize: 2, embedding: 3, hidden: 8)
    let parameters = Parameters<Float>(zeros: shape)
    #expect(throws: MinibatchError.tooFewWindows(1)) {
      try TrainableNetwork(parameters, batchSize: 1)
    }
    let network = try TrainableNetwork(parameters, batchSize: 2)
    let cases: [(Minibatch, MinibatchError)] = [
      (
        Minibatch(blockSize: 3, contexts: Array(repeating: 0, count: 6), targets: [0, 1]),
        .blockSize(3, expected: 2)
      ),
      (Minibatch(blockSize: 2, contexts: [0, 0], targets: [1]), .count(1, expected: 2)),
      (
        Minibatch(blockSize: 2, contexts: [0, 0, 5, 0], targets: [1, 1]),
        .unknownID(5, vocabulary: 5)
      ),
      (
        Minibatch(blockSize: 2, contexts: [0, 0, 0, 0], targets: [1, -1]),
        .unknownID(-1, vocabulary: 5)
      ),
    ]
    for (minibatch, expected) in cases {
      #expect(throws: expected) { try network.differentiate(minibatch) }
    }
  }
}
