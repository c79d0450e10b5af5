// Counts the lines of a list that have more than a word on them, in one pass over the bytes.
//
// A plain word costs a look at each of its bytes; a line is examined further only if its first byte
// can begin a mark. ListSurvey judges the counts.

/// How many lines of a list have separators, marks, quotes, tags, numbers.
struct LineCounts {
  /// By separator.
  var separated = [Int](repeating: 0, count: Self.separators.count)
  static let separators: [Unicode.Scalar] = ["\t", ",", ";", "|", ":"]
  /// With two blanks between words.
  var aligned = 0
  /// With four blanks or more.
  var crowded = 0

  var commentLines = 0
  var commentMarks: [CommentMark] = []
  /// With a comment after the word, by its mark.
  var trailingComments: [String: Int] = [:]
  /// That end in a reference mark.
  var references: [ReferenceMark: Int] = [:]
  /// Whether one of them is ¹, without which higher numbers refer to nothing.
  var hasFirstSuperscript = false
  /// That are an e-mail address and nothing else.
  var addresses = 0
  /// With a remark in parentheses after the word, and these remarks.
  var remarked = 0
  var remarks: Set<String> = []
  /// By mark; a blank follows it.
  var bullets: [String: Int] = [:]
  /// By index in `QuotePair.all`.
  var quoted = [Int](repeating: 0, count: QuotePair.all.count)

  var tags = 0
  /// Unmistakable tags: closing ones, declarations, line breaks.
  var certainTags = 0
  var entities = 0
  var escaped: [EscapeForm: Int] = [:]

  /// Words with capitals or digits after a slash, as in `walk/DSG`.
  var capitalFlags = 0
  /// Words with up to five letters after a slash, not all capitals, and these letters.
  var otherFlags = 0
  var flags: Set<String> = []

  var withDigits = 0
  var endingInNumber = 0
  var beginningWithNumber = 0

  /// Whether a mark, a quote or a comment can begin with a byte.  (256)
  private let isMarkStart = Self.isMarkStart

  /// Whether all lines so far were comments.
  private var isHead = true
  /// The lines so far of a comment that has not ended.
  private var openComment = 0
  private var tightComments: [String: Int] = [:]

  init(_ words: WordList) {
    let bytes = words.utf8.span
    for word in words.indices { add(bytes, words.utf8Range(of: word)) }
  }

  private mutating func add(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    var found = (tab: false, comma: false, semicolon: false, bar: false, colon: false)
    var (aligned, blanks, digits) = (false, 0, false)
    var (slash, opening, ampersand, at) = (-1, -1, -1, -1)
    for index in word {
      let byte = bytes[index]
      if byte >= 0x61 && byte <= 0x7A || byte >= 0x80 { continue }
      switch byte {
      case 0x20:
        blanks += 1
        aligned = aligned || index > word.lowerBound && bytes[index - 1] == 0x20
        ampersand = -1
      case 0x09: found.tab = true
      case UInt8(ascii: ","): found.comma = found.comma || !isWithinNumber(bytes, index, word)
      case UInt8(ascii: "|"): found.bar = true
      case UInt8(ascii: ":"):
        found.colon = found.colon || isColon(bytes, index, word)
        ampersand = -1
      case UInt8(ascii: ";"):
        found.semicolon = true
        if followsWord(bytes, index..<index + 1, word) { trailingComments[";", default: 0] += 1 }
        if ampersand >= 0, index - ampersand > 2 { entities += 1 }
        ampersand = -1
      case 0x30...0x39: digits = true
      case UInt8(ascii: "/"): slash = slash < 0 ? index : slash
      case UInt8(ascii: "<"): opening = index
      case UInt8(ascii: ">"):
        if opening >= 0, index - opening > 1 { addTag(bytes, opening + 1..<index) }
        opening = -1
      case UInt8(ascii: "&"): ampersand = index
      case UInt8(ascii: "#"):
        let marks = (index..<word.upperBound).prefix { bytes[$0] == byte }
        if isBetweenBlanks(bytes, marks, word) { trailingComments["#", default: 0] += 1 }
      case UInt8(ascii: "-"):
        let marks = (index..<word.upperBound).prefix { bytes[$0] == byte }
        if marks.count == 2, followsWord(bytes, marks, word) {
          trailingComments["--", default: 0] += 1
        }
        ampersand = -1
      case UInt8(ascii: "@"):
        at = index
        ampersand = -1
      case UInt8(ascii: "\\"), UInt8(ascii: "%"), UInt8(ascii: "="), UInt8(ascii: "+"):
        if let form = Self.escape(bytes, index, word) { escaped[form, default: 0] += 1 }
        ampersand = -1
      default: if !byte.isLetter { ampersand = -1 }
      }
    }
    if found.tab { separated[0] += 1 }
    if found.comma { separated[1] += 1 }
    if found.semicolon { separated[2] += 1 }
    if found.bar { separated[3] += 1 }
    if found.colon { separated[4] += 1 }
    if aligned { self.aligned += 1 }
    if blanks >= 4 { crowded += 1 }
    if digits {
      withDigits += 1
      countNumbers(bytes, word)
    }
    if slash >= 0 { countSlash(bytes, slash, word) }
    if bytes[word.upperBound - 1] == UInt8(ascii: ")") { countRemark(bytes, word) }
    countReference(bytes, word)
    if at > 0, Self.isAddress(bytes, word, at: at) { addresses += 1 }
    countMarks(bytes, word)
  }

