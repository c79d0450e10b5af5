// The embedding map: where training has put the characters.

import CharMLP
import CommandSupport
import LinearAlgebra

extension ReportPage {
  /// More symbols than this cover each other; the most frequent are shown.
  private static let shownSymbols = 150

  var embedding: Markup {
    guard let axes = findings.axes else {
      return .note("The embedding has values that are not finite: there is no map.")
    }
    let kinds = shownIDs.map(kind)
    let hasVowels = kinds.contains(.vowel)
    let rest = "\(hasVowels ? "others" : "symbols"), and the end of a word (\(symbol(0)))"
    let legend: [Figures.Entry] =
      hasVowels
      ? [("12", "vowels, y among them"), ("11", "consonants"), ("15", rest)] : [("15", rest)]
    return figures.figure(
      map(axes), legend: legend, isDiscs: true,
      caption: """
        Each symbol's row of C, projected on the two directions in which the rows vary most: the first \
        explains \(percent(axes.explained(by: 0))) of the variance, the second \
        \(percent(axes.explained(by: 1))). Symbols that are followed by the same come to lie together.\(
          omission)
        """)
  }

  private var shownIDs: [Int] {
    let vocabulary = run.checkpoint.model.vocabulary
    guard vocabulary.count > Self.shownSymbols, let data = findings.data else {
      return Array((0..<vocabulary.count).prefix(Self.shownSymbols))
    }
    return [0]
      + data.symbols.prefix(Self.shownSymbols - 1).compactMap { symbol in
        vocabulary.id(of: symbol.scalar).map(Int.init)
      }
  }

  private var omission: String {
    let count = run.checkpoint.model.vocabulary.count
    return count > Self.shownSymbols
      ? " Of \(Format.count(count)) symbols the \(Self.shownSymbols) most frequent are shown." : ""
  }

  private func map(_ axes: PrincipalAxes) -> Chart {
    let ids = shownIDs
    func file(_ name: String, _ wanted: LetterKind) -> Chart.DataFile {
      let rows = ids.enumerated().filter { kind($0.element) == wanted }.map { label, id in
        [
          Chart.Cell.number(coordinate(axes, id, 0)), .number(coordinate(axes, id, 1)),
          .label(label),
        ]
      }
      return .init(name: name, rows: rows)
    }
    return Chart(
      kind: .embedding,
      description: "The symbols on the first two principal axes of the embedding.",
      files: [file("vowels", .vowel), file("consonants", .consonant), file("others", .other)],
      labels: ids.map(symbol))
  }

  private func coordinate(_ axes: PrincipalAxes, _ id: Int, _ axis: Int) -> Double {
    axis < axes.coordinates.columns ? Double(axes.coordinates[id, axis]) : 0
  }

  private func percent(_ share: Double) -> String {
    Format.fixed(100 * share, decimals: 0) + " %"
  }

  private func kind(_ id: Int) -> LetterKind {
    run.checkpoint.model.vocabulary.symbol(of: Int32(id)).map { LetterKind($0) } ?? .other
  }

  /// A symbol as it shows alone; the end of a word by the vocabulary's sign for it.
  func symbol(_ id: Int) -> String {
    run.checkpoint.model.vocabulary.symbol(of: Int32(id))?.visible
      ?? String(run.checkpoint.model.vocabulary.terminatorSign)
  }
}
