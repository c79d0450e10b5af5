// Kneser-Ney smoothing of counts: what all orders of n-gram models with one way to discount share.
//
// A model's longest contexts count windows, all shorter ones count continuations, so that two sets of
// sums over the tree are enough for the models of every order. The losses of all of them come from one
// walk: the way to a context passes by the contexts of the lower orders.

import RealModule

/// Counts with what smoothing takes from them.
struct KneserNey: Sendable {
  let counts: NGramCounts
  /// For the full context of a model of any order.
  let windows: Level
  /// For all shorter contexts.
  let continuations: Level

  init(_ counts: NGramCounts, _ discounting: Discounting) {
    self.counts = counts
    windows = Level(counts, counts.counts, lengths: 0..<counts.maximumOrder, discounting)
    continuations = Level(
      counts, counts.continuations, lengths: 0..<counts.maximumOrder - 1, discounting)
  }

  /// One kind of counts over all nodes.
  struct Level: Sendable {
    let counts: [Int32]
    /// By the length of the context.
    let discounts: [Discounts]
    /// Σ count over what follows each context: (nodes).
    private(set) var totals: [Double] = []
    /// Σ D(count) / total, what comes from the next shorter context: (nodes).
    private(set) var backoffs: [Double] = []

    init(
      _ tree: NGramCounts, _ counts: [Int32], lengths: Range<Int>, _ discounting: Discounting
    ) {
      self.counts = counts
      discounts = lengths.map { Discounts(discounting, of: counts[tree.entries(ofLength: $0)]) }
      for length in lengths {
        for node in tree.nodes(ofLength: length) {
          var (total, discounted) = (0.0, 0.0)
          for entry in tree.entries(of: node) {
            total += Double(counts[entry])
            discounted += discounts[length].discount(of: counts[entry])
          }
          totals.append(total)
          backoffs.append(discounted / total)
        }
      }
    }

    /// What a context's own counts give the character of an entry: (count − D) / total.
    @inline(__always)
    func share(_ entry: Int, _ node: Int, _ length: Int) -> Double {
      let count = counts[entry]
      return (Double(count) - discounts[length].discount(of: count)) / totals[node]
    }

    /// The probability by a context, from that by the next shorter one; an entry of -1 is none.
    @inline(__always)
    func interpolate(_ shorter: Double, _ entry: Int, _ node: Int, _ length: Int) -> Double {
      let rest = backoffs[node] * shorter
      return entry < 0 ? rest : rest + share(entry, node, length)
    }
  }
}

// MARK: Losses

extension KneserNey {
  /// The mean cross-entropy, in nats per character, of the models of all orders over the windows behind
  /// `contexts`, with each way to smooth the same counts: (smoothings)(contexts.blockSize + 1).
  static func losses(of smoothings: [KneserNey], over contexts: DistinctContexts) -> [[Double]] {
    let counts = smoothings[0].counts
    let length = min(counts.maximumOrder - 1, contexts.blockSize)
    var sums = smoothings.map { _ in [Double](repeating: 0, count: length + 1) }
    var path: [Int] = []
    var entries: [Int] = []
    // In the order of the tree, so that one walk's memory is close to the last one's.
    for row in contexts.rowsReadBackwards() {
      let ids = contexts.contexts[row * contexts.blockSize..<(row + 1) * contexts.blockSize]
      counts.find(ids, length: length, path: &path)
      for window in contexts.targetRange(of: row) {
        counts.find(contexts.targets[window], along: path, entries: &entries)
        let weight = Double(contexts.targetCounts[window])
        for index in smoothings.indices {
          smoothings[index].addLosses(weight, path, entries, to: &sums[index])
        }
      }
    }
    let windowCount = Double(contexts.windowCount)
    return sums.map { $0.map { $0 / windowCount } }
  }

  /// Adds the losses of one character after one context, by context length.
  private func addLosses(
    _ weight: Double, _ path: [Int], _ entries: [Int], to sums: inout [Double]
  ) {
    var shorter = 1 / Double(counts.vocabularyCount)
    for length in 0..<path.count {
      let (entry, node) = (entries[length], path[length])
      sums[length] -= weight * .log(windows.interpolate(shorter, entry, node, length))
      if length + 1 < sums.count {
        shorter = continuations.interpolate(shorter, entry, node, length)
      }
    }
    // Contexts that were never seen are skipped, whatever their length.
    guard path.count < sums.count else { return }
    let loss = weight * .log(shorter)
    for length in path.count..<sums.count { sums[length] -= loss }
  }
}