  // MARK: Signs within a line

  private func isWithinNumber(_ bytes: Span<UInt8>, _ index: Int, _ word: Range<Int>) -> Bool {
    index > word.lowerBound && index + 1 < word.upperBound && bytes[index - 1].isDigit
      && bytes[index + 1].isDigit
  }

  /// Whether a colon separates words: not in a URL, a path, a time or a C++ name.
  private func isColon(_ bytes: Span<UInt8>, _ index: Int, _ word: Range<Int>) -> Bool {
    guard index > word.lowerBound, index + 1 < word.upperBound else { return false }
    let colon = UInt8(ascii: ":")
    return bytes[index - 1] != colon && bytes[index + 1] != colon
      && ![UInt8(ascii: "/"), UInt8(ascii: "\\")].contains(bytes[index + 1])
      && !isWithinNumber(bytes, index, word)
  }

  private func isBetweenBlanks(
    _ bytes: Span<UInt8>, _ mark: Range<Int>, _ word: Range<Int>
  ) -> Bool {
    mark.lowerBound > word.lowerBound && mark.upperBound < word.upperBound
      && bytes[mark.lowerBound - 1].isBlank && bytes[mark.upperBound].isBlank
  }

  /// Whether a mark stands between blanks and behind a single word.
  private func followsWord(_ bytes: Span<UInt8>, _ mark: Range<Int>, _ word: Range<Int>) -> Bool {
    guard isBetweenBlanks(bytes, mark, word) else { return false }
    var end = mark.lowerBound
    while end > word.lowerBound, bytes[end - 1].isBlank { end -= 1 }
    return end > word.lowerBound && !(word.lowerBound..<end).contains { bytes[$0].isBlank }
  }

  /// Whether a line is `anna@example.org`.
  private static func isAddress(_ bytes: Span<UInt8>, _ word: Range<Int>, at: Int) -> Bool {
    func isPart(_ range: Range<Int>, signs: String) -> Bool {
      !range.isEmpty
        && range.allSatisfy {
          bytes[$0].isLetter || bytes[$0].isDigit || signs.utf8.contains(bytes[$0])
        }
    }
    let domain = at + 1..<word.upperBound
    guard let dot = domain.last(where: { bytes[$0] == UInt8(ascii: ".") }), dot > at + 1 else {
      return false
    }
    let last = dot + 1..<word.upperBound
    return isPart(word.lowerBound..<at, signs: "._%+-'") && isPart(domain, signs: ".-")
      && last.count >= 2 && last.allSatisfy { bytes[$0].isLetter }
  }

  private mutating func countReference(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    let last = bytes[word.upperBound - 1]
    if last == UInt8(ascii: "]") {
      guard let start = word.last(where: { bytes[$0] == UInt8(ascii: "[") }),
        start > word.lowerBound, Self.isNote(bytes, start + 1..<word.upperBound - 1)
      else { return }
      references[.bracketed, default: 0] += 1
    } else if last >= 0x80 {
      var start = word.upperBound - 1
      while start > word.lowerBound, bytes[start] & 0xC0 == 0x80 { start -= 1 }
      guard start > word.lowerBound, let scalar = bytes.scalar(at: start)?.scalar else { return }
      guard let mark = ReferenceMark(scalar) else { return }
      references[mark, default: 0] += 1
      if scalar == "\u{B9}" { hasFirstSuperscript = true }
    }
  }

