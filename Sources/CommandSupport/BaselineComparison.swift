// How a trained network compares with n-gram models: the table that ends every run.
//
// The table does not flatter: its n-gram models are the best of their kind by validation, and if
// one of them predicts better than the network, a sentence says so.

public import CharMLP
public import OrderedJSON

/// The n-gram baseline beside a network with a given block size.
public struct BaselineComparison: Sendable {
  public let baseline: Baseline
  /// The n-gram that sees the network's context.
  public let rival: Baseline.Entry
  /// The size of the sample that the n-grams count, if they do not count all training words.
  public let sampleSize: Int?

  /// Chooses the n-gram that sees the network's context.
  public init(_ baseline: Baseline, blockSize: Int, sampleSize: Int? = nil) {
    self.baseline = baseline
    self.sampleSize = sampleSize
    rival = baseline.best(forBlockSize: blockSize)
  }

  /// All models, in the order of the baseline.
  public var json: JSONValue {
    .array(
      baseline.entries.map { entry in
        .object(
          [
            (key: "order", value: .integer(entry.order)),
            (key: "discount", value: .string(entry.discounting.rawValue)),
          ] + entry.losses.json)
      })
  }

  /// The table, followed by the verdict on the mixture, or if an n-gram model is better.
  ///
  /// - Parameter columns: The width of lines.
  public func text(
    beside losses: TrainedLosses, _ mixture: MixtureResult? = nil, columns: Int = 80
  ) -> String {
    let note = sampleSize.map {
      "All losses are over a sample of \(Format.counted($0, "word")), and so are the n-grams' counts."
    }
    let verdict =
      mixture.map { self.verdict(of: $0, losses.preferred) } ?? verdict(losses.preferred)
    let sentences = [note, verdict].compactMap { $0 }
      .flatMap { Format.wrapped($0, columns: columns) }
    return table(losses, mixture) + sentences.map { $0 + "\n" }.joined()
  }

  private func table(_ losses: TrainedLosses, _ mixture: MixtureResult?) -> String {
    var table = Table(
      ["loss (perplexity)", "discount", "train", "validation", "test"], leftAligned: [0, 1])
    func add(_ name: String, _ discount: String, _ losses: SplitLosses) {
      let parts = [losses.train, losses.validation, losses.test]
      table.add([name, discount] + parts.map(Self.cell))
    }
    if let best = losses.best {
      add("network, step \(Format.count(best.step))", "", best.losses)
      add("network, last step", "", losses.last)
    } else {
      add("network", "", losses.last)
    }
    add("\(rival.order)-gram, same context", rival.discounting.rawValue, rival.losses)
    let best = baseline.best
    if best != rival { add("\(best.order)-gram, best", best.discounting.rawValue, best.losses) }
    if let mixture { add("mixture", mixture.mixture.discounting.rawValue, mixture.losses) }
    return table.text
  }

  /// What the mixture gains on validation words over the better of its parts.
  public func verdict(of mixture: MixtureResult, _ losses: SplitLosses) -> String {
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

  /// A loss with its perplexity.
  public static func cell(_ loss: Double) -> String {
    "\(Format.fixed(loss, decimals: 4)) (\(Format.fixed(SplitLosses.perplexity(loss), decimals: 2)))"
  }

  /// Which n-gram models beat the network on validation words; nil if none does.
  public func verdict(_ losses: SplitLosses) -> String? {
    let best = baseline.best
    guard let bestLead = lead(of: best, on: losses) else { return nil }
    let start = "On validation words the \(best.order)-gram"
    if best == rival {
      return start + ", which sees the same context, beats the network by \(bestLead)."
    }
    guard let rivalLead = lead(of: rival, on: losses) else {
      return start + " beats the network by \(bestLead); "
        + "the \(rival.order)-gram, which sees the same context, does not."
    }
    return start + " beats the network by \(bestLead), "
      + "and the \(rival.order)-gram, which sees the same context, by \(rivalLead)."
  }

  /// How much lower an n-gram's loss is; nil if four decimals do not show it.
  private func lead(of entry: Baseline.Entry, on losses: SplitLosses) -> String? {
    let lead = losses.validation - entry.losses.validation
    return lead >= 0.00005 ? Format.fixed(lead, decimals: 4) : nil
  }
}

extension SplitLosses {
  /// The three losses under their keys.
  public var json: [(key: String, value: JSONValue)] {
    [
      (key: "train", value: .number(train)), (key: "val", value: .number(validation)),
      (key: "test", value: .number(test)),
    ]
  }
}

/// A mixture and its losses.
public struct MixtureResult: Sendable {
  public let mixture: Mixture
  public let losses: SplitLosses

  public init(_ mixture: Mixture, losses: SplitLosses) {
    (self.mixture, self.losses) = (mixture, losses)
  }

  public var json: JSONValue {
    .object(
      [
        (key: "weight", value: .number(mixture.weight)),
        (key: "order", value: .integer(mixture.order)),
        (key: "discount", value: .string(mixture.discounting.rawValue)),
      ] + losses.json)
  }
}

// MARK: Losses of a finished run

/// The losses of a run's last model and of its best by validation.
public struct TrainedLosses {
  public let last: SplitLosses
  /// Those of the best model, unless that is the last.
  public let best: (step: Int, losses: SplitLosses)?

  public var preferred: SplitLosses { best?.losses ?? last }

  public init(last: SplitLosses, best: (step: Int, losses: SplitLosses)?) {
    (self.last, self.best) = (last, best)
  }
}
