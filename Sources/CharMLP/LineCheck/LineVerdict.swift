// Which line of a pass is wrong, and which only follow.
//
// Each line is evaluated on the file's own numbers, forward first. If the result is the file's, the
// line is right, and a wrong number in it has come from an input; if not, the mistake is here. So
// gradients are judged as gradients of the file's forward pass, and a second mistake is found
// behind the first. HiddenFaults.swift has what a line's bound would let pass; whether the file is
// of one pass cannot be judged so: MixedPasses.swift.

import LinearAlgebra
internal import Posix

/// The verdict on one line.
package struct LineVerdict: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    /// The numbers are right.
    case right
    /// The line is wrong given its inputs.
    case wrong = "here"
    /// The line is right given its inputs, and one of them is wrong.
    case follows
    /// The file does not have the tensor.
    case missing
    /// The shape is not the tensor's.
    case shape
    /// The tensor is of another minibatch or another type, or no bound is finite.
    case notComparable = "not comparable"
  }

  package let tensor: PassTensor
  package var kind: Kind
  /// The wrong lines that this one follows from.
  package var followsFrom: [PassTensor] = []
  /// What kind of mistake it is, if that shows, or what there is to note; never the answer.
  package var hint: String?

  /// Whether the mistake is in this line.
  package var isFault: Bool { kind == .wrong || kind == .shape }

  /// Whether the line is right, and what is given in the file is not what it was computed from:
  /// `followsFrom` are the parameters, as far as they are known.
  package var isMisfit: Bool {
    kind == .follows && followsFrom.allSatisfy(PassTensor.parameters.contains)
  }
}

/// The verdicts on all lines of a pass.
package struct PassVerdicts: Equatable, Sendable {
  /// What may be wrong with a whole file.
  package enum Cause: String, Sendable {
    /// The parameters are not those that the pass was computed with.
    case parameters
    /// Xb and Yb are not those that the pass was computed with.
    case minibatch
  }

  /// 20 lines of the forward pass and 26 gradients, in the derivation's order.
  package let lines: [LineVerdict]
  package let cause: Cause?

  package var forward: [LineVerdict] { Array(lines.prefix(PassTensor.forward.count)) }
  package var gradients: [LineVerdict] { Array(lines.dropFirst(PassTensor.forward.count)) }
  package var faults: [LineVerdict] { lines.filter(\.isFault) }

  /// The parameters that have changed since lines were computed from them; empty if there are none,
  /// or if it is not known which.
  package var changedParameters: [PassTensor] {
    PassTensor.parameters.filter { parameter in
      lines.contains { $0.followsFrom.contains(parameter) }
    }
  }

  /// Whether nothing is wrong.
  package var passed: Bool { cause == nil && !lines.contains { $0.isFault || $0.kind == .follows } }

  /// Whether there was anything to judge.
  package var isEmpty: Bool { !lines.contains { ![.missing, .notComparable].contains($0.kind) } }

  /// Judges a reference.
  ///
  /// What an earlier exercise left in the file is recognized by its sizes. Others from the same
  /// exercise may have matching sizes, so each group is left out in turn, and the verdict that
  /// blames fewer lines is kept.
  package init(_ reference: Reference) {
    let measured = MeasuredBounds(reference.problem)
    let whole = Self.judging(reference, without: [], measured)
    var verdicts = whole
    for (number, others) in PassTensor.leftovers.enumerated()
    where reference.areOthersLeft(number) || whole.isLeftover(others) {
      let left = Self.judging(reference, without: others, measured)
      if left.blame + 2 <= verdicts.blame { verdicts = left }
    }
    self = verdicts
  }

  private static func judging(
    _ reference: Reference, without stale: [PassTensor], _ measured: MeasuredBounds
  ) -> PassVerdicts {
    var judge = PassJudge(reference, stale: Set(stale), measured)
    judge.judgeAll()
    let (lines, cause) = judge.result()
    return PassVerdicts(lines: lines, cause: cause)
  }

  private init(lines: [LineVerdict], cause: Cause?) { (self.lines, self.cause) = (lines, cause) }

  /// How many things are to blame.
  private var blame: Int { faults.count + (cause == nil ? 0 : 1) }
}

