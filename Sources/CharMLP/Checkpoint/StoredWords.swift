// The word list in a model file, so that a run can be resumed without the file it was read from,
// and the mixture's words.
//
// Up to 16 MB of text are kept, compressed; of a longer list only its length and a fingerprint, so
// that it can be recognized when it is named again. The compressed bytes of a checkpoint are passed
// on as they are: a resumed run's files are those of the uninterrupted one even where zlib has
// another version.

import CZlib
internal import OrderedJSON
import Safetensors

/// A run's word list, whole or only described.
package struct StoredWords: Equatable, Sendable {
  /// The list, or what is known of it.
  enum Content: Equatable, Sendable {
    /// The normalized text in zlib's format.
    case compressed([UInt8])
    /// A hash of the words and their order, in hexadecimal.
    case fingerprint(String)
    /// Nothing: a network was imported without its words.
    case unknown
  }

  let content: Content
  /// The length of the normalized text in bytes, a line feed after every word.
  package let byteCount: Int

  /// The longest text that is stored: that of the largest sample, 16 MB.
  package static let byteLimit = SampleLimits.standard.bytes

  /// Stores a list, or describes it if its text is longer than `limit` bytes.
  package init(_ words: WordList, limit: Int = StoredWords.byteLimit) {
    byteCount = words.utf8.count
    content =
      byteCount <= limit
      ? .compressed(Zlib.compressed(words.utf8)) : .fingerprint(WordFingerprint(words).text)
  }

  /// Stores a list that was split by hash, or describes it if not all of it is at hand.
  package init(_ list: HashSplitList) {
    byteCount = list.byteCount
    content =
      list.isComplete
      ? .compressed(Zlib.compressed(list.words.utf8)) : .fingerprint(list.fingerprint.text)
  }

  init(_ content: Content, byteCount: Int) {
    self.content = content
    self.byteCount = byteCount
  }

  /// For a network whose training words are unknown.
  static let unknown = StoredWords(.unknown, byteCount: 0)

  /// Whether not even the length of the list is known.
  package var isUnknown: Bool { content == .unknown }

  /// Whether the words themselves are here.
  package var isComplete: Bool {
    if case .compressed = content { true } else { false }
  }

  /// The list, or nil if at most its length and fingerprint are known.
  ///
  /// - Throws: `ModelFileError.words` if what is stored is not a word list in its normal form.
  package func wordList() throws(ModelFileError) -> WordList? {
    guard case .compressed(let bytes) = content else { return nil }
    guard let text = Zlib.inflated(bytes, count: byteCount) else {
      throw .words("expected \(byteCount) bytes compressed by zlib")
    }
    let list: WordList
    do {
      list = try WordList(utf8: text)
    } catch {
      throw .words(error.message(in: "the stored list"))
    }
    guard list.utf8 == text else { throw .words("expected a list in its normal form") }
    return list
  }

  /// Whether a list is the one that is stored or described here, word for word.
  ///
  /// - Throws: `ModelFileError.words` as `wordList()`.
  package func matches(_ words: WordList) throws(ModelFileError) -> Bool {
    guard byteCount == words.utf8.count else { return false }
    guard case .fingerprint(let fingerprint) = content else { return try wordList() == words }
    return WordFingerprint(words).text == fingerprint
  }

  /// Whether a list that was split by hash is the one that is stored or described here.
  ///
  /// - Throws: `ModelFileError.words` as `wordList()`.
  package func matches(_ list: HashSplitList) throws(ModelFileError) -> Bool {
    guard case .fingerprint(let fingerprint) = content else { return try matches(list.words) }
    return byteCount == list.byteCount && fingerprint == list.fingerprint.text
  }

  // MARK: In a file

  private static let key = "words"
  private static let bytesKey = "words_bytes"
  private static let fingerprintKey = "words_fingerprint"

  func write(to file: inout SafetensorsFile) {
    file.metadata[Self.bytesKey] = String(byteCount)
    switch content {
    case .compressed(let bytes): file[Self.key] = Tensor(bytes, shape: [bytes.count])
    case .fingerprint(let text): file.metadata[Self.fingerprintKey] = text
    case .unknown: break
    }
  }

  init(_ file: SafetensorsFile) throws(ModelFileError) {
    let text = file.metadata[Self.bytesKey]
    if text == "0", file[Self.key] == nil, file.metadata[Self.fingerprintKey] == nil {
      self = .unknown
      return
    }
    guard let byteCount = text.flatMap(Int.init), byteCount > 0 else {
      throw .words("expected the length of the word list")
    }
    if let bytes = try? file.elements(named: Self.key, as: UInt8.self) {
      guard byteCount <= Self.byteLimit else {
        throw .words("expected at most \(Self.byteLimit) bytes of words, found \(byteCount)")
      }
      self.init(.compressed(bytes), byteCount: byteCount)
    } else if let fingerprint = file.metadata[Self.fingerprintKey] {
      self.init(.fingerprint(fingerprint), byteCount: byteCount)
    } else {
      throw .words("expected a word list or its fingerprint")
    }
  }
}

// MARK: - Stored mixtures
//
// A mixture's settings, and the words to count if the file has no word list.
//
// Counts are not stored. They follow from the words in the file; of a list that is too long for it,
// the file has the words of the sample that train.

