// Which recipe a command line asks for: a preset or a file, then flags, then the sizes of a network
// to start from; and the file, as `--print-recipe` writes it.
//
// No setting is named here: flags, limits and help are made from the recipe's table. A new run
// takes the preset's value for a missing flag, a resumed run its own. A file's keys are the names
// of flags, so that whatever can be said on a command line can be kept in a file. It is read
// strictly: a misspelt setting would train another network.

import ArgumentParser
import CharMLP
import CommandSupport
import OrderedJSON
import Posix

// MARK: - The flags

/// The settings of a network and its training that were given.
struct RecipeOptions: ParsableArguments {
  @Option(
    name: .customLong("recipe"),
    help: "Settings: best, notebook, or a file. (default: best)",
    completion: .listing("echo best; echo notebook; ls -- *.json"))
  var base: RecipeBase?
  @OptionGroup(title: "Network (in parentheses: the lecture's)")
  var network: SettingOptions<NetworkSettings>
  @OptionGroup(title: "Training (in parentheses: the lecture's)")
  var training: SettingOptions<TrainingSettings>

  func validate() throws {
    if let conflict = flags.conflict { throw ValidationError(conflict) }
  }

  /// What the flags say.
  private var flags: RecipeChoice { RecipeChoice(flags: network.given + training.given) }