/// How far apart correct programs are on a problem; measured when first needed.
final class MeasuredBounds {
  private(set) lazy var bounds = RoundingBounds(
    problem, magnitudes: Magnitudes(problem.steps), threads: availableCores())
  private let problem: GradientProblem

  init(_ problem: GradientProblem) { self.problem = problem }
}

// MARK: - Judging line by line

/// Goes through the lines in order and keeps what the next ones need.
struct PassJudge {
  let reference: Reference
  let evaluator: LineEvaluator
  private(set) var verdicts: [PassTensor: LineVerdict] = [:]

  /// A version of a tensor that other lines may have been computed from, and the faults in it.
  struct Version {
    let input: LineInput
    let faults: Set<PassTensor>
  }

  /// The file's tensor, and, if it is not what its line makes, that as well: it may have been
  /// overwritten after it was used. A missing tensor is what its line makes.
  private(set) var versions: [PassTensor: [Version]] = [:]

  /// A line in one form on one choice of its inputs, and the faults in those.
  struct Candidate {
    let form: LineForm
    let line: EvaluatedLine
    let faults: Set<PassTensor>
    /// Whether an input is missing, and was computed.
    let isChained: Bool
  }

  /// Wrong lines whose numbers show no kind of mistake.
  private(set) var unclassified: Set<PassTensor> = []

  /// For a line that is off by a constant factor, that factor.
  private(set) var factors: [PassTensor: Double] = [:]

  /// For a tensor of a wrong shape, the lines that the shape comes from.
  private var shapeOrigins: [PassTensor: Set<PassTensor>] = [:]

  private let measured: MeasuredBounds

  /// Tensors that belong to another minibatch though their sizes fit.
  private let stale: Set<PassTensor>

  init(_ reference: Reference, stale: Set<PassTensor>, _ measured: MeasuredBounds) {
    self.reference = reference
    self.measured = measured
    self.stale = stale
    evaluator = LineEvaluator(reference.problem, reference.precision)
    for parameter in PassTensor.parameters {
      versions[parameter] = [
        Version(input: LineInput(reference.problem.parameters[parameter]), faults: [])
      ]
    }
  }

  var precision: Precision { reference.precision }

  mutating func judgeAll() {
    for tensor in PassTensor.computed { judge(tensor) }
  }

  /// The file's tensor, unless it belongs to another minibatch.
  func found(_ tensor: PassTensor) -> Matrix<Double>? {
    stale.contains(tensor) ? nil : reference.tensors[tensor]
  }

  /// Whether the file has a tensor that belongs to another minibatch.
  func isLeftOut(_ tensor: PassTensor) -> Bool {
    reference.stale[tensor] != nil || (stale.contains(tensor) && reference.tensors[tensor] != nil)
  }

  /// A parameter, or the file's tensor.
  func value(_ tensor: PassTensor) -> Matrix<Double>? {
    PassTensor.parameters.contains(tensor)
      ? reference.problem.parameters[tensor] : found(tensor)
  }

  /// A line in every form, on every version of its inputs; the plain one on their own inputs is
  /// first.
  func candidates(_ tensor: PassTensor) -> [Candidate] {
    forms(of: tensor).flatMap { form, inputs in
      choices(inputs).map { choice in
        Candidate(
          form: form, line: evaluator.evaluate(tensor, form, on: choice.mapValues(\.input)),
          faults: choice.values.reduce(into: []) { $0.formUnion($1.faults) },
          isChained: choice.values.contains { $0.input.isComputed })
      }
    }
  }

  /// Behind many missing lines, bounds on the worst case say little. As long as the forward pass is
  /// right and nothing wrong is read, two right programs differ by no more than was measured.
  func measuredLimit(_ tensor: PassTensor, _ candidate: Candidate) -> Double {
    let isForwardRight = PassTensor.forward.allSatisfy { forward in
      guard let verdict = verdicts[forward] else { return true }
      return verdict.isMisfit || ![.wrong, .shape, .follows].contains(verdict.kind)
    }
    guard candidate.isChained, candidate.faults.allSatisfy(PassTensor.parameters.contains),
      isForwardRight
    else { return .infinity }
    let limit = 2 * measured.bounds[tensor, precision]
    return limit.isFinite ? limit : .infinity
  }

