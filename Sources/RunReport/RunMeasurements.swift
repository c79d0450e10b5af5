// What is computed for a page from a run's model and its words: losses, diagnostics, new words, and
// how the network compares with n-gram models.
//
// Words are drawn with seeds that follow from the recipe's, so that a run's report is always the
// same.

import CharMLP
import CommandSupport
import LinearAlgebra
import OrderedJSON
import Posix

/// The measurements behind a page; what needs the words is nil where they are not stored.
struct RunMeasurements: Sendable {
  let losses: SplitLosses?
  /// The network, with counts if the run mixes them.
  let predictor: Predictor
  /// The network together with counts; nil if the run does not mix them.
  let mixture: MixtureResult?
  let baseline: BaselineComparison?
  let data: DataReport?
  let minibatch: Minibatch?
  let diagnostics: Diagnostics?
  let gradients: GradientReport?
  let words: NewWords
  let axes: PrincipalAxes?

  /// - Parameter progress: Called with what is being computed.
  init(_ run: RecordedRun, progress: (String) -> Void) {
    let (model, recipe) = (run.checkpoint.model, run.checkpoint.recipe)
    progress("evaluating the network")
    losses = run.dataset.map { SplitLosses(model, $0) }
    let predictor = (try? run.checkpoint.predictor()) ?? Predictor(model)
    self.predictor = predictor
    mixture = MixtureResult(run)
    progress("counting n-grams")
    baseline = run.dataset.map { BaselineComparison($0, blockSize: recipe.blockSize) }
    data = run.dataset.map { DataReport($0) }
    minibatch = run.dataset.flatMap { Minibatch.forDiagnosis($0, recipe) }
    diagnostics = minibatch.map { Diagnostics(model.parameters, $0) }
    progress("checking gradients")
    gradients = minibatch.flatMap { Self.check(model.parameters, $0) }
    progress("drawing words")
    words = NewWords(predictor, run.dataset, seed: recipe.samplingSeed)
    axes = PrincipalAxes(ofRows: model.parameters.C)
  }

  /// The check of this very network; nil if it would take longer than a report may.
  private static func check(
    _ parameters: Parameters<Float>, _ minibatch: Minibatch
  ) -> GradientReport? {
    let shown = minibatch.prefix(parameters.count > smallNetwork ? 16 : 32)
    guard parameters.count <= parameterLimit else { return nil }
    return GradientCheck(
      GradientProblem(parameters.converted(), shown), threads: availableCores()
    ).report()
  }

  /// Up to this many parameters 32 windows are checked, above it half as many: a check takes
  /// hundreds of passes.
  private static let smallNetwork = 50_000
  private static let parameterLimit = 1_000_000
}

extension Minibatch {
  /// The first windows, at most `count`.
  func prefix(_ count: Int) -> Minibatch {
    Minibatch(
      blockSize: blockSize, contexts: Array(contexts.prefix(count * blockSize)),
      targets: Array(targets.prefix(count)))
  }
}

// MARK: - Words that the network makes, and how new they are

/// Twenty words beside the training words nearest to them, and the novelty of many more.
struct NewWords: Sendable {
  /// A word, and the nearest training word if the list is known.
  struct Row: Sendable {
    let word: String
    let nearest: NearestWords.Match?
  }

  let rows: [Row]
  /// How many words were drawn to count the new ones.
  let drawn: Int
  /// How many of them are not in the training list; nil if the list is not known.
  let unknown: Int?

  private static let shown = 20
  private static let counted = 1000

  init(_ model: Predictor, _ dataset: Dataset?, seed: UInt64) {
    var request = Sampler.Request(seed: seed)
    if let dataset, !dataset.isSample { request.constraints.beginAndEnd(like: dataset.words) }
    let words = Self.draw(model, request)
    let list = dataset.map { NearestWords($0.words, selecting: $0.split.train) }
    drawn = words.count
    unknown = list.map { list in words.count { !list.contains($0) } }
    rows = words.prefix(Self.shown).map { Row(word: $0, nearest: list?.nearest(to: $0)) }
  }

