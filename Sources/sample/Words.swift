// `sample words`: new words from a trained model, as they are asked for.

import ArgumentParser
import CharMLP
import CommandSupport

struct Words: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print new words from a trained model, and ask it about words.",
    usage: """
      sample                                 twenty words from the newest run
      sample --count 5 --prefix ma           five words that begin with ma
      sample --suffix ella --max-length 8 --novel --unique
      sample --temperature 0.8 --top-p 0.95 --min-length 4
      sample --count 1000000 --format tsv | head
      sample --most-likely 10 --contains qu  the ten most probable words that contain qu
      sample score emma olivia               how probable given words are
      sample explain em                      what may follow, beside the n-gram
      sample evaluate                        how the words compare with held-out ones
      """,
    discussion: """
      These are the flags for drawing words. score, explain and evaluate have their own: see \
      'sample score --help' and so on.
      """)

  @OptionGroup var source: ModelOptions
  @Option(help: "Number of words.", in: 0...1_000_000_000) var count = 20
  @Option(help: "Seed; the same seed gives the same words.", in: 0...UInt64.max)
  var seed: UInt64 = 2_147_483_657
  @OptionGroup var chain: ChainFlags
  @OptionGroup var constraints: ConstraintFlags
  @Flag(help: "No word twice.") var unique = false
  @Option(help: "Most characters drawn in search of one word.", in: 1...1_000_000_000_000)
  var budget = 1_000_000
  @Option(
    help: "The N most probable words instead of random ones, most probable first.",
    transform: wholeNumber(in: 1...1_000_000))
  var mostLikely: Int?
  @Option(
    help: "Threads; the words do not depend on them. (default: the cores available)",
    transform: wholeNumber(in: 1...1024))
  var threads: Int?
  @OptionGroup var output: WordFormat

  func run() throws {
    let source = try ModelSource(source.model)
    let checkpoint = try source.checkpoint()
    let forbidden = try constraints.forbidden(checkpoint, source.path)
    var request = Sampler.Request(seed: seed)
    request.chain = chain.options
    request.constraints = constraints.constraints
    request.forbidden = forbidden
    request.isUnique = unique
    request.budget = budget
    var output = WordOutput(output, source.path, checkpoint.model.vocabulary)
    let failure: SamplingError?
    do {
      try output.begin()
      let take = { (piece: WordPiece) throws(CommandFailure) in try output.take(piece) }
      if let mostLikely {
        failure = try MostLikelyWords(checkpoint.model, request)
          .spell(mostLikely, output.spelling, take: take)
      } else {
        failure = try SamplerTeam(
          checkpoint.model, request, threads: threads ?? availableCores()
        ).spell(count, output.spelling, take: take)
      }
    } catch let error as ConstraintError {
      throw ValidationError("\(error)")
    }
    try output.end(mostLikely ?? count, failure)
  }
}
