// The recipe's settings as one table: the key in files, the values that are allowed, the words of
// `--help`.
//
// A model file's text, the flags of `train` and their limits, start lines, reports and JSON are all
// made from it, so they cannot disagree: a value is possible in a file or a program if, and only
// if, it is possible as a flag. A new setting is a stored property of Recipe and one entry here.
// The order is that of the file and of `--help`.

package import OrderedJSON

extension Recipe {
  /// All settings, in the order of the file and of `--help`.
  package static let fields: [RecipeField] = [
    RecipeField(
      "block_size", \.blockSize, in: 1...100_000, .network, "Characters of context."),
    RecipeField(
      "embedding", \.embedding, in: 1...100_000, .network, "Numbers that represent a character."),
    RecipeField(
      "embedding_scale", \.embeddingScale, in: .leastNonzeroMagnitude...1e30, .network,
      "Standard deviation of the embeddings at the start."
    ).rare,
    RecipeField(
      "hidden", \.hidden, in: 1...10_000_000, .network, "Units of the hidden layer."),
    RecipeField(
      "batch_size", \.batchSize, in: 2...10_000_000, .training, "Windows in a minibatch."),
    RecipeField(
      "steps", \.steps, in: 1...1_000_000_000, .training, "Steps of gradient descent."
    ).short("n"),
    RecipeField("optimizer", \.optimizer, .training, "How gradients become updates."),
    RecipeField(
      "learning_rate", \.learningRate, in: .leastNonzeroMagnitude...1e30, .training,
      "The largest learning rate."),
    RecipeField(
      "schedule", \.schedule, .training,
      "constant; step: to a tenth; cosine: to 0."),
    RecipeField(
      "warmup", \.warmup, in: 0...1_000_000_000, .training,
      "First steps, over which the learning rate grows."
    ).rare,
    RecipeField(
      "weight_decay", \.weightDecay, in: 0...1e30, .regularization,
      "Decoupled decay of W1 and W2."),
    RecipeField(
      "dropout", \.dropout, in: 0...Float(1).nextDown, .regularization,
      "Share of hidden units that a step leaves out."),
    RecipeField(
      "averaging", \.averaging, in: 0...Float(1).nextDown, .regularization,
      "Decay of the running average of the parameters; 0: none."
    ).rare,
    RecipeField(
      "evaluate_every", \.evaluateEvery, in: 1...1_000_000_000, zero: "a twentieth of the steps",
      .stopping, "Steps between evaluations."),
    RecipeField(
      "patience", \.patience, in: 0...1_000_000_000, .stopping,
      "Stop after n evaluations without improvement; 0: never."),
    RecipeField(
      "stop_at_validation_loss", \.stopAtValidationLoss, in: 0...1e30, .stopping,
      "Stop once the validation loss falls below this; 0: never."
    ).rare,
    RecipeField(
      "mix", \.mix, .training,
      "ngram: mix the network with an n-gram model."),
    RecipeField(
      "seed", \.seed, in: 0...UInt64.max, .training, "Seed of parameters and minibatches."
    ).short("s"),
    RecipeField(
      "split", \.split, .data,
      """
      How words are divided into training, validation and test sets: shuffle, as in the lecture; \
      hash, for lists too long for one machine's memory: each rank reads its part.
      """
    ).rare,
    RecipeField(
      "split_seed", \.splitSeed, in: 0...UInt64.max, .data,
      "Seed of the split into train, validation and test."
    ).rare,
    RecipeField(
      "deduplicate", \.deduplicate, .data,
      "Remove words that repeat an earlier one."),
  ]
}

extension Recipe {
  /// The keys of the settings that say when a run ends: a run that goes on can be given others.
  package static let endKeys = ["steps", "patience", "stop_at_validation_loss"]

  /// The sizes that a network has, whatever trains it, and where its shape has them.
  private static let sizes: [Size] = [
    (\.blockSize, \.blockSize), (\.embedding, \.embedding), (\.hidden, \.hidden),
  ]
  private typealias Size = (
    setting: WritableKeyPath<Recipe, Int> & Sendable, ofNetwork: KeyPath<ModelShape, Int> & Sendable
  )

  /// Takes the sizes of a network.
  package mutating func takeSizes(of shape: ModelShape) {
    for (setting, ofNetwork) in Self.sizes { self[keyPath: setting] = shape[keyPath: ofNetwork] }
  }
}

