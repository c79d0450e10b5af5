// What is computed for a page from a run's model and its words: losses, counts, diagnostics, new
// words, and what the live generator draws from.
//
// Everything is drawn with seeds that follow from the recipe's, so that a run's report is always
// the same.

import CharMLP
import CommandSupport
import FoundationEssentials
import LinearAlgebra
import OrderedJSON
import Posix

/// The measurements behind a page; what the words are needed for is nil where they are not stored.
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

  /// - Parameter progress: Called with what is computed now.
  init(_ run: RecordedRun, progress: (String) -> Void) {
    let (model, recipe) = (run.checkpoint.model, run.checkpoint.recipe)
    progress("evaluating the network")
    losses = run.dataset.map { SplitLosses(model, $0) }
    let predictor = (try? run.checkpoint.predictor()) ?? Predictor(model)
    self.predictor = predictor
    mixture = MixtureResult(run)
    progress("counting n-grams")
    baseline = run.dataset.map {
      BaselineComparison(Baseline($0), blockSize: recipe.blockSize)
    }
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

  /// Up to so many parameters 32 windows are checked, else half as many: each is passed through
  /// hundreds of times.
  private static let smallNetwork = 50_000
  private static let parameterLimit = 1_000_000
}

extension MixtureResult {
  /// What the network and counts of a run reach together; nil if the run does not mix them, or its
  /// words are not known.
  init?(_ run: RecordedRun) {
    guard let stored = run.checkpoint.mixture, let dataset = run.dataset,
      let predictor = try? run.checkpoint.predictor()
    else { return nil }
    self.init(stored.mixture, losses: predictor.losses(dataset))
  }
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
  /// Of how many words novelty was counted.
  let drawn: Int
  /// How many of them do not stand in the training list; nil if the list is not known.
  let unknown: Int?

  private static let shown = 20
  private static let counted = 1000

  init(_ model: Predictor, _ dataset: Dataset?, seed: UInt64) {
    var request = Sampler.Request(seed: seed)
    if let dataset, !dataset.isSample { request.constraints.keepEnds(of: dataset.words) }
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

// MARK: - The live generator's network and words
//
// As JSON, with probabilities for the script's self-check. Tensors are little-endian Float32 in
// base64, batch norm's statistics among them: the script folds nothing, so its lines read like the
// derivation. Of the n-gram model that a run mixes in there are the words, which the script counts,
// and the discounts. A list that is too long for a page is left out, and the network stands alone.

/// The JSON of the live generator.
struct GeneratorData {
  private let predictor: Predictor
  private let dataset: Dataset?
  private let hasWords: Bool

  /// Limits on the self-check, which should be small beside the network.
  private static let checkedNumbers = 4000
  private static let checkedContexts = 64
  /// The most bytes of words in a page.
  private static let wordBytes = 1_000_000

  init(_ predictor: Predictor, _ dataset: Dataset?) {
    hasWords = (dataset?.words.utf8.count ?? .max) <= Self.wordBytes
    self.predictor = hasWords ? predictor : Predictor(predictor.model)
    self.dataset = dataset
  }

  /// Whether the generator draws from the network together with counts.
  var isMixed: Bool { predictor.counting != nil }

  var json: JSONValue {
    let model = predictor.model
    let shape = model.shape
    let tensors =
      Parameters<Float>.ordered.map {
        (key: $0.name, value: base64(model.parameters[keyPath: $0.path]))
      }
      + [
        (key: "bnmean", value: base64(model.statistics.bnmean)),
        (key: "bnvar", value: base64(model.statistics.bnvar)),
      ]
    let contexts = contexts
    let symbols = model.vocabulary.symbols
    var constraints = WordConstraints()
    if let dataset, !dataset.isSample { constraints.keepEnds(of: dataset.words) }
    func ids(_ set: Set<Int32>) -> JSONValue { .array(set.sorted().map { .integer(Int($0)) }) }
    return [
      "symbols": .array(symbols.map { .string(String($0)) }),
      "shown": .array(symbols.map { .string($0.visible) }),
      "neverFirst": ids(constraints.neverFirst(model.vocabulary)),
      "neverLast": ids(constraints.neverLast(model.vocabulary)),
      "blockSize": .integer(shape.blockSize),
      "contextLength": .integer(predictor.contextLength),
      "embedding": .integer(shape.embedding),
      "hidden": .integer(shape.hidden),
      "tensors": .object(tensors),
      "counting": counting,
      "words": words,
      "checks": [
        "contexts": .string(Self.base64(contexts.map { UInt32(bitPattern: $0) })),
        "probabilities": .string(Self.base64(probabilities(contexts).map(\.bitPattern))),
      ],
    ]
  }

  private var counting: JSONValue {
    guard let counting = predictor.counting else { return .null }
    return [
      "weight": .number(counting.weight),
      "order": .integer(counting.ngram.order),
      "discounts": .array(
        counting.ngram.discounts.map { .array($0.map { .number($0) }) }),
    ]
  }

  /// The words that train, which are counted, and the others of the list, a line for each.
  private var words: JSONValue {
    guard hasWords, let dataset else { return .null }
    let (list, split) = (dataset.words, dataset.split)
    func lines(_ selection: ArraySlice<Int>) -> JSONValue {
      .string(selection.map { list[$0] }.joined(separator: "\n"))
    }
    return [
      "train": lines(split.train), "others": lines((split.validation + split.test)[...]),
    ]
  }

  /// The start of a word, and windows spread over the validation words.  (contexts · contextLength)
  private var contexts: [Int32] {
    let length = predictor.contextLength
    let count = max(
      2, min(Self.checkedContexts, Self.checkedNumbers / predictor.model.shape.vocabulary))
    let start = Array(repeating: Vocabulary.terminator, count: length)
    guard let dataset else { return start }
    let windows = ContextWindows(dataset.validation, blockSize: length)
    let spread = (1..<count).flatMap { index in
      Array(windows.context(of: index * (windows.count - 1) / count))
    }
    return start + spread
  }

  /// The distributions after contexts, each on its own.  (contexts, vocabulary)
  private func probabilities(_ contexts: [Int32]) -> [Float] {
    let scorer = WordScorer(predictor)
    let length = predictor.contextLength
    return stride(from: 0, to: contexts.count, by: length).flatMap { start in
      scorer.distribution(after: Array(contexts[start..<start + length])).map { Float($0) }
    }
  }

  private func base64(_ matrix: Matrix<Float>) -> JSONValue {
    .string(Self.base64(matrix.elements.map(\.bitPattern)))
  }

  private static func base64(_ words: [UInt32]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * words.count)
    for word in words {
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return Data(bytes).base64EncodedString()
  }
}
