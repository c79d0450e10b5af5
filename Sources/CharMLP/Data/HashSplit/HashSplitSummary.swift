// What a rank tells the others of the lines that it has read, so that all come to the same conclusions.
//
// It travels as a safetensors file in memory: a format with names, types and lengths is at hand.

import Safetensors

/// Counts over a rank's lines, the symbols in them, and what went wrong.
struct HashSplitSummary: Equatable, Sendable {
  var error: WordListError?
  var fileSize: Int
  var lineCount: Int
  var byteCount: Int
  var windowCount: Int
  var fingerprint: WordFingerprint
  var keyLevels: [Int]
  var symbols: [Unicode.Scalar]

  init(_ part: HashSplitPart, error: WordListError?) {
    self.error = error
    fileSize = part.fileSize
    lineCount = part.lineCount
    byteCount = part.byteCount
    windowCount = part.ids.count
    fingerprint = part.fingerprint
    keyLevels = part.keyLevels
    symbols = part.symbols.symbols
  }

  var encoded: [UInt8] {
    var file = SafetensorsFile()
    let counts = [
      lineCount, byteCount, windowCount, fingerprint.count, fileSize, error?.line ?? 0,
    ]
    file["counts"] = Tensor((counts + keyLevels).map(Int64.init), shape: [counts.count + 65])
    file["fingerprint"] = Tensor([fingerprint.value], shape: [])
    file["symbols"] = Tensor(symbols.map(\.value), shape: [symbols.count])
    if let error {
      file.metadata = ["kind": error.kind.rawValue, "problem": error.problem]
    }
    return withoutFailure { try file.encoded() }
  }

  init(decoding bytes: [UInt8]) {
    let file = withoutFailure { try SafetensorsFile(decoding: bytes) }
    func elements<Element: TensorElement>(_ name: String) -> [Element] {
      withoutFailure { try file.elements(named: name, as: Element.self) }
    }
    let counts = (elements("counts") as [Int64]).map(Int.init)
    (lineCount, byteCount, windowCount) = (counts[0], counts[1], counts[2])
    fingerprint = WordFingerprint(
      value: (elements("fingerprint") as [UInt64])[0], count: counts[3])
    fileSize = counts[4]
    keyLevels = Array(counts[6...])
    symbols = (elements("symbols") as [UInt32]).compactMap(Unicode.Scalar.init)
    if let kind = file.metadata["kind"].flatMap(WordListError.Kind.init(rawValue:)) {
      error = .reported(
        kind, line: counts[5] > 0 ? counts[5] : nil, problem: file.metadata["problem"] ?? "")
    }
  }
}

extension WordSample {
  /// The words as a message.
  var encoded: [UInt8] {
    var file = SafetensorsFile()
    file["text"] = Tensor(text, shape: [text.count])
    file["starts"] = Tensor(starts, shape: [starts.count])
    file["keys"] = Tensor(keys, shape: [count])
    file["parts"] = Tensor(parts.map(\.rawValue), shape: [count])
    return withoutFailure { try file.encoded() }
  }

  /// The words of a message.
  init(_ message: [UInt8], _ limits: SampleLimits) {
    let file = withoutFailure { try SafetensorsFile(decoding: message) }
    func elements<Element: TensorElement>(_ name: String) -> [Element] {
      withoutFailure { try file.elements(named: name, as: Element.self) }
    }
    self.init(
      limits, text: elements("text"), starts: elements("starts"), keys: elements("keys"),
      parts: (elements("parts") as [UInt8]).compactMap(Split.Part.init(rawValue:)))
  }
}

/// What cannot fail between ranks of one program.
func withoutFailure<Value>(_ work: () throws -> Value) -> Value {
  do {
    return try work()
  } catch {
    preconditionFailure("a message between ranks: \(error)")
  }
}
