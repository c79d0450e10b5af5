// The command `import`: parameters that a notebook saved become a run that other commands take.
//
// What the file must have, and how it is read, is the library's; this finds the files and makes the directory.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON
import Posix

package struct Import: Command {
  package static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a model of the parameters that a notebook saved.",
    usage: """
      import mine.safetensors --out runs/mine       into this directory
      import mine.safetensors --data names.txt      with the words it was trained on
      import mine.safetensors --vocabulary .a-zäöü  with other symbols
      """,
    discussion: """
      The file has the lecture's names: C, W1, b1, W2, b2, bngain, bnbias, and bnmean_running and \
      bnvar_running, which without them are computed from the training words of --data. Biases, gains \
      and statistics may have one dimension or two, all numbers 32 bits or 64. The model works with \
      sample, report and train --start-from; there is no training to go on with.
      """,
    version: version
  ).asCalled

  @Argument(help: "A safetensors file with the parameters.") var file: String
  @Option(help: "Run directory. (default: the next free runs/<file>-<k>)") var out: String?
  @Option(
    help: """
      The words that the network was trained on: a path, a name in data/, or - for standard input. \
      (default: none)
      """)
  var data: String?
  @Option(
    help: """
      What the ids stand for: the terminator's sign, then symbols and ranges in the order of their ids.
      """)
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
        "\(file): left aside: \(names)" + (network.ignored.count > 10 ? " and others" : ""))
    }
    let source = data.map { WordListSource($0, for: "import \(file) --data") }
    let checkpoint = try imported(network, source)
    let bytes = try checkpoint.encoded()
    let directory = try makeDirectory()
    let lock = try makeLock(directory)
    defer { withExtendedLifetime(lock) {} }
    do throws(SystemError) {
      try Interruption.deferring { () throws(SystemError) -> Void in
        try directory.save(model: bytes)
        try directory.save(description: description(source).encoded())
      }
    } catch {
      throw CommandFailure(.inputOutput, "\(error)")
    }
    let result = ImportResult(checkpoint, directory, try losses(checkpoint))
    try StandardOutput.shared.write(json ? result.json.encoded() + "\n" : result.text)
  }
}

// MARK: What is read, and what is made

extension Import {
  private func readNetwork(_ symbols: NotebookSymbols) throws(CommandFailure) -> NotebookNetwork {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Checkpoint.read(file, limit: Host.readableBytes, allowingPipes: true)
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a file that save_file wrote.")
    }
    do throws(NotebookError) {
      return try NotebookNetwork(file: bytes, symbols)
    } catch {
      let advice: String? =
        switch error {
        case .vocabulary: "Name the symbols in the order of their ids with --vocabulary."
        case .notSafetensors:
          "Save a dictionary of the parameters with safetensors.torch.save_file."
        default: nil
        }
      throw CommandFailure(.badData, "\(file): \(error)", advice: advice)
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

  private func makeDirectory() throws(CommandFailure) -> RunDirectory {
    do throws(SystemError) {
      if let out { return try RunDirectory(creating: out) }
      return try RunDirectory(creatingNextIn: ModelSource.runs, name: stem)
    } catch {
      throw CommandFailure(
        .cannotCreate, "\(error)",
        advice: error.isExisting
          ? "Nothing is overwritten: name another directory with --out."
          : "Name another directory with --out.")
    }
  }

  /// A directory that another run took in between is left to it.
  private func makeLock(_ directory: RunDirectory) throws(CommandFailure) -> RunLock {
    do throws(RunLockError) {
      let lock = try RunLock(directory)
      if !directory.hasModel { return lock }
    } catch {
      throw CommandFailure(.cannotCreate, "\(error)")
    }
    throw CommandFailure(
      .cannotCreate, "\(directory.path): another run was saved there just now",
      advice: "Nothing is overwritten: name another directory with --out.")
  }

  /// What a run is called after: the file's name without its ending.
  private var stem: String {
    let name = file.pieces(separatedBy: UInt8(ascii: "/")).last ?? "notebook"
    return name.pieces(separatedBy: UInt8(ascii: ".")).first.map(String.init) ?? "notebook"
  }

  private func description(_ source: WordListSource?) -> JSONValue {
    [
      "command_line": .array(processArguments().map { .string($0) }),
      "data": source.map { .string($0.path ?? "-") } ?? .null,
      "imported_from": .string(file),
      "finished_at": .string(Host.timestamp),
      "host": .string(Host.name),
      "versions": ["charmlp": .string(CommandSupport.version)],
    ]
  }

  /// The losses over the words, split as the notebook does; nil if there are none.
  private func losses(_ checkpoint: Checkpoint) throws -> SplitLosses? {
    guard let list = try checkpoint.wordList() else { return nil }
    return SplitLosses(checkpoint.model, try Dataset(list, checkpoint.recipe))
  }
}

/// What was made.
private struct ImportResult {
  private let shape: ModelShape
  private let model: String
  private let losses: SplitLosses?

  init(_ checkpoint: Checkpoint, _ directory: RunDirectory, _ losses: SplitLosses?) {
    (shape, model, self.losses) = (checkpoint.model.shape, directory.modelPath, losses)
  }

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
