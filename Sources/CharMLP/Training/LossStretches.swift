// The minibatch losses since the last evaluation, as at most fifty means over equal stretches: what a
// curve of them is drawn from.
//
// A step costs an addition. Where a stretch begins follows from the step and the recipe alone, and the
// sums are part of a training state: a run that was stopped inside a stretch goes on with it, and ends
// with the means of a run that was left alone.

extension Recipe {
  /// The steps of which one mean is taken.
  public var lossStretch: Int { (evaluationInterval + 49) / 50 }
}

/// Sums of minibatch losses, one for each stretch that has begun since the last evaluation.
struct LossStretches {
  private let interval: Int
  private let length: Int
  private(set) var sums: [Double] = []

  /// The stretches of a new run.
  init(_ recipe: Recipe) {
    interval = recipe.evaluationInterval
    length = recipe.lossStretch
    // No step shall allocate.
    sums.reserveCapacity(50)
  }

  /// The stretches of a run at a step; sums that cannot be those of that step are not known.
  init(_ recipe: Recipe, resuming sums: [Double], at step: Int) {
    self.init(recipe)
    let count = count(at: step)
    self.sums += sums.count == count ? sums : Array(repeating: .nan, count: count)
  }

  /// How many stretches have begun by a step.
  func count(at step: Int) -> Int { (taken(at: step) + length - 1) / length }

  /// Adds the loss of the step that was just taken.
  mutating func add(_ loss: Double, at step: Int) {
    let place = taken(at: step) - 1
    if place == 0 { sums.removeAll(keepingCapacity: true) }
    if place.isMultiple(of: length) { sums.append(0) }
    sums[sums.count - 1] += loss
  }

  /// The means of the stretches; the last may be shorter than the others.
  func means(at step: Int) -> [Float] {
    sums.enumerated().map { index, sum in
      Float(sum / Double(min(length, taken(at: step) - index * length)))
    }
  }

  /// The steps between the last evaluation before a step and the step.
  private func taken(at step: Int) -> Int { step == 0 ? 0 : (step - 1) % interval + 1 }
}
