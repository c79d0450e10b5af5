// The flags that a command declares, and a command line read word by word against them.
//
// ArgumentParser keeps the last of two values, takes no value that begins with a hyphen, and
// suggests whatever flag looks similar. To do better, this needs the declarations themselves, which
// ArgumentParser's dump lists. The dump takes some milliseconds, so it is made only where something
// depends on it.

import ArgumentParser
import CharMLP
import OrderedJSON
import Posix

/// A command's flags and subcommands.
struct DeclaredCommand {
  let name: String
  let flags: [DeclaredFlag]
  /// Whether it takes positional arguments.
  let takesWords: Bool
  let subcommands: [DeclaredCommand]
  private let defaultName: String?

  init(_ command: (some ParsableCommand).Type) {
    let dump = try? JSONValue(parsing: command._dumpHelp())
    self.init(dump?["command"] ?? .null)
  }

  private init(_ json: JSONValue) {
    let arguments = json["arguments"]?.elements ?? []
    name = json["commandName"]?.text ?? ""
    flags = arguments.compactMap(DeclaredFlag.init)
    takesWords = arguments.contains { $0["kind"]?.text == "positional" }
    subcommands = (json["subcommands"]?.elements ?? []).map(DeclaredCommand.init)
    defaultName = json["defaultSubcommand"]?.text
  }

  /// The subcommand that is meant where none is named.
  var defaultSubcommand: DeclaredCommand? {
    defaultName.flatMap { name in subcommands.first { $0.name == name } }
  }
}

/// A flag under all its names.
struct DeclaredFlag: Equatable {
  /// With their hyphens: `-n`, `--steps`.
  let names: [String]
  let takesValue: Bool
  let isRepeating: Bool
  /// Whether its value is a number: `<n>` or `<x>` in the help.
  let takesNumber: Bool

  fileprivate init?(_ json: JSONValue) {
    guard let kind = json["kind"]?.text, kind != "positional" else { return nil }
    takesValue = kind == "option"
    isRepeating = json["isRepeating"]?.boolean ?? false
    takesNumber = takesValue && ["n", "x"].contains(json["valueName"]?.text)
    names = (json["names"]?.elements ?? []).compactMap { name in
      name["name"]?.text.map { (name["kind"]?.text == "long" ? "--" : "-") + $0 }
    }
  }

  /// The long name, if there is one.
  var name: String { names.first { $0.begins(with: "--") } ?? names.first ?? "" }
}

// MARK: A command line

/// A command line, read against a command's declarations.
struct ParsedCommandLine {
  private let arguments: [String]
  /// The command and its subcommands, as one types them; a default one is not typed.
  let path: [String]
  /// What the last of them declares.
  let command: DeclaredCommand
  /// The flags that are given, and how each is spelled.
  private(set) var found: [(flag: DeclaredFlag, spelling: String)] = []
  /// The indices of words that begin with a hyphen and are not flags.
  private(set) var unknown: [Int] = []
  /// Flags whose value begins with a hyphen, and that value's index.
  private(set) var hyphenatedValues: [(flag: DeclaredFlag, index: Int)] = []

  /// Reads arguments in which subcommands come first.
  init(_ arguments: [String], of root: DeclaredCommand) {
    self.arguments = arguments
    var (command, path, index) = (root, [root.name], 0)
    // ArgumentParser gives every command a subcommand `help`; ours have --help.
    while index < arguments.count, arguments[index] != "help",
      let next = command.subcommands.first(where: { $0.name == arguments[index] })
    {
      command = next
      path.append(next.name)
      index += 1
    }
    while let next = command.defaultSubcommand { command = next }
    (self.command, self.path) = (command, path)
    while index < arguments.count, arguments[index] != "--" {
      index += read(arguments[index], at: index)
    }
  }

  /// Reads a word, and returns how many words it and its value take.
  private mutating func read(_ word: String, at index: Int) -> Int {
    guard word.isHyphenated else { return 1 }
    let flags = flags(in: word)
    found += flags
    if flags.isEmpty { unknown.append(index) }
    guard let last = flags.last?.flag, last.takesValue, !word.contains(byte: UInt8(ascii: "=")),
      index + 1 < arguments.count
    else { return 1 }
    guard arguments[index + 1].isHyphenated else { return 2 }
    hyphenatedValues.append((last, index + 1))
    return 1
  }