/// The mixture of a checkpoint.
package struct StoredMixture: Equatable, Sendable {
  package let mixture: Mixture
  /// The words that are counted; nil for the training words of the checkpoint's list.
  let words: StoredWords?

  init(_ mixture: Mixture, words: StoredWords? = nil) {
    (self.mixture, self.words) = (mixture, words)
  }

  /// The mixture with a network of a run; nil if its recipe does not mix.
  ///
  /// - Parameter list: What the run's files keep of its list.
  package init?(_ trainer: Trainer, _ model: Model, _ list: StoredWords) {
    guard let mixture = trainer.mixture(with: model) else { return nil }
    self.init(mixture, words: list.isComplete ? nil : StoredWords(trainer.trainingWords))
  }

  // MARK: In a file

  private static let key = "mixture"
  private static let wordsKey = "mixture.words"
  private static let bytesKey = "mixture_words_bytes"

  func write(to file: inout SafetensorsFile) {
    let settings: JSONValue = [
      "weight": .number(mixture.weight), "order": .integer(mixture.order),
      "discount": .string(mixture.discounting.rawValue),
    ]
    file.metadata[Self.key] = settings.encoded()
    guard let words, case .compressed(let bytes) = words.content else { return }
    file.metadata[Self.bytesKey] = String(words.byteCount)
    file[Self.wordsKey] = Tensor(bytes, shape: [bytes.count])
  }

  /// Nil if the file has none.
  init?(_ file: SafetensorsFile) throws(ModelFileError) {
    guard let text = file.metadata[Self.key] else { return nil }
    guard let json = try? JSONValue(parsing: text), json.pairs?.count == 3,
      let weight = json["weight"]?.double, (0...1).contains(weight),
      let order = json["order"]?.whole(as: Int.self), Mixture.orders.contains(order),
      let discounting = json["discount"]?.text.flatMap(Discounting.init)
    else {
      throw .training(Self.key, expected: "a weight, an order and a discount")
    }
    var words: StoredWords?
    if let bytes = try? file.elements(named: Self.wordsKey, as: UInt8.self) {
      guard let count = file.metadata[Self.bytesKey].flatMap(Int.init), count > 0,
        count <= StoredWords.byteLimit
      else { throw .words("expected the length of the mixture's words") }
      words = StoredWords(.compressed(bytes), byteCount: count)
    }
    self.init(
      Mixture(weight: weight, order: order, discounting: discounting), words: words)
  }
}

extension Checkpoint {
  /// The network, together with counts if the run mixes them.
  ///
  /// - Throws: `ModelFileError.words` if the words to count are missing, or have other symbols than
  ///   the network.
  public func predictor() throws(ModelFileError) -> Predictor {
    guard let mixture else { return Predictor(model) }
    let blockSize = max(1, mixture.mixture.order - 1)
    do {
      if let list = try mixture.words?.wordList() {
        let windows = try ContextWindows(
          list, selecting: Array(list.indices)[...], vocabulary: model.vocabulary,
          blockSize: blockSize)
        return Predictor(model, mixture.mixture, trainedOn: windows)
      }
      if let list = try wordList() {
        let windows = try Dataset(list, recipe).train
        return Predictor(model, mixture.mixture, trainedOn: windows)
      }
    } catch let error as ModelFileError {
      throw error
    } catch {
      throw .words("\(error)")
    }
    throw .words("expected the words that the mixture counts")
  }
}

// MARK: - zlib
//
// As far as a model file needs it: a way to keep a word list small, and a checksum. Every pointer
// that zlib gets is made here. What is inflated has a known length: more than that is never
// allocated, whatever the compressed bytes say. Nothing is streamed.

enum Zlib {
  /// The CRC-32 (ISO 3309) of bytes, or of those that had the CRC-32 `first` and then these.
  static func crc32(_ bytes: ArraySlice<UInt8>, continuing first: UInt32 = 0) -> UInt32 {
    let sum = unsafe bytes.withUnsafeBytes { buffer in
      unsafe crc32_z(
        uLong(first), buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
    }
    // For a null pointer zlib gives the initial value instead of the one to continue.
    return bytes.isEmpty ? first : UInt32(truncatingIfNeeded: sum)
  }

  /// The bytes in zlib's format (RFC 1950), at its fastest level: words become a tenth longer than
  /// at the default, in a third of the time.
  ///
  /// The same bytes and the same zlib give the same result.
  static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(count))
    let status = unsafe result.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe compress2(
          target.baseAddress, &count, source.baseAddress, uLong(source.count),
          Z_BEST_SPEED)
      }
    }
    precondition(status == Z_OK, "zlib could not compress \(bytes.count) bytes: \(status)")
    return Array(result.prefix(Int(count)))
  }

  /// What was compressed, or nil unless it is sound and exactly `count` bytes long.
  static func inflated(_ bytes: [UInt8], count expected: Int) -> [UInt8]? {
    var count = uLong(expected)
    var result = [UInt8](repeating: 0, count: expected)
    var consumed = uLong(bytes.count)
    let status = unsafe result.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe uncompress2(target.baseAddress, &count, source.baseAddress, &consumed)
      }
    }
    guard status == Z_OK, count == expected, consumed == bytes.count else { return nil }
    return result
  }
}
