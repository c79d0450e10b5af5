// Guesses the encoding of a text that is not UTF-8, from what decodes cleanly and looks most like
// words.
//
// The system's own converter tries each candidate, so the command that is printed accepts what was
// accepted here; EncodingCandidate says what the result costs. If costs are nearly equal, the more
// frequent encoding wins.

internal import Posix

/// Some bytes of a text that is not a word list in UTF-8.
struct TextSample {
  /// Valid words before the error.
  let before: ArraySlice<UInt8>
  /// Everything from the line of the error on.
  let after: ArraySlice<UInt8>

  /// The most bytes that are examined.
  private static let limit = 1 << 16

  /// The bytes from the beginning.
  var raw: [UInt8] {
    Array(before.prefix(Self.limit)) + after.prefix(Self.limit - min(before.count, Self.limit))
  }

  /// Whether the lines that begin with an ASCII letter begin with a capital; nil unless nine in ten
  /// agree, either way.
  var startsWithCapitals: Bool? {
    let starts = raw.split(separator: UInt8(ascii: "\n")).compactMap(\.first)
    let capitals = starts.count { (0x41...0x5A).contains($0) }
    let smalls = starts.count { (0x61...0x7A).contains($0) }
    let most = max(capitals, smalls)
    return most > 0 && 10 * most >= 9 * (capitals + smalls) ? capitals > smalls : nil
  }

  /// The lines that are not plain ASCII.
  var unusualLines: [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var count = 0
    for text in [after, before] {
      var start = text.startIndex
      while start < text.endIndex, count < Self.limit {
        let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
        if text[start..<end].contains(where: { $0 >= 0x80 }) {
          lines.append(text[start..<end])
          count += end - start
        }
        start = end + 1
      }
    }
    return lines
  }
}

/// What a text that is not well-formed UTF-8 may be.
public enum EncodingGuess: Equatable, Sendable {
  /// An encoding: its usual name, and iconv(1)'s.
  case encoding(String, iconv: String)
  /// UTF-8 but for some damaged lines.
  case damagedUTF8
  /// Not text: too many controls.
  case binary

  /// The shell command that makes a word list of it.
  public var remedy: TextRemedy? {
    switch self {
    case .binary: nil
    case .encoding(_, let name): .iconv(name)
    case .damagedUTF8: "LC_ALL=C.UTF-8 grep -ax '.*' {}"
    }
  }
}

extension WordListError {
  /// The same error with its likely cause, as far as the text shows it.
  func withGuess(from sample: TextSample) -> WordListError {
    switch self {
    case .invalidUTF8(let line, let byte, let value, _):
      if let encoding = ForeignEncoding(guessedFrom: sample.raw) {
        return .foreignEncoding(encoding)
      }
      let guess = EncodingGuess(sample)
      return .invalidUTF8(line: line, byte: byte, value: value, guess: guess)
    case .refusedCharacter(let line, let byte, let scalar, _):
      if (0x80...0x9F).contains(scalar.value), let found = DoubleEncoding(sample.unusualLines) {
        return .encodedTwice(
          line: line, read: found.read, original: found.original, remedy: found.remedy)
      }
      let raw = sample.raw
      if let encoding = ForeignEncoding(guessedFrom: raw) { return .foreignEncoding(encoding) }
      if scalar.isASCII, EncodingGuess.isBinary(raw, besides: UInt8(scalar.value)) {
        return .foreignFormat("binary data", nil)
      }
      let remedy = scalar.remedy(sample)
      return .refusedCharacter(line: line, byte: byte, scalar: scalar, remedy: remedy)
    case .lineTooLong:
      return WordSeparation(of: sample.after.prefix { $0 != 0x0A }).map { .onOneLine($0) } ?? self
    default:
      return self
    }
  }
}

