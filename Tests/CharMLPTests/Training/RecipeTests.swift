// What a recipe says about the course of a run: the learning rate, and when it is enough.

import Testing

@testable import CharMLP

@Suite("Recipe")
struct RecipeTests {
  private func recipe(_ change: (inout Recipe) -> Void) -> Recipe {
    var recipe = Recipe()
    (recipe.steps, recipe.learningRate) = (200, 0.1)
    change(&recipe)
    return recipe
  }

  @Test(
    "The learning rate follows the schedule",
    arguments: [
      (.constant, 0, 0.1), (.constant, 199, 0.1), (.step, 99, 0.1), (.step, 100, 0.01),
      (.cosine, 0, 0.1), (.cosine, 50, 0.0853553), (.cosine, 100, 0.05), (.cosine, 150, 0.0146447),
      (.cosine, 199, 0.00000617),
    ] as [(Schedule, Int, Float)])
  func schedules(schedule: Schedule, step: Int, rate: Float) {
    // The cosine is exact in Double and rounded to Float.
    let found = recipe { $0.schedule = schedule }.learningRate(at: step)
    #expect(abs(found - rate) <= 1e-7)
  }

  @Test(
    "The preset for a list is a recipe, however many steps are asked for",
    arguments: [1, 20, 21, 1_000, 700_000_000, 1_000_000_000])
  func presets(steps: Int) throws {
    try Recipe(.best, trainingWindows: 10_000, steps: steps).validate()
  }

  @Test("The second half of the notebook's run has a learning rate of exactly 0.01")
  func notebook() {
    let recipe = Recipe()
    #expect(recipe.learningRate(at: 99_999) == 0.1)
    #expect(recipe.learningRate(at: 100_000) == 0.01)
  }

  @Test("The rate grows evenly over the warm-up, and the cosine begins after it")
  func warmup() {
    let recipe = recipe { ($0.warmup, $0.schedule) = (4, .cosine) }
    let rates = (0...4).map(recipe.learningRate)
    for (found, expected) in zip(rates, [0.025, 0.05, 0.075, 0.1, 0.1] as [Float]) {
      #expect(abs(found - expected) <= 1e-8)
    }
    #expect(recipe.learningRate(at: 102) < 0.0500001)
    #expect(recipe.learningRate(at: 102) > 0.0499999)
  }

  @Test("With a warm-up longer than the run, the rate only grows")
  func endlessWarmup() {
    let recipe = recipe { $0.warmup = 1000 }
    #expect(recipe.learningRate(at: 199) < 0.0201)
  }

  @Test(
    "Patience ends a run after so many evaluations without a better one",
    arguments: [(0, 199, false), (2, 119, false), (2, 120, true), (3, 120, false)])
  func patience(patience: Int, step: Int, isEnough: Bool) {
    let recipe = recipe { ($0.patience, $0.evaluateEvery) = (patience, 10) }
    let reason = recipe.earlyStop(BestEvaluation(step: 100, validationLoss: 2), at: step)
    #expect(reason == (isEnough ? .noBetter(evaluations: patience) : nil))
    #expect(recipe.earlyStop(nil, at: step) == nil)
  }

  @Test("A validation loss below the limit ends a run", arguments: [(2.1, false), (2.09, true)])
  func stopping(loss: Double, isEnough: Bool) {
    let recipe = recipe { $0.stopAtValidationLoss = 2.1 }
    let best = BestEvaluation(step: 5, validationLoss: loss)
    #expect(recipe.earlyStop(best, at: 5) == (isEnough ? .reached(2.1) : nil))
    // The last step is no early one.
    #expect(recipe.earlyStop(best, at: recipe.steps) == nil)
  }

  @Test("An early stop says why")
  func earlyStop() {
    #expect("\(EarlyStop.noBetter(evaluations: 10))" == "no better for 10 evaluations")
    #expect("\(EarlyStop.noBetter(evaluations: 1))" == "no better for 1 evaluation")
    #expect("\(EarlyStop.reached(2.11))" == "the validation loss is below 2.11")
  }

  @Test("Evaluations are a twentieth of the steps apart unless the recipe says otherwise")
  func evaluations() {
    #expect(recipe { _ in }.evaluationInterval == 10)
    #expect(recipe { $0.steps = 7 }.evaluationInterval == 1)
    #expect(recipe { $0.evaluateEvery = 33 }.evaluationInterval == 33)
  }
}
