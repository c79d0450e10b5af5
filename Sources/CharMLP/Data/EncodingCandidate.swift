// The encodings that a list may be in, and how unlike words the text is in each of them.
//
// A text that decodes gets a cost for each byte above 0x7F: little for a frequent letter of a
// script, much for a letter among those of another script, for a capital after a small letter, for
// a sign where a letter should be. The costs are rules of thumb, tried on lists in forty encodings;
// they do not apply to UTF-8.

/// An encoding that a list may be in.
struct EncodingCandidate {
  /// How bytes above 0x7F make characters.
  enum Kind {
    /// One byte, one Latin letter.
    case latin
    /// One byte, one letter of another script: its range, and what its letters cost.
    case script(ClosedRange<UInt32>, letters: [Unicode.Scalar: Double])
    /// Two bytes or more; the most frequent characters.
    case wide(frequent: Set<Unicode.Scalar>)
  }

  let name: String
  let iconv: String
  let kind: Kind

  init(_ name: String, _ iconv: String, _ kind: Kind) {
    (self.name, self.iconv, self.kind) = (name, iconv, kind)
  }

  static var all: [EncodingCandidate] {
    let cyrillic = script(0x400...0x4FF, "аоеинрвлстмкдяпугбзьйчыхшжюіцщєїэфґёъ")
    let greek = script(0x370...0x3FF, "αιοςνερσκτληρμπυγδάίόέήύώθχφβζξψϊΐϋ")
    let hebrew = script(0x590...0x5FF, "יוהלארתבמשנדקחעטפגסזצכםןךץף")
    let arabic = script(0x600...0x6FF, "اليمنرتبوةعدسفهكحقجىأشخصزطضثذغءئپچگیک")
    let thai = script(0xE00...0xE7F, "านรอกเงมยลวดทสตะปบคหแ่้ัิีุูพ์ชไจขำธณศโซฐญภ็")
    return [
      EncodingCandidate("windows-1252", "CP1252", .latin),
      EncodingCandidate("windows-1251", "CP1251", cyrillic),
      EncodingCandidate("windows-1250", "CP1250", .latin),
      EncodingCandidate("windows-1253", "CP1253", greek),
      EncodingCandidate("windows-1254", "CP1254", .latin),
      EncodingCandidate("windows-1255", "CP1255", hebrew),
      EncodingCandidate("windows-1256", "CP1256", arabic),
      EncodingCandidate("windows-1257", "CP1257", .latin),
      EncodingCandidate("TIS-620", "CP874", thai),
      EncodingCandidate("Shift-JIS", "CP932", .wide(frequent: japanese)),
      EncodingCandidate("GB18030", "GB18030", .wide(frequent: simplified)),
      EncodingCandidate("EUC-KR", "CP949", .wide(frequent: hangul)),
      EncodingCandidate("EUC-JP", "EUC-JP", .wide(frequent: japanese)),
      EncodingCandidate("Big5", "BIG5-HKSCS", .wide(frequent: traditional)),
      EncodingCandidate("KOI8-R", "KOI8-R", cyrillic),
      EncodingCandidate("KOI8-U", "KOI8-U", cyrillic),
      EncodingCandidate("DOS Cyrillic (866)", "CP866", cyrillic),
      EncodingCandidate("ISO-8859-2", "ISO-8859-2", .latin),
      EncodingCandidate("ISO-8859-15", "ISO-8859-15", .latin),
      EncodingCandidate("ISO-8859-5", "ISO-8859-5", cyrillic),
      EncodingCandidate("ISO-8859-7", "ISO-8859-7", greek),
      EncodingCandidate("ISO-8859-8", "ISO-8859-8", hebrew),
      EncodingCandidate("ISO-8859-6", "ISO-8859-6", arabic),
      EncodingCandidate("Mac Roman", "MACINTOSH", .latin),
      EncodingCandidate("DOS (850)", "CP850", .latin),
      EncodingCandidate("DOS (437)", "CP437", .latin),
      EncodingCandidate("DOS (852)", "CP852", .latin),
      EncodingCandidate("Mac Cyrillic", "MAC-CYRILLIC", cyrillic),
      EncodingCandidate("windows-1258", "CP1258", .latin),
      EncodingCandidate("DOS Greek (737)", "CP737", greek),
      EncodingCandidate("DOS Hebrew (862)", "CP862", hebrew),
      EncodingCandidate("DOS Turkish (857)", "CP857", .latin),
      EncodingCandidate("ISO-8859-4", "ISO-8859-4", .latin),
      EncodingCandidate("Mac Central European", "MAC-CENTRALEUROPE", .latin),
      EncodingCandidate("Johab", "JOHAB", .wide(frequent: hangul)),
      EncodingCandidate("DOS Greek (869)", "CP869", greek),
    ]
  }