  /// What the flags say, and the file that they name.
  /// - Throws: `CommandFailure` for a file that is not there or is not a recipe.
  func choice() throws(CommandFailure) -> RecipeChoice {
    var choice = flags
    switch base {
    case .preset(let preset): choice.preset = preset
    case .file(let path):
      try choice.read(path)
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
  private(set) var given: [GivenSetting] = []

  init() {}

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: SettingKey.self)
    for field in Self.fields {
      let key = SettingKey(stringValue: field.key)
      if case .boolean = field.values {
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
    var help = ArgumentHelp("\(help) (\(notebookText))", visibility: isRare ? .rare : .default)
    switch values {
    case .boolean:
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

// MARK: A recipe as text

extension Recipe {
  /// The flags that give this recipe whatever the list: `--recipe notebook`, and what differs from
  /// it. None for the lecture's own.
  /// - Parameter startingFromNetwork: Whether the run starts from a network, and so with another
  ///   learning rate unless one is given.
  func flags(startingFromNetwork: Bool) -> [String] {
    var base = Recipe()
    if startingFromNetwork { base.learningRate = .nan }
    let flags = differences(from: base).map { field in
      if case .boolean = field.values { return "--\(field.flag)" }
      return "--\(field.flag) \(field.text(in: self))"
    }
    return flags.isEmpty ? [] : ["--recipe \(Preset.notebook.rawValue)"] + flags
  }
}

// MARK: - What they say together

/// What `--recipe` names.
enum RecipeBase: ExpressibleByArgument {
  case preset(Recipe.Preset)
  case file(String)

  init?(argument: String) {
    guard !argument.isEmpty else { return nil }
    self = Recipe.Preset(rawValue: argument).map(Self.preset) ?? .file(argument)
  }
}

/// A setting that was given, and its value.
typealias GivenSetting = (field: RecipeField, value: JSONValue)

/// All that a command line says about a recipe; the list may decide the rest.
struct RecipeChoice {
  /// The preset that was named; nil for the default.
  var preset: Recipe.Preset?
  /// The file that was named; nil if none was.
  var path: String?
  /// The settings of the file.
  var file: [GivenSetting] = []
  /// The settings that flags give.
  let flags: [GivenSetting]
  /// The network that the run starts from, and where it was read.
  private(set) var network: StartingNetwork?
  private(set) var networkPath: String?

  init(flags: [GivenSetting]) { self.flags = flags }

  /// What the settings begin with, in words.
  var title: String {
    (path?.shownPath ?? (preset ?? .best).rawValue) + (flags.isEmpty ? "" : " with changes,")
  }

  /// What gives a setting a value: a flag, a file or a preset.
  func origin(of field: RecipeField, _ value: String) -> String {
    if flags.contains(where: { $0.field.key == field.key }) { return "--\(field.flag) \(value)" }
    let name = path.map { shellWord($0) } ?? preset?.rawValue ?? ""
    return "--recipe \(name), with \(field.flag) \(value),"
  }

  /// The recipe of a new run: the preset for a list of its size, with the given settings in place
  /// of the preset's own. From a trained network it takes the sizes, and a tenth of the preset's
  /// learning rate: at the full rate the first steps undo what the network knows.
  func recipe(trainingWindows: Int) -> Recipe {
    let steps = (file + flags).last { $0.field.key == "steps" }?.value.whole(as: Int.self)
    var recipe = Recipe(preset ?? .best, trainingWindows: trainingWindows, steps: steps)
    if let shape = network?.model.shape {
      recipe.takeSizes(of: shape)
      // In decimal, so that 0.002 becomes 0.0002 and nothing with eight digits.
      recipe.learningRate = Float(Double("\(recipe.learningRate)").map { $0 / 10 } ?? 0)
    }
    return applied(to: recipe)
  }

  /// A recipe with the given settings in place of its own.
  func applied(to recipe: Recipe) -> Recipe {
    var recipe = recipe
    for (field, value) in file + flags { field.apply(value, to: &recipe) }
    return recipe
  }

  /// A run's recipe with those flags applied that say when it ends.
  func ending(_ recipe: Recipe) -> Recipe {
    var recipe = recipe
    for (field, value) in flags where Recipe.endKeys.contains(field.key) {
      field.apply(value, to: &recipe)
    }
    return recipe
  }

  /// Two settings that cannot both hold; nil if there are none.
  var conflict: String? {
    do throws(RecipeError) { try applied(to: Recipe()).validate() } catch {
      guard case .conflict(let first, let second, let reason) = error else { return "\(error)" }
      return "--\(first) cannot be used with --\(second), \(reason)"
    }
    return nil
  }

  /// Takes the sizes of a network that was read from `path`.
  /// - Throws: `CommandFailure` (76) if others are asked for.
  mutating func start(from network: StartingNetwork, at path: String) throws(CommandFailure) {
    (self.network, networkPath) = (network, path)
    var known = applied(to: Recipe())
    known.takeSizes(of: network.model.shape)
    for (field, value) in file + flags {
      var asked = known
      field.apply(value, to: &asked)
      var taken = asked
      taken.takeSizes(of: network.model.shape)
      guard asked == taken else {
        throw CommandFailure(
          .incompatible,
          """
          \(path): \(origin(of: field, field.text(in: asked))) does not match the network, which has \
          \(field.text(in: known))
          """,
          advice: "Leave it out, or train a network of that size from scratch.")
      }
    }
  }
}

// MARK: - The file

extension RecipeChoice {
  /// The key of the preset: the flag's own name.
  private static let presetKey = "recipe"
  /// The most bytes of a file, far more than all settings need.
  private static let byteLimit = 1 << 20
  private static let presets = Recipe.Preset.allCases.map(\.rawValue)

  /// Reads a file: some or all settings, and the preset that the others come from.
  /// - Throws: `CommandFailure`: 64 for what is neither a file nor a preset, 66 for a file that
  ///   cannot be read, 65 for one that is not a recipe.
  mutating func read(_ path: String) throws(CommandFailure) {
    var bytes: [UInt8]
    do throws(SystemError) { bytes = try FileSystem.read(path, limit: Self.byteLimit) } catch {
      let meant = NearestWords.likelyName(for: path, among: Self.presets)
      let isPath = path.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }
      let isRun = (try? RunDirectory(existing: path))?.hasModel == true
      throw CommandFailure(
        error.isMissing && !isPath ? .usage : .noInput,
        "--recipe \(error)" + (meant.map { "; did you mean \($0)?" } ?? ""),
        advice: isRun
          ? "For the recipe of a run:  "
            + Program.commandLine("train --resume \(shellWord(path)) --print-recipe")
          : "Give a file, or one of: \(Self.presets.sorted().joined(separator: ", ")).")
    }
    // Windows' editors write a byte order mark, as in word lists.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    self.path = path
    do throws(RecipeFileError) { try take(bytes) } catch {
      throw CommandFailure(
        .badData, "\(path): \(error.reason)",
        advice: Program.commandLine("train --print-recipe") + " writes such a file.")
    }
  }

  /// Why a file is not a recipe.
  private struct RecipeFileError: Error {
    let reason: String
  }

  private mutating func take(_ bytes: [UInt8]) throws(RecipeFileError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw RecipeFileError(reason: "expected a recipe in UTF-8")
    }
    let json: JSONValue
    do throws(JSONSyntaxError) { json = try JSONValue(parsing: text) } catch {
      let lines = bytes.prefix(error.offset)
        .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let column = lines[lines.count - 1].count + 1
      throw RecipeFileError(
        reason: "line \(lines.count), column \(column): expected \(error.expected)")
    }
    guard let pairs = json.pairs else {
      throw RecipeFileError(reason: "expected an object of settings")
    }
    var scratch = Recipe()
    for (key, value) in pairs {
      var requirement: String?
      if key == Self.presetKey {
        preset = value.text.flatMap(Recipe.Preset.init)
        if preset == nil { requirement = "must be " + Self.presets.joined(separator: " or ") }
      } else if let field = Recipe.fields.first(where: { $0.flag == key }) {
        file.append((field, value))
        if !field.set(&scratch, to: value) { requirement = field.requirement }
      } else {
        let names = Recipe.fields.map(\.flag) + [Self.presetKey]
        let meant =
          ForeignFlag.ours(for: key).first(where: names.contains)
          ?? NearestWords.likelyName(for: key, among: names)
        throw RecipeFileError(
          reason: "unknown setting \"\(key)\"" + (meant.map { "; did you mean \"\($0)\"?" } ?? ""))
      }
      if let requirement {
        throw RecipeFileError(reason: "\(key) \(requirement), found \(value.encoded())")
      }
    }
  }
}

extension Recipe {
  /// The file that asks for this recipe again, a setting a line.
  var fileText: String {
    let lines = Self.fields.map { field in
      "  \(JSONValue.string(field.flag).encoded()): \(field.value(in: self).encoded())"
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }

  /// The same as one value.
  var flagJSON: JSONValue {
    .object(Self.fields.map { (key: $0.flag, value: $0.value(in: self)) })
  }
}