  /// The flag that a word names, or the short ones that it combines.
  private func flags(in word: String) -> [(flag: DeclaredFlag, spelling: String)] {
    if let flag = flag(word.flagName) { return [(flag, word.flagName)] }
    guard !word.begins(with: "--") else { return [] }
    let letters = word.unicodeScalars.dropFirst().map { "-\($0)" }
    let flags = letters.compactMap { letter in flag(letter).map { ($0, letter) } }
    return flags.count == letters.count ? flags : []
  }

  /// The flag of a name with its hyphens.
  func flag(_ name: String) -> DeclaredFlag? {
    command.flags.first { $0.names.contains(name) }
  }
}

extension String {
  /// Whether it begins with a hyphen and is not `-`, which stands for standard input.
  fileprivate var isHyphenated: Bool { begins(with: "-") && self != "-" }

  /// A flag without the value that is joined to it.
  var flagName: String { pieces(separatedBy: UInt8(ascii: "=")).first.map(String.init) ?? self }
}

// MARK: - Values that begin with a hyphen, and values joined to a letter

// ArgumentParser takes the `-bo` of `--suffix -bo` for flags named b and o, and the `-3` of
// `--steps -3` for one named 3. Here a word that is no flag and follows one that takes a value is
// that value; ArgumentParser takes it once it is joined, as in `--suffix=-bo`. Nor does
// ArgumentParser take `-n5`, as other programs do.

extension ParsedCommandLine {
  /// The arguments with such values joined to the long names of their flags.
  var joined: [String] {
    var joined = arguments.map { [$0] }
    for index in unknown { joined[index] = separated(arguments[index]) ?? joined[index] }
    for (flag, index) in hyphenatedValues
    where !arguments[index].begins(with: "--") && self.flag(arguments[index].flagName) == nil {
      joined[index - 1] = [flag.name + "=" + arguments[index]]
      joined[index] = []
    }
    return joined.flatMap { $0 }
  }

  /// The flags of a word such as `-qn5`, whose last letter is followed by its value; nil if it is
  /// no such word.
  private func separated(_ word: String) -> [String]? {
    guard !word.begins(with: "--") else { return nil }
    var switches: [String] = []
    var rest = Array(word.unicodeScalars.dropFirst())[...]
    while let letter = rest.popFirst(), let flag = flag("-\(letter)") {
      guard flag.takesValue else {
        switches.append("-\(letter)")
        continue
      }
      if rest.first == "=" { rest.removeFirst() }
      guard let first = rest.first, !flag.takesNumber || "0"..."9" ~= first || first == "." else {
        return nil
      }
      return switches + [flag.name + "=" + String(String.UnicodeScalarView(rest))]
    }
    return nil
  }

  /// How to give a flag the word that follows it as its value; nil if none follows.
  func adviceOnValue(of name: String) -> String? {
    hyphenatedValues.first { $0.flag.names.contains(name) }.map { flag, index in
      "if \(arguments[index]) is the value, write \(flag.name)=\(shellWord(arguments[index]))"
    }
  }

  /// How to pass the command an argument that begins with a hyphen.
  var adviceOnWords: String? {
    guard command.takesWords,
      let word = unknown.map({ arguments[$0] }).first(where: { !$0.begins(with: "--") })
    else { return nil }
    let line = (path + ["--", shellWord(word)]).joined(separator: " ")
    return "to pass \(word) as an argument, write:  \(line)"
  }

  // MARK: - Flags that are given twice

  /// Refuses a flag that is given twice but takes effect once.
  /// - Throws: `CommandFailure` (64).
  func requireEachOnce() throws(CommandFailure) {
    for (index, (flag, spelling)) in found.enumerated() where !flag.isRepeating {
      guard let first = found[..<index].first(where: { $0.flag == flag }) else { continue }
      throw CommandFailure(
        .usage,
        first.spelling == spelling
          ? "The option '\(spelling)' is given twice"
          : "'\(first.spelling)' and '\(spelling)' are the same option; give only one",
        advice: "See '\(path.joined(separator: " ")) --help'.")
    }
  }

  /// Whether `requireEachOnce` may find anything: names that repeat, or short ones beside others.
  static func mayRepeat(_ arguments: [String]) -> Bool {
    let names = arguments.prefix { $0 != "--" }.filter(\.isHyphenated).map(\.flagName)
    return Set(names).count < names.count
      || names.count > 1 && names.contains { !$0.begins(with: "--") }
  }

