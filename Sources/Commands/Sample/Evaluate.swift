// `sample evaluate`: how a model's words compare with words that it was not trained on.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare new words with held-out ones: novelty, lengths, bigrams, nearest words.",
    usage: """
      sample evaluate
      sample evaluate --count 100000 --temperature 0.8
      """)

  @OptionGroup var source: ModelOptions
  @Option(help: "Number of words.", in: 1...10_000_000) var count = 10_000
  @Option(help: "Seed; the same seed gives the same words.", in: 0...UInt64.max)
  var seed: UInt64 = Recipe().samplingSeed
  @OptionGroup var chain: ChainFlags
  @Option(help: "New words that are shown with the nearest training word.", in: 0...1000)
  var nearest = 10
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let (options, source) = (source, try ModelSource(source.model))
    let checkpoint = try source.checkpoint()
    let list = try checkpoint.trainingWords(source.path, instead: Checkpoint.shorterList)
    let dataset: Dataset
    do throws(DatasetError) {
      dataset = try Dataset(list, checkpoint.recipe, memoryLimit: Host.availableMemory)
    } catch {
      throw error.commandFailure(in: source.path)
    }
    var request = Sampler.Request(seed: seed)
    request.chain = chain.options
    var sampler = try Sampler(options.predictor(checkpoint, source.path), request)
    var words: [[Int32]] = []
    var word = DrawnWord()
    for _ in 0..<count {
      try sampler.next(into: &word)
      words.append(word.ids)
    }
    let report = SampleReport(words, dataset, neighbourCount: nearest)
    try StandardOutput.shared.write(
      json ? report.json(source.path).encoded() + "\n" : report.text)
  }
}

extension SampleReport {
  private var columns: [(name: String, words: Words)] {
    [("sampled", sampled), ("training", training), ("held out", heldOut)]
  }

  fileprivate var text: String {
    var table = Table([""] + columns.map(\.name))
    func row(_ title: String, _ value: (Words) -> String) {
      table.add([title] + columns.map { value($0.words) })
    }
    func percent(_ share: Double) -> String { Format.fixed(100 * share, decimals: 1) + " %" }
    row("words") { Format.count($0.statistics.count) }
    row("not among the training words") { percent($0.novel) }
    row("distinct") { percent($0.distinct) }
    row("mean length") { Format.fixed($0.statistics.meanLength, decimals: 2) }
    row("lengths, bits from held out") { Format.fixed($0.lengthDivergence, decimals: 5) }
    row("bigrams, bits from held out") { Format.fixed($0.bigramDivergence, decimals: 5) }
    guard !neighbours.isEmpty else { return table.text }
    var pairs = Table(["new word", "nearest training word", "changes"], leftAligned: [0, 1])
    for pair in neighbours { pairs.add([pair.word, pair.nearest, "\(pair.distance)"]) }
    return table.text + "\n" + pairs.text
  }

  fileprivate func json(_ path: String) -> JSONValue {
    let parts = columns.map { name, words -> (key: String, value: JSONValue) in
      let value: JSONValue = [
        "words": .integer(words.statistics.count), "novel": .number(words.novel),
        "distinct": .number(words.distinct),
        "mean_length": .number(words.statistics.meanLength),
        "length_divergence": .number(words.lengthDivergence),
        "bigram_divergence": .number(words.bigramDivergence),
      ]
      return (key: name == "held out" ? "held_out" : name, value: value)
    }
    let pairs = neighbours.map { pair -> JSONValue in
      [
        "word": .string(pair.word), "nearest": .string(pair.nearest),
        "distance": .integer(pair.distance),
      ]
    }
    return .object(
      [(key: "model", value: .string(path))] + parts + [(key: "nearest", value: .array(pairs))])
  }
}
