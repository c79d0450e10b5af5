// The recipe as one line of JSON, as it stands in a model file, and back.
//
// One list of fields serves both ways. Keys are written in its order, by hand: encoders do not promise
// an order, and equal runs must have equal bytes. A field that a file does not have keeps the notebook's
// value; one that this version does not know is refused, because training would go on differently.

extension Recipe {
  /// The recipe as JSON, keys in a fixed order.
  public var text: String {
    "{" + Self.fields.map { "\"\($0.key)\":\($0.text(self))" }.joined(separator: ",") + "}"
  }

  /// Reads what `text` wrote: an object of numbers, names and truth values, without blanks.
  ///
  /// - Throws: `RecipeError` for anything else, a setting that is not known, or a value out of range.
  public init(text: String) throws(RecipeError) {
    self.init()
    guard text.hasPrefix("{"), text.hasSuffix("}") else { throw .syntax }
    var seen: Set<String> = []
    for pair in text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
    {
      let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].count > 2, parts[0].hasPrefix("\""), parts[0].hasSuffix("\"")
      else { throw .syntax }
      let key = String(parts[0].dropFirst().dropLast())
      guard let field = Self.fields.first(where: { $0.key == key }) else {
        throw .unknownSetting(key)
      }
      guard seen.insert(key).inserted, field.set(&self, String(parts[1])) else {
        throw .value(key, found: String(parts[1]))
      }
    }
  }

  private static var fields: [Field] {
    [
      Field("block_size", \.blockSize, in: 1...100_000),
      Field("embedding", \.embedding, in: 1...100_000),
      Field("hidden", \.hidden, in: 1...10_000_000),
      Field("batch_size", \.batchSize, in: 2...10_000_000),
      Field("steps", \.steps, in: 1...1_000_000_000),
      Field("optimizer", \.optimizer),
      Field("learning_rate", \.learningRate, in: Float.leastNonzeroMagnitude...1e30),
      Field("schedule", \.schedule),
      Field("warmup", \.warmup, in: 0...1_000_000_000),
      Field("weight_decay", \.weightDecay, in: 0...1e30),
      Field("dropout", \.dropout, in: 0...Float(1).nextDown),
      Field("evaluate_every", \.evaluateEvery, in: 0...1_000_000_000),
      Field("patience", \.patience, in: 0...1_000_000_000),
      Field("stop_at_validation_loss", \.stopAtValidationLoss, in: 0...1e30),
      Field("seed", \.seed, in: 0...UInt64.max),
      Field("split", \.split),
      Field("split_seed", \.splitSeed, in: 0...UInt64.max),
      Field("deduplicate", \.deduplicate),
    ]
  }

  /// The names of the settings in which another recipe differs, in the order of the file.
  public func differences(from other: Recipe) -> [String] {
    Self.fields.filter { $0.text(self) != $0.text(other) }.map(\.key)
  }

  /// All settings in the order of the file: their keys, and their values as people write them.
  public var settings: [(key: String, value: String)] {
    Self.fields.map { ($0.key, $0.text(self).filter { $0 != "\"" }) }
  }

  /// A setting's value as people write it, or nil if there is no setting of that name.
  public func text(of key: String) -> String? { settings.first { $0.key == key }?.value }
}

/// One setting: its key, and the way to its value and back.
private struct Field {
  let key: String
  let text: (Recipe) -> String
  /// Whether the text is a value of the setting.
  let set: (inout Recipe, String) -> Bool

  init<Value: LosslessStringConvertible & Comparable>(
    _ key: String, _ path: WritableKeyPath<Recipe, Value>, in range: ClosedRange<Value>
  ) {
    self.key = key
    text = { "\($0[keyPath: path])" }
    set = { recipe, text in
      guard let value = Value(text), range.contains(value) else { return false }
      recipe[keyPath: path] = value
      return true
    }
  }

  /// A setting with a few values that have names.
  init<Value: RawRepresentable<String>>(_ key: String, _ path: WritableKeyPath<Recipe, Value>) {
    self.key = key
    text = { "\"\($0[keyPath: path].rawValue)\"" }
    set = { recipe, text in
      guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\""),
        let value = Value(rawValue: String(text.dropFirst().dropLast()))
      else { return false }
      recipe[keyPath: path] = value
      return true
    }
  }

  init(_ key: String, _ path: WritableKeyPath<Recipe, Bool>) {
    self.key = key
    text = { "\($0[keyPath: path])" }
    set = { recipe, text in
      guard let value = Bool(text) else { return false }
      recipe[keyPath: path] = value
      return true
    }
  }
}

/// Why a text is not a recipe.
public enum RecipeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not an object as this project writes it.
  case syntax
  /// It has a setting of a newer version.
  case unknownSetting(String)
  /// A setting stands twice, or has a value that it cannot have.
  case value(String, found: String)

  var isUnknownSetting: Bool {
    if case .unknownSetting = self { true } else { false }
  }

  public var description: String {
    switch self {
    case .syntax: "expected an object of settings"
    case .unknownSetting(let key): "the setting \(key) is not known to this program"
    case .value(let key, let found): "\(key) cannot be \(found)"
    }
  }
}
