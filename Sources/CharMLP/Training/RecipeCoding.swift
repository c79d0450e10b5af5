// A recipe as text and as a program's `Codable`, and what can be wrong with one.
//
// All of it reads the table of settings, so that a value is possible here if, and only if, it is
// possible as a flag. A setting that a text does not have keeps the notebook's value; one that this
// version does not know is refused, because training would go on differently.

package import OrderedJSON

// MARK: - JSON, as in a model file

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
      "the network knows \(count) symbols, the data set \(ofData); the end of a word is one of them"
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
    let sizes = [
      ("block_size", blockSize, shape.blockSize), ("embedding", embedding, shape.embedding),
      ("hidden", hidden, shape.hidden),
    ]
    for (key, size, ofNetwork) in sizes where size != ofNetwork {
      throw .size(key, size, ofNetwork: ofNetwork)
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
      case .bool(let truth): try container.encode(truth, forKey: key)
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
        case .truth: .bool(try container.decode(Bool.self, forKey: key))
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
