// The command `import`: turns parameters that a notebook saved into a run that other commands take.
//
// The library knows what the file must have and how to read it; this finds the files and makes the
// directory.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON
import Posix

package struct Import: Command {
  package static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Turn the parameters that a notebook saved into a model.",
    usage: """
      import mine.safetensors --out runs/mine       into this place
      import mine.safetensors --data names.txt      with its words
      import mine.safetensors --vocabulary .a-zäöü  other symbols
      """,
    discussion: """
      The file uses the lecture's names: C, W1, b1, W2, b2, bngain, bnbias. bnmean_running and \
      bnvar_running may be missing if --data gives the training words. Biases, gains and statistics may \
      have one dimension or two, all numbers 32 bits or 64. The model works with sample, report and \
      train --start-from; there is no training to resume.
      """,
    version: version
  ).asCalled

  @Argument(
    help: "A safetensors file with the parameters.",
    completion: .file(extensions: ["safetensors"]))
  var file: String
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Run directory. (default: the next free runs/<file>-<k>)", valueName: "run"),
    completion: .directory)
  var out: String?
  @Option(
    help: ArgumentHelp(
      "The words that the network was trained on; - is standard input. (default: none)",
      valueName: "list"),
    completion: .file())
  var data: String?
  @Option(
    help: ArgumentHelp(
      "What the ids stand for: the terminator's sign, then symbols and ranges in the order of their ids.",
      valueName: "symbols"))
  var vocabulary = NotebookSymbols.lecture
  @Flag(help: "Print one JSON object instead of text.") var json = false

  package init() {}

  package func validate() throws {
    if out == "" { throw ValidationError("--out must name a directory") }
  }

  package func run() throws {
    let symbols: NotebookSymbols
    do throws(NotebookError) {
      symbols = try NotebookSymbols(vocabulary)
    } catch {
      throw ValidationError("--vocabulary: \(error)")
    }
    let network = try readNetwork(symbols)
    if !network.ignored.isEmpty {
      let names = network.ignored.prefix(10).joined(separator: ", ")
      StandardError.shared.note(
        "\(file): ignoring \(names)" + (network.ignored.count > 10 ? " and others" : ""))
    }
    let source = data.map { WordListSource($0, for: "import \(file) --data") }
    let checkpoint = try imported(network, source)
    let bytes = try checkpoint.encoded()
    let place = try NewRun(out: out, stem: file.fileStem(or: "notebook"))
    defer { withExtendedLifetime(place.lock) {} }
    let directory = place.directory
    do throws(SystemError) {
      try Interruption.deferring { () throws(SystemError) -> Void in
        try directory.save(model: bytes)
        try directory.save(description: description(source).encoded())
      }
    } catch {
      throw CommandFailure(.inputOutput, "\(error)")
    }
    let result = ImportResult(
      shape: checkpoint.model.shape, model: directory.modelPath, losses: try losses(checkpoint))
    try StandardOutput.shared.write(result.text, orJSON: result.json, if: json)
  }
}

// MARK: What is read, and what is made

extension Import {
  private func readNetwork(_ symbols: NotebookSymbols) throws(CommandFailure) -> NotebookNetwork {
    if (try? RunDirectory(existing: file))?.hasModel == true {
      throw CommandFailure(.badData, "\(file): already a run; use it as it is")
    }
    let bytes = try ModelSource.bytes(of: file, advice: "Name a file that save_file wrote.")
    do throws(NotebookError) {
      return try NotebookNetwork(file: bytes, symbols)
    } catch {
      switch error {
      case .vocabulary:
        throw CommandFailure(
          .badData, "\(file): \(error)",
          advice:
            "Name all symbols in the order of their ids with --vocabulary, as in "
            + "\(NotebookSymbols.lecture).")
      case .notSafetensors(let reason):
        let kind = FileFormat.name(ofFileStartingWith: bytes)
        let problem = kind.map { reason.problem(of: "a safetensors file", in: $0) }
        throw CommandFailure(
          .badData, "\(file): \(problem ?? "\(error)")",
          advice: "Save a dictionary of the parameters with safetensors.torch.save_file.")
      default: throw CommandFailure(.badData, "\(file): \(error)")
      }
    }
  }

  private func imported(
    _ network: NotebookNetwork, _ source: WordListSource?
  ) throws(CommandFailure) -> Checkpoint {
    let list = try source.map { source throws(CommandFailure) in try source.read() }
    do throws(NotebookError) {
      return try Checkpoint(importing: network, trainedOn: list)
    } catch {
      if case .words = error {
        throw CommandFailure(
          .badData, "\(source?.name ?? ""): \(error)",
          advice: "Name the words that the network was trained on, or leave --data out.")
      }
      throw CommandFailure(
        .badData, "\(file): \(error)",
        advice: "Name the words with --data, or save the statistics too.")
    }
  }

  private func description(_ source: WordListSource?) -> JSONValue {
    [
      "command_line": .array(processArguments().map { .string($0) }),
      "data": source.map { .string($0.path ?? "-") } ?? .null,
      "imported_from": .string(file),
      "finished_at": .string(timestamp()),
      "host": .string(hostName()),
      "versions": ["charmlp": .string(CommandSupport.version)],
    ]
  }

  /// The losses over the words, split as the notebook does; nil if there are none.
  private func losses(_ checkpoint: Checkpoint) throws -> SplitLosses? {
    guard let list = try checkpoint.wordList() else { return nil }
    return SplitLosses(checkpoint.model, try Dataset(list, checkpoint.recipe, named: file))
  }
}

/// What was made.
private struct ImportResult {
  let shape: ModelShape
  let model: String
  let losses: SplitLosses?

  var json: JSONValue {
    [
      "vocabulary": .integer(shape.vocabulary), "block_size": .integer(shape.blockSize),
      "embedding": .integer(shape.embedding), "hidden": .integer(shape.hidden),
      "loss": losses.map { JSONValue.object($0.json) } ?? .null,
      "model": .string(model),
    ]
  }

  var text: String {
    var text = """
      block \(shape.blockSize), embedding \(shape.embedding), hidden \(shape.hidden); \
      \(Format.counted(shape.vocabulary - 1, "symbol"))

      """
    if let losses {
      let parts = [
        ("train", losses.train), ("validation", losses.validation), ("test", losses.test),
      ]
      let cells = parts.map { "\($0) \(Format.fixed($1, decimals: 4))" }
      text += "loss: \(cells.joined(separator: ", "))\n"
    }
    return text + "model: \(model.shownPath)\n"
  }
}