/// One setting: its name, its values, and the way to its value in a recipe and back.
package struct RecipeField: Sendable {
  /// The name in files: `batch_size`.
  package let key: String
  package let group: Group
  /// The values that a flag may give.
  package let values: Values
  /// What the setting is, as a sentence of `--help`.
  package let help: String
  /// The path of the property.
  package let path: PartialKeyPath<Recipe> & Sendable
  /// The letter of the short flag, if there is one.
  package private(set) var letter: Character?
  /// Whether few people change it: `--help` leaves it to `--help-hidden`.
  package private(set) var isRare = false
  /// What a value of 0 stands for, if a flag cannot give it.
  private let zero: String?
  private let get: @Sendable (Recipe) -> JSONValue
  private let store: @Sendable (inout Recipe, JSONValue) -> Bool

  /// What a setting is about.
  package enum Group: Sendable { case network, training, regularization, stopping, data }

  /// The values of a setting.
  package enum Values: Sendable {
    case whole(ClosedRange<UInt64>)
    /// A bound that does not belong to the range is given by its neighbour:
    /// `.leastNonzeroMagnitude` for above 0, `Float(1).nextDown` for below 1.
    case decimal(ClosedRange<Float>)
    case names([String])
    case boolean
  }

  /// The same setting with a short flag.
  fileprivate func short(_ letter: Character) -> RecipeField {
    var field = self
    field.letter = letter
    return field
  }

  /// The same setting, as one that few people change.
  fileprivate var rare: RecipeField {
    var field = self
    field.isRare = true
    return field
  }

  /// The name among flags, without dashes before it: `batch-size`.
  package var flag: String { key.split(separator: "_").joined(separator: "-") }

  /// The name in sentences and tables: `batch size`.
  package var name: String { key.split(separator: "_").joined(separator: " ") }

  /// The value in a recipe.
  package func value(in recipe: Recipe) -> JSONValue { get(recipe) }

  /// The value in a recipe as people write it.
  package func text(in recipe: Recipe) -> String {
    let value = get(recipe)
    return value.text ?? value.encoded()
  }

  /// The value of the notebook's recipe, as `--help` shows it.
  package var notebookText: String {
    let text = text(in: Recipe())
    if let zero, text == "0" { return zero }
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Changes a recipe, if the value is one of those that the setting may have.
  ///
  /// - Returns: Whether it is.
  package func set(_ recipe: inout Recipe, to value: JSONValue) -> Bool { store(&recipe, value) }
}

// MARK: The kinds of settings

extension RecipeField {
  private init<Value>(
    _ key: String, _ path: WritableKeyPath<Recipe, Value> & Sendable, _ values: Values,
    zero: String? = nil, _ group: Group, _ help: String,
    get: @escaping @Sendable (Value) -> JSONValue, read: @escaping @Sendable (JSONValue) -> Value?
  ) {
    (self.key, self.group, self.help, self.path, self.zero) = (key, group, help, path, zero)
    self.values = values
    self.get = { get($0[keyPath: path]) }
    store = { recipe, json in
      guard let value = read(json) else { return false }
      recipe[keyPath: path] = value
      return true
    }
  }

  fileprivate init<Value: FixedWidthInteger & Sendable>(
    _ key: String, _ path: WritableKeyPath<Recipe, Value> & Sendable, in range: ClosedRange<Value>,
    zero: String? = nil, _ group: Group, _ help: String
  ) {
    self.init(
      key, path, .whole(UInt64(range.lowerBound)...UInt64(range.upperBound)), zero: zero, group,
      help,
      // No setting may be negative, but a program's recipe can be.
      get: { $0 < 0 ? .integer(Int($0)) : .unsigned(UInt64($0)) },
      read: { json in
        let value = json.whole(as: Value.self)
        return value.flatMap { range.contains($0) || (zero != nil && $0 == 0) ? $0 : nil }
      })
  }

  fileprivate init(
    _ key: String, _ path: WritableKeyPath<Recipe, Float> & Sendable, in range: ClosedRange<Float>,
    _ group: Group, _ help: String
  ) {
    self.init(
      key, path, .decimal(range), group, help, get: { .float($0) },
      read: { $0.float.flatMap { range.contains($0) ? $0 : nil } })
  }

  fileprivate init<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ key: String, _ path: WritableKeyPath<Recipe, Value> & Sendable, _ group: Group, _ help: String
  ) {
    self.init(
      key, path, .names(Value.allCases.map(\.rawValue)), group, help, get: { .string($0.rawValue) },
      read: { $0.text.flatMap(Value.init) })
  }

  fileprivate init(
    _ key: String, _ path: WritableKeyPath<Recipe, Bool> & Sendable, _ group: Group, _ help: String
  ) {
    self.init(key, path, .boolean, group, help, get: { .bool($0) }, read: \.boolean)
  }
}

// MARK: - JSON, as in a model file
//
// A setting that a text does not have keeps the notebook's value; one that this version does not
// know is refused, because training would go on differently.

extension Recipe {
  /// The recipe as an object of its settings, in the order of the table.
  package var json: JSONValue {
    .object(Self.fields.map { (key: $0.key, value: $0.value(in: self)) })
  }

  /// The recipe as JSON on one line, keys in a fixed order.
  public var text: String { json.encoded() }

  /// Reads an object of settings.
  ///
  /// - Throws: `RecipeError` for anything else, a setting that is not known, or a value out of
  ///   range.
  package init(json: JSONValue) throws(RecipeError) {
    self.init()
    guard let pairs = json.pairs else { throw .syntax }
    for (key, value) in pairs {
      guard let field = Self.fields.first(where: { $0.key == key }) else {
        throw .unknownSetting(key)
      }
      guard field.set(&self, to: value) else { throw .value(key, found: value.encoded()) }
    }
  }

