// Numbers in a file that do not belong to one pass: parameters after the update, the next
// minibatch, what an earlier exercise left.
//
// Such a file can be full of wrong lines though no line is wrong, so these are looked for:
// parameters and minibatch by the lines that read them, which fail all at once; tensors of another
// pass by their sizes, or by fitting each other and nothing else.

import LinearAlgebra

// MARK: - Tensors of an earlier exercise

extension PassTensor {
  /// Tensors that an earlier exercise may have left together.
  static let leftovers = [
    crossEntropySteps, withoutHiddenUnits, batchNormSteps, crossEntropySteps + batchNormSteps,
  ]

  /// How many of them are tried as soon as some sizes are of another exercise: those whose own
  /// sizes can be the same in both.
  static let leftoversOfAnySize = 2

  /// The steps from the logits to the loss and back, which have the same sizes in every exercise.
  private static let crossEntropySteps: [PassTensor] = [
    .logit_maxes, .norm_logits, .counts, .counts_sum, .counts_sum_inv, .probs, .logprobs,
    .dlogprobs, .dprobs, .dcounts_sum_inv, .dcounts_sum, .dcounts, .dnorm_logits, .dlogit_maxes,
  ]

  /// All whose sizes do not depend on the hidden layer, except for parameters' gradients.
  private static let withoutHiddenUnits = computed.filter { tensor in
    !(tensor.owner.map(parameters.contains) ?? false)
      && !TensorRow<Double>(tensor).dimensions.contains(.hidden)
  }

  /// What batch norm in one go does not write again.
  private static let batchNormSteps: [PassTensor] = [
    .bnmeani, .bndiff, .bndiff2, .dbnraw, .dbnvar_inv, .dbnvar, .dbndiff2, .dbndiff, .dbnmeani,
  ]
}

extension Reference {
  /// Whether sizes show that a group of leftovers may be in the file.
  func areOthersLeft(_ number: Int) -> Bool {
    stale.count > 2 && number < PassTensor.leftoversOfAnySize
  }
}

extension PassVerdicts {
  /// Whether a group of tensors fits together and nothing else: no line into it is right, three or
  /// more are wrong, and none within it is.
  ///
  /// Mistakes look different: they are not made in every line into a group, while all that is made
  /// of the group is right in another form.
  func isLeftover(_ group: [PassTensor]) -> Bool {
    let inGroup = lines.filter { group.contains($0.tensor) && $0.tensor.cancels == nil }
    let entries = inGroup.filter { line in
      line.tensor.ids != nil || !line.tensor.inputs.allSatisfy(group.contains)
    }
    let within = inGroup.filter { line in !entries.contains { $0.tensor == line.tensor } }
    return entries.count { $0.kind == .wrong } >= 3 && !entries.contains { $0.kind == .right }
      && !within.contains(where: \.isFault)
  }
}

// MARK: - Parameters and minibatch

extension PassJudge {
  /// The verdicts in order, and what they have in common.
  func result() -> (lines: [LineVerdict], cause: PassVerdicts.Cause?) {
    let lines = PassTensor.computed.compactMap { verdicts[$0] }
    let isOfAnotherMinibatch = isOfAnotherMinibatch
    let cause =
      isOfAnotherMinibatch
      ? .minibatch : [PassVerdicts.Cause.parameters, .minibatch].first { explains($0, lines) }
    guard let cause else { return (lines, nil) }
    let explained = lines.map { line in
      switch line.kind {
      case .wrong: LineVerdict(tensor: line.tensor, kind: .follows)
      case .follows: LineVerdict(tensor: line.tensor, kind: .right)
      case .notComparable where isOfAnotherMinibatch && isLeftOut(line.tensor):
        LineVerdict(tensor: line.tensor, kind: .follows)
      default: line
      }
    }
    return (explained, cause)
  }

  /// Whether the lines that read what may be wrong fail all at once, and nothing else does.
  private func explains(_ cause: PassVerdicts.Cause, _ lines: [LineVerdict]) -> Bool {
    var readers: Set<PassTensor> = []
    for tensor in PassTensor.computed {
      let readsItself =
        cause == .minibatch
        ? tensor.ids != nil : tensor.inputs.contains(where: PassTensor.parameters.contains)
      // What is missing was made from the file's parameters, and so hands on what it reads.
      let readsMissing = tensor.inputs.contains { found($0) == nil && readers.contains($0) }
      if readsItself || readsMissing { readers.insert(tensor) }
    }
    let faults = lines.filter(\.isFault).map(\.tensor)
    guard faults.allSatisfy(readers.contains) else { return false }
    // What is zero but for rounding is so whatever the parameters are.
    let judged = lines.filter {
      readers.contains($0.tensor) && found($0.tensor) != nil && $0.tensor.cancels == nil
    }
    let forward = judged.filter { !$0.tensor.isGradient }
    let expected = cause == .parameters && forward.count > 1 ? forward : judged
    // Other parameters do not make every line a multiple of itself; a factor in a missing line
    // does.
    return expected.count > 1 && expected.allSatisfy { $0.kind == .wrong }
      && !expected.allSatisfy { factors[$0.tensor] != nil }
  }

  /// Whether nothing with a row for each window fits Xb and Yb, but fits the rest of the file: then
  /// those two are of another minibatch, and not the pass.
  private var isOfAnotherMinibatch: Bool {
    let problem = reference.problem
    guard let other = reference.otherPass, other.sizes.model == problem.parameters.shape,
      !reference.tensors.keys.contains(where: { TensorRow<Double>($0).dimensions.contains(.n) })
    else { return false }
    let n = other.sizes.n
    let ids = Minibatch(
      blockSize: other.sizes.model.blockSize,
      contexts: Array(repeating: 0, count: n * other.sizes.model.blockSize),
      targets: Array(repeating: 0, count: n))
    let evaluator = LineEvaluator(GradientProblem(problem.parameters, ids), precision)
    let judged = reference.tensors.keys.filter { tensor in
      tensor.ids == nil && tensor.cancels == nil
        && tensor.inputs.allSatisfy { other.tensors[$0] != nil }
    }
    // An earlier exercise leaves all but the parameters' gradients.
    let gradients = judged.filter { $0.owner.map(PassTensor.parameters.contains) ?? false }
    let considered = gradients.isEmpty ? judged : gradients
    let holding = considered.count { tensor in
      let inputs = tensor.inputs.reduce(into: [:]) { inputs, input in
        inputs[input] = other.tensors[input].map { LineInput($0) }
      }
      guard let found = reference.tensors[tensor] else { return false }
      return LineComparison(found, evaluator.evaluate(tensor, on: inputs), precision) == .holds
    }
    return considered.isEmpty || 2 * holding > considered.count
  }
}
