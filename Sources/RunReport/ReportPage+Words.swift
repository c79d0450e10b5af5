// Twenty words, and how near they are to what was learned.

import CharMLP
import CommandSupport

extension ReportPage {
  var words: Markup {
    let found = findings.words
    guard !found.rows.isEmpty else {
      return .note("A thousand draws in a row gave no word.")
    }
    return novelty
      + .table(
        ["word", "", "nearest training word", "edits"],
        found.rows.map { row in
          [
            .word(row.word), Markup(row.nearest.map { $0.distance == 0 ? "known" : "new" } ?? ""),
            row.nearest.map { .word($0.word) } ?? .empty,
            Markup(row.nearest.map { "\($0.distance)" } ?? ""),
          ]
        }, words: [0, 1, 2])
  }

  private var novelty: Markup {
    guard let unknown = findings.words.unknown else { return Self.withoutWords }
    return .paragraph(
      """
      Of \(Format.count(findings.words.drawn)) words that the network made, \
      \(Format.share(unknown, of: findings.words.drawn)) do not stand in the training list. The first \
      twenty, each with the nearest training word: how many characters to insert, delete or replace.
      """)
  }
}
