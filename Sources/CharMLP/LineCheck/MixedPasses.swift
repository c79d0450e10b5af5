// A file whose numbers are not all of one pass: what an earlier exercise left in it, parameters
// after the update, another parameter, the next minibatch.
//
// Such a file can be full of wrong lines though no line is wrong, so each of the four is looked
// for. Tensors of an earlier exercise show by their sizes, or by fitting each other and nothing
// else; parameters by an update with their gradients that fits the lines which read them; another
// parameter, and Xb and Yb, by the lines which read them, as these fail all at once.

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
      && !tensor.dimensions.contains(.hidden)
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
  /// Mistakes look different: nobody makes one in every line that leads into a group, and none
  /// within it.
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

// MARK: - Parameters after the update
//
// For a parameter that was updated, the file has p − rate · dp. The rate is not known; but one
// number that makes all elements of a line right is no accident.

extension PassTensor {
  /// The parameters that an update changes: of the others the gradient is zero but for rounding.
  fileprivate static let updated = parameters.filter { $0.gradient?.cancels == nil }
}

extension PassJudge {
  /// The fewest elements of a line that a rate is fitted to.
  static let elementsForRate = 16

  /// The parameters before an update with their gradients, where that makes a line right.
  func parametersBeforeUpdate(
    _ tensor: PassTensor, _ found: Matrix<Double>, _ plain: Candidate
  ) -> [PassTensor: Matrix<Double>]? {
    let limit = measuredLimit(tensor, plain)
    guard found.count >= Self.elementsForRate, !plain.isChained || limit.isFinite else {
      return nil
    }
    let direct = tensor.inputs.filter(PassTensor.updated.contains)
    let reached = parametersReached(by: tensor)
    let sets =
      direct.map { [$0] } + (direct.count > 1 ? [direct] : [])
      + (reached.count > direct.count ? [reached] : [])
    if sets.isEmpty { return nil }
    for gradients in [{ gradientsInFile }, { gradientsOfFile }] {
      let gradients = gradients()
      for set in sets where set.allSatisfy({ gradients[$0] != nil }) {
        let steps = gradients.filter { set.contains($0.key) }
        if let before = parametersBefore(steps, tensor, found, plain.line, limit) { return before }
      }
    }
    return nil
  }

  /// The parameters that a line reads, itself or in lines that are missing.
  private func parametersReached(by tensor: PassTensor) -> [PassTensor] {
    var reached: Set<PassTensor> = []
    var open = tensor.inputs
    while let input = open.popLast() {
      guard reached.insert(input).inserted, found(input) == nil else { continue }
      open += input.inputs
    }
    return PassTensor.updated.filter(reached.contains)
  }

  /// The parameters' gradients that the file has.
  private var gradientsInFile: [PassTensor: Matrix<Double>] {
    PassTensor.parameters.reduce(into: [:]) { gradients, parameter in
      gradients[parameter] = parameter.gradient.flatMap(found)
    }
  }

  /// The parameters' gradients as the lines make them of what else is in the file.
  private var gradientsOfFile: [PassTensor: Matrix<Double>] {
    let gradients = PassTensor.parameters.compactMap(\.gradient)
    let pass = pass(reference.problem.parameters, without: gradients)
    return PassTensor.parameters.reduce(into: [:]) { made, parameter in
      made[parameter] = parameter.gradient.map { pass[$0] }
    }
  }

  /// The file's tensors, except for some, on other parameters.
  private func pass(
    _ parameters: Parameters<Double>, without others: [PassTensor]
  ) -> Derivation<Double> {
    let pass = Derivation(parameters, reference.problem.minibatch)
    for tensor in PassTensor.computed where !others.contains(tensor) {
      if let given = found(tensor) { pass[tensor] = given }
    }
    return pass
  }

  /// Parameters moved back along their gradients to where the line is right; nil if it is not, or
  /// if it comes only a little nearer.
  private func parametersBefore(
    _ gradients: [PassTensor: Matrix<Double>], _ tensor: PassTensor, _ found: Matrix<Double>,
    _ line: LineValue, _ limit: Double
  ) -> [PassTensor: Matrix<Double>]? {
    func moved(_ rate: Double) -> Parameters<Double> {
      gradients.reduce(into: reference.problem.parameters) { parameters, gradient in
        parameters[gradient.key] = parameters[gradient.key] + rate * gradient.value
      }
    }
    func value(_ rate: Double) -> Matrix<Double> { pass(moved(rate), without: [tensor])[tensor] }
    let bounds = line.bound(precision).elements
    func excess(_ value: Matrix<Double>) -> Double {
      bounds.indices.reduce(0) { most, index in
        let difference = abs(found.elements[index] - value.elements[index])
        return max(most, difference / min(bounds[index], limit))
      }
    }
    var (rate, current) = (0.0, value(0))
    let distance = excess(current)
    let step = 1e-3
    // Most lines are linear in the rate; Newton's second step makes up for rounding, and the others
    // for lines that are missing.
    for _ in 1...4 {
      let slope = (1 / step) * (value(rate + step) - current)
      rate += (slope * (found - current)).sumOfElements / slope.sumOfSquares
      guard rate.isFinite, abs(rate) < 1000 else { return nil }
      current = value(rate)
      let right = LineValue(value: current, size: line.size, terms: line.terms)
      if LineComparison(found, right, precision, limit: limit) == .holds {
        guard 2 * excess(current) < distance else { return nil }
        let before = moved(rate)
        return gradients.reduce(into: [:]) { $0[$1.key] = before[$1.key] }
      }
    }
    return nil
  }
}