  /// Fewer words if the model has none to offer.
  private static func draw(_ model: Predictor, _ request: Sampler.Request) -> [String] {
    guard var sampler = try? Sampler(model, request) else { return [] }
    var words: [String] = []
    while words.count < counted, let word = try? sampler.next() { words.append(word) }
    return words
  }
}

// MARK: - The network beside n-gram models
//
// The n-gram models are the best of their kind by validation, and if one of them predicts better
// than the network, a sentence says so.

/// The n-gram baseline beside a network with a given block size.
package struct BaselineComparison: Sendable {
  package let baseline: Baseline
  /// The n-gram that sees the network's context, or the longest if the network sees more.
  package let rival: Baseline.Entry
  private let seesSameContext: Bool

  /// Counts n-grams, and chooses the one that sees the network's context, or the longest.
  package init(_ dataset: Dataset, blockSize: Int) {
    baseline = Baseline(dataset)
    rival = baseline.best(forBlockSize: blockSize)
    seesSameContext = rival.order > blockSize
  }

  /// What the rival is called in a table: `4-gram, same context`.
  package var rivalName: String {
    "\(rival.order)-gram, \(seesSameContext ? "same context" : "longest")"
  }

  /// What the mixture gains on validation words over the better of its parts. Without a mixture:
  /// which n-gram models beat the network on them; nil if none does.
  package func verdict(on losses: SplitLosses, _ mixture: MixtureResult?) -> String? {
    mixture.map { verdict(on: losses, with: $0) } ?? verdict(on: losses)
  }

  private func verdict(on losses: SplitLosses, with mixture: MixtureResult) -> String {
    let counts = baseline.best.losses.validation
    let isNetworkBetter = losses.validation < counts
    let (network, ngram) = ("the network", "the \(baseline.best.order)-gram")
    let (winner, loser) = isNetworkBetter ? (network, ngram) : (ngram, network)
    let rest = min(losses.validation, counts) - mixture.losses.validation
    // λ is held near one half, so on a handful of words the mixture may do worse than the better
    // one.
    let gain = Format.fixed(abs(rest), decimals: 4)
    let outcome = rest < 0 ? "does worse than \(winner) alone by \(gain)" : "gains another \(gain)"
    let share = Int((100 * mixture.mixture.weight).rounded())
    return """
      On validation words \(winner) beats \(loser) by \
      \(Format.fixed(abs(losses.validation - counts), decimals: 4)); a mixture of \(share) % network \
      and \(100 - share) % \(mixture.mixture.order)-gram \(outcome).
      """
  }

  private var rivalClause: String {
    seesSameContext ? "which sees the same context" : "the longest that is counted"
  }

  private func verdict(on losses: SplitLosses) -> String? {
    let best = baseline.best
    guard let bestLead = lead(of: best, on: losses) else { return nil }
    let start = "On validation words the \(best.order)-gram"
    if best == rival {
      return start + ", \(rivalClause), beats the network by \(bestLead)."
    }
    guard let rivalLead = lead(of: rival, on: losses) else {
      return start + " beats the network by \(bestLead); "
        + "the \(rival.order)-gram, \(rivalClause), does not."
    }
    return start + " beats the network by \(bestLead), "
      + "and the \(rival.order)-gram, \(rivalClause), by \(rivalLead)."
  }

  /// How much lower an n-gram's loss is; nil if four decimals do not show it.
  private func lead(of entry: Baseline.Entry, on losses: SplitLosses) -> String? {
    let lead = losses.validation - entry.losses.validation
    return lead >= 0.00005 ? Format.fixed(lead, decimals: 4) : nil
  }
}

/// A network together with counts, and their losses.
package struct MixtureResult: Sendable {
  package let mixture: Mixture
  package let losses: SplitLosses

  package init(_ mixture: Mixture, losses: SplitLosses) {
    (self.mixture, self.losses) = (mixture, losses)
  }

  /// What the network and counts of a run reach together; nil if the run does not mix them, or its
  /// words are not known.
  init?(_ run: RecordedRun) {
    guard let stored = run.checkpoint.mixture, let dataset = run.dataset,
      let predictor = try? run.checkpoint.predictor()
    else { return nil }
    self.init(stored.mixture, losses: predictor.losses(dataset))
  }
}