  // MARK: - Suggestions for unknown flags

  /// The flag that was meant by an unknown one.
  func suggestion(for unknown: String) -> String? {
    let key = unknown.spelledAsKey
    let names =
      command.flags.compactMap { flag in flag.names.first { $0.begins(with: "--") } }
      + ["--help-hidden"]
    if let same = names.first(where: { $0.spelledAsKey == key }) { return same }
    if let ours = ForeignFlag.names[key] {
      return ours.lazy.map { "--" + $0 }.first(where: names.contains)
    }
    guard key.utf8.count > 1 else { return nil }
    let longer = names.filter { $0.spelledAsKey.begins(with: key) }
    if key.utf8.count > 2, longer.count == 1 { return longer[0] }
    // Of three letters one may be wrong, of nine three.
    let limit = key.utf8.count < 5 ? 1 : key.utf8.count < 9 ? 2 : 3
    return NearestWords.meant(by: key, among: names, within: limit) { $0.spelledAsKey }
  }

  /// What to say about an unknown flag that has no counterpart in the command; nil if nothing is
  /// known of it.
  func explanation(of unknown: String) -> String? { ForeignFlag.explanations[unknown.spelledAsKey] }
}

extension String {
  /// In lower case, without `-`, `_` and `.`: `--block_size` and `--block-size` are `blocksize`.
  fileprivate var spelledAsKey: String {
    String(
      String.UnicodeScalarView(
        lowercased().unicodeScalars.filter { $0 != "-" && $0 != "_" && $0 != "." }))
  }
}

