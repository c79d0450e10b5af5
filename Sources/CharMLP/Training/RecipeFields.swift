// The recipe's settings as one table: the key in files, the values that are allowed, the words of
// `--help`.
//
// A model file's text, the flags of `train` and their limits, start lines, reports and JSON are all
// made from it, so they cannot disagree. A new setting is a stored property of Recipe and one entry
// here. The order is that of the file and of `--help`.

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
      "What a step keeps of the running average of the parameters; 0: there is none."
    ).rare,
    RecipeField(
      "evaluate_every", \.evaluateEvery, in: 1...1_000_000_000, zero: "a twentieth of the steps",
      .stopping, "Steps between evaluations."),
    RecipeField(
      "patience", \.patience, in: 0...1_000_000_000, .stopping,
      "Stop after n evaluations without gain; 0: never."),
    RecipeField(
      "stop_at_validation_loss", \.stopAtValidationLoss, in: 0...1e30, .stopping,
      "Ends training when an evaluation finds a smaller validation loss; 0: never."
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

  /// The keys of the sizes that a network has, whatever trains it.
  package static let sizeKeys = ["block_size", "embedding", "hidden"]
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
    case truth
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
    self.init(key, path, .truth, group, help, get: { .bool($0) }, read: \.truth)
  }
}
