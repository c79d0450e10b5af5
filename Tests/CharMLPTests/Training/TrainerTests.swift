// Training moves on, stops where it must, and does not notice being looked at.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Trainer")
struct TrainerTests {
  private func smallRecipe(_ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe()
    recipe.hidden = 20
    recipe.steps = 300
    change(&recipe)
    return recipe
  }

  private func dataset() throws -> Dataset {
    try Dataset(bundledWords(), splitSeed: 42, blockSize: 3)
  }

  @Test("Evaluating in between changes no bit of the parameters")
  func evaluationChangesNothing() throws {
    let dataset = try dataset()
    let (plain, watched) = (
      try Trainer(smallRecipe(), dataset), try Trainer(smallRecipe(), dataset)
    )
    try plain.advance(to: 300)
    for step in stride(from: 0, through: 300, by: 50) {
      try watched.advance(to: step)
      _ = watched.model().loss(over: dataset.validation.distinct())
    }
    #expect(plain.parameters == watched.parameters)
    #expect(plain.step == 300)
  }

  @Test("A trainer that is asked to stop ends after that step, in the state that its steps led to")
  func stopping() throws {
    let dataset = try dataset()
    for backward in [Trainer.Backward.fused, .derivation(.blas)] {
      let recipe = smallRecipe { $0.steps = 20 }
      let (whole, stopped) = (
        try Trainer(recipe, dataset, backward: backward),
        try Trainer(recipe, dataset, backward: backward)
      )
      stopped.stop { [unowned stopped] in stopped.step == 6 }
      try stopped.advance(to: 20)
      try whole.advance(to: 7)
      #expect(stopped.isStopped && !whole.isStopped)
      #expect(stopped.state == whole.state)
    }
  }

  @Test("A trainer's seed decides its bits")
  func seeds() throws {
    let dataset = try dataset()
    let trainers = try [1, 1, 2].map { seed in
      try Trainer(smallRecipe { $0.seed = seed }, dataset)
    }
    for trainer in trainers { try trainer.advance(to: 50) }
    #expect(trainers[0].parameters == trainers[1].parameters)
    #expect(trainers[0].parameters != trainers[2].parameters)
  }

  @Test("Training lowers the loss on words it has not seen")
  func learns() throws {
    let dataset = try dataset()
    let trainer = try Trainer(smallRecipe { $0.steps = 2000 }, dataset)
    let before = trainer.model().loss(over: dataset.validation.distinct())
    try trainer.advance(to: 2000)
    let after = trainer.model().loss(over: dataset.validation.distinct())
    #expect(after < before - 0.5)
  }

  @Test("A learning rate far too large ends in a typed error, not in a model of NaNs")
  func divergence() throws {
    let trainer = try Trainer(smallRecipe { $0.learningRate = 1e30 }, dataset())
    #expect(throws: Divergence.self) { try trainer.advance(to: 300) }
    #expect(trainer.step < 300)
  }

  @Test("The best evaluation is remembered, and patience ends a run")
  func best() throws {
    let recipe = smallRecipe {
      ($0.evaluateEvery, $0.patience, $0.learningRate, $0.schedule) = (10, 2, 3, .constant)
    }
    let trainer = try Trainer(recipe, dataset())
    var losses: [Double] = []
    while !trainer.isFinished {
      try trainer.advance(to: trainer.step + 10)
      losses.append(trainer.evaluate().validationLoss)
    }
    let smallest = try #require(losses.min())
    let index = try #require(losses.firstIndex(of: smallest))
    #expect(trainer.best == BestEvaluation(step: 10 * (index + 1), validationLoss: smallest))
    #expect(trainer.step == 10 * losses.count)
    #expect(losses.count == index + 3)
    try trainer.advance(to: 300)
    #expect(trainer.step == 10 * losses.count)
  }

  @Test("Dropout changes what is learned, and another seed drops other units")
  func dropout() throws {
    let dataset = try dataset()
    let trainers = try [0, 0.2].map { rate in
      try Trainer(smallRecipe { $0.dropout = rate }, dataset)
    }
    for trainer in trainers { try trainer.advance(to: 1) }
    #expect(trainers[0].minibatchLoss != trainers[1].minibatchLoss)
  }
}
