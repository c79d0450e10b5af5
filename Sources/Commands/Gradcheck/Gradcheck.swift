// The command `gradcheck`: its flags, the problem that is checked, and what helps with a notebook.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON
import Posix

package struct Gradcheck: Command {
  package static let configuration = CommandConfiguration(
    commandName: "gradcheck",
    abstract: "Check every hand-derived gradient, ours or yours.",
    usage: """
      gradcheck                               our 26 gradients
      gradcheck --snippet                     Python that writes yours
      gradcheck --reference mine.safetensors  which of them are wrong
      gradcheck --solution dcounts            a line of the derivation
      gradcheck --write ours.safetensors      ours, for you to compare
      gradcheck --page gradcheck.html         the check as a web page
      """,
    discussion: """
      With --reference, each line of the derivation is evaluated on the file's own numbers: a tensor \
      that is wrong given its inputs is WRONG HERE, one that is right given them follows. Without it, \
      the step-by-step derivation is compared with central differences, with its forms in one go and \
      with the engine that trains; each difference is exact, rounding or WRONG. The exit code is 0 if \
      nothing is wrong, 1 if something is, 65 if the file has nothing to judge. docs/derivation.md \
      says more.
      """,
    version: version
  ).asCalled

  @OptionGroup(title: "What to do") var action: ActionOptions
  @OptionGroup(title: "The minibatch of names") var minibatch: MinibatchOptions

  @Flag(help: "Print one JSON object instead of text.") var json = false

  package init() {}

  package func validate() throws {
    let (reference, write) = (action.reference, action.write)
    let sizes: [(flag: String, isGiven: Bool)] = [
      ("--data", minibatch.data != nil), ("--batch-size", minibatch.batchSize != nil),
      ("--hidden", minibatch.hidden != nil), ("--embedding", minibatch.embedding != nil),
      ("--block-size", minibatch.blockSize != nil), ("--dropout", minibatch.dropout != nil),
      ("--seed", minibatch.seed != nil),
    ]
    if reference != nil, let other = sizes.first(where: \.isGiven) {
      throw ValidationError("\(other.flag) cannot be used with --reference, which has its own")
    }
    let alone = [
      ("--snippet", action.snippet), ("--solution", action.solution != nil),
      ("--page", action.page != nil),
    ]
    let others = [
      ("--reference", reference != nil), ("--write", write != nil), ("--all", action.all),
      ("--scalar", action.scalar != nil), ("--json", json),
    ]
    let given = (alone + others).filter(\.1).map(\.0) + sizes.filter(\.isGiven).map(\.flag)
    if alone.contains(where: \.1), given.count > 1 {
      throw ValidationError("\(given[1]) cannot be used with \(given[0])")
    }
    if action.all, reference == nil { throw ValidationError("--all needs --reference") }
    if minibatch.dropout != nil, write != nil {
      throw ValidationError("--dropout cannot be used with --write: the file has no mask")
    }
    if action.scalar != nil, write == nil { throw ValidationError("--scalar needs --write") }
  }

  package func run() throws {
    if action.snippet { return try StandardOutput.shared.write(PassTensor.snippet) }
    if let solution = action.solution { return try StandardOutput.shared.write(solution.solution) }
    if let page = action.page {
      return try save(Array(BrowserPage.html.utf8), to: page, flag: "--page")
    }
    if let write = action.write { try requireWritable(write) }
    let problem = try CheckedProblem(self)
    if let write = action.write {
      let precision = action.scalar ?? problem.reference?.precision ?? .float64
      let reference = Reference(computing: problem.problem, in: precision)
      try save(reference.encoded(threads: availableCores()), to: write, flag: "--write")
    }
    try CheckOutput(problem, showsTables: action.all || json || action.reference == nil).write(
      asJSON: json)
  }

  /// Writes a file whole, whatever signal comes, and says so.
  private func save(_ bytes: [UInt8], to path: String, flag: String) throws(CommandFailure) {
    do throws(SystemError) {
      try Interruption.deferring { () throws(SystemError) in try FileSystem.write(bytes, to: path) }
    } catch {
      throw Self.failure(error, flag: flag)
    }
    StandardError.shared.note("wrote \(path)")
  }

  /// Refuses a file that exists, before the reference is computed.
  private func requireWritable(_ path: String) throws(CommandFailure) {
    do throws(SystemError) { try FileSystem.requireWritable(path) } catch {
      throw Self.failure(error, flag: "--write")
    }
  }

  private static func failure(_ error: SystemError, flag: String) -> CommandFailure {
    let advice = error.isExisting ? "Nothing is overwritten: name" : "Name"
    return CommandFailure(
      error.isFailedWrite ? .inputOutput : .cannotCreate, "\(error)",
      advice: "\(advice) another file with \(flag).")
  }
}

extension Precision: ExpressibleByArgument {}