  /// Whether this is what encyclopedias have between brackets: 12, a, note 3.
  private static func isNote(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Bool {
    let letters = text.prefix { bytes[$0] | 0x20 >= 0x61 && bytes[$0] | 0x20 <= 0x7A }
    let digits = text[letters.endIndex...].drop { bytes[$0] == 0x20 }
    if digits.isEmpty { return text.count == 1 && !bytes[text.lowerBound].isCapital }
    guard digits.count <= 3, digits.allSatisfy({ bytes[$0].isDigit }) else { return false }
    let name = String(decoding: letters.map { bytes[$0] | 0x20 }, as: UTF8.self)
    return ["", "n", "nb", "note"].contains(name)
  }

  private mutating func addTag(_ bytes: Span<UInt8>, _ name: Range<Int>) {
    let first = bytes[name.lowerBound]
    let isMark = [UInt8(ascii: "/"), UInt8(ascii: "!"), UInt8(ascii: "?")].contains(first)
    guard isMark || first.isLetter, !name.contains(where: { bytes[$0] == UInt8(ascii: "@") })
    else { return }
    tags += 1
    let text = String(decoding: name.prefix(3).map { bytes[$0] | 0x20 }, as: UTF8.self)
    if isMark || ["br", "br/", "br ", "hr", "li"].contains(text) { certainTags += 1 }
  }

  private mutating func countSlash(_ bytes: Span<UInt8>, _ slash: Int, _ word: Range<Int>) {
    if slash + 2 < word.upperBound, bytes[slash + 1] == bytes[slash],
      isBetweenBlanks(bytes, slash..<slash + 2, word)
    {
      trailingComments["//", default: 0] += 1
    }
    // After a word in capitals it may be another word.
    guard slash > word.lowerBound, bytes[slash - 1].isLetter, !bytes[slash - 1].isCapital
    else { return }
    let flags = (slash + 1..<word.upperBound).prefix { !bytes[$0].isBlank }
    guard (1...12).contains(flags.count) else { return }
    if flags.allSatisfy({ bytes[$0].isCapital || bytes[$0].isDigit || bytes[$0] == 0x2C }) {
      capitalFlags += 1
    } else if flags.count <= 5, flags.allSatisfy({ bytes[$0].isLetter || bytes[$0].isDigit }) {
      otherFlags += 1
      if self.flags.count < 1000 {
        self.flags.insert(String(decoding: flags.map { bytes[$0] }, as: UTF8.self))
      }
    }
  }

  private mutating func countRemark(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    guard let start = word.last(where: { bytes[$0] == UInt8(ascii: "(") }),
      start > word.lowerBound, bytes[start - 1].isBlank
    else { return }
    remarked += 1
    if remarks.count < 1000 {
      remarks.insert(String(decoding: (start..<word.upperBound).map { bytes[$0] }, as: UTF8.self))
    }
  }

  // MARK: Numbers

  private mutating func countNumbers(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    var start = word.upperBound
    while start > word.lowerBound, !bytes[start - 1].isBlank, bytes[start - 1] != UInt8(ascii: "=")
    { start -= 1 }
    if start > word.lowerBound, Self.isNumber(bytes, Self.inner(bytes, start..<word.upperBound)) {
      endingInNumber += 1
    }
    let first = startOfNumber(bytes, word)
    guard let end = (first..<word.upperBound).first(where: { bytes[$0].isBlank }), end > first
    else { return }
    var number = first..<end
    if bytes[number.lowerBound] == UInt8(ascii: "(") { number = number.dropFirst() }
    if let last = number.last, [".", ")", ":"].contains(Character(Unicode.Scalar(bytes[last]))) {
      number = number.dropLast()
    }
    if Self.isNumber(bytes, number) { beginningWithNumber += 1 }
  }

  /// Where a number at the beginning of a line would start: behind a sign for it.
  private func startOfNumber(_ bytes: Span<UInt8>, _ word: Range<Int>) -> Int {
    let sign = ["#", "№"].first { begins(bytes, word, with: Array($0.utf8)) }
    guard let sign else { return word.lowerBound }
    let rest = word.dropFirst(sign.utf8.count)
    return rest.first { !bytes[$0].isBlank } ?? word.upperBound
  }

  /// Some text without its parentheses.
  static func inner(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Range<Int> {
    guard text.count > 2, bytes[text.lowerBound] == UInt8(ascii: "("),
      bytes[text.upperBound - 1] == UInt8(ascii: ")")
    else { return text }
    return text.dropFirst().dropLast()
  }

  /// Whether this is a number, such as 12, -1.5e3, 62,413 or 3 %.
  static func isNumber(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Bool {
    var (digits, exponent) = (0, false)
    for index in text {
      let byte = bytes[index]
      switch byte {
      case 0x30...0x39: digits += 1
      case UInt8(ascii: "."), UInt8(ascii: ","): break
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        guard digits > 0, !exponent else { return false }
        exponent = true
      case UInt8(ascii: "+"), UInt8(ascii: "-"):
        let isFirst = index == text.lowerBound
        guard isFirst || bytes[index - 1] | 0x20 == UInt8(ascii: "e") else { return false }
      case UInt8(ascii: "%"): guard index + 1 == text.upperBound else { return false }
      default: return false
      }
    }
    return digits > 0 && bytes[text.upperBound - 1] | 0x20 != UInt8(ascii: "e")
  }

  // MARK: Marks at the beginning

  /// A mark at the beginning of a line.
  private struct Mark {
    enum Role { case comment, tightComment, headComment, bullet }
    let text: String
    let bytes: [UInt8]
    let role: Role
    /// Whether it may be repeated.
    var isSign: Bool { role == .comment || role == .tightComment }

    init(_ text: String, _ role: Role) {
      (self.text, bytes, self.role) = (text, Array(text.utf8), role)
    }
  }

  /// Comments, whose marks need no blank before a letter at the head of a list; and bullets. Of two
  /// marks that begin alike, the longer one comes first.
  private static let marks: [Mark] =
    ["#", ";", "//"].map { Mark($0, .tightComment) }
    + ["--", "%", "!", "'"].map { Mark($0, .comment) }
    + ["REM", "rem", "dnl"].map { Mark($0, .headComment) }
    + ["-", "*", "+", "•", "‣", "◦", "▪", "●", "·", "–", "—", ">"].map { Mark($0, .bullet) }

  private static let isMarkStart: [Bool] = {
    let starts = Set(marks.map { $0.bytes[0] } + QuotePair.all.compactMap { $0.opening.utf8.first })
    return (0...UInt8.max).map { starts.contains($0) || $0 == UInt8(ascii: "/") }
  }()

  private mutating func countMarks(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    let wasHead = isHead
    isHead = false
    guard isMarkStart[Int(bytes[word.lowerBound])] || openComment > 0 else { return }
    if countBlock(bytes, word) {
      isHead = wasHead
      return
    }
    guard let mark = Self.marks.first(where: { begins(bytes, word, with: $0.bytes) }) else {
      countQuotes(bytes, word)
      return
    }
    var next = word.lowerBound + mark.bytes.count
    if mark.isSign {  // `##` and `!!` begin comments where `#` and `!` do
      while next < word.upperBound, bytes[next] == mark.bytes[0] { next += 1 }
    }
    let isLoose = next < word.upperBound && bytes[next].isBlank
    switch mark.role {
    case .bullet where isLoose: bullets[mark.text, default: 0] += 1
    case .comment where isLoose, .tightComment where isLoose, .headComment where isLoose && wasHead:
      addComment(mark.text, needsBlank: true)
      isHead = wasHead
    case .tightComment:
      // Only at the head, and only if there are none further on: #1 and #hashtag are words.
      let isLetter = next == word.upperBound || startsText(bytes, next)
      if wasHead, isLetter {
        addComment(mark.text, needsBlank: false)
        tightComments[mark.text, default: 0] += 1
        isHead = true
      } else if let index = commentMarks.firstIndex(where: { $0.text == mark.text }),
        let tight = tightComments.removeValue(forKey: mark.text)
      {
        commentLines -= tight
        commentMarks[index] = CommentMark(text: mark.text, needsBlank: true)
      }
    default: if ["'", "*"].contains(mark.text) { countQuotes(bytes, word) }
    }
  }

  private func startsText(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
    bytes.scalar(at: index).map { $0.scalar.properties.isAlphabetic || $0.scalar == "!" } == true
  }

  private func begins(_ bytes: Span<UInt8>, _ word: Range<Int>, with mark: [UInt8]) -> Bool {
    word.count >= mark.count && mark.indices.allSatisfy { bytes[word.lowerBound + $0] == mark[$0] }
  }

  private mutating func addComment(_ mark: String, needsBlank: Bool) {
    commentLines += 1
    if let index = commentMarks.firstIndex(where: { $0.text == mark }) {
      if !needsBlank { commentMarks[index] = CommentMark(text: mark, needsBlank: false) }
    } else {
      commentMarks.append(CommentMark(text: mark, needsBlank: needsBlank))
    }
  }

  /// The most lines of a comment in `/* … */`.
  private static let longestComment = 200

  /// Counts a line of a comment in `/* … */`; false if it is not one.
  private mutating func countBlock(_ bytes: Span<UInt8>, _ word: Range<Int>) -> Bool {
    let (slash, star) = (UInt8(ascii: "/"), UInt8(ascii: "*"))
    guard openComment > 0 || begins(bytes, word, with: [slash, star]) else { return false }
    openComment += 1
    let isEnd = word.dropLast().contains { bytes[$0] == star && bytes[$0 + 1] == slash }
    if isEnd {
      commentLines += openComment - 1
      addComment("/*", needsBlank: false)
    }
    if isEnd || openComment > Self.longestComment { openComment = 0 }
    return true
  }

  /// The bytes of `QuotePair.all`.
  private static let quotes: [(opening: [UInt8], closing: [UInt8])] = QuotePair.all.map {
    (Array($0.opening.utf8), Array($0.closing.utf8))
  }

  private mutating func countQuotes(_ bytes: Span<UInt8>, _ word: Range<Int>) {
    var end = word.upperBound
    if bytes[end - 1] == UInt8(ascii: ",") || bytes[end - 1] == UInt8(ascii: ";") { end -= 1 }
    let text = word.lowerBound..<end
    let pair = Self.quotes.firstIndex { opening, closing in
      text.count >= opening.count + closing.count && begins(bytes, text, with: opening)
        && begins(bytes, text.suffix(closing.count), with: closing)
    }
    guard let pair else { return }
    // A line with two values has quotes, or a comma and quotes, inside.
    let (opening, closing) = Self.quotes[pair]
    let inner = text.dropFirst(opening.count).dropLast(closing.count)
    let first = bytes[word.lowerBound]
    let isOne = !inner.contains {
      bytes[$0] == first && (first != UInt8(ascii: "'") || bytes[$0 + 1] == UInt8(ascii: ","))
    }
    if isOne || first >= 0x80 { quoted[pair] += 1 }
  }

  // MARK: Escapes

  /// The kind of escape that begins here, if one does.
  private static func escape(
    _ bytes: Span<UInt8>, _ index: Int, _ word: Range<Int>
  ) -> EscapeForm? {
    func isHex(_ range: Range<Int>) -> Bool {
      range.upperBound <= word.upperBound && range.allSatisfy { bytes[$0].isHexDigit }
    }
    /// Whether these are two bytes of UTF-8: `%C3%A9`.
    func isPair() -> Bool {
      isHex(index + 1..<index + 3) && isHex(index + 4..<index + 6)
        && bytes[index + 1] | 0x20 >= 0x63
        && bytes[index + 3] == bytes[index]
        && [0x38, 0x39, 0x61, 0x62].contains(bytes[index + 4] | 0x20)
    }
    switch bytes[index] {
    case UInt8(ascii: "\\"):
      guard index + 1 < word.upperBound else { return nil }
      let digits = bytes[index + 1] == UInt8(ascii: "u") ? 4 : 2
      guard digits == 4 || bytes[index + 1] == UInt8(ascii: "x") else { return nil }
      return isHex(index + 2..<index + 2 + digits) ? .backslash : nil
    case UInt8(ascii: "%"): return isPair() ? .percent : nil
    case UInt8(ascii: "="): return isPair() ? .equals : nil
    default:
      let base = (index + 1..<word.upperBound).prefix { bytes[$0].isBase64 }
      return base.count >= 3 && base.contains { bytes[$0].isCapital } ? .utf7 : nil
    }
  }

  /// Whether part of a word looks like UTF-7.
  static func hasUTF7(_ word: String) -> Bool {
    let text = Array(word.utf8)
    return text.indices.contains {
      text[$0] == UInt8(ascii: "+") && escape(text.span, $0, text.indices) == .utf7
    }
  }
}

extension UInt8 {
  var isDigit: Bool { self >= 0x30 && self <= 0x39 }
  var isCapital: Bool { self >= 0x41 && self <= 0x5A }
  /// Whether it is an ASCII letter, or part of a character beyond ASCII.
  var isLetter: Bool { self | 0x20 >= 0x61 && self | 0x20 <= 0x7A || self >= 0x80 }
  fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
  fileprivate var isHexDigit: Bool { isDigit || (0x61...0x66).contains(self | 0x20) }
  fileprivate var isBase64: Bool {
    isDigit || self == 0x2B || self == 0x2F || isLetter && self < 0x80
  }
}
