// In which form words are printed.

import ArgumentParser

/// `--format` and `--json`.
struct WordFormat: ParsableArguments {
  enum Form: String, CaseIterable, ExpressibleByArgument {
    case text, json, tsv
  }

  @Option(
    help: ArgumentHelp(
      "text: a word a line; tsv: word and log-probability; json: an object a line with both."))
  var format = Form.text
  @Flag(help: "Print one JSON object with all words instead.") var json = false

  func validate() throws {
    if json && format != .text {
      throw ValidationError("--json prints one object; leave --format \(format.rawValue) out")
    }
  }
}
