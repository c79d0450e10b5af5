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
    help:
      "Settings to begin with: best, which fit the list, or notebook, the lecture's. (default: best)"
  )
  var preset: Recipe.Preset?
  @OptionGroup var settings: SettingOptions

  /// The recipe of a new run: the preset for a list of its size, with the given settings in place of
  /// the preset's own.
  func recipe(trainingWindows: Int) -> Recipe {
    let steps = settings.given.first { $0.field.key == "steps" }?.value.whole(as: Int.self)
    return applied(
      to: Recipe(preset ?? .best, trainingWindows: trainingWindows, steps: steps))
  }

  /// A recipe with the given settings in place of its own.
  func applied(to recipe: Recipe) -> Recipe {
    var recipe = recipe
    for (field, value) in settings.given {
      let isSet = field.set(&recipe, to: value)
      precondition(isSet, "the limits of \(field.key) are not those of its flag")
    }
    return recipe
  }
}

extension Recipe.Preset: ExpressibleByArgument {}

/// A flag for each setting.
///
/// ArgumentParser finds the flags of a type among the children of its mirror, which usually are
/// stored properties. Here they are made from the recipe's table, so that a new setting has its
/// flag at once.
struct SettingOptions: ParsableArguments, CustomReflectable {
  /// The settings that are given, and their values.
  private(set) var given: [(field: RecipeField, value: JSONValue)] = []

  init() {}

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    for field in Recipe.fields {
      let key = Key(stringValue: field.key)
      if case .truth = field.values {
        let isGiven = try values.decode(Flag<Bool>.self, forKey: key).wrappedValue
        if isGiven { given.append((field, true)) }
      } else if let value = try values.decode(Option<JSONValue?>.self, forKey: key).wrappedValue {
        given.append((field, value))
      }
    }
  }

  var customMirror: Mirror {
    Mirror(self, children: Recipe.fields.map { (label: $0.key, value: $0.flagDeclaration) })
  }

  private struct Key: CodingKey {
    let stringValue: String
    init(stringValue: String) { self.stringValue = stringValue }
    var intValue: Int? { nil }
    init?(intValue: Int) { nil }
  }
}

extension RecipeField {
  /// What a property of this setting would be declared as: an `Option`, or a `Flag` if it is on or
  /// off.
  fileprivate var flagDeclaration: Any {
    let name = NameSpecification.customLong(flag)
    switch values {
    case .truth:
      return Flag(wrappedValue: false, name: name, help: ArgumentHelp(help))
    case .names(let names):
      return Option<JSONValue?>(
        name: name,
        help: "\(help) (default: \(defaultText)) (values: \(names.joined(separator: ", ")))",
        completion: .list(names), transform: value(ofFlag:))
    case .whole, .decimal:
      return Option<JSONValue?>(
        name: name, help: "\(help) (default: \(defaultText))", transform: value(ofFlag:))
    }
  }
}

// MARK: Saving and resuming

/// When a run is saved, and which one is resumed.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: "Steps between two saves. (default: about 10 seconds of training)",
    transform: wholeNumber(in: 1...1_000_000_000))
  var checkpointEvery: Int?
  @Option(
    help: "Run directory of a run that was stopped, to go on with; needs no other flag.",
    completion: .runs)
  var resume: String?

  func validate() throws {
    if resume == "" { throw ValidationError("--resume must name a run directory") }
  }
}

// MARK: A recipe as text

extension Recipe {
  /// How a run is trained: 200,000 steps of 32, learning rate 0.1, then 0.01.
  var trainingText: String {
    var parts = ["\(Format.count(steps)) steps of \(batchSize)"]
    if optimizer != .sgd { parts.append(optimizer.rawValue) }
    parts.append("learning rate \(scheduleText)")
    parts += Self.fields.filter { $0.group == .regularization && !$0.isOff(in: self) }
      .map { "\($0.name) \($0.text(in: self))" }
    return parts.joined(separator: ", ")
  }

  private var scheduleText: String {
    let fall =
      switch schedule {
      case .constant: ""
      case .step: ", then \(learningRate / 10)"
      case .cosine: ", falling as a cosine"
      }
    return "\(learningRate)\(fall)"
      + (warmup > 0 ? " after \(Format.count(warmup)) steps of warm-up" : "")
  }

  /// The settings in which it differs from the lecture's, as flags in lines of a terminal's width.
  var flagLines: [String] {
    let flags = differences(from: Recipe()).map { field in
      if case .truth = field.values { return "--\(field.flag)" }
      return "--\(field.flag) \(field.text(in: self))"
    }
    return flags.reduce(into: []) { lines, flag in
      if let last = lines.last, last.count + 1 + flag.count <= 78 {
        lines[lines.count - 1] += " " + flag
      } else {
        lines.append("  " + flag)
      }
    }
  }
}
