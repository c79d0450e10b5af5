// The command `sample`: what a trained model says about words. Without a subcommand it prints new ones.

import ArgumentParser
import CommandSupport

@main
struct Sample: Command {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Print new words from a trained model, and ask it about words.",
    usage: """
      sample                                 twenty words from the newest run
      sample --count 5 --prefix ma           five words that begin with ma
      sample --suffix ella --novel           that end with ella, not in the training list
      sample --most-likely 10                the ten most probable words
      sample score emma olivia               how probable given words are
      sample explain em                      what may follow, beside the n-gram
      sample evaluate                        how the words compare with held-out ones
      sample words --help                    every flag of the above
      """,
    version: version,
    subcommands: [Words.self, Score.self, Explain.self, Evaluate.self],
    defaultSubcommand: Words.self)
}
