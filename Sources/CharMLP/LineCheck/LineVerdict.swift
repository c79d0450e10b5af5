// Which line of a pass is wrong, and which only follow.
//
// Each line is evaluated on the file's own numbers, forward first. If the result is the file's, the
// line is right, and a wrong number in it has come from an input; if not, the mistake is here. So
// gradients are judged as gradients of the file's forward pass, and a second mistake is found
// behind the first. Whether all of the file is from one pass is judged in MixedPasses.swift.

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
    problem, threads: availableCores())
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
    let input: LineValue
    let faults: Set<PassTensor>
  }

  /// The file's tensor, and, if it is not what its line makes, that as well: it may have been
  /// overwritten after it was used. A missing tensor is what its line makes.
  private(set) var versions: [PassTensor: [Version]] = [:]

  /// A line in one form on one choice of its inputs, and the faults in those.
  struct Candidate {
    let form: LineForm
    let line: LineValue
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
        Version(input: LineValue(reference.problem.parameters[parameter]), faults: [])
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

  /// A line on the file's own numbers, one of them multiplied; nil if the file lacks one.
  func line(
    of tensor: PassTensor, _ changed: PassTensor? = nil, _ factor: Double = 1
  ) -> LineValue? {
    var inputs: [PassTensor: LineValue] = [:]
    for input in tensor.inputs {
      guard let value = value(input) else { return nil }
      inputs[input] = LineValue(input == changed ? factor * value : value)
    }
    return evaluator.evaluate(tensor, on: inputs)
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

  /// The forms of a line, with those that fit the file's forward pass: where a forward line is off
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

  /// Gives the verdict on a tensor, and the lines and parameters that it follows from.
  private mutating func say(
    _ tensor: PassTensor, _ kind: LineVerdict.Kind, from faults: Set<PassTensor> = [],
    hint: String? = nil
  ) {
    verdicts[tensor] = LineVerdict(
      tensor: tensor, kind: kind, followsFrom: PassTensor.allCases.filter(faults.contains),
      hint: hint)
  }

  private mutating func judge(_ tensor: PassTensor) {
    let candidates = candidates(tensor)
    let plain = candidates[0]
    versions[tensor] = [Version(input: plain.line, faults: plain.faults)]
    if let type = reference.otherTypes[tensor] {
      let hint = HintSentence.otherType([
        "found": type.pythonName, "expected": precision.rawValue,
        "line": precision.conversion(of: tensor.name),
      ])
      say(tensor, .notComparable, hint: hint)
    } else if isLeftOut(tensor) {
      say(tensor, .notComparable, hint: HintSentence.stale())
    } else if let shape = reference.misshapen[tensor] {
      judgeShape(tensor, shape)
    } else if let found = reference.tensors[tensor] {
      judge(tensor, found, candidates)
    } else {
      say(tensor, .missing)
    }
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
        let given = LineValue(reference.problem.parameters[parameter])
        versions[parameter] = [
          Version(input: given, faults: []),
          Version(input: LineValue(value), faults: [parameter]),
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
    versions[tensor]?.insert(Version(input: LineValue(found), faults: [tensor]), at: 0)
    factors[tensor] = LineHints.factor(found, plain.line, precision, limit: limit)
    let kind = hints.kind
    if kind == nil { unclassified.insert(tensor) }
    say(tensor, .wrong, hint: kind ?? hints.guess)
  }

  /// Gives the verdict on a tensor; later lines are computed from the file's version of it, with
  /// the faults in it.
  private mutating func conclude(
    _ tensor: PassTensor, _ found: Matrix<Double>, _ kind: LineVerdict.Kind,
    _ faults: Set<PassTensor>, hint: String? = nil
  ) {
    versions[tensor] = [Version(input: LineValue(found), faults: faults)]
    say(tensor, kind, from: faults, hint: hint)
  }

  private func shapeOrigins(ofInputsOf tensor: PassTensor) -> Set<PassTensor> {
    tensor.inputs.reduce(into: []) { $0.formUnion(shapeOrigins[$1] ?? []) }
  }

  /// A wrong shape is a mistake, unless the line makes it of an input's wrong shape.
  private mutating func judgeShape(_ tensor: PassTensor, _ found: [Int]) {
    let shapes = LineShapes(tensor, PassSizes(reference.problem))
    let given = reference.shapes.merging(reference.misshapen) { $1 }
    let origins = shapeOrigins(ofInputsOf: tensor)
    let follows = !origins.isEmpty && shapes.makes(found, of: given)
    shapeOrigins[tensor] = follows ? origins : [tensor]
    if follows {
      say(tensor, .follows, from: origins)
    } else {
      say(tensor, .shape, hint: shapes.hint(found, reference.shapes))
    }
  }

  /// A line that is right given its inputs: right, or wrong because one of them is.
  private mutating func acceptLine(
    _ tensor: PassTensor, _ found: Matrix<Double>, faults: Set<PassTensor>
  ) {
    let others = faults.subtracting(PassTensor.parameters)
    if others != faults {
      // What it was computed from has changed since; it is right, and what reads it as well.
      versions[tensor] = [Version(input: LineValue(found), faults: others)]
      say(tensor, .follows, from: faults)
    } else if faults.isEmpty || isOurs(tensor, found) {
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
    // The magnitude of our tensor, or of the terms that cancel in it.
    let (value, terms) = (ours[tensor], ours[tensor.cancels ?? tensor])
    let count = Double(max(1, terms.count / max(1, value.count)))
    let size = Matrix(
      rows: value.rows, columns: value.columns, repeating: terms.largestMagnitude * count)
    let line = LineValue(value: value, size: size, terms: tensor.inputs.count)
    return LineComparison(found, line, precision) == .holds
  }
}

// MARK: - Faults that the bounds alone would let pass

// What is zero but for rounding still has a sign and a size: those of what the file's own terms
// leave. And a single addition has the same last bits in every program.

extension PassJudge {
  /// The fewest different sums that show the sign of rounding.
  static let sumsForSign = 16

  /// The fewest different sums that show a factor in rounding, and the smallest factor that they
  /// show: of 29,000 right passes none was off by more than 1.5.
  static let sumsForFactor = 32
  static let factorOfRounding = 8.0

  /// With this many elements, no two ways to compute them give the same bits everywhere.
  static let elementsForBits = 200

  /// Whether there is a fault that is smaller than its bound and shows all the same.
  func hasHiddenFault(_ tensor: PassTensor, _ found: Matrix<Double>) -> Bool {
    if let cancelled = tensor.cancels {
      guard verdicts[cancelled]?.isFault != true,
        let rounding = rounding(tensor, found, of: cancelled)
      else { return false }
      return rounding.hasOtherSign || rounding.clearFactor != nil
    }
    if tensor == .dnorm_logits { return sharesMemoryWithLogits(found) }
    return tensor == .dlogits && misusesMaxes(found)
  }

  /// What cancels in the sums of a gradient that is zero but for rounding, one sum a row; nil if
  /// the file does not have it, or too few different sums. Equal windows have equal rounding.
  func cancellingTerms(of tensor: PassTensor, _ cancelled: PassTensor) -> Matrix<Double>? {
    guard let terms = found(cancelled) else { return nil }
    let rows = tensor == .dlogit_maxes ? terms : terms.transposed()
    return Set(rows.slicesOfRows).count >= Self.sumsForSign ? rows : nil
  }

  /// How a sum that is zero but for rounding compares with what the file's own terms leave.
  struct Rounding {
    /// About 0.9 if it is their sum, and -0.9 if its sign is wrong.
    let correlation: Double
    /// How many times their sum it is: 1 ± 0.5 if it is that.
    let factor: Double
    let count: Int
    /// Whether it is much smaller than their sum: then it was rounded from a higher precision, and
    /// has nothing to do with it.
    let isOfHigherPrecision: Bool

    /// Whether the sign is wrong.
    var hasOtherSign: Bool { correlation < -0.25 && !isOfHigherPrecision }

    /// A factor that no right pass has.
    var clearFactor: Double? {
      let least = PassJudge.factorOfRounding
      guard count >= PassJudge.sumsForFactor, correlation > 0.6,
        factor >= least || (factor <= 1 / least && factor >= 1e-4)
      else { return nil }
      return factor
    }
  }

  /// Compares a sum that is zero but for rounding with what is left of its terms; nil if there are
  /// too few sums to say.
  func rounding(
    _ tensor: PassTensor, _ found: Matrix<Double>, of cancelled: PassTensor
  ) -> Rounding? {
    guard let rows = cancellingTerms(of: tensor, cancelled) else { return nil }
    let isNegative = tensor == .dlogit_maxes
    let sums = isNegative ? rows.exactRowSums.map { -$0 } : rows.exactRowSums
    let terms = isNegative ? rows : rows.transposed()
    let sizes = evaluator.evaluate(tensor, on: [cancelled: LineValue(terms)]).size.elements
    // In units of the terms, so that each element counts the same.
    var (product, squares) = (0.0, (0.0, 0.0))
    for index in sums.indices where sizes[index] > 0 {
      let (found, sum) = (found.elements[index] / sizes[index], sums[index] / sizes[index])
      product += found * sum
      squares = (squares.0 + found * found, squares.1 + sum * sum)
    }
    let scale = (squares.0 * squares.1).squareRoot()
    return Rounding(
      correlation: scale > 0 ? product / scale : 0,
      factor: squares.1 > 0 ? product / squares.1 : 1, count: rows.rows,
      isOfHigherPrecision: squares.0 < 1e-6 * squares.1)
  }

  /// dlogits that were made in the memory of dnorm_logits are the same numbers; then dlogit_maxes
  /// are not the sum of these, as they are where the second term of dlogits was only forgotten.
  private func sharesMemoryWithLogits(_ found: Matrix<Double>) -> Bool {
    guard found.count >= Self.elementsForBits, self.found(.dlogits) == found,
      let maxes = self.found(.dlogit_maxes), maxes.elements.contains(where: { $0 != 0 }),
      let rounding = rounding(.dlogit_maxes, maxes, of: .dnorm_logits)
    else { return false }
    return rounding.correlation < 0.25 && !rounding.isOfHigherPrecision
  }

  /// dlogit_maxes, which is zero but for rounding, belongs to the largest logit of each row.
  /// Whether it was forgotten, subtracted or added to all columns shows in the last bits: those of
  /// a single addition are the same in every program.
  func misusesMaxes(_ found: Matrix<Double>) -> Bool {
    guard verdicts[.dnorm_logits]?.isFault != true, let steps = self.found(.dnorm_logits),
      let maxes = self.found(.dlogit_maxes),
      let logits = self.found(.logits), found.count >= Self.elementsForBits
    else { return false }
    let part = logits.maximaOfRows * maxes
    let wrong = [steps, steps - part, steps + maxes]
    return found != precision.rounded(steps + part)
      && wrong.contains { found == precision.rounded($0) }
  }
}

extension Matrix<Double> {
  fileprivate var slicesOfRows: [ArraySlice<Double>] {
    (0..<rows).map { elements[$0 * columns..<($0 + 1) * columns] }
  }

  /// The sum of each row, compensated for rounding (Neumaier).
  fileprivate var exactRowSums: [Double] {
    slicesOfRows.map { row in
      var (sum, lost) = (0.0, 0.0)
      for element in row {
        let next = sum + element
        lost += abs(sum) >= abs(element) ? (sum - next) + element : (element - next) + sum
        sum = next
      }
      return sum + lost
    }
  }
}
