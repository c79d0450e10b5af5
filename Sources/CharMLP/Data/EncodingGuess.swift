// Guesses the encoding of a text that is not UTF-8, from what decodes cleanly and looks most like
// words.
//
// Each candidate is tried by the system's own converter, so that the command which is then printed
// accepts what was accepted here. What decodes gets a cost for each byte above 0x7F: little for a
// frequent letter of a script, much for a letter among those of another script, for a capital after
// a small letter, for a sign where a letter should be. The smallest cost wins; of nearly equal
// ones, the encoding that is met more often. The costs are rules of thumb, tried on lists in thirty
// encodings; they say nothing about a text in UTF-8.

internal import Posix

/// Some bytes of a text in which something is wrong.
struct TextSample {
  /// Valid words before it.
  let before: ArraySlice<UInt8>
  /// Everything from the line of the error on.
  let after: ArraySlice<UInt8>

  /// The most bytes that are examined.
  private static let limit = 1 << 16

  /// The bytes as they are, from the beginning.
  var raw: [UInt8] {
    Array(before.prefix(Self.limit)) + after.prefix(Self.limit - min(before.count, Self.limit))
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

/// What a text may be that is not well-formed UTF-8.
public enum EncodingGuess: Equatable, Sendable {
  /// An encoding: as people call it, and as iconv(1) does.
  case encoding(String, iconv: String)
  /// UTF-8 but for some damaged lines.
  case damagedUTF8
  /// Not text: too many controls.
  case binary

  /// The line that makes a word list of it.
  public var remedy: TextRemedy? {
    switch self {
    case .binary: nil
    case .encoding(_, let name): .iconv(name)
    case .damagedUTF8: TextRemedy("LC_ALL=C.UTF-8 grep -ax '.*' {}")
    }
  }
}

extension WordListError {
  /// The same error with what may be behind it, as far as the text gives it away.
  func withGuess(from sample: TextSample) -> WordListError {
    switch self {
    case .invalidUTF8(let line, let byte, let value, _):
      if let encoding = ForeignEncoding(guessedFrom: sample.raw) {
        return .foreignEncoding(encoding)
      }
      let guess = EncodingGuess(sample)
      return .invalidUTF8(line: line, byte: byte, value: value, guess: guess)
    case .refusedCharacter(let line, let byte, let scalar, _):
      if let encoding = ForeignEncoding(guessedFrom: sample.raw) {
        return .foreignEncoding(encoding)
      }
      let remedy = scalar.remedy(sample)
      return .refusedCharacter(line: line, byte: byte, scalar: scalar, remedy: remedy)
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
  /// Whether this is assigned to something that people write.
  fileprivate var isPlausible: Bool {
    guard reasonRefused == nil, value != 0xFFFD else { return false }
    switch properties.generalCategory {
    case .unassigned, .privateUse, .surrogate, .control: return value == 0x09
    default: return true
    }
  }

  /// The line that takes this character out of a text which may not have it.
  fileprivate func remedy(_ sample: TextSample) -> TextRemedy {
    let octal = String(value, radix: 8)
    let padded = String(repeating: "0", count: max(0, 3 - octal.count)) + octal
    let bytes = utf8.map { #"\x"# + String($0, radix: 16, uppercase: true) }.joined()
    switch value {
    case 0x00, 0x0B, 0x0C, 0x1C...0x1E:  // what separates lines elsewhere
      return TextRemedy(#"tr '\\#(padded)' '\n' < {}"#)
    case 0x1B:
      let after = Array(sample.after.prefix(1 << 12))
      if after.firstRange(of: [0x1B, 0x24, 0x42]) != nil
        || after.firstRange(of: [0x1B, 0x24, 0x40]) != nil
      {
        return .iconv("ISO-2022-JP")
      }
      if after.firstRange(of: [0x1B, 0x24, 0x29, 0x43]) != nil { return .iconv("ISO-2022-KR") }
      return TextRemedy(#"sed 's/\x1B\[[0-9;]*[A-Za-z]//g; s/\x1B//g' {}"#)
    case 0x80...0x9F where value != 0x85:
      // Mostly a text in windows-1252 that was converted as if it were Latin-1.
      let text = String(decoding: sample.after.prefix(1 << 16), as: UTF8.self)
      let isConverted = text.unicodeScalars.allSatisfy {
        $0.value < 0x100 && ![0x81, 0x8D, 0x8F, 0x90, 0x9D].contains($0.value)
      }
      guard isConverted else { return TextRemedy("sed 's/\(bytes)//g' {}") }
      return TextRemedy("iconv -f UTF-8 -t LATIN1 {} | iconv -f CP1252 -t UTF-8")
    case 0x85, 0x2028, 0x2029:
      return TextRemedy(#"sed 's/\#(bytes)/\n/g' {}"#)
    case 0x00...0x7F:
      return TextRemedy(#"tr -d '\\#(padded)' < {}"#)
    default:
      return TextRemedy("sed 's/\(bytes)//g' {}")
    }
  }
}

extension EncodingGuess {
  /// The likeliest encoding, nil if there is nothing to guess from.
  init?(_ sample: TextSample) {
    if Self.isEBCDIC(sample.raw) {
      self = .encoding("EBCDIC", iconv: "IBM037")
      return
    }
    let raw = sample.raw
    let controls = raw.count { $0 < 0x20 && ![0x09, 0x0A, 0x0D, 0x1B].contains($0) }
    if 20 * controls > raw.count {
      self = .binary
      return
    }
    let lines = sample.unusualLines
    guard !lines.isEmpty else { return nil }
    let damaged = lines.count { String(validating: $0, as: UTF8.self) == nil }
    if 2 * damaged <= lines.count || Self.isCutOff(lines) {
      self = .damagedUTF8
      return
    }
    let text = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    let unusual = text.count { $0 >= 0x80 }
    var best: (encoding: Candidate, cost: Double)?
    for (index, candidate) in Candidate.all.enumerated() {
      guard let decoded = TextConversion.utf8(text, from: candidate.iconv) else { continue }
      let words = String(decoding: decoded, as: UTF8.self).unicodeScalars
      guard words.allSatisfy({ $0.isPlausible || $0 == "\n" || $0 == "\r" }) else { continue }
      let cost = candidate.cost(text, words) / Double(unusual) + 0.004 * Double(index)
      if cost < best?.cost ?? .infinity { best = (candidate, cost) }
    }
    guard let best else { return nil }
    self = .encoding(best.encoding.name, iconv: best.encoding.iconv)
  }

  /// Whether the only thing wrong is that the last character is cut off.
  private static func isCutOff(_ lines: [ArraySlice<UInt8>]) -> Bool {
    guard lines.count == 1 else { return false }
    let line = lines[0]
    return (1...min(3, line.count)).contains { cut in
      let (rest, lead) = (line.dropLast(cut), line[line.endIndex - cut])
      // Among ASCII alone, only the leads of most accented letters are taken for cut off.
      return String(validating: rest, as: UTF8.self) != nil
        && (rest.contains { $0 >= 0x80 } ? lead >= 0xC2 : cut == 1 && [0xC3, 0xC4].contains(lead))
    }
  }

  /// Whether this is what IBM's mainframes write: no line feed, but its 0x25, between bytes that
  /// are mostly letters there.
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

// MARK: - Candidates and their costs

/// An encoding that a list may be in.
private struct Candidate {
  /// How bytes above 0x7F make characters.
  enum Kind {
    /// One byte, one Latin letter.
    case latin
    /// One byte, one letter of another script: its range, and its most frequent letters.
    case script(ClosedRange<UInt32>, frequent: Set<Unicode.Scalar>)
    /// Two bytes or more: which lead bytes begin frequent characters, and the most frequent.
    case wide(WideCost, frequent: Set<Unicode.Scalar>)
  }
  typealias WideCost = (_ lead: UInt8, _ trail: UInt8) -> Double

  let name: String
  let iconv: String
  let kind: Kind

  init(_ name: String, _ iconv: String, _ kind: Kind) {
    (self.name, self.iconv, self.kind) = (name, iconv, kind)
  }

  static var all: [Candidate] {
    let cyrillic = Kind.script(
      0x400...0x4FF, frequent: Set("оеаинтсрвлкмдпуяыьОЕАИНТСРВЛКМДП".unicodeScalars))
    let greek = Kind.script(
      0x370...0x3FF, frequent: Set("αοιετσνηυρπκλςάίόέή".unicodeScalars))
    let hebrew = Kind.script(0x590...0x5FF, frequent: Set("יוהלארתבמשנ".unicodeScalars))
    let arabic = Kind.script(0x600...0x6FF, frequent: Set("اليمنرتبوةعدسفهكحقجىأ".unicodeScalars))
    let thai = Kind.script(0xE00...0xE7F, frequent: Set("านรอกเงมยลวดทสตะปบคหแ่้ัิีุู์".unicodeScalars))
    return [
      Candidate("windows-1252", "CP1252", .latin),
      Candidate("windows-1251", "CP1251", cyrillic),
      Candidate("windows-1250", "CP1250", .latin),
      Candidate("windows-1253", "CP1253", greek),
      Candidate("windows-1254", "CP1254", .latin),
      Candidate("windows-1255", "CP1255", hebrew),
      Candidate("windows-1256", "CP1256", arabic),
      Candidate("windows-1257", "CP1257", .latin),
      Candidate("TIS-620", "CP874", thai),
      Candidate("Shift-JIS", "CP932", .wide(Self.shiftJIS, frequent: japanese)),
      Candidate("GB18030", "GB18030", .wide(Self.gb, frequent: simplified)),
      Candidate("EUC-KR", "CP949", .wide(Self.eucKR, frequent: hangul)),
      Candidate("EUC-JP", "EUC-JP", .wide(Self.eucJP, frequent: japanese)),
      Candidate("Big5", "BIG5-HKSCS", .wide(Self.big5, frequent: traditional)),
      Candidate("KOI8-R", "KOI8-R", cyrillic),
      Candidate("KOI8-U", "KOI8-U", cyrillic),
      Candidate("DOS Cyrillic (866)", "CP866", cyrillic),
      Candidate("ISO-8859-2", "ISO-8859-2", .latin),
      Candidate("ISO-8859-15", "ISO-8859-15", .latin),
      Candidate("ISO-8859-5", "ISO-8859-5", cyrillic),
      Candidate("ISO-8859-7", "ISO-8859-7", greek),
      Candidate("ISO-8859-8", "ISO-8859-8", hebrew),
      Candidate("ISO-8859-6", "ISO-8859-6", arabic),
      Candidate("Mac Roman", "MACINTOSH", .latin),
      Candidate("DOS (850)", "CP850", .latin),
      Candidate("DOS (437)", "CP437", .latin),
      Candidate("DOS (852)", "CP852", .latin),
      Candidate("Mac Cyrillic", "MAC-CYRILLIC", cyrillic),
      Candidate("windows-1258", "CP1258", .latin),
      Candidate("DOS Greek (737)", "CP737", greek),
      Candidate("DOS Hebrew (862)", "CP862", hebrew),
    ]
  }

  /// The cost of a text, in these bytes and as it is decoded.
  func cost(_ bytes: [UInt8], _ text: String.UnicodeScalarView) -> Double {
    switch kind {
    case .latin: latinCost(text)
    case .script(let range, let frequent): scriptCost(text, range, frequent)
    case .wide(let cost, let frequent): wideCost(bytes, text, cost, frequent)
    }
  }
}

extension Candidate {
  private func scriptCost(
    _ text: String.UnicodeScalarView, _ range: ClosedRange<UInt32>,
    _ frequent: Set<Unicode.Scalar>
  ) -> Double {
    var (cost, before): (Double, Unicode.Scalar) = (0, "\n")
    for scalar in text {
      if !scalar.isASCII {
        if range.contains(scalar.value) {
          cost += frequent.contains(scalar) ? 0.25 : scalar.properties.isAlphabetic ? 0.7 : 1
          if scalar.properties.isUppercase, before.properties.isLowercase { cost += 4 }
          if scalar.properties.isUppercase, before.properties.isUppercase { cost += 0.2 }
          if before.isASCII, before.properties.isAlphabetic { cost += 3 }
        } else {
          cost += scalar.signCost(after: before)
        }
      } else if scalar.properties.isAlphabetic, range.contains(before.value) {
        cost += 3
      }
      before = scalar
    }
    return cost
  }

  private func latinCost(_ text: String.UnicodeScalarView) -> Double {
    var (cost, before): (Double, Unicode.Scalar) = (0, "\n")
    var letters: [Unicode.Scalar: Double] = [:]
    for scalar in text {
      if !scalar.isASCII {
        if scalar.isLatinLetter {
          letters[scalar.lowercased, default: 0] += 1
          if scalar.properties.isUppercase, before.properties.isLowercase { cost += 4 }
          if before.isLatinLetter { cost += 1.5 }
        } else if scalar.properties.generalCategory == .nonspacingMark {
          cost += 1
        } else {
          cost += scalar.signCost(after: before)
        }
      }
      before = scalar
    }
    let costs = Self.alphabets.map { alphabet in
      letters.reduce(0) { sum, letter in
        sum + letter.value * (alphabet.letters.contains(letter.key) ? alphabet.cost : 2.5)
      }
    }
    return cost + (costs.min() ?? 0)
  }

  /// The letters beyond ASCII of languages, and of those that are often mixed.
  private static let alphabets: [(letters: Set<Unicode.Scalar>, cost: Double)] =
    [
      "àâæçéèêëîïôœùûüÿ", "äöüßé", "áéíñóúü", "áâãàçéêíóôõúü", "àèéìíòóù", "åäöæøéü", "áðéíóúýþæö",
      "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "ăâîșțşţ", "čćđšžé",
      "çğıi̇öşüâîû", "äöõüšž", "āčēģīķļņšūž", "ąčęėįšųūž", "ăâđêôơưàáạảãèéìíòóùúýõ", "çë",
    ].map { (Set($0.unicodeScalars), 0.4) }
    + [
      (Set("àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþßœšžÿ".unicodeScalars), 0.6),
      (Set("áäąăâčćçďđéëěęíîĺľłňńóôöőŕřšśşťţúůüűýžźż".unicodeScalars), 0.9),
    ]

  private func wideCost(
    _ bytes: [UInt8], _ text: String.UnicodeScalarView, _ cost: WideCost,
    _ frequent: Set<Unicode.Scalar>
  ) -> Double {
    var (sum, index) = (0.0, 0)
    while index < bytes.count {
      guard bytes[index] >= 0x80, index + 1 < bytes.count else {
        // A half-width katakana, or nothing that costs.
        sum += bytes[index] >= 0x80 ? 4 : 0
        index += 1
        continue
      }
      let isSingle = iconv == "CP932" && (0xA1...0xDF).contains(bytes[index])
      sum += isSingle ? 3 : cost(bytes[index], bytes[index + 1])
      index += isSingle ? 1 : 2
    }
    var before: Unicode.Scalar = "\n"
    for scalar in text {
      if frequent.contains(scalar) { sum -= 0.35 }
      // Letters of ASCII beside characters that need no such company.
      if scalar.isASCII != before.isASCII, scalar.properties.isAlphabetic,
        before.properties.isAlphabetic
      {
        sum += 1.5
      }
      before = scalar
    }
    return sum
  }

  private static func shiftJIS(_ lead: UInt8, _ trail: UInt8) -> Double {
    switch lead {
    case 0x82, 0x83: 0.7
    case 0x81: trail == 0x5B || trail == 0x58 ? 0.9 : 3
    case 0x88...0x97: 1.2
    case 0x98...0x9F, 0xE0...0xEA: 3
    default: 7
    }
  }

  private static func eucJP(_ lead: UInt8, _ trail: UInt8) -> Double {
    switch lead {
    case 0xA4, 0xA5: 0.7
    case 0xA1: trail == 0xBC || trail == 0xB9 ? 0.9 : 3
    case 0xB0...0xCF: 1.3
    case 0xD0...0xF4: 3
    default: 7
    }
  }

  private static func gb(_ lead: UInt8, _ trail: UInt8) -> Double {
    guard trail >= 0xA1 else { return 5 }
    switch lead {
    case 0xB0...0xD7: return 1.2
    case 0xD8...0xF7: return 2.6
    case 0xA1: return 3
    default: return 6
    }
  }

  private static func eucKR(_ lead: UInt8, _ trail: UInt8) -> Double {
    switch lead {
    case 0xB0...0xC8: trail >= 0xA1 ? 0.9 : 4
    case 0xCA...0xFD: 3.5
    default: 6
    }
  }

  private static func big5(_ lead: UInt8, _ trail: UInt8) -> Double {
    switch lead {
    case 0xA4...0xC6: 1.2
    case 0xC9...0xF9: 3
    default: 6
    }
  }

  // Characters of names and of running text that are frequent in one language, as far as they show
  // it from the others.
  private static let simplified = Set(
    """
    王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘\
    杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文明国华建军\
    平志伟东海强晓小红丽英梅芳玉春秀大中人的一是不了在有我他这个们来到时上地为子
    """.unicodeScalars)
  private static let japanese = Set(
    """
    田山川本木村中野子美大小藤佐高橋伊井上松林斎清水口原島池石前岡内崎谷坂東西南北郎一二三太雄幸恵香織由紀真理\
    優愛花菜奈介夫男彦樹翔健也人の日会年国いんかしりたなまるとおみのアイウンスルリラトマクコシドレンー
    """.unicodeScalars)
  private static let traditional = Set(
    """
    陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周葉蘇莊江呂何羅高蕭潘朱簡鍾彭游詹胡施沈余趙盧梁顏柯翁魏孫戴范方宋鄧\
    杜傅侯曹薛丁馬蔣唐卓藍馮姚石董紀歐程連古汪湯姜田康鄒白涂尤巫韓龔嚴袁美淑雅惠玲英文明華國建的
    """.unicodeScalars)
  private static let hangul = Set(
    "김이박최정강조윤장임한오서신권황안송전홍민지영수현준우진성은하경혜미선희아기자사시리인고".unicodeScalars)
}

extension Unicode.Scalar {
  fileprivate var isLatinLetter: Bool {
    switch value {
    case 0xD7, 0xF7, 0xAA, 0xBA: false
    case 0xC0...0x24F, 0x1E00...0x1EFF: true
    default: false
    }
  }

  fileprivate var lowercased: Unicode.Scalar {
    properties.lowercaseMapping.unicodeScalars.first ?? self
  }

  /// What a sign costs that is not of ASCII.
  fileprivate func signCost(after before: Unicode.Scalar) -> Double {
    switch value {
    case 0x2018, 0x2019: before.properties.isAlphabetic ? 0.3 : 3
    case 0xA0, 0x2013, 0x2014: 1.8
    case 0xB7, 0x201C...0x201E, 0xAB, 0xBB: 2.5
    default: 5
    }
  }
}
