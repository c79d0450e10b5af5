// The command `sample`: new words from a trained model.

import ArgumentParser
import CharMLP
import CommandSupport

@main
struct Sample: Command {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Print new words from a trained model.",
    usage: """
      sample                                 twenty words from the newest run
      sample --count 5 --prefix ma           five words that begin with ma
      sample --model runs/towns --temperature 0.8
      """,
    version: version)

  @Option(help: "Run directory or model file. (default: the newest run in runs/)")
  var model: String?
  @Option(help: "Number of words.", in: 0...1_000_000_000) var count = 20
  @Option(help: "Seed; the same seed gives the same words.", in: 0...UInt64.max)
  var seed: UInt64 = 2_147_483_657
  @Option(help: "Below 1 the likely becomes likelier, above 1 rarer.", above: 0, upTo: 1000)
  var temperature = 1.0
  @Option(help: "What every word begins with.") var prefix = ""
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let source = try ModelSource(model)
    var sampler = try sampler(source.read())
    if json {
      var words: [JSONValue] = []
      for _ in 0..<count { words.append(.string(try sampler.next())) }
      let result: JSONValue = ["model": .string(source.path), "words": .array(words)]
      try StandardOutput.shared.writeLine(result.encoded())
    } else {
      for _ in 0..<count { try StandardOutput.shared.writeLine(sampler.next()) }
    }
  }

  private func sampler(_ model: Model) throws -> Sampler {
    do {
      return try Sampler(model, seed: seed, temperature: temperature, prefix: prefix)
    } catch {
      throw ValidationError("--prefix: \(error)")
    }
  }
}
