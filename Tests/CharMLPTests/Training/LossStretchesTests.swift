// The means that a curve of minibatch losses is drawn from, over runs that are stopped anywhere.

import Testing

@testable import CharMLP

@Suite("Loss stretches")
struct LossStretchesTests {
  private func recipe(steps: Int, evaluateEvery: Int) -> Recipe {
    var recipe = Recipe()
    recipe.steps = steps
    recipe.evaluateEvery = evaluateEvery
    return recipe
  }

  @Test(
    "An interval is cut into at most fifty equal stretches, of which the last may be shorter",
    arguments: [(1, 1, 1), (50, 1, 50), (51, 2, 26), (130, 3, 44), (10_000, 200, 50)])
  func lengths(interval: Int, length: Int, count: Int) {
    let recipe = recipe(steps: 1_000_000, evaluateEvery: interval)
    #expect(recipe.lossStretch == length)
    let stretches = LossStretches(recipe)
    #expect(stretches.count(at: interval) == count)
    #expect(stretches.count(at: interval + 1) == 1)
    #expect(stretches.count(at: 0) == 0)
  }

  @Test("A stretch's mean is that of its steps' losses, and starts anew at an evaluation")
  func means() {
    var stretches = LossStretches(recipe(steps: 200, evaluateEvery: 125))
    var means: [Int: [Float]] = [:]
    for step in 1...200 {
      stretches.add(Double(step), at: step)
      means[step] = stretches.means(at: step)
    }
    #expect(means[1] == [1] && means[2] == [1.5] && means[3] == [2])
    #expect(means[4] == [2, 4] && means[5] == [2, 4.5])
    #expect(means[125]?.count == 42)
    // Two steps are left of the last stretch.
    #expect(means[125]?.suffix(2) == [122, 124.5])
    #expect(means[126] == [126] && means[200]?.count == 25)
  }

  @Test("The means of a run that is saved and goes on at any step are those of one that does not")
  func resumed() throws {
    var run = try SmallRun()
    run.recipe.evaluateEvery = 60
    run.recipe.steps = 90
    let whole = try run.trainer(at: 60)
    let means = whole.meanLosses
    #expect(means.count == 30)
    for step in [0, 1, 2, 3, 31, 59, 60] {
      let checkpoint = try Checkpoint(file: run.file(at: step))
      let resumed = try Trainer(
        run.recipe, run.dataset, resuming: checkpoint.training, backward: .fused)
      try resumed.advance(to: 60)
      #expect(resumed.meanLosses == means, "\(step)")
    }
  }

  @Test("A file without loss sums is read, and the means that it lacks are NaN")
  func withoutSums() throws {
    let run = try SmallRun()
    var state = try run.trainer(at: 3).state
    state.lossSums = []
    let resumed = try Trainer(run.recipe, run.dataset, resuming: state, backward: .fused)
    #expect(resumed.meanLosses.count == 1 && resumed.meanLosses[0].isNaN)
    try resumed.advance(to: 5)
    #expect(resumed.meanLosses.count == 1 && resumed.meanLosses[0].isFinite)
  }
}