  /// The forms of a line, with those that belong to their forward pass: where a forward line is off
  /// by a factor, so is what goes back through it.
  private func forms(of tensor: PassTensor) -> [(form: LineForm, inputs: [PassTensor])] {
    var forms = LineEvaluator.forms(of: tensor)
    if tensor == .dlogprobs, let factor = factors[.loss] {
      forms.append((.scaled(factor), tensor.inputs))
    }
    for reader in tensor.owner?.readers ?? [] {
      if let factor = factors[reader], let gradient = reader.gradient,
        tensor.inputs.contains(gradient)
      {
        forms.append((.scaledInput(gradient, factor), tensor.inputs))
      }
    }
    if tensor == .dhprebn, let factor = factors[.bnvar] {
      forms += forms.filter { $0.form == .oneGo() }
        .map { (.oneGo(varianceFactor: factor), $0.inputs) }
    }
    return forms
  }

  /// Every choice of one version for each input.
  private func choices(_ inputs: [PassTensor]) -> [[PassTensor: Version]] {
    inputs.reduce([[:]]) { choices, input in
      (versions[input] ?? []).flatMap { version in
        choices.map { $0.merging([input: version]) { $1 } }
      }
    }
  }

  private mutating func judge(_ tensor: PassTensor) {
    let candidates = candidates(tensor)
    let plain = candidates[0]
    versions[tensor] = [Version(input: LineInput(plain.line), faults: plain.faults)]
    if let reason = reasonNotComparable(tensor) {
      verdicts[tensor] = LineVerdict(tensor: tensor, kind: .notComparable, hint: reason)
    } else if let shape = reference.misshapen[tensor] {
      judgeShape(tensor, shape)
    } else if let found = reference.tensors[tensor] {
      judge(tensor, found, candidates)
    } else {
      verdicts[tensor] = LineVerdict(tensor: tensor, kind: .missing)
    }
  }

  /// Why a tensor of the file is not looked at; nil if it is, or there is none.
  private func reasonNotComparable(_ tensor: PassTensor) -> String? {
    if let type = reference.otherTypes[tensor] {
      return HintSentence.otherType([
        "found": type.pythonName, "expected": precision.rawValue,
        "line": precision.conversion(of: tensor.name),
      ])
    }
    return isLeftOut(tensor) ? HintSentence.stale() : nil
  }

  private mutating func judge(
    _ tensor: PassTensor, _ found: Matrix<Double>, _ candidates: [Candidate]
  ) {
    let plain = candidates[0]
    let compared = candidates.map { candidate in
      let limit = measuredLimit(tensor, candidate)
      return (candidate, LineComparison(found, candidate.line, precision, limit: limit))
    }
    let holding = compared.filter { $0.1 == .holds }.map(\.0)
    let best = holding.min { $0.faults.count < $1.faults.count }
    let shapeOrigins = shapeOrigins(ofInputsOf: tensor)
    if let best, !hasHiddenFault(tensor, found) {
      acceptLine(tensor, found, faults: best.faults)
    } else if best == nil, compared.contains(where: { $0.1 == .incomparable }) {
      conclude(
        tensor, found, plain.faults.isEmpty ? .notComparable : .follows, plain.faults,
        hint: HintSentence.noBound())
    } else if best == nil, !shapeOrigins.isEmpty {
      // It cannot be evaluated on an input of a wrong shape.
      conclude(tensor, found, .follows, shapeOrigins)
    } else if best == nil, let before = parametersBeforeUpdate(tensor, found, plain) {
      for (parameter, value) in before {
        let given = LineInput(reference.problem.parameters[parameter])
        versions[parameter] = [
          Version(input: given, faults: []),
          Version(input: LineInput(value), faults: [parameter]),
        ]
      }
      acceptLine(tensor, found, faults: Set(before.keys))
    } else {
      blame(tensor, found, plain)
    }
  }

