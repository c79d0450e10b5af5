// Several ranks learn what one process learns: the same windows, the same sums, another order of
// adding.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Ranks with a shuffled list")
struct RanksTests {
  private static let dataset = Result {
    try Dataset(bundledWords(), splitSeed: 42, blockSize: 3)
  }

  private static func recipe(_ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe()
    (recipe.hidden, recipe.steps) = (40, 100)
    change(&recipe)
    return recipe
  }

  private func runs(_ recipe: Recipe, ranks: Int, threads: Int = 1) throws -> [TrainedRun] {
    let dataset = try Self.dataset.get()
    return ThreadRanks.run(ranks) { communicator in
      mustSucceed {
        try TrainedRun(Trainer(recipe, dataset, threads: threads, communicator: communicator))
      }
    }
  }

  // Another order of adding changes the last bits of a Float; the bound for 100 losses is
  // 5e-6.
  @Test(
    "Ranks have the losses of one process, and all the same bits every time",
    arguments: 1...4, [32, 61])
  func losses(ranks: Int, batchSize: Int) throws {
    let recipe = Self.recipe { $0.batchSize = batchSize }
    let expected = try TrainedRun(Trainer(recipe, Self.dataset.get()))
    let found = try runs(recipe, ranks: ranks)
    #expect(found.allSatisfy { $0 == found[0] })
    let largest = zip(found[0].losses, expected.losses).map { abs($0 - $1) }.max()!
    #expect(found[0].losses.count == 100 && largest <= 5e-6, "\(largest)")
    #expect(try runs(recipe, ranks: ranks) == found)
  }

  @Test(
    "Ranks with AdamW, weight decay and dropout have the losses of one process", arguments: [2, 3])
  func adamw(ranks: Int) throws {
    let recipe = Self.recipe {
      ($0.optimizer, $0.learningRate, $0.weightDecay, $0.dropout) = (.adamw, 1e-3, 0.1, 0.3)
      $0.batchSize = 37
    }
    let expected = try TrainedRun(Trainer(recipe, Self.dataset.get()))
    let found = try runs(recipe, ranks: ranks)
    #expect(found.allSatisfy { $0 == found[0] })
    // Adam moves a parameter whose gradient is rounding alone by the learning rate, whichever way.
    let largest = zip(found[0].losses, expected.losses).map { abs($0 - $1) }.max()!
    #expect(largest <= 1e-4, "\(largest)")
  }

  @Test(
    "The threads of a rank change no bit, in both forms of the first layer", arguments: [5, 200])
  func threads(batchSize: Int) throws {
    let recipe = Self.recipe { ($0.batchSize, $0.hidden, $0.steps) = (batchSize, 100, 5) }
    let found = try runs(recipe, ranks: 2)
    #expect(try runs(recipe, ranks: 2, threads: 2) == found)
  }

  @Test("A rank without a window takes part in every step")
  func emptyShare() throws {
    let recipe = Self.recipe { ($0.batchSize, $0.steps) = (3, 1) }
    let expected = try TrainedRun(Trainer(recipe, Self.dataset.get()))
    let found = try runs(recipe, ranks: 4)
    #expect(found.allSatisfy { $0 == found[0] })
    // Batch norm of so few windows multiplies rounding by up to 316.
    #expect(abs(found[0].losses[0] - expected.losses[0]) <= 1e-5)
    let difference = found[0].parameters.W2 - expected.parameters.W2
    #expect(difference.elements.allSatisfy { abs($0) <= 1e-4 })
  }

  @Test(
    "When one rank is asked to stop, all stop after the same step, and others can continue from it")
  func stopping() throws {
    let dataset = try Self.dataset.get()
    let recipe = Self.recipe { $0.evaluateEvery = 10 }
    let states = ThreadRanks.run(3) { communicator in
      let trainer = mustSucceed {
        try Trainer(recipe, dataset, communicator: communicator)
      }
      trainer.stop { [unowned trainer] in communicator.rank == 2 && trainer.step == 56 }
      if communicator.rank > 0 {
        try? trainer.follow()
      } else {
        while !trainer.isStopped {
          try? trainer.advance(to: recipe.nextEvaluation(after: trainer.step))
          if recipe.isEvaluated(at: trainer.step) { _ = trainer.evaluate() }
        }
      }
      return trainer.state
    }
    #expect(states.allSatisfy { $0 == states[0] })
    #expect(states[0].step == 57)
    #expect((states[0].best?.step ?? 0) > 0)
    let alone = try Trainer(recipe, dataset)
    try alone.advance(to: 57)
    #expect(alone.state.generator == states[0].generator)
    let runs = try ThreadRanks.run(2) { [states] communicator in
      Result {
        TrainedRun(
          try Trainer(
            recipe, dataset, resuming: states[0], backward: .fused, communicator: communicator))
      }
    }.map { try $0.get() }
    let expected = TrainedRun(alone)
    #expect(runs.allSatisfy { $0.parameters == runs[0].parameters })
    #expect(abs(try #require(runs[0].losses.last) - expected.losses.last!) <= 5e-6)
  }

  @Test("All ranks stop where rank 0's validation losses end the training")
  func patience() throws {
    let dataset = try Self.dataset.get()
    let recipe = Self.recipe {
      ($0.evaluateEvery, $0.patience, $0.learningRate, $0.schedule) = (5, 2, 3, .constant)
      $0.steps = 300
    }
    let steps = ThreadRanks.run(2) { communicator in
      let trainer = mustSucceed {
        try Trainer(recipe, dataset, communicator: communicator)
      }
      if communicator.rank > 0 {
        try? trainer.follow()
      } else {
        while !trainer.isFinished {
          try? trainer.advance(to: recipe.nextEvaluation(after: trainer.step))
          _ = trainer.evaluate()
        }
      }
      return trainer.step
    }
    #expect(steps[0] == steps[1])
    #expect(steps[0] < 300)
  }
}
