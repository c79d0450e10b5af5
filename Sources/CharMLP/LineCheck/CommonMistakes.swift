// What learners often write in place of a line, tried on the file's numbers.
//
// Each is a whole line of its own: a loop that fills dC, a sum along the other dimension, the
// derivative of another function. LineHints changes one input of the right line instead.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

// MARK: - The loop that fills dC

extension LineHints {
  /// dC from a loop that assigns, leaves out a position of the contexts, or takes a wrong one.
  var lostWrites: String? {
    guard tensor == .dC, let demb = input(.demb), !isFound(line) else { return nil }
    let ids = judge.reference.problem.minibatch.contexts.map { Int($0) }
    let block = judge.reference.problem.minibatch.blockSize
    let rows = Array(ids.indices)
    func isLast(_ rows: [Int]) -> Bool {
      var last = Matrix<Double>.zeros(found.rows, found.columns)
      for row in rows {
        for column in 0..<last.columns { last[ids[row], column] = demb[row, column] }
      }
      return isFound(LineValue(value: last, size: magnitude(last), terms: 1))
    }
    func isSum(
      of rows: [Int], id: (Int) -> Int = { $0 }, gradient: (Int) -> Int = { $0 }
    ) -> Bool {
      var (sum, size) = (0 * found, 0 * found)
      for row in rows {
        for column in 0..<sum.columns {
          let element = demb[gradient(row), column]
          sum[ids[id(row)], column] += element
          size[ids[id(row)], column] += abs(element)
        }
      }
      return isFound(LineValue(value: sum, size: size, terms: rows.count))
    }
    let positions = 0..<block
    let byPosition = positions.flatMap { position in rows.filter { $0 % block == position } }
    if isLast(rows) || isLast(byPosition) { return Sentence.lastWrite() }
    if isLast(rows.reversed()) || isLast(byPosition.reversed()) { return Sentence.firstWrite() }
    guard block > 1 else { return nil }
    for position in positions {
      if isSum(of: rows.filter { $0 % block == position }) { return Sentence.onePosition() }
      if isSum(of: rows.filter { $0 % block != position }) { return Sentence.lostPosition() }
    }
    let others =
      positions.map { position in { (row: Int) in row - row % block + position } }
      + [{ row in row - row % block + (block - 1 - row % block) }]
    let isElsewhere = others.contains { isSum(of: rows, id: $0) || isSum(of: rows, gradient: $0) }
    return isElsewhere ? Sentence.otherPosition() : nil
  }
}

// MARK: - The other dimension

extension LineHints {
  /// The line's sum along the other dimension, which has as many elements.
  var otherDimension: String? {
    guard let axis = tensor.reducedAxis, let summands, !isFound(line) else { return nil }
    func sum(_ x: Matrix<Double>) -> [Double] { x.sum(axis == 0 ? .columns : .rows).elements }
    let elements = sum(summands)
    guard elements.count == found.count else { return nil }
    func shaped(_ elements: [Double]) -> Matrix<Double> {
      Matrix(rows: found.rows, columns: found.columns, elements: elements)
    }
    let other = LineValue(
      value: shaped(elements), size: shaped(sum(magnitude(summands))),
      terms: max(line.terms, summands.rows, summands.columns))
    return isFound(other) ? Sentence.otherSum() : nil
  }

  /// What the line adds up.
  private var summands: Matrix<Double>? {
    func product(_ a: PassTensor, _ b: PassTensor) -> Matrix<Double>? {
      guard let a = input(a), let b = input(b) else { return nil }
      return a * b
    }
    return switch tensor {
    case .bnmeani: input(.hprebn).map { (1 / n) * $0 }
    case .bnvar: input(.bndiff2).map { (1 / (n - 1)) * $0 }
    case .counts_sum: input(.counts)
    case .dcounts_sum_inv: product(.counts, .dprobs)
    case .dbngain: product(.bnraw, .dhpreact)
    case .dbnbias: input(.dhpreact)
    case .dbnvar_inv: product(.bndiff, .dbnraw)
    case .dbnmeani: input(.dbndiff).map { -$0 }
    case .db2: input(.dlogits)
    default: nil
    }
  }
}

