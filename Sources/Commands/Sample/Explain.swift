// `sample explain`: what may follow a beginning, as bars, beside what an n-gram model says.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the distribution of the next character, beside the n-gram's.",
    usage: """
      sample explain em
      sample explain ''                    the first character
      sample explain em --top 27 --temperature 0.7
      """
  ).asCalled

  @Argument(help: ArgumentHelp("The beginning of a word.", valueName: "text")) var prefix: String
  @OptionGroup(title: "Model") var source: ModelOptions
  @OptionGroup(title: "Model") var chain: ChainFlags
  @Option(
    help: ArgumentHelp("Characters shown, the likeliest first.", valueName: "n"), in: 1...10_000)
  var top = 12
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let opened = try source.open()
    let (checkpoint, predictor, vocabulary) = (
      opened.checkpoint, opened.predictor, opened.vocabulary
    )
    let ids: [Int32]
    do throws(VocabularyError) {
      ids = try vocabulary.encode(prefix)
    } catch {
      let hint = error.alternative(in: vocabulary).map { " " + $0 } ?? ""
      throw ValidationError("\(prefix): \(error)\(hint)")
    }
    let model = try WordScorer(checkpoint.model, chain.options).distribution(after: ids)
    let ngram = try predictor.counting?.ngram ?? counted(checkpoint, opened.path)
    let counted = ngram?.distribution(after: ids)
    let mixed = try predictor.counting.map { _ in
      try WordScorer(predictor, chain.options).distribution(after: ids)
    }
    opened.announce()
    let leading = mixed ?? model
    let order = leading.indices.sorted { (leading[$1], $0) < (leading[$0], $1) }
    if json {
      let characters = order.map { id -> JSONValue in
        [
          "character": .string(vocabulary.display([Int32(id)])), "network": .number(model[id]),
          "ngram": counted.map { .number($0[id]) } ?? .null,
          "mixture": mixed.map { .number($0[id]) } ?? .null,
        ]
      }
      let object: JSONValue = [
        "model": .string(opened.path), "prefix": .string(prefix),
        "ngram_order": ngram.map { .integer($0.order) } ?? .null, "characters": .array(characters),
      ]
      return try StandardOutput.shared.writeLine(object.encoded())
    }
    var columns = [("network", model)]
    if let ngram, let counted { columns.append(("\(ngram.order)-gram", counted)) }
    if let mixed { columns.insert(("mixture", mixed), at: 0) }
    // All of them fit a screen of 80 columns.
    let width = columns.count > 2 ? 12 : 24
    var table = Table(
      ["next"] + columns.flatMap { [$0.0, ""] },
      leftAligned: Set([0] + columns.indices.map { 2 * $0 + 2 }))
    let longest = columns.compactMap { $0.1.max() }.max() ?? 1
    for id in order.prefix(top) {
      table.add(
        [vocabulary.display([Int32(id)])]
          + columns.flatMap {
            [Format.percent($0.1[id], decimals: 2), bar($0.1[id] / longest, width)]
          })
    }
    try StandardOutput.shared.write(table.text)
  }

  /// The n-gram model of the training words that sees the same context, as far as counting reaches; nil if
  /// there are no words and the network alone is asked for.
  private func counted(
    _ checkpoint: Checkpoint, _ path: String
  ) throws(CommandFailure) -> NGramModel? {
    if source.networkOnly, !checkpoint.words.isComplete { return nil }
    let dataset = try checkpoint.trainingData(path)
    let order = min(checkpoint.model.shape.blockSize + 1, Baseline.orders.upperBound)
    return NGramModel(of: dataset.train, order: order, discounting: .estimated)
  }

  /// A bar of up to `width` columns, in eighths of one; none for what is not a number.
  private func bar(_ share: Double, _ width: Int) -> String {
    guard share.isFinite else { return "" }
    let eighths = Int((share * Double(width) * 8).rounded())
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }
}