/// What other programs call our flags: PyTorch's scripts, makemore, nanoGPT, llama.cpp.
package enum ForeignFlag {
  /// Our names for another program's flag, the likeliest first; none if it is not known.
  package static func ours(for name: String) -> [String] { names[name.spelledAsKey] ?? [] }

  /// What to know about flags that have no counterpart in the command.
  static let explanations: [String: String] = [
    "device": onCPU, "cuda": onCPU, "gpu": onCPU, "dtype": onCPU, "nlayer": oneLayer,
    "nlayers": oneLayer, "numlayers": oneLayer, "layers": oneLayer, "nhead": oneLayer,
    "nheads": oneLayer, "temperature": ofSample, "temp": ofSample, "topk": ofSample,
    "topp": ofSample, "output": toStdout, "out": toStdout, "outputfile": toStdout,
    "outfile": toStdout,
  ]

  private static let onCPU = "CharMLP computes on the CPU, in float32"
  private static let oneLayer = "the network has one hidden layer and no attention"
  private static let ofSample = "it is a flag of sample"
  private static let toStdout = "results go to stdout, so write > FILE"

  /// Our names for theirs, without hyphens; the first that a command has is meant.
  static let names: [String: [String]] = [
    "lr": ["learning-rate"], "eta": ["learning-rate"], "alpha": ["learning-rate"],
    "nsteps": ["steps"], "numsteps": ["steps"], "maxsteps": ["steps"],
    "trainsteps": ["steps"], "iters": ["steps"], "niters": ["steps"], "numiters": ["steps"],
    "maxiters": ["steps"], "iterations": ["steps"], "numiterations": ["steps"],
    "epochs": ["steps"], "nepochs": ["steps"], "numepochs": ["steps"], "maxepochs": ["steps"],
    "numtrainepochs": ["steps"], "epoch": ["steps"],
    "context": ["block-size"], "contextlength": ["block-size"], "contextsize": ["block-size"],
    "ctx": ["block-size"], "nctx": ["block-size"], "ctxsize": ["block-size"],
    "seqlen": ["block-size"], "sequencelength": ["block-size"], "window": ["block-size"],
    "windowsize": ["block-size"],
    "nembd": ["embedding"], "nemb": ["embedding"], "nembed": ["embedding"], "emb": ["embedding"],
    "embd": ["embedding"], "embed": ["embedding"], "embdim": ["embedding"],
    "embeddim": ["embedding"], "embeddingdim": ["embedding"], "embeddingsize": ["embedding"],
    "dmodel": ["embedding"],
    "nhidden": ["hidden"], "hiddensize": ["hidden"], "hiddendim": ["hidden"],
    "hiddenunits": ["hidden"], "nhid": ["hidden"], "units": ["hidden"],
    "neurons": ["hidden"],
    "batch": ["batch-size"], "bs": ["batch-size"], "nbatch": ["batch-size"],
    "minibatch": ["batch-size"], "minibatchsize": ["batch-size"],
    "wd": ["weight-decay"], "decay": ["weight-decay"], "l2": ["weight-decay"],
    "dropoutrate": ["dropout"], "pdrop": ["dropout"], "dropoutp": ["dropout"],
    "warmupsteps": ["warmup"], "warmupiters": ["warmup"], "numwarmupsteps": ["warmup"],
    "lrschedule": ["schedule"], "lrscheduler": ["schedule"], "lrschedulertype": ["schedule"],
    "scheduler": ["schedule"], "lrdecay": ["schedule"], "decaylr": ["schedule"],
    "opt": ["optimizer"], "optim": ["optimizer"], "ema": ["averaging"], "emadecay": ["averaging"],
    "earlystopping": ["patience"], "earlystop": ["patience"],
    "evalinterval": ["evaluate-every"], "evalevery": ["evaluate-every"],
    "evalsteps": ["evaluate-every"], "evalfreq": ["evaluate-every"],
    "valinterval": ["evaluate-every"],
    "saveevery": ["checkpoint-every"], "savesteps": ["checkpoint-every"],
    "saveinterval": ["checkpoint-every"], "savefreq": ["checkpoint-every"],
    "numsamples": ["count", "samples"], "nsamples": ["count", "samples"],
    "numwords": ["count", "samples"], "nwords": ["count", "samples"], "num": ["count", "samples"],
    "number": ["count", "samples"], "samples": ["samples", "count"], "npredict": ["count"],
    "count": ["count", "samples"], "limit": ["count"],
    "input": ["data"], "inputfile": ["data"], "infile": ["data"], "file": ["data"],
    "dataset": ["data"], "datafile": ["data"], "datapath": ["data"], "corpus": ["data"],
    "text": ["data"], "words": ["data"], "wordlist": ["data"], "trainfile": ["data"],
    "traindata": ["data"],
    "output": ["out"], "outfile": ["out"], "outdir": ["out"], "outputdir": ["out"],
    "outputfile": ["out"], "workdir": ["out"], "savedir": ["out"], "logdir": ["out"],
    "rundir": ["out", "model", "resume"], "savepath": ["out"],
    "run": ["model", "resume"], "checkpoint": ["model", "resume"], "ckpt": ["model", "resume"],
    "model": ["model", "resume"], "modelpath": ["model", "resume"], "weights": ["model", "resume"],
    "load": ["model", "resume"], "resumefrom": ["resume"], "continue": ["resume"],
    "restart": ["resume"], "restore": ["resume"], "initfrom": ["resume"],
    "randomseed": ["seed"], "rngseed": ["seed"], "manualseed": ["seed"], "rng": ["seed"],
    "temp": ["temperature"], "nucleus": ["top-p"], "k": ["top-k"], "p": ["top-p"],
    "start": ["prefix"], "prompt": ["prefix"], "startswith": ["prefix"], "startwith": ["prefix"],
    "beginswith": ["prefix"], "begin": ["prefix"], "endswith": ["suffix"], "end": ["suffix"],
    "infix": ["contains"], "containing": ["contains"], "without": ["avoid"],
    "minlen": ["min-length"], "maxlen": ["max-length"], "maxnewtokens": ["max-length"],
    "length": ["max-length"], "new": ["novel"], "uniq": ["unique"], "distinct": ["unique"],
    "dedup": ["deduplicate"], "dedupe": ["deduplicate"], "blacklist": ["exclude"],
    "nthreads": ["threads"], "numthreads": ["threads"], "jobs": ["threads"],
    "workers": ["threads"], "numworkers": ["threads"], "nproc": ["threads"],
    "silent": ["quiet"], "noprogress": ["quiet"], "preset": ["recipe"], "config": ["recipe"],
    "lrfind": ["find-learning-rate"], "findlr": ["find-learning-rate"],
    "lrfinder": ["find-learning-rate"], "stats": ["describe"], "info": ["describe"],
    "v": ["version"], "ver": ["version"], "helpall": ["help-hidden"], "html": ["report"],
    "ref": ["reference"], "duration": ["seconds"], "time": ["seconds"],
  ]
}