/// What is checked, printed or written.
struct ActionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Check the tensors of a file that also has the minibatch and the parameters.",
      valueName: "file"),
    completion: .file(extensions: ["safetensors"]))
  var reference: String?
  @Flag(help: "With --reference: also list every comparison.") var all = false
  @Flag(help: "Print the Python lines that write a notebook's tensors.") var snippet = false
  @Option(
    help: ArgumentHelp("Print the derivation's line for one tensor.", valueName: "tensor"),
    completion: .list(PassTensor.allCases.map(\.name)),
    transform: { name in
      guard let tensor = PassTensor(rawValue: name) else {
        let near = PassTensor.nearest(to: name).map { "; did you mean \($0)?" } ?? ""
        throw ValidationError("'\(name)' is not a tensor of the pass\(near)")
      }
      return tensor
    })
  var solution: PassTensor?
  @Option(
    help: ArgumentHelp("Write minibatch, parameters and all tensors.", valueName: "file"),
    completion: .file())
  var write: String?
  @Option(
    help: ArgumentHelp(
      "With --write: float64 or float32. (default: the reference's, or float64)",
      valueName: "type"))
  var scalar: Precision?
  @Option(
    help: ArgumentHelp("Write the page that does this in a browser.", valueName: "file"),
    completion: .file())
  var page: String?
}

/// The minibatch that is checked unless a file has one.
struct MinibatchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Word list; - is standard input. (default: bundled names)", valueName: "list"),
    completion: .file())
  var data: String?
  @Option(
    help: ArgumentHelp("Windows. (default: \(Recipe().batchSize))", valueName: "n"),
    transform: setting(\.batchSize))
  var batchSize: Int?
  @Option(
    help: ArgumentHelp("Units of the hidden layer. (default: \(Recipe().hidden))", valueName: "n"),
    transform: setting(\.hidden))
  var hidden: Int?
  @Option(
    help: ArgumentHelp("Numbers per character. (default: \(Recipe().embedding))", valueName: "n"),
    transform: setting(\.embedding))
  var embedding: Int?
  @Option(
    help: ArgumentHelp("Characters of context. (default: \(Recipe().blockSize))", valueName: "n"),
    transform: setting(\.blockSize))
  var blockSize: Int?
  @Option(
    help: ArgumentHelp(
      "Share of hidden units that are dropped. (default: 0)", valueName: "x"),
    transform: setting(\.dropout))
  var dropout: Float?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Seed of parameters and minibatch. (default: \(Recipe().seed))", valueName: "n"),
    transform: setting(\.seed))
  var seed: UInt64?
}

// MARK: - The problem

// It comes from a reference file, or is our own: the notebook's first step, with its initial
// parameters and its first minibatch of the training split, from the same seed.

/// A problem, and the reference that it comes from if there is one.
struct CheckedProblem {
  let problem: GradientProblem
  let reference: Reference?
  /// What the problem is called where results are shown.
  let source: String

  /// Reads the reference, or makes a problem from a word list.
  /// - Throws: `CommandFailure` for what is missing, malformed or too large.
  init(_ options: Gradcheck) throws(CommandFailure) {
    if let path = options.action.reference {
      let reference = try Self.reference(path)
      (problem, source) = (reference.problem, path)
      self.reference = reference
    } else {
      let list = WordListSource(options.minibatch.data, for: "gradcheck --data")
      (problem, source) = (try Self.notebookProblem(options.recipe, list), list.name)
      reference = nil
    }
  }

  /// Compares everything.
  func report() -> GradientReport {
    let threads = availableCores()
    if let reference { return GradientCheck(reference, threads: threads).report() }
    return GradientCheck(problem, threads: threads).report()
  }

  private static func reference(_ path: String) throws(CommandFailure) -> Reference {
    let bytes = try ModelSource.bytes(of: path, advice: "Name a file with --reference.")
    let reference: Reference
    do throws(ReferenceError) {
      reference = try Reference(decoding: bytes)
    } catch .file(let reason) {
      guard let kind = FileFormat.name(ofFileStartingWith: bytes), kind != FileFormat.safetensors
      else {
        throw CommandFailure(
          .badData, "\(path): not a safetensors file", advice: "\(reason)".singleLine())
      }
      throw CommandFailure(
        .badData, "\(path): not a safetensors file, but \(kind)",
        advice: "Save the tensors with safetensors.torch.save_file; --snippet shows how.")
    } catch {
      let advice =
        error.python.map { "Write before save_file: \($0)" }
        ?? "docs/derivation.md shows how a notebook writes the file."
      throw CommandFailure(.badData, "\(path): \(error)", advice: advice)
    }
    let problem = reference.problem
    try checkMemory(problem.parameters.shape, batchSize: problem.minibatch.count)
    return reference
  }

  private static func notebookProblem(
    _ recipe: Recipe, _ source: WordListSource
  ) throws(CommandFailure) -> GradientProblem {
    let words = try source.read()
    try checkMemory(
      recipe.shape(vocabulary: Vocabulary(of: words).count), batchSize: recipe.batchSize,
      windows: words.characterCount + words.count)
    let dataset = try Dataset(words, recipe, named: source.name)
    let (parameters, generator) = recipe.initialParameters(vocabulary: dataset.vocabulary.count)
    var stream = MinibatchStream(
      dataset.train, batchSize: recipe.batchSize, generator: generator)
    return GradientProblem(
      parameters.converted(), stream.next(), dropout: recipe.dropoutMask(at: 0))
  }
}

