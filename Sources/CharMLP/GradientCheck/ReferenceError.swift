// Everything that can be wrong with a reference file, each with the tensor's name.

public import Safetensors

/// Why bytes are not a reference.
public enum ReferenceError: Error, Equatable, Sendable {
  /// The bytes are no safetensors file.
  case file(SafetensorsError)
  /// A tensor that every reference has is missing.
  case missing(tensor: String)
  /// The elements have another type.
  case dataType(tensor: String, expected: String, found: DataType)
  /// The shape does not fit the others.
  case shape(tensor: String, expected: String, found: [Int])
  /// An id has no row in C.
  case id(tensor: String, index: [Int], vocabulary: Int, found: Int64)
  /// A parameter is not finite, or too large for Float.
  case parameter(tensor: String, index: [Int], found: Double)
  /// A tensor looks like a gradient, and there is none of that name.
  case unknownGradient(tensor: String)
  /// A tensor of the pass would be too large.
  case tooLarge(limit: Int)
}

extension ReferenceError: CustomStringConvertible {
  /// The error in one line.
  public var description: String {
    switch self {
    case .file(let error):
      "not a safetensors file: \(error)"
    case .missing(let tensor):
      "\(tensor): expected in every reference, found none"
    case .dataType(let tensor, let expected, let found):
      "\(tensor): expected \(expected), found \(found.rawValue)"
    case .shape(let tensor, let expected, let found):
      "\(tensor): expected the shape \(expected), found \(found.shapeDescription)"
    case .id(let tensor, let index, let vocabulary, let found):
      "\(tensor): expected ids from 0 to \(vocabulary - 1), the rows of C, "
        + "found \(found) at \(index.shapeDescription)"
    case .parameter(let tensor, let index, let found):
      "\(tensor): expected numbers that Float can hold, "
        + "found \(found) at \(index.shapeDescription)"
    case .unknownGradient(let tensor):
      "\(tensor): expected d and the name of a tensor of the pass, found another name"
    case .tooLarge(let limit):
      "expected sizes that make no tensor of more than \(limit) elements, found larger ones"
    }
  }
}

extension [Int] {
  /// A shape or an index as PyTorch shows it: `(32, 27)`, `(27,)`, `()`.
  public var shapeDescription: String {
    count == 1 ? "(\(self[0]),)" : "(" + map(String.init).joined(separator: ", ") + ")"
  }
}