  /// Reads what `text` wrote, or the same in another order or with white space.
  ///
  /// - Throws: `RecipeError` for anything else, a setting that is not known, or a value out of
  ///   range.
  public init(text: String) throws(RecipeError) {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: text)
    } catch {
      throw .syntax
    }
    try self.init(json: json)
  }

  /// The settings in which another recipe differs, in the order of the table.
  package func differences(from other: Recipe) -> [RecipeField] {
    Self.fields.filter { $0.value(in: self) != $0.value(in: other) }
  }
}

/// Why a text is not a recipe.
public enum RecipeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not an object of JSON, or has a setting twice.
  case syntax
  /// It has a setting of a newer version.
  case unknownSetting(String)
  /// A setting has a value that it cannot have.
  case value(String, found: String)
  /// The data set was made for another block size.
  case blockSize(Int, ofData: Int)
  /// The network has another number of symbols than the data set, the terminator counted.
  case vocabulary(Int, ofData: Int)
  /// The network to start from has another size than the recipe.
  case size(String, Int, ofNetwork: Int)
  /// Two settings exclude each other, for the reason that is added to the sentence.
  case conflict(String, String, reason: String)

  var isUnknownSetting: Bool {
    if case .unknownSetting = self { true } else { false }
  }

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .syntax: "expected an object of settings"
    case .unknownSetting(let key): "the setting \(key) is not known to this program"
    case .value(let key, let found): "\(key) cannot be \(found)"
    case .blockSize(let size, let ofData):
      "block_size is \(size), but the data set's windows have \(ofData) characters"
    case .vocabulary(let count, let ofData):
      "the network has \(count) symbols and the data set \(ofData), the end of a word included"
    case .size(let key, let size, let ofNetwork):
      "\(key) is \(size), but the network to start from has \(ofNetwork)"
    case .conflict(let first, let second, let reason):
      "\(first) cannot be used with \(second), \(reason)"
    }
  }
}

// MARK: - Validation and coding
//
// For recipes that a program sets up. The names are those of the model file: `batch_size`.

extension Recipe {
  /// A value as a message shows it; JSON has no NaN.
  private static func text(of value: JSONValue) -> String {
    if case .float(let number) = value { return number.description }
    return value.text ?? value.encoded()
  }

  /// Checks every setting, as a trainer does before it begins.
  ///
  /// - Throws: `RecipeError.value`, which names the first setting with a value that it cannot have,
  ///   or `RecipeError.conflict` for two settings that exclude each other.
  public func validate() throws(RecipeError) {
    for field in Self.fields {
      var copy = self
      guard field.set(&copy, to: field.value(in: self)) else {
        throw .value(field.key, found: Self.text(of: field.value(in: self)))
      }
    }
    if split == .hash, deduplicate {
      throw .conflict(
        "deduplicate", "split hash", reason: "which gives equal words the same part")
    }
  }

  /// Checks that a network has this recipe's sizes; its vocabulary may be another.
  ///
  /// - Throws: `RecipeError.size` for the first that differs.
  func requireSizes(of shape: ModelShape) throws(RecipeError) {
    for (setting, ofNetwork) in Self.sizes {
      let (size, other) = (self[keyPath: setting], shape[keyPath: ofNetwork])
      guard size == other else {
        let field = Self.fields.first { $0.path == setting }
        throw .size(field?.key ?? "", size, ofNetwork: other)
      }
    }
  }
}

/// A recipe is encoded as an object of all its settings.
extension Recipe: Codable {
  /// The name of a setting as a coding key.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Encodes all settings under their names.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for field in Self.fields {
      let key = Key(stringValue: field.key)
      switch field.value(in: self) {
      case .unsigned(let number): try container.encode(number, forKey: key)
      case .float(let number): try container.encode(number, forKey: key)
      case .bool(let boolean): try container.encode(boolean, forKey: key)
      case let value: try container.encode(Self.text(of: value), forKey: key)
      }
    }
  }

  /// Decodes settings by their names.
  ///
  /// - Throws: `DecodingError.dataCorrupted`, with a `RecipeError` as the underlying error, for a
  ///   setting that is not known or a value that it cannot have.
  public init(from decoder: any Decoder) throws {
    self.init()
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      guard let field = Self.fields.first(where: { $0.key == key.stringValue }) else {
        throw Self.corrupted(.unknownSetting(key.stringValue), container.codingPath + [key])
      }
      let value: JSONValue =
        switch field.values {
        case .whole: .unsigned(try container.decode(UInt64.self, forKey: key))
        case .decimal: .float(try container.decode(Float.self, forKey: key))
        case .boolean: .bool(try container.decode(Bool.self, forKey: key))
        case .names: .string(try container.decode(String.self, forKey: key))
        }
      guard field.set(&self, to: value) else {
        let error = RecipeError.value(field.key, found: Self.text(of: value))
        throw Self.corrupted(error, container.codingPath + [key])
      }
    }
  }

  private static func corrupted(
    _ error: RecipeError, _ path: [any CodingKey]
  ) -> DecodingError {
    .dataCorrupted(.init(codingPath: path, debugDescription: "\(error)", underlyingError: error))
  }
}
