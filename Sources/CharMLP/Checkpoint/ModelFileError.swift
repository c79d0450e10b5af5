// What can be wrong with a model file, and the checksum that finds damage.
//
// Callers distinguish a file that is damaged or forged from one that is sound but meant for another
// program or a newer version of this one.

public import Safetensors

/// Why a file is not a model that can be used.
public enum ModelFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not a safetensors file.
  case notSafetensors(SafetensorsError)
  /// It is one, but nothing that this project wrote, or nothing since version 2.
  case notAModel
  /// It does not say what its checksum is.
  case noChecksum
  /// Its bytes are not those that were written.
  case wrongChecksum(found: String, expected: String)
  /// A newer version of this project wrote it.
  case newerVersion(Int)
  /// It is a network of another kind.
  case otherArchitecture(String)
  /// It was trained in a way that this version does not know.
  case unknownBackward(String)
  /// Its recipe cannot be read.
  case recipe(RecipeError)
  /// Its vocabulary is not valid.
  case vocabulary(VocabularyError)
  /// A tensor is missing, has another type or shape, or holds a value that is not finite.
  case tensor(String, expected: String)
  /// A number that training relies on is missing or impossible.
  case training(String, expected: String)
  /// Its word list is not valid, or not that of the network.
  case words(String)
  /// It is a network without the run that trained it: it predicts, but there is nothing to resume.
  case networkAlone
  /// It cannot be opened, read or written; the system's message, with the path.
  case file(String)

  /// Whether the file is sound, but not for this version of the program.
  public var isIncompatible: Bool {
    switch self {
    case .newerVersion, .otherArchitecture, .unknownBackward: true
    case .recipe(let error): error.isUnknownSetting
    default: false
    }
  }

  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .notSafetensors(let error): "not a model file: \(error)"
    case .notAModel: "a safetensors file, but not a CharMLP model"
    case .noChecksum: "expected a checksum in the model file, found none"
    case .wrongChecksum(let found, let expected):
      "damaged: its bytes have the checksum \(expected), it says \(found)"
    case .newerVersion(let version):
      "version \(version) of the model file; this program reads up to \(Checkpoint.fileVersion)"
    case .otherArchitecture(let name): "a network of another architecture (\(name))"
    case .unknownBackward(let name): "trained by a backward pass that is not known here (\(name))"
    case .recipe(let error): "recipe: \(error)"
    case .vocabulary(let error): "vocabulary: \(error)"
    case .tensor(let name, let expected): "tensor \(name): expected finite F32 of shape \(expected)"
    case .training(let name, let expected): "\(name): expected \(expected)"
    case .words(let reason): "words: \(reason)"
    case .networkAlone: "a network alone, without the run that trained it"
    case .file(let message): message
    }
  }
}

// MARK: - Checksum
//
// Safetensors has none, and a flipped bit in a weight still is a weight. The metadata's field
// "crc32" holds eight lower-case hexadecimal digits: the CRC-32 of the whole file, from the
// header's length to the last weight, taken with 0s in place of those digits. CRC-32 finds every
// change of up to 32 bits in a row, so every single bit. It is not a signature: anyone can
// recompute it.
//
// The field is found in the text as `"crc32":"`. Inside a JSON string its quotation marks would be
// escaped, so the text can stand nowhere but at a key.

enum FileChecksum {
  static let key = "crc32"
  static let zero = "00000000"
  private static let opening = Array("\"\(key)\":\"".utf8)

  /// A file whose checksum is still zero, with the right one.
  static func sealed(_ file: consuming [UInt8]) -> [UInt8] {
    guard let place = place(in: file) else { preconditionFailure("a file without a checksum") }
    let sum = sum(of: file, digitsAt: place)
    file.replaceSubrange(place, with: sum.utf8)
    return file
  }

  /// The checksum that a file has, and the one that it should have; nil if it has none.
  static func read(_ file: [UInt8]) -> (found: String, expected: String)? {
    guard let place = place(in: file) else { return nil }
    let found = String(decoding: file[place], as: UTF8.self)
    return (found, sum(of: file, digitsAt: place))
  }

  private static func sum(of file: [UInt8], digitsAt place: Range<Int>) -> String {
    var sum = Zlib.crc32(file[..<place.lowerBound])
    sum = Zlib.crc32(Array(zero.utf8)[...], continuing: sum)
    let digits = String(Zlib.crc32(file[place.upperBound...], continuing: sum), radix: 16)
    return zero.dropLast(digits.count) + digits
  }

  /// Where the digits stand in a file that was decoded without an error.
  private static func place(in file: [UInt8]) -> Range<Int>? {
    var length = 0
    for byte in file.prefix(8).reversed() { length = length << 8 | Int(byte) }
    guard let key = file[..<(8 + length)].firstRange(of: opening),
      key.upperBound + zero.utf8.count <= 8 + length
    else { return nil }
    return key.upperBound..<key.upperBound + zero.utf8.count
  }
}