// MARK: - Another function, or a form in one go without one of its parts

extension LineHints {
  /// What is often written for this line, and what is wrong with it.
  var wrongForms: [(sentence: Sentence, value: () -> Matrix<Double>)] {
    func given(_ tensor: PassTensor) -> Matrix<Double> { input(tensor) ?? 0 * line.value }
    switch tensor {
    case .dlogprobs:
      return [(.everywhere, { 0 * line.value + -1 / n })]
    case .dlogits:
      return [(.lostTerm, { (1 / n) * given(.probs) })]
    case .dhpreact:
      let (h, dh) = (given(.h), given(.dh))
      let others = [
        { 1 - h }, { h }, { pow(h, 2) }, { 1 - (-pow(h, 2)) }, { 1 - pow(tanh(h), 2) },
      ]
      let isPositive = Matrix(
        rows: h.rows, columns: h.columns, elements: h.elements.map { $0 > 0 ? 1 : 0 })
      let forms: [(sentence: Sentence, value: () -> Matrix<Double>)] =
        [
          (.sigmoidDerivative, { h * (1 - h) * dh }),
          (.reluDerivative, { isPositive * dh }),
        ] + others.map { other in (.otherDerivative, { other() * dh }) }
      guard let hpreact = judge.value(.hpreact) else { return forms }
      return forms
        + [hpreact, h].map { (x: Matrix<Double>) in
          let sigmoid = pow(exp(-x) + 1, -1)
          return (.sigmoidDerivative, { sigmoid * (1 - sigmoid) * dh })
        }
    case .dhprebn:
      let (dy, x) = (given(.dhpreact), given(.bnraw))
      let scale = (1 / n) * (given(.bngain) * given(.bnvar_inv))
      let (mean, variance) = (dy.sum(.rows), x * (dy * x).sum(.rows))
      let full = n * dy - mean
      return [
        (.besselInOneGo, { scale * (full - variance) }),
        (.lostTerm, { scale * full }),
        (.lostTerm, { scale * (n * dy - (n / (n - 1)) * variance) }),
        (.lostTerm, { scale * (n * dy - variance) }),
      ]
    default: return []
    }
  }
}

// MARK: - A parameter that was multiplied after the pass

extension LineHints {
  /// The line with a multiple of a parameter, if all lines that read it are right with that.
  var scaledParameter: String? {
    for parameter in tensor.inputs where PassTensor.parameters.contains(parameter) {
      let readers = PassTensor.computed.filter {
        $0 != tensor && $0.inputs.contains(parameter) && judge.found($0) != nil
      }
      guard !readers.isEmpty, let factor = multiple(of: parameter),
        readers.allSatisfy({ holds($0, parameter, times: factor) })
      else { continue }
      return Sentence.scaledParameter(["factor": Self.number(factor), "name": parameter.name])
    }
    return nil
  }

  /// The number that makes the line right when a parameter is multiplied by it.
  private func multiple(of parameter: PassTensor) -> Double? {
    let rest = variant(parameter) { 0 * $0 }.value
    guard let factor = Self.factor(line.value - rest, to: found - rest) else { return nil }
    return isFound(variant(parameter) { factor * $0 }) ? factor : nil
  }

  /// Whether another line of the file is right with a multiple of a parameter, and not without.
  private func holds(_ reader: PassTensor, _ parameter: PassTensor, times factor: Double) -> Bool {
    func isRight(_ factor: Double) -> Bool {
      guard let found = judge.found(reader), let line = judge.line(of: reader, parameter, factor)
      else { return false }
      return LineComparison(found, line, judge.precision) == .holds
    }
    return isRight(factor) && !isRight(1)
  }
}