  /// The cost of a text, given its bytes and their decoding.
  ///
  /// - Parameter startsWithCapitals: Whether the lines that begin with an ASCII letter begin with a
  ///   capital; nil if some do and some do not.
  func cost(
    _ bytes: [UInt8], _ text: String.UnicodeScalarView, startsWithCapitals: Bool?
  ) -> Double {
    let cost =
      switch kind {
      case .latin: latinCost(text, startsWithCapitals)
      case .script(let range, let letters): scriptCost(text, range, letters)
      case .wide(let frequent): wideCost(bytes, text, frequent)
      }
    return cost + Self.costOfFirstMark * Double(Self.firstMarks(text))
  }

  /// What a word that begins with a mark costs: no language has it, a mark needs a letter.
  private static let costOfFirstMark = 6.0

  private static func firstMarks(_ text: String.UnicodeScalarView) -> Int {
    var (count, before): (Int, Unicode.Scalar) = (0, "\n")
    for scalar in text {
      if scalar.isMark, !before.isMark, !before.properties.isAlphabetic { count += 1 }
      before = scalar
    }
    return count
  }
}

extension EncodingCandidate {
  /// Letters that only end words.
  private static let finals = Set("ςךםןףץ".unicodeScalars)

  /// A script by its letters, the most frequent first.
  private static func script(_ range: ClosedRange<UInt32>, _ letters: String) -> Kind {
    let count = Double(letters.unicodeScalars.count)
    let costs = letters.unicodeScalars.enumerated().map { ($1, 0.2 + 0.5 * Double($0) / count) }
    return .script(range, letters: Dictionary(costs, uniquingKeysWith: min))
  }

  private func scriptCost(
    _ text: String.UnicodeScalarView, _ range: ClosedRange<UInt32>,
    _ letters: [Unicode.Scalar: Double]
  ) -> Double {
    var (cost, cases, before): (Double, CaseCost, Unicode.Scalar) = (0, CaseCost(), "\n")
    for scalar in text {
      cost += cases.next(scalar)
      if !scalar.isASCII {
        if range.contains(scalar.value) {
          cost += letters[scalar.lowercased] ?? (scalar.properties.isAlphabetic ? 0.75 : 1)
          if before.isASCII, before.properties.isAlphabetic { cost += 3 }
          if Self.finals.contains(before), scalar.properties.isAlphabetic { cost += 0.25 }
          // A mark needs a letter, and a Thai letter takes only one vowel.
          if scalar.isMark,
            before.isASCII || before.isMark && (0xE31...0xE3A).contains(scalar.value)
          {
            cost += 2
          }
        } else {
          cost += max(0.8, scalar.signCost(after: before))
        }
      } else if scalar.properties.isAlphabetic, range.contains(before.value) {
        cost += 3
      }
      before = scalar
    }
    return cost + cases.ofCapitals
  }