extension ForeignEncoding {
  /// UTF-16 or UTF-32 without a mark: its line ends, or its words' script, decode cleanly.
  init?(guessedFrom bytes: [UInt8]) {
    let candidates: [ForeignEncoding] = [
      .utf32LittleEndian, .utf32BigEndian, .utf16LittleEndian, .utf16BigEndian,
    ]
    for candidate in candidates {
      let unit = candidate.rawValue.contains("32") ? 4 : 2
      guard bytes.count >= 2 * unit, bytes.count % unit == 0 || bytes.count >= 1 << 16,
        let text = TextConversion.utf8(
          Array(bytes.prefix(bytes.count / unit * unit)), from: candidate.rawValue)
      else { continue }
      let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
      guard scalars.allSatisfy({ $0.isPlausible || $0 == "\n" || $0 == "\r" }) else { continue }
      let hasLines = scalars.contains("\n")
      let blocks = Dictionary(grouping: scalars.filter { $0 != "\n" }) { $0.value >> 8 }
      let largest = blocks.values.map(\.count).max() ?? 0
      if hasLines || 10 * largest >= 9 * scalars.count && scalars[0].value < 0x3000 {
        self = candidate
        return
      }
    }
    return nil
  }
}

extension Unicode.Scalar {
  /// Whether Unicode assigns this to something that people write.
  fileprivate var isPlausible: Bool {
    guard reasonRefused == nil, value != 0xFFFD else { return false }
    switch properties.generalCategory {
    case .unassigned, .privateUse, .surrogate, .control: return value == 0x09
    default: return true
    }
  }

  /// The shell command that removes this character from a text.
  fileprivate func remedy(_ sample: TextSample) -> TextRemedy {
    let octal = String(value, radix: 8)
    let padded = String(repeating: "0", count: max(0, 3 - octal.count)) + octal
    switch value {
    case 0x00, 0x0B, 0x0C, 0x1C...0x1E:  // what separates lines elsewhere
      return #"tr '\\#(padded)' '\n' < {}"#
    case 0x1B:
      let after = Array(sample.after.prefix(1 << 12))
      if after.firstRange(of: [0x1B, 0x24, 0x42]) != nil
        || after.firstRange(of: [0x1B, 0x24, 0x40]) != nil
      {
        return .iconv("ISO-2022-JP")
      }
      if after.firstRange(of: [0x1B, 0x24, 0x29, 0x43]) != nil { return .iconv("ISO-2022-KR") }
      return #"sed 's/\x1B\[[0-9;]*[A-Za-z]//g; s/\x1B//g' {}"#
    case 0x80...0x9F where value != 0x85:
      // Usually windows-1252 that was converted as if it were Latin-1.
      let text = String(decoding: sample.after.prefix(1 << 16), as: UTF8.self)
      let isConverted = text.unicodeScalars.allSatisfy {
        $0.value < 0x100 && ![0x81, 0x8D, 0x8F, 0x90, 0x9D].contains($0.value)
      }
      guard isConverted else { return "sed 's/\(escapedUTF8)//g' {}" }
      return "iconv -f UTF-8 -t LATIN1 {} | iconv -f CP1252 -t UTF-8"
    case 0x85, 0x2028, 0x2029:
      return #"sed 's/\#(escapedUTF8)/\n/g' {}"#
    case 0x00...0x7F:
      return #"tr -d '\\#(padded)' < {}"#
    default:
      return "sed 's/\(escapedUTF8)//g' {}"
    }
  }
}

extension UInt8 {
  fileprivate var isUnusualControl: Bool {
    self < 0x20 && ![0x09, 0x0A, 0x0D, 0x1B].contains(self)
  }
}

