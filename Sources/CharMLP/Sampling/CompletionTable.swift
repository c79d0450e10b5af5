// How probable it is that a word which is not finished yet will end as asked.
//
// By backward recursion over (context, automaton state): what the next character adds is what it leads to,
//   h(c, a) = Σₓ p(x | c) · h(c x, δ(a, x)) + p(end | c) · [a accepts].
// With a longest length there is one layer for each number of characters that may still come, until two
// layers agree; without one there is a single layer, the recursion's smallest fixed point. Before the
// shortest length a layer for each length forbids the end. Only positive terms are added: nothing cancels,
// and what is zero is impossible.

/// h by layer, automaton state and context.
struct CompletionTable: Sendable {
  /// h, by automaton state and context, with a state of zeros at the end for the dead one.
  /// (layers)(states + 1, contexts)
  private(set) var layers: [[Double]] = []
  /// The layer for the shortest length: the first that may end. Those before it forbid the end.
  private let forcedCount: Int
  /// The layer with most characters to come.
  private let last: Int
  private let minLength: Int
  private let maxLength: Int?

  /// Layers of all but a few words' weight agree to this relative precision.
  static let tolerance = 1e-14
  /// The most numbers that all layers together may hold: 256 MB.
  static let entryLimit = 32_000_000
  /// The most terms that are added up in search of the fixed point: some seconds' worth.
  private static let termLimit = 2_000_000_000

  /// Nil if the layers would need too much memory, or the fixed point too many sweeps.
  init?(_ chain: ExploredChain, _ language: WordLanguage) {
    let sweep = Sweep(chain, language.automaton)
    minLength = language.minLength
    maxLength = language.maxLength
    let first = language.prefix.count
    forcedCount = max(0, language.minLength - first)
    let limit = Self.entryLimit / sweep.zeros.count - forcedCount
    guard limit >= 1 else { return nil }
    // Free layers by the number of characters to come, 0, 1, …; or the fixed point alone.
    var free: [[Double]] = []
    if let maxLength = language.maxLength {
      var next = sweep.zeros
      for _ in 0...maxLength - max(first, language.minLength) {
        guard free.count < limit else { return nil }
        let layer = sweep.layer(before: next, mayEnd: true)
        if Self.agree(layer, next) { break }
        free.append(layer)
        next = layer
      }
      if free.isEmpty { free = [sweep.zeros] }
    } else {
      guard let fixed = sweep.fixedPoint(termLimit: Self.termLimit) else { return nil }
      free = [fixed]
    }
    last = free.count - 1
    layers = free
    for _ in 0..<forcedCount {
      layers.append(sweep.layer(before: layers[layers.count - 1], mayEnd: false))
    }
  }

  /// The layer of words that have `length` characters so far.
  @inline(__always)
  func layer(ofLength length: Int) -> Int {
    if length < minLength { return last + (minLength - length) }
    guard let maxLength else { return last }
    return min(last, maxLength - length)
  }

  private static func agree(_ left: [Double], _ right: [Double]) -> Bool {
    zip(left, right).allSatisfy { abs($0 - $1) <= tolerance * $0 }
  }
}

/// One step of the recursion over all states.
private struct Sweep {
  let zeros: [Double]
  private let chain: ExploredChain
  private let automaton: ConstraintAutomaton
  private var contexts: Int { chain.contexts }

  init(_ chain: ExploredChain, _ automaton: ConstraintAutomaton) {
    self.chain = chain
    self.automaton = automaton
    zeros = Array(repeating: 0, count: (automaton.count + 1) * chain.contexts)
  }

  /// The layer with one character more to come than `next`.
  func layer(before next: [Double], mayEnd: Bool) -> [Double] {
    var layer = zeros
    for state in 0..<automaton.count {
      let ending = mayEnd && automaton.accepts[state] ? 1.0 : 0
      let targets = targets(of: state)
      for context in 0..<contexts {
        layer[state * contexts + context] = value(
          context, targets.span, ending, next.span)
      }
    }
    return layer
  }

  /// The smallest h with h = layer(before: h), by sweeps in place from zero; nil if they do not settle.
  func fixedPoint(termLimit: Int) -> [Double]? {
    var h = zeros
    let sweepLimit = termLimit / (zeros.count * automaton.vocabularyCount)
    let targets = (0..<automaton.count).map { self.targets(of: $0) }
    for _ in 0..<sweepLimit {
      var hasChanged = false
      for state in (0..<automaton.count).reversed() {
        let ending = automaton.accepts[state] ? 1.0 : 0
        let place = state * contexts
        let rows = targets[state]
        for context in 0..<contexts {
          let new = value(context, rows.span, ending, h.span)
          if abs(new - h[place + context]) > CompletionTable.tolerance * new { hasChanged = true }
          h[place + context] = new
        }
      }
      if !hasChanged { return h }
    }
    return nil
  }

  /// Where the layer's values of the state after each character begin.  (vocabulary)
  private func targets(of state: Int) -> [Int] {
    (0..<automaton.vocabularyCount).map { automaton.next(state, $0) * contexts }
  }

  @inline(__always)
  private func value(
    _ context: Int, _ targets: Span<Int>, _ ending: Double, _ next: Span<Double>
  ) -> Double {
    let row = context * automaton.vocabularyCount
    let probabilities = chain.probabilities.span
    let successors = chain.successors.span
    var sum = probabilities[row] * ending
    for id in 1..<automaton.vocabularyCount {
      sum += probabilities[row + id] * next[targets[id] + Int(successors[row + id])]
    }
    return sum
  }
}
