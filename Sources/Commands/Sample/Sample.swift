// The command `sample`: what a trained model says about words. Without a subcommand it prints new
// ones.

import ArgumentParser
import CharMLP
import CommandSupport
import Posix

package struct Sample: Command {
  package static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Print new words from a trained model, and ask it about words.",
    version: version,
    subcommands: [Words.self, Score.self, Explain.self, Evaluate.self],
    defaultSubcommand: Words.self)

  package init() {}

  /// `sample --help` shows the flags that most people look for: those of the default subcommand,
  /// which says that there are others.
  package static func main() {
    let asksForHelp = [["--help"], ["-h"]].contains(Array(processArguments().dropFirst()))
    main(asksForHelp ? ["words", "--help"] : nil)
  }
}

// MARK: Flags that subcommands share

/// `--model`.
struct ModelOptions: ParsableArguments {
  @Option(help: "Run directory or model file. (default: the newest run in runs/)")
  var model: String?
}

/// How the next character's distribution follows from the network's logits.
struct ChainFlags: ParsableArguments {
  @Option(help: "Below 1 the likely becomes likelier, above 1 rarer.", above: 0, upTo: 1000)
  var temperature = 1.0
  @Option(
    help: "Keep the K likeliest characters at every step. (default: all)",
    transform: wholeNumber(in: 1...1_000_000))
  var topK: Int?
  @Option(help: "Keep the likeliest characters that reach this probability.", above: 0, upTo: 1)
  var topP = 1.0

  var options: ChainOptions { ChainOptions(temperature: temperature, topK: topK, topP: topP) }
}

extension Checkpoint {
  /// What to do where the words themselves are needed.
  static var shorterList: String { "Train on a list of at most 16 MB for this." }

  /// The words that the model is trained on.
  ///
  /// - Parameter advice: What to do where the file has only their length and hash.
  /// - Throws: `CommandFailure` (69) if the file carries none, 65 if they are damaged.
  func trainingWords(
    _ path: String, instead advice: String
  ) throws(CommandFailure) -> WordList {
    let list: WordList?
    do throws(ModelFileError) {
      list = try wordList()
    } catch {
      throw error.commandFailure(in: path)
    }
    guard let list else {
      throw CommandFailure(
        .unavailable, "\(path): the word list was too long to be stored in the model's file",
        advice: advice)
    }
    return list
  }
}