extension EncodingGuess {
  /// The likeliest encoding, nil if there is nothing to guess from.
  init?(_ sample: TextSample) {
    if Self.isEBCDIC(sample.raw) {
      self = .encoding("EBCDIC", iconv: "IBM037")
      return
    }
    if Self.isBinary(sample.raw) {
      self = .binary
      return
    }
    let lines = sample.unusualLines
    guard !lines.isEmpty else { return nil }
    let intact = lines.count { String(validating: $0, as: UTF8.self) != nil }
    if 2 * intact >= lines.count || Self.isCutOff(lines) || lines.allSatisfy(Self.isLikeUTF8) {
      self = .damagedUTF8
      return
    }
    let text = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    let unusual = Double(text.count { $0 >= 0x80 })
    let startsWithCapitals = sample.startsWithCapitals
    var best: (encoding: EncodingCandidate, cost: Double)?
    for (index, candidate) in EncodingCandidate.all.enumerated() {
      guard let decoded = TextConversion.utf8(text, from: candidate.iconv) else { continue }
      let words = String(decoding: decoded, as: UTF8.self).unicodeScalars
      guard words.allSatisfy({ $0.isPlausible || $0 == "\n" || $0 == "\r" }) else { continue }
      // A rare encoding is more credible for a long text: there the costs per byte decide.
      let rarity = Double(index) * (Self.rarity + Self.rarityPerByte * unusual)
      let cost =
        candidate.cost(text, words, startsWithCapitals: startsWithCapitals) + rarity
      if cost < best?.cost ?? .infinity { best = (candidate, cost) }
    }
    guard let best else { return nil }
    // If some lines are Latin text in UTF-8, the text is not in a Latin encoding: no one writes Ã©.
    if case .latin = best.encoding.kind, lines.contains(where: Self.isLatinUTF8) {
      self = .damagedUTF8
    } else {
      self = .encoding(best.encoding.name, iconv: best.encoding.iconv)
    }
  }

  /// What each place in the table costs, for a text and for each of its bytes beyond ASCII.
  private static let rarity = 0.04
  private static let rarityPerByte = 0.0002

  private static func isLatinUTF8(_ line: ArraySlice<UInt8>) -> Bool {
    String(validating: line, as: UTF8.self).map {
      $0.unicodeScalars.allSatisfy { $0.isASCII || $0.isLatinLetter }
    } == true
  }

  /// Whether these bytes have UTF-8's form, though some are invalid: overlong, surrogates, beyond
  /// U+10FFFF.
  private static func isLikeUTF8(_ line: ArraySlice<UInt8>) -> Bool {
    var rest = 0
    for byte in line {
      switch byte {
      case 0x00...0x7F, 0xC0...0xFD:
        guard rest == 0 else { return false }
        rest = max(0, (~byte).leadingZeroBitCount - 1)
      case 0x80...0xBF:
        guard rest > 0 else { return false }
        rest -= 1
      default: return false
      }
    }
    return rest == 0
  }

  /// Whether there are too many control characters for a text.
  private static func isBinary(_ bytes: [UInt8]) -> Bool {
    20 * bytes.count { $0.isUnusualControl } > bytes.count
  }

  /// Whether there are control characters besides one that may separate words.
  static func isBinary(_ bytes: [UInt8], besides separator: UInt8) -> Bool {
    let controls = bytes.filter { $0.isUnusualControl && $0 != separator }
    let kinds = String(validating: bytes, as: UTF8.self) == nil ? 1 : 3
    return Set(controls).count >= kinds && 50 * controls.count > bytes.count
  }

  /// Whether the only thing wrong is that the last character is cut off.
  private static func isCutOff(_ lines: [ArraySlice<UInt8>]) -> Bool {
    guard lines.count == 1 else { return false }
    let line = lines[0]
    return (1...min(3, line.count)).contains { cut in
      let (rest, lead) = (line.dropLast(cut), line[line.endIndex - cut])
      // After ASCII alone, only the lead bytes of the most common accented letters count.
      return String(validating: rest, as: UTF8.self) != nil
        && (rest.contains { $0 >= 0x80 } ? lead >= 0xC2 : cut == 1 && [0xC3, 0xC4].contains(lead))
    }
  }

  /// Whether this is EBCDIC: 0x25 for line feeds, between bytes that are mostly letters there.
  private static func isEBCDIC(_ bytes: [UInt8]) -> Bool {
    guard bytes.contains(0x25), !bytes.contains(0x0A) else { return false }
    let usual = bytes.count { byte in
      switch byte {
      case 0x81...0x89, 0x91...0x99, 0xA2...0xA9, 0xC1...0xC9, 0xD1...0xD9, 0xE2...0xE9,
        0xF0...0xF9, 0x25, 0x40, 0x0D, 0x4B, 0x60, 0x6B, 0x7D:
        true
      default: false
      }
    }
    return 10 * usual >= 9 * bytes.count
  }
}
