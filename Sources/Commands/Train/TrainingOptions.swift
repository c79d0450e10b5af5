// The flags that make a recipe, a preset with changes, and those about saving.
//
// A new run takes the preset's value for a missing flag, a resumed run its own; flags given to a
// resumed run are compared with it. No setting is named here: flags, limits and help are made from
// the recipe's table.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON

/// The settings of a network and its training that were given.
struct RecipeOptions: ParsableArguments {
  @Option(
    name: .customLong("recipe"),
    help: "Settings: best, notebook, or a file. (default: best)",
    completion: .shellCommand("echo best; echo notebook; sh -c \"ls *.json\" 2>/dev/null"))
  var base: RecipeBase?
  @OptionGroup(title: "Network (in parentheses: the lecture's)")
  var network: SettingOptions<NetworkSettings>
  @OptionGroup(title: "Training (in parentheses: the lecture's)")
  var training: SettingOptions<TrainingSettings>

  /// The settings that are given, and their values.
  private var given: [(field: RecipeField, value: JSONValue)] {
    network.given + training.given
  }

  func validate() throws {
    if let conflict = RecipeChoice(flags: given).conflict { throw ValidationError(conflict) }
  }

  /// What the flags say, and the file that they name.
  ///
  /// - Throws: `CommandFailure` for a file that is not there or is no recipe.
  func choice() throws(CommandFailure) -> RecipeChoice {
    var choice = RecipeChoice(flags: given)
    switch base {
    case .preset(let preset): choice.preset = preset
    case .file(let path):
      let file = try RecipeFile(path)
      (choice.preset, choice.file, choice.path) = (file.preset, file.settings, path)
      if let conflict = choice.conflict { throw CommandFailure(.usage, conflict) }
    case nil: break
    }
    return choice
  }
}

/// Settings that stand under one title in `--help`.
protocol SettingSection {
  static var groups: [RecipeField.Group] { get }
}

enum NetworkSettings: SettingSection {
  static let groups = [RecipeField.Group.network]
}

enum TrainingSettings: SettingSection {
  static let groups = [RecipeField.Group.training, .regularization, .stopping, .data]
}

/// A flag for each setting of a section.
///
/// ArgumentParser finds the flags of a type among the children of its mirror, which usually are
/// stored properties. Here they are made from the recipe's table, so that a new setting has its
/// flag at once.
struct SettingOptions<Section: SettingSection>: ParsableArguments, CustomReflectable {
  /// The settings that are given, and their values.
  private(set) var given: [(field: RecipeField, value: JSONValue)] = []

  init() {}

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: SettingKey.self)
    for field in Self.fields {
      let key = SettingKey(stringValue: field.key)
      if case .truth = field.values {
        let isGiven = try values.decode(Flag<Bool>.self, forKey: key).wrappedValue
        if isGiven { given.append((field, true)) }
      } else if let value = try values.decode(Option<JSONValue?>.self, forKey: key).wrappedValue {
        given.append((field, value))
      }
    }
  }

  private static var fields: [RecipeField] {
    Recipe.fields.filter { Section.groups.contains($0.group) }
  }

  var customMirror: Mirror {
    Mirror(self, children: Self.fields.map { (label: $0.key, value: $0.flagDeclaration) })
  }
}

private struct SettingKey: CodingKey {
  let stringValue: String
  init(stringValue: String) { self.stringValue = stringValue }
  var intValue: Int? { nil }
  init?(intValue: Int) { nil }
}

extension RecipeField {
  /// What a property of this setting would be declared as: an `Option`, or a `Flag` if it is on or
  /// off.
  fileprivate var flagDeclaration: Any {
    var name = NameSpecification.customLong(flag)
    if let letter { name = [.customShort(letter), .customLong(flag)] }
    var help = ArgumentHelp("\(help) (\(notebookText))", visibility: isRare ? .hidden : .default)
    switch values {
    case .truth:
      help.abstract = self.help
      return Flag(wrappedValue: false, name: name, help: help)
    case .names(let names):
      help.valueName = names.joined(separator: "|")
      return Option<JSONValue?>(
        name: name, help: help, completion: .list(names), transform: value(ofFlag:))
    case .whole, .decimal:
      help.valueName = if case .whole = values { "n" } else { "x" }
      return Option<JSONValue?>(name: name, help: help, transform: value(ofFlag:))
    }
  }
}

// MARK: What a run leaves, or what is done instead

/// Where a run goes, and what is printed of it.
struct RunOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Run directory. (default: next free runs/<list>-<k>)", valueName: "run"),
    completion: .directory)
  var out: String?
  @Option(
    help: ArgumentHelp("Words to print at the end.", valueName: "n"), in: 0...1_000_000)
  var samples = 20
  @Option(
    help: ArgumentHelp(
      "Words to print at every evaluation.", valueName: "n"), in: 0...1000)
  var samplesDuring = 0
  @Flag(help: "Write the run as one page, report.html, at the end.") var report = false
  @Option(
    help: ArgumentHelp(
      "Threads; the result stays the same. (default: all)", valueName: "n"),
    transform: wholeNumber(in: 1...1024))
  var threads: Int?
}

/// What to do with a list instead of training on it.
struct InsteadOptions: ParsableArguments {
  @Flag(help: "Describe the list: alphabet, lengths, warnings.")
  var describe = false
  @Flag(help: "Try growing learning rates on a copy, and suggest one.")
  var findLearningRate = false
  @Flag(help: "Print the recipe as a file for --recipe.") var printRecipe = false
}

// MARK: Saving and resuming

/// When a run is saved, and which one is resumed.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Resume a run; --steps changes its length.", valueName: "run"),
    completion: .runs)
  var resume: String?
  @Option(
    help: ArgumentHelp("Start from the network of a run or a model file.", valueName: "run"),
    completion: .models)
  var startFrom: String?
  @Option(
    help: ArgumentHelp(
      "Steps between two saves. (default: about 10 seconds of training)", valueName: "n",
      visibility: .hidden),
    transform: wholeNumber(in: 1...1_000_000_000))
  var checkpointEvery: Int?

  func validate() throws {
    if resume == "" { throw ValidationError("--resume must name a run directory") }
    if startFrom == "" { throw ValidationError("--start-from must name a run or a model file") }
    if resume != nil, startFrom != nil {
      throw ValidationError("--start-from cannot be used with --resume, which has its own network")
    }
  }
}

// MARK: A recipe as text

extension Recipe {
  /// The flags that give any list this recipe: the lecture's, and what differs from it. None for the lecture's.
  ///
  /// - Parameter startingFromNetwork: Whether the run starts from a network, and so with another learning rate
  ///   unless one is given.
  func flags(startingFromNetwork: Bool) -> [String] {
    var base = Recipe()
    if startingFromNetwork { base.learningRate = .nan }
    let flags = differences(from: base).map { field in
      if case .truth = field.values { return "--\(field.flag)" }
      return "--\(field.flag) \(field.text(in: self))"
    }
    return flags.isEmpty ? [] : ["--recipe \(Preset.notebook.rawValue)"] + flags
  }
}