extension Gradcheck {
  /// The notebook's recipe with the sizes that were asked for.
  fileprivate var recipe: Recipe {
    var recipe = Recipe()
    recipe.batchSize = minibatch.batchSize ?? recipe.batchSize
    recipe.hidden = minibatch.hidden ?? recipe.hidden
    recipe.embedding = minibatch.embedding ?? recipe.embedding
    recipe.blockSize = minibatch.blockSize ?? recipe.blockSize
    recipe.dropout = minibatch.dropout ?? recipe.dropout
    recipe.seed = minibatch.seed ?? recipe.seed
    return recipe
  }
}

// MARK: - Memory

extension CheckedProblem {
  /// Refuses sizes that make tensors too large to be checked, or too many for the memory.
  /// - Throws: `CommandFailure` (71).
  static func checkMemory(
    _ shape: ModelShape, batchSize: Int, windows: Int = 0
  ) throws(CommandFailure) {
    let advice = "Choose a smaller --hidden, --batch-size, --block-size or --embedding."
    let largest = GradientProblem.largestTensor(shape, batchSize: batchSize)
    guard let largest, largest <= GradientProblem.elementLimit else {
      let limit = Format.count(GradientProblem.elementLimit)
      throw CommandFailure(
        .resources, "these sizes make tensors of more than \(limit) elements", advice: advice)
    }
    let bytes = ContextWindows.byteCount(windows: windows, blockSize: shape.blockSize)
      .map { byteCount(shape, batchSize: batchSize).addingReportingOverflow($0) }
    try Host.require(
      bytes.flatMap { $0.overflow ? nil : $0.partialValue }, for: "these sizes", advice: advice)
  }

  /// In Double: the derivation, its forms in one go, what is reported, and the passes of each
  /// thread.
  private static func byteCount(_ shape: ModelShape, batchSize: Int) -> Int {
    let pass = shape.derivationBytes(batchSize: batchSize) + 4 * shape.parameterBytes
    return Int(2 * pass) * (3 + availableCores())
  }
}

// MARK: - Help with a notebook: Python lines, and ours

extension PassTensor {
  /// Python for the end of a notebook, before the update: it writes whatever tensors of the pass
  /// are there.
  static var snippet: String {
    var lines = ["names = \"\"\""]
    for name in (parameters + forward).map(\.name) {
      let last = lines[lines.count - 1]
      let blank = last.hasSuffix("\"") || last == "  " ? "" : " "
      if last.count + blank.count + name.count > 76 {
        lines.append("  " + name)
      } else {
        lines[lines.count - 1] = last + blank + name
      }
    }
    return """
      # once: pip install safetensors
      import torch
      from safetensors.torch import save_file
      \(lines.joined(separator: "\n"))\""".split()
      names = ["Xb", "Yb"] + names + ["d" + name for name in names]
      mine = {name: globals()[name] for name in names if torch.is_tensor(globals().get(name))}
      save_file({name: tensor.detach().clone().contiguous() for name, tensor in mine.items()},
                "notebook.safetensors")

      """
  }

  /// Our line, the forward lines that it inverts, and where it is derived.
  var solution: String {
    let forward = (owner?.readers ?? []).map { "\($0) = \($0.line)" }
    let lines = [
      forward.map { "// " + $0 }, [line.isEmpty ? "\(self) is a parameter" : "\(self) = \(line)"],
    ]
    return lines.joined().joined(separator: "\n")
      + "\n\ndocs/derivation.md, \"\(section)\"\n"
  }
}

// MARK: - The page that judges a file in a browser
//
// docs/gradcheck.html is one file that works without a network. It judges in JavaScript; a test in
// a browser compares its verdicts with this command's. It is generated here, because the table of
// tensors and the sentences are in Swift. The derivations are those of docs/derivation.md.

/// The page, put together from its parts.
package enum BrowserPage {
  /// The scripts in the order in which they use each other.
  private static let scripts = [
    "safetensors", "matrix", "pass", "lines", "verdicts", "notebook", "derivation", "graph",
    "practice", "page",
  ]

  /// The whole file.
  package static var html: String {
    let pieces = [
      ("style", part("style.css")),
      ("table", escaped(table.encoded())),
      ("derivation", escaped(part("derivation.md"))),
      ("script", scripts.map { part($0 + ".js") }.joined(separator: "\n")),
    ]
    var html = part("page.html")
    for (place, piece) in pieces { html.replace("{{\(place)}}", with: piece) }
    return html
  }

  private static func part(_ name: String) -> String { embeddedFile("notebook/" + name) }

  private static var table: JSONValue {
    let words = VerdictSentence.table.map { (key: $0.name, value: JSONValue.string($0.text)) }
    let own: [(key: String, value: JSONValue)] = [
      ("words", .object(words)), ("snippet", .string(PassTensor.snippet)),
    ]
    return .object((PassTensor.table.pairs ?? []) + own)
  }

  /// Text that cannot end the script element around it; the page undoes this.
  private static func escaped(_ text: String) -> String { text.replacing("</", with: "<\\/") }
}
