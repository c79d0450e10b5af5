// A recipe that a program sets up: whether its values are possible, and how it is encoded.
//
// Both read the table of settings, so that a value is possible here if, and only if, it is possible as a flag
// and in a model file. The names are those of the model file: `batch_size`.

internal import OrderedJSON

extension Recipe {
  /// A value as a message shows it; JSON has no NaN.
  private static func text(of value: JSONValue) -> String {
    if case .float(let number) = value { return number.description }
    return value.text ?? value.encoded()
  }

  /// Checks every setting, as a trainer does before it begins.
  ///
  /// - Throws: `RecipeError.value`, which names the first setting with a value that it cannot have.
  public func validate() throws(RecipeError) {
    for field in Self.fields {
      var copy = self
      guard field.set(&copy, to: field.value(in: self)) else {
        throw .value(field.key, found: Self.text(of: field.value(in: self)))
      }
    }
  }
}

/// A recipe is encoded as an object of all its settings. A setting that is missing when it is decoded keeps the
/// notebook's value.
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
  /// - Throws: `DecodingError.dataCorrupted`, with a `RecipeError` as the underlying error, for a setting that is
  ///   not known or a value that it cannot have.
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