  private func latinCost(
    _ text: String.UnicodeScalarView, _ startsWithCapitals: Bool?
  ) -> Double {
    var (cost, cases, before): (Double, CaseCost, Unicode.Scalar) = (0, CaseCost(), "\n")
    var letters: [Unicode.Scalar: Double] = [:]
    for scalar in text {
      cost += cases.next(scalar)
      if !scalar.isASCII {
        if scalar.isLatinLetter {
          letters[scalar.lowercased, default: 0] += 1
          if before.isLatinLetter { cost += 1.5 }
          if before == "\n", startsWithCapitals == scalar.properties.isLowercase { cost += 1 }
          if scalar.lowercased == "þ", Self.vowels.contains(before.lowercased) { cost += 0.6 }
          // DOS has ö and ø for these bytes, which are far more frequent.
          if iconv == "MACINTOSH", scalar == "î" || scalar == "õ" { cost += 0.1 }
        } else if scalar.isMark {
          cost += 1
        } else {
          cost += scalar.signCost(after: before)
        }
      } else if scalar.properties.isAlphabetic, before.isQuote {
        cost += 3
      } else if Self.isOdd(before.lowercased, before: scalar.lowercased) {
        cost += 0.8
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

  /// Whether this pair is rare. Portuguese has ão, ãe and ãs; before other consonants it is the
  /// Romanian ă. The Polish ą and ę never stand before vowels.
  private static func isOdd(_ letter: Unicode.Scalar, before next: Unicode.Scalar) -> Bool {
    switch letter {
    case "ã": next != "s" && (0x61...0x7A).contains(next.value) && !vowels.contains(next)
    case "ą", "ę": vowels.contains(next)
    default: false
    }
  }

  private static let vowels = Set("aeiou".unicodeScalars)

  /// The letters beyond ASCII of languages, and of groups of languages that lists mix.
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
    _ bytes: [UInt8], _ text: String.UnicodeScalarView, _ frequent: Set<Unicode.Scalar>
  ) -> Double {
    var (sum, index) = (0.0, 0)
    while index < bytes.count {
      guard bytes[index] >= 0x80, index + 1 < bytes.count else {
        // A half-width katakana, or ASCII, which costs nothing.
        sum += bytes[index] >= 0x80 ? 4 : 0
        index += 1
        continue
      }
      let isSingle = iconv == "CP932" && (0xA1...0xDF).contains(bytes[index])
      sum += isSingle ? 3 : pairCost(bytes[index], bytes[index + 1])
      index += isSingle ? 1 : 2
    }
    var before: Unicode.Scalar = "\n"
    for scalar in text {
      if frequent.contains(scalar) { sum -= 0.35 }
      // ASCII letters rarely stand beside such characters.
      if scalar.isASCII != before.isASCII, scalar.properties.isAlphabetic,
        before.properties.isAlphabetic
      {
        sum += 1.5
      }
      before = scalar
    }
    return sum
  }

  /// What a pair of bytes costs: little for kana, hangul and frequent ideographs, more for rare
  /// ones, most for what the encoding hardly has.
  private func pairCost(_ lead: UInt8, _ trail: UInt8) -> Double {
    switch (iconv, lead) {
    case ("CP932", 0x82) where trail < 0x9F: 3
    case ("CP932", 0x82...0x83): 0.7
    case ("CP932", 0x81): trail == 0x5B || trail == 0x58 ? 0.9 : 3
    case ("CP932", 0x88...0x97): 1.2
    case ("CP932", 0x98...0x9F), ("CP932", 0xE0...0xEA): 3
    case ("EUC-JP", 0xA4...0xA5): 0.7
    case ("EUC-JP", 0xA1): trail == 0xBC || trail == 0xB9 ? 0.9 : 3
    case ("EUC-JP", 0xB0...0xCF): 1.3
    case ("EUC-JP", 0xD0...0xF4): 3
    case ("CP932", _), ("EUC-JP", _): 7
    case ("GB18030", _) where trail < 0xA1: 5
    case ("GB18030", 0xB0...0xD7): 1.2
    case ("GB18030", 0xD8...0xF7): 2.6
    case ("GB18030", 0xA1): 3
    case ("CP949", 0xB0...0xC8): trail >= 0xA1 ? 0.9 : 4
    case ("CP949", 0xCA...0xFD): 3.5
    case ("JOHAB", 0x88...0xD3): 1
    case ("JOHAB", 0xE0...0xF9): 3.5
    case ("BIG5-HKSCS", 0xA4...0xC6): 1.2
    case ("BIG5-HKSCS", 0xC9...0xF9): 3
    default: 6
    }
  }

  // Characters that are frequent in names and texts of one language, and less so in the others.
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

/// The cost of capitals in odd places, if one of the letters is not ASCII.
private struct CaseCost {
  private enum Case { case none, small, capital }
  private var last: (Case, Case) = (.none, .none)
  private var (isASCII, wasASCII) = (true, true)
  private var (smalls, runs) = (0, 0)

  /// What the next character adds.
  mutating func next(_ scalar: Unicode.Scalar) -> Double {
    let properties = scalar.properties
    // ß takes the case of the letter before it: words in capitals keep it, its capital being rare.
    let letter: Case =
      scalar == "ß"
      ? last.1 : properties.isUppercase ? .capital : properties.isLowercase ? .small : .none
    defer {
      last = (last.1, letter)
      (wasASCII, isASCII) = (isASCII, scalar.isASCII)
    }
    if letter == .small, !scalar.isASCII { smalls += 1 }
    switch (last.0, last.1, letter) {
    case (_, .small, .capital) where !(isASCII && scalar.isASCII): return 4
    case (.capital, .capital, .small) where !(isASCII && wasASCII && scalar.isASCII): return 3
    case (_, .capital, .capital) where !scalar.isASCII: runs += 1
    default: break
    }
    return 0
  }

  /// What words in capitals add; little if all words are in capitals.
  var ofCapitals: Double { (smalls > 0 ? 0.2 : 0.02) * Double(runs) }
}

extension Unicode.Scalar {
  fileprivate var isMark: Bool { properties.generalCategory == .nonspacingMark }

  var isLatinLetter: Bool {
    switch value {
    case 0xD7, 0xF7, 0xAA, 0xBA: false
    case 0xC0...0x24F, 0x1E00...0x1EFF: true
    default: false
    }
  }

  fileprivate var lowercased: Unicode.Scalar {
    properties.lowercaseMapping.unicodeScalars.first ?? self
  }

  /// Whether it is a quotation mark that no letter follows, or none precedes.
  fileprivate var isQuote: Bool { ["\u{201D}", "\u{201E}", "\u{201A}"].contains(self) }

  /// The cost of a sign beyond ASCII.
  fileprivate func signCost(after before: Unicode.Scalar) -> Double {
    switch value {
    case 0x2018, 0x2019: before.properties.isAlphabetic ? 0.3 : 3
    case 0xA0, 0x2013, 0x2014: 1.8
    case 0xB7, 0x201C...0x201E, 0xAB, 0xBB: 2.5
    case 0xB6: 10  // ¶, which stands in no list
    case 0xA7, 0x2500...0x259F: before.properties.isAlphabetic ? 10 : 5  // § and boxes
    default: 5
    }
  }
}