extension [LineVerdict] {
  /// Lines that follow only from misfits, which are not wrong, become right.
  fileprivate var withoutOriginsThatFit: [LineVerdict] {
    let misfits = Set(filter(\.isMisfit).map(\.tensor))
    return map { line in
      guard line.kind == .follows, !line.isMisfit else { return line }
      var line = line
      line.followsFrom.removeAll(where: misfits.contains)
      return line.followsFrom.isEmpty ? LineVerdict(tensor: line.tensor, kind: .right) : line
    }
  }
}

extension Matrix<Double> {
  fileprivate var sumOfElements: Double { elements.reduce(0, +) }
  var sumOfSquares: Double { elements.reduce(0) { $0 + $1 * $1 } }
}

// MARK: - Other parameters, another minibatch

extension PassJudge {
  /// The verdicts in order, and what they have in common.
  func result() -> (lines: [LineVerdict], cause: PassVerdicts.Cause?) {
    let lines = PassTensor.computed.compactMap { verdicts[$0] }
    let isOfAnotherMinibatch = isOfAnotherMinibatch
    let isUpdated = lines.contains(where: \.isMisfit)
    let isExplained = isUpdated && !lines.contains(where: \.isFault)
    let cause =
      isOfAnotherMinibatch
      ? .minibatch
      : isExplained
        ? nil : [PassVerdicts.Cause.parameters, .minibatch].first { explains($0, lines) }
    guard let cause else {
      let lines = isUpdated ? withOtherUpdates(lines) : withOneParameter(lines)
      return (lines, lines.contains(where: \.isMisfit) ? .parameters : nil)
    }
    let explained = lines.map { line in
      switch line.kind {
      case .wrong: LineVerdict(tensor: line.tensor, kind: .follows)
      case .follows where line.isMisfit: LineVerdict(tensor: line.tensor, kind: .follows)
      case .follows: LineVerdict(tensor: line.tensor, kind: .right)
      case .notComparable where isOfAnotherMinibatch && isLeftOut(line.tensor):
        LineVerdict(tensor: line.tensor, kind: .follows)
      default: line
      }
    }
    return (explained, cause)
  }

  /// If more than one parameter has been updated, so have those whose gradient in the file is
  /// wrong: lines that read them and show no kind of mistake do not fit.
  private func withOtherUpdates(_ lines: [LineVerdict]) -> [LineVerdict] {
    let changed = Set(lines.filter(\.isMisfit).flatMap(\.followsFrom))
    guard changed.count > 1 else { return lines }
    return lines.map { line in
      let read = line.tensor.inputs.filter(PassTensor.updated.contains)
      guard unclassified.contains(line.tensor), !read.isEmpty else { return line }
      return LineVerdict(tensor: line.tensor, kind: .follows, followsFrom: read)
    }.withoutOriginsThatFit
  }

  /// If the lines that read one parameter fail, forward and back, show no kind of mistake, and
  /// nothing else fails, the parameter is not that of the pass.
  private func withOneParameter(_ lines: [LineVerdict]) -> [LineVerdict] {
    let faults = lines.filter(\.isFault).map(\.tensor)
    let parameter = PassTensor.parameters.first { parameter in
      let readers = PassTensor.computed.filter { $0.inputs.contains(parameter) }
      return readers.count > 1 && readers == faults
    }
    guard let parameter, faults.allSatisfy(unclassified.contains) else { return lines }
    return lines.map { line in
      guard line.isFault else { return line }
      return LineVerdict(tensor: line.tensor, kind: .follows, followsFrom: [parameter])
    }.withoutOriginsThatFit
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
    let faults = lines.filter { $0.isFault || $0.isMisfit }.map(\.tensor)
    guard faults.allSatisfy(readers.contains) else { return false }
    // What is zero but for rounding is so whatever the parameters are.
    let judged = lines.filter {
      readers.contains($0.tensor) && found($0.tensor) != nil && $0.tensor.cancels == nil
    }
    let forward = judged.filter { !$0.tensor.isGradient }
    let expected = cause == .parameters && forward.count > 1 ? forward : judged
    // Other parameters do not make every line a multiple of itself; a factor in a missing line
    // does.
    return expected.count > 1 && expected.allSatisfy { $0.kind == .wrong || $0.isMisfit }
      && !expected.allSatisfy { factors[$0.tensor] != nil }
  }

  /// Whether nothing with a row for each window fits Xb and Yb, but fits the rest of the file: then
  /// those two are of another minibatch, and not the pass.
  private var isOfAnotherMinibatch: Bool {
    let problem = reference.problem
    guard let other = reference.otherPass, other.sizes.model == problem.parameters.shape,
      !reference.tensors.keys.contains(where: { $0.dimensions.contains(.n) })
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
        inputs[input] = other.tensors[input].map { LineValue($0) }
      }
      guard let found = reference.tensors[tensor] else { return false }
      return LineComparison(found, evaluator.evaluate(tensor, on: inputs), precision) == .holds
    }
    return considered.isEmpty || 2 * holding > considered.count
  }
}
