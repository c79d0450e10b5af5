// The top of the page: what was trained on what, four numbers, and whether counting is better.

import CharMLP
import CommandSupport

extension ReportPage {
  var lead: Markup {
    let recipe = run.checkpoint.recipe
    let step = run.checkpoint.training.step
    var text = ""
    if let data = findings.data {
      text =
        "\(Format.counted(data.words, "word")) of \(Format.counted(data.symbols.count, "symbol")), "
    }
    text += """
      \(Format.count(run.checkpoint.model.parameters.count)) parameters: block \(recipe.blockSize), \
      embedding \(recipe.embedding), hidden \(recipe.hidden). \
      \(Format.count(step)) of \(Format.count(recipe.steps)) steps with \(recipe.batchSize) windows each.
      """
    return Markup(text)
  }

  var tiles: Markup {
    var tiles: [Markup] = []
    func add(_ value: String, _ name: String) {
      tiles.append(
        .element("div", ["class": "tile"], [.element("b", value), .element("span", name)]))
    }
    if let losses = findings.losses {
      let perplexity = SplitLosses.perplexity(losses.validation)
      add(
        Format.fixed(losses.validation, decimals: 3),
        "validation loss, perplexity \(Format.fixed(perplexity, decimals: 2))")
    }
    if let best = findings.baseline?.baseline.best {
      add(
        Format.fixed(best.losses.validation, decimals: 3),
        "validation loss of the best counting, a \(best.order)-gram")
    }
    if let unknown = findings.words.unknown, findings.words.drawn > 0 {
      add(
        Format.percent(unknown, of: findings.words.drawn),
        "of its words are not in the training list")
    }
    if let seconds = run.metrics.last?.seconds {
      let rate = run.description.number("steps_per_second").map { ", \(Format.rate($0, "steps"))" }
      add(Format.duration(seconds: seconds), "in training steps\(rate ?? "")")
    }
    return .element("div", ["class": "tiles"], tiles)
  }

  /// Whether plain counting predicts better, in a sentence.
  var verdict: Markup {
    guard let losses = findings.losses, let baseline = findings.baseline else { return .empty }
    return .paragraph(
      baseline.verdict(losses)
        ?? "On validation words the network is better than every n-gram model.")
  }

  var notices: Markup {
    var notices: [String] = []
    if let notice = figures.notice { notices.append(notice) }
    let step = run.checkpoint.training.step
    if run.isBest {
      notices.append(
        "The model is the best by validation, of step \(Format.count(step)), not the last.")
    } else if !run.checkpoint.isFinished {
      notices.append(
        "The model is that of step \(Format.count(step)), not the end of its training.")
    }
    return notices.map { Markup.element("p", ["class": "notice"], $0) }.reduce(.empty, +)
  }
}
