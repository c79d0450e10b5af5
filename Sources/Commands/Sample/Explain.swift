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
    let (options, source) = (source, try ModelSource(source.model))
    let checkpoint = try source.checkpoint()
    let predictor = try options.predictor(checkpoint, source.path)
    let vocabulary = checkpoint.model.vocabulary
    let ids: [Int32]
    do throws(VocabularyError) {
      ids = try vocabulary.encode(prefix)
    } catch {
      let hint = error.alternative(in: vocabulary).map { " " + $0 } ?? ""
      throw ValidationError("\(prefix): \(error)\(hint)")
    }
    let model = try WordScorer(checkpoint.model, chain.options).distribution(after: ids)
    let ngram = try predictor.counting?.ngram ?? counted(checkpoint, source.path)
    let counted = ngram.distribution(after: ids)
    let mixed = try predictor.counting.map { _ in
      try WordScorer(predictor, chain.options).distribution(after: ids)
    }
    let leading = mixed ?? model
    let order = leading.indices.sorted { (leading[$1], $0) < (leading[$0], $1) }
    if json {
      let characters = order.map { id -> JSONValue in
        [
          "character": .string(vocabulary.display([Int32(id)])), "network": .number(model[id]),
          "ngram": .number(counted[id]), "mixture": mixed.map { .number($0[id]) } ?? .null,
        ]
      }
      let object: JSONValue = [
        "model": .string(source.path), "prefix": .string(prefix),
        "ngram_order": .integer(ngram.order), "characters": .array(characters),
      ]
      return try StandardOutput.shared.writeLine(object.encoded())
    }
    var columns = [("network", model), ("\(ngram.order)-gram", counted)]
    if let mixed { columns.insert(("both", mixed), at: 0) }
    var table = Table(
      ["next"] + columns.flatMap { [$0.0, ""] },
      leftAligned: Set([0] + columns.indices.map { 2 * $0 + 2 }))
    let longest = columns.compactMap { $0.1.max() }.max() ?? 1
    for id in order.prefix(top) {
      table.add(
        [vocabulary.display([Int32(id)])]
          + columns.flatMap { [percent($0.1[id]), bar($0.1[id] / longest)] })
    }
    try StandardOutput.shared.write(table.text)
  }

  /// The n-gram model of the training words that sees the same context, as far as counting reaches.
  private func counted(_ checkpoint: Checkpoint, _ path: String) throws -> NGramModel {
    let words = try checkpoint.trainingWords(path, instead: Checkpoint.shorterList)
    do throws(DatasetError) {
      let dataset = try Dataset(
        words, checkpoint.recipe, memoryLimit: Host.availableMemory)
      let order = min(checkpoint.model.shape.blockSize + 1, Baseline.orders.upperBound)
      return NGramModel(of: dataset.train, order: order, discounting: .estimated)
    } catch {
      throw error.commandFailure(in: path)
    }
  }

  private func percent(_ probability: Double) -> String {
    Format.fixed(100 * probability, decimals: 2) + " %"
  }

  /// A bar of up to 24 columns, in eighths of one; none for what is no number.
  private func bar(_ share: Double) -> String {
    guard share.isFinite else { return "" }
    let eighths = Int((share * 24 * 8).rounded())
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }
}
