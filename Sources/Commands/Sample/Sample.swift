// The command `sample`: what a trained model says about words. Without a subcommand it prints new
// ones.

import ArgumentParser
import CharMLP
import CommandSupport
import Posix
import Synchronization

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
  package static func reordered(_ arguments: [String]) -> [String] {
    if arguments.first == "help" { return reordered(arguments.dropFirst() + ["--help"]) }
    let asksForHelp = [["--help"], ["-h"], ["--help-hidden"]].contains(arguments)
    return asksForHelp ? ["words"] + arguments : WordArguments.reordered(arguments)
  }

  /// A run or a model file is one for `--model`, anything else a word to score.
  package static func suggestion(forUnknown word: String) -> String? {
    let isModel = FileSystem.exists(word) || word.ends(with: ".safetensors")
    return (isModel ? "--model " : "score ") + shellWord(word)
  }
}

/// What manual pages and completion scripts show of `sample`: the flags that it takes without a
/// subcommand, beside the other subcommands. It is never run.
package struct SampleOutline: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: Sample._commandName, abstract: Sample.configuration.abstract, version: version,
    subcommands: Sample.configuration.subcommands.filter { $0 != Words.self })
  @OptionGroup var words: Words

  package init() {}
}

// MARK: Flags that subcommands share

/// Which model, how much of it, and how its distributions are changed.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run directory or model file. (default: the newest in runs/)", valueName: "run"),
    completion: .models)
  var model: String?
  @Flag(help: "The network without the counts mixed with it.") var networkOnly = false
  @Option(
    help: ArgumentHelp("Below 1, likely characters become likelier. (default: 1)", valueName: "x"),
    transform: temperatureAboveZero)
  var temperature = 1.0
  @Option(
    help: ArgumentHelp("Keep the n likeliest at every step. (default: all)", valueName: "n"),
    transform: wholeNumber(in: 1...1_000_000))
  var topK: Int?
  @Option(
    help: ArgumentHelp("Keep the likeliest that together reach x.", valueName: "x"), above: 0,
    upTo: 1)
  var topP = 1.0

  /// How the next character's distribution follows from the network's logits.
  var chain: ChainOptions { ChainOptions(temperature: temperature, topK: topK, topP: topP) }

  func validate() throws {
    if model == "" { throw ValidationError("--model must name a run or a model file") }
  }

  /// Reads the model that is named, or the newest.
  ///
  /// - Throws: `CommandFailure`: 66 if it cannot be read, 65 if it is not a model or the words to
  ///   count are damaged, 76 if it is too new.
  func open() throws(CommandFailure) -> OpenedModel {
    let source = try ModelSource(model)
    let checkpoint = try source.checkpoint()
    do throws(ModelFileError) {
      let predictor = try networkOnly ? Predictor(checkpoint.model) : checkpoint.predictor()
      return OpenedModel(source: source, checkpoint: checkpoint, predictor: predictor)
    } catch {
      throw error.commandFailure(in: source.path)
    }
  }
}

/// A model that was read, and what predicts with it.
struct OpenedModel {
  let source: ModelSource
  let checkpoint: Checkpoint
  let predictor: Predictor

  var path: String { source.path }

  /// Says which run this is if the user named none: after whatever may be refused, before the
  /// results.
  func announce() { source.announceNewest(checkpoint) }

  var vocabulary: Vocabulary { checkpoint.model.vocabulary }
}

/// A temperature; for 0 the message says what gives the likeliest.
@Sendable private func temperatureAboveZero(_ text: String) throws -> Double {
  do {
    return try decimalNumber(in: Double.leastNonzeroMagnitude...1000)(text)
  } catch {
    guard Double(text) == 0 else { throw error }
    throw ValidationError(
      "\(error); for the likeliest character at every step use --top-k 1, for the likeliest words "
        + "--most-likely N")
  }
}

// MARK: The order of the arguments

/// Arguments that are taken before ArgumentParser sees them: its time grows with the square of the
/// number of words.
enum WordArguments {
  private static let words = Mutex<[String]>([])

  /// The words after the first that `score` was given.
  static var others: [String] { words.withLock { $0 } }

  private static let flagsOfAll = ["--model", "--temperature", "--top-k", "--top-p"]
  private static let switchesOfAll = ["--network-only"]
  private static let subcommands = ["words", "score", "explain", "evaluate"]

  /// The arguments with the subcommand moved before flags that all subcommands share, and for
  /// `score` with only the first word.
  static func reordered(_ arguments: [String]) -> [String] {
    var flags = 0
    while flags < arguments.count {
      if flagsOfAll.contains(arguments[flags]) {
        flags += 2
      } else if switchesOfAll.contains(arguments[flags])
        || flagsOfAll.contains(where: { arguments[flags].begins(with: $0 + "=") })
      {
        flags += 1
      } else {
        break
      }
    }
    guard flags < arguments.count, subcommands.contains(arguments[flags]) else { return arguments }
    let rest = arguments[..<flags] + arguments[(flags + 1)...]
    guard arguments[flags] == "score" else { return [arguments[flags]] + rest }
    return ["score"] + takingWords(from: Array(rest))
  }

  /// What is left for ArgumentParser: flags, their values, and the first word.
  private static func takingWords(from arguments: [String]) -> [String] {
    var (left, found): ([String], [String]) = ([], [])
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      if argument == "--" {
        found += arguments[(index + 1)...]
        break
      }
      if argument.begins(with: "-"), argument != "-" {
        left.append(argument)
        let takesValue = (flagsOfAll + ["--format"]).contains(argument)
        if takesValue, index + 1 < arguments.count {
          index += 1
          left.append(arguments[index])
        }
      } else {
        found.append(argument)
      }
      index += 1
    }
    guard let first = found.first else { return left }
    words.withLock { $0 = Array(found.dropFirst()) }
    return left + ["--", first]
  }
}

extension Checkpoint {
  /// The words that the model is trained on.
  ///
  /// - Parameter advice: What to do if the file carries none; nil for how to make one that does.
  /// - Throws: `CommandFailure` (69) if the file carries none, 65 if they are damaged.
  func trainingWords(
    _ path: String, instead advice: String? = nil
  ) throws(CommandFailure) -> WordList {
    guard let list = try storedWords(path) else {
      throw CommandFailure(
        .unavailable,
        words.isUnknown
          ? "\(path): imported without the words that it was trained on"
          : "\(path): the word list was too long to be stored in the model's file",
        advice: advice
          ?? (words.isUnknown
            ? "Import it again with --data LIST." : "Train on a list of at most 16 MB for this."))
    }
    return list
  }

  /// The data set of the words that the model is trained on.
  ///
  /// - Throws: `CommandFailure` as `trainingWords`, and 71 if it is too large for the memory.
  func trainingData(_ path: String) throws(CommandFailure) -> Dataset {
    try Dataset(trainingWords(path), recipe, named: path)
  }
}
