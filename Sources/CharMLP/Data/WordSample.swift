// All words of a short list, and a fair sample of a long one.
//
// Reports and losses cannot be computed from hundreds of millions of words. The sample has the
// words with the smallest keys, a key being a hash of a word's place in the file: every word has
// the same chance, wherever it is and however often it occurs, and the smallest keys of all ranks
// are among the smallest of each.

import Safetensors

/// Up to what size a list is kept whole, and how large a sample is otherwise.
package struct SampleLimits: Equatable, Sendable {
  /// The most bytes of a list that is kept whole, and of a sample.
  package var bytes: Int
  /// The words of a sample.
  package var words: Int
  /// The windows of each part that calibration and losses are computed over.
  package var windows: Int

  /// The limits of a run: 16 MB, 100,000 words, a million windows.
  package static let standard = SampleLimits(
    bytes: 16_000_000, words: 100_000, windows: 1_000_000)
}

/// All words that were added, or those of them with the smallest keys.
struct WordSample: Sendable {
  let limits: SampleLimits
  /// Words in UTF-8, a line feed after each.
  private(set) var text: [UInt8] = []
  /// Where each word starts in `text`, then the length of `text`: (count + 1).
  private(set) var starts: [UInt32] = [0]
  private(set) var keys: [UInt64] = []  // (count)
  private(set) var parts: [Split.Part] = []  // (count)
  /// Whether every added word is here, in order; otherwise `cut` sorts them by key.
  private(set) var isComplete = true
  /// Words with keys from here on are not in the sample.
  private var bound = UInt64.max

  var count: Int { keys.count }

  init(_ limits: SampleLimits) { self.limits = limits }

  /// The words that another rank has kept.
  init(
    _ limits: SampleLimits, text: [UInt8], starts: [UInt32], keys: [UInt64], parts: [Split.Part]
  ) {
    self.limits = limits
    (self.text, self.starts, self.keys, self.parts) = (text, starts, keys, parts)
  }

  /// Adds a word that ends with a line feed, if it is in the sample so far.
  mutating func add(_ bytes: Span<UInt8>, _ word: Range<Int>, key: UInt64, _ part: Split.Part) {
    guard isComplete || key < bound else { return }
    for position in word { text.append(bytes[position]) }
    starts.append(UInt32(text.count))
    keys.append(key)
    parts.append(part)
    if isComplete ? text.count > limits.bytes : isTwiceTooLarge { cut() }
  }

  private var isTwiceTooLarge: Bool { count > 2 * limits.words || text.count > 2 * limits.bytes }

  /// Keeps the words with the smallest keys, as many as the limits allow.
  mutating func cut() {
    isComplete = false
    var bytes = 0
    var kept: [Int] = []
    for word in keys.indices.sorted(by: { keys[$0] < keys[$1] }) {
      bytes += Int(starts[word + 1] - starts[word])
      guard kept.count < limits.words, bytes <= limits.bytes else {
        bound = keys[word]
        break
      }
      kept.append(word)
    }
    self = selecting(kept)
  }

  /// The words at some indices, in that order.
  private func selecting(_ selection: [Int]) -> WordSample {
    var sample = WordSample(limits)
    (sample.isComplete, sample.bound) = (isComplete, bound)
    for word in selection {
      sample.text.append(contentsOf: text[Int(starts[word])..<Int(starts[word + 1])])
      sample.starts.append(UInt32(sample.text.count))
      sample.keys.append(keys[word])
      sample.parts.append(parts[word])
    }
    return sample
  }

  /// The words whose keys are below a limit.
  func below(_ limit: UInt64) -> WordSample { selecting(keys.indices.filter { keys[$0] < limit }) }

  /// Adds what another rank has kept of the next lines.
  mutating func append(_ other: WordSample) {
    let length = UInt32(text.count)
    text += other.text
    starts += other.starts.dropFirst().map { $0 + length }
    keys += other.keys
    parts += other.parts
  }

  /// A sample of a list in memory, with the parts of its words in a split.
  init(_ words: WordList, _ split: Split, _ limits: SampleLimits) {
    self.init(limits)
    var parts = [Split.Part](repeating: .test, count: words.count)
    for word in split.train { parts[word] = .train }
    for word in split.validation { parts[word] = .validation }
    let bytes = words.utf8.span
    for word in words.indices {
      let range = words.utf8Range(of: word)
      let key = WordHash.mixed(UInt64(range.lowerBound))
      add(bytes, range.lowerBound..<range.upperBound + 1, key: key, parts[word])
    }
    cut()
  }

  /// The words, and which of them train, validate and test; nil if the sample is empty.
  func list() -> (words: WordList, split: Split)? {
    guard count > 0 else { return nil }
    let order = Split.Part.allCases.map { part in parts.indices.filter { parts[$0] == part } }
    return (
      WordList(parsed: text, starts: starts),
      Split(
        order: order.flatMap(\.self), trainCount: order[0].count, validationCount: order[1].count)
    )
  }
}

// MARK: - As a message between ranks

extension WordSample {
  /// The words as a message.
  var encoded: [UInt8] {
    var file = SafetensorsFile()
    file["text"] = Tensor(text, shape: [text.count])
    file["starts"] = Tensor(starts, shape: [starts.count])
    file["keys"] = Tensor(keys, shape: [count])
    file["parts"] = Tensor(parts.map(\.rawValue), shape: [count])
    return mustSucceed { try file.encoded() }
  }

  /// The words of a message.
  init(_ message: [UInt8], _ limits: SampleLimits) {
    let file = mustSucceed { try SafetensorsFile(decoding: message) }
    func elements<Element: TensorElement>(_ name: String) -> [Element] {
      mustSucceed { try file.elements(named: name, as: Element.self) }
    }
    self.init(
      limits, text: elements("text"), starts: elements("starts"), keys: elements("keys"),
      parts: (elements("parts") as [UInt8]).compactMap(Split.Part.init(rawValue:)))
  }
}