  /// A line that is wrong given its inputs.
  private mutating func blame(
    _ tensor: PassTensor, _ found: Matrix<Double>, _ plain: Candidate
  ) {
    let limit = measuredLimit(tensor, plain)
    let hints = LineHints(self, tensor, found, plain, limit: limit)
    versions[tensor]?.insert(Version(input: LineInput(found), faults: [tensor]), at: 0)
    factors[tensor] = LineHints.factor(found, plain.line, precision, limit: limit)
    let kind = hints.kind
    if kind == nil { unclassified.insert(tensor) }
    verdicts[tensor] = LineVerdict(tensor: tensor, kind: .wrong, hint: kind ?? hints.guess)
  }

  /// Gives the verdict on a tensor that other lines are to be computed from as the file has it, with
  /// the faults in it.
  private mutating func conclude(
    _ tensor: PassTensor, _ found: Matrix<Double>, _ kind: LineVerdict.Kind,
    _ faults: Set<PassTensor>, hint: String? = nil
  ) {
    versions[tensor] = [Version(input: LineInput(found), faults: faults)]
    verdicts[tensor] = LineVerdict(
      tensor: tensor, kind: kind, followsFrom: PassTensor.computed.filter(faults.contains),
      hint: hint)
  }

  private func shapeOrigins(ofInputsOf tensor: PassTensor) -> Set<PassTensor> {
    tensor.inputs.reduce(into: []) { $0.formUnion(shapeOrigins[$1] ?? []) }
  }

  /// A wrong shape is a mistake, unless the line makes it of an input's wrong shape.
  private mutating func judgeShape(_ tensor: PassTensor, _ found: [Int]) {
    let shapes = LineShapes(tensor, PassSizes(reference.problem))
    let given = reference.shapes.merging(reference.misshapen) { $1 }
    let origins = shapeOrigins(ofInputsOf: tensor)
    if !origins.isEmpty, shapes.makes(found, of: given) {
      shapeOrigins[tensor] = origins
      verdicts[tensor] = LineVerdict(
        tensor: tensor, kind: .follows, followsFrom: PassTensor.computed.filter(origins.contains))
    } else {
      shapeOrigins[tensor] = [tensor]
      verdicts[tensor] = LineVerdict(
        tensor: tensor, kind: .shape, hint: shapes.hint(found, reference.shapes))
    }
  }

  /// A line that is right given its inputs: right, or wrong because one of them is.
  private mutating func acceptLine(
    _ tensor: PassTensor, _ found: Matrix<Double>, faults: Set<PassTensor>
  ) {
    let changed = PassTensor.parameters.filter(faults.contains)
    guard changed.isEmpty else {
      // What it was computed from has changed since; it is right, and what reads it as well.
      let others = faults.subtracting(changed)
      versions[tensor] = [Version(input: LineInput(found), faults: others)]
      verdicts[tensor] = LineVerdict(
        tensor: tensor, kind: .follows,
        followsFrom: changed + PassTensor.computed.filter(others.contains))
      return
    }
    if faults.isEmpty || isOurs(tensor, found) {
      conclude(
        tensor, found, .right, [], hint: LineHints.note(on: tensor, found, in: self))
    } else {
      conclude(tensor, found, .follows, faults)
    }
  }

  /// Whether a tensor is what our pass makes of the same parameters, or, for a gradient, of their
  /// forward pass, as far as rounding can tell.
  private func isOurs(_ tensor: PassTensor, _ found: Matrix<Double>) -> Bool {
    let ours = Derivation(reference.problem.parameters, reference.problem.minibatch)
    if tensor.isGradient {
      for forward in PassTensor.forward {
        if let version = versions[forward]?.first { ours[forward] = version.input.value }
      }
    }
    let line = EvaluatedLine(
      value: ours[tensor], size: sizeOfOurs(tensor, ours), terms: tensor.inputs.count)
    return LineComparison(found, line, precision) == .holds
  }

  /// The magnitude of our tensor, or of the terms that cancel in it.
  private func sizeOfOurs(_ tensor: PassTensor, _ ours: Derivation<Double>) -> Matrix<Double> {
    let value = ours[tensor]
    let terms = ours[tensor.cancels ?? tensor]
    let largest = terms.largestMagnitude
    let count = Double(terms.count / max(1, value.count))
    return Matrix(rows: value.rows, columns: value.columns, repeating: largest * max(1, count))
  }
}
