// The data report: what there is to know about the list before the losses are believed.

import CharMLP
import CommandSupport

extension ReportPage {
  /// More symbols than this are not listed one by one.
  private static let listedSymbols = 40

  var data: Markup {
    guard let data = findings.data else { return Self.withoutWords }
    let warnings = data.warnings.map { Markup.element("p", ["class": "notice"], $0.text) }
    return warnings.reduce(.empty, +) + facts(data) + parts(data)
      + .element(
        "details", [:],
        [.element("summary", "Alphabet and lengths"), alphabet(data), lengths(data)])
  }

  private func facts(_ data: DataReport) -> Markup {
    let lengths = data.lengths
    return .facts([
      ("words", Markup(Format.count(data.words))),
      ("distinct", Markup(Format.count(data.distinctWords))),
      ("duplicates", Markup(Format.share(data.duplicates, of: data.words))),
      ("duplicates removed", Markup(Format.count(data.duplicatesRemoved))),
      ("symbols", Markup(Format.count(data.symbols.count))),
      (
        "characters in a word",
        Markup("\(lengths.shortest) to \(lengths.longest), median \(lengths.median)")
      ),
    ])
  }

  private func parts(_ data: DataReport) -> Markup {
    let parts = [("train", data.train), ("validation", data.validation), ("test", data.test)]
    return .table(
      ["part", "words", "also in training", "windows", "distinct contexts"],
      parts.map { name, part in
        [
          Markup(name), Markup(Format.count(part.words)),
          Markup(name == "train" ? "" : Format.share(part.wordsInTraining, of: part.words)),
          Markup(Format.count(part.windows)), Markup(Format.count(part.distinctContexts)),
        ]
      })
  }

  private func alphabet(_ data: DataReport) -> Markup {
    let total = data.symbols.reduce(0) { $0 + $1.count }
    let rows = data.symbols.prefix(Self.listedSymbols).map { symbol in
      [
        .word(symbol.scalar.visible), Markup(Format.count(symbol.count)),
        Markup(Format.percent(symbol.count, of: total)), Markup(symbol.isRare ? "rare" : ""),
      ]
    }
    let rest = data.symbols.count - rows.count
    return .table(["symbol", "count", "share", ""], rows, class: "small")
      + (rest > 0 ? .note("… and \(Format.count(rest)) more symbols.") : .empty)
  }

  private func lengths(_ data: DataReport) -> Markup {
    let counts = data.lengths.counts
    let rows = counts.indices.filter { counts[$0] > 0 }.prefix(Self.listedSymbols).map { length in
      [Markup("\(length)"), Markup(Format.share(counts[length], of: data.words))]
    }
    return .table(["characters", "words"], rows, class: "small")
  }
}
