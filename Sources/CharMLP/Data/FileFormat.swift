// Recognizes files that are not UTF-8 text by their first bytes, and names the command that
// converts them.
//
// "U+001F at byte 0; remove it" does not help a user who passed a compressed list or a spreadsheet.
// The signatures are those of the formats' own specifications, as in file(1); each has a byte that
// no word list may have, or is not a word.

/// A format that a word list must be read or converted from.
public enum FileFormat: Equatable, Sendable {
  /// UTF-16 or UTF-32, by a byte order mark or by its NULs.
  case unicode(ForeignEncoding)
  /// Anything else: its name, and how to get text out of it.
  case other(String, TextRemedy?)
}

/// A shell command that prints a file as a word list.
public struct TextRemedy: Equatable, Sendable {
  /// The command, with `{}` in place of the file.
  let template: String
  /// What to put in place of the file to read standard input; nil if the command cannot read it.
  let standardInput: String?

  /// A line with `{}` in place of the file.
  ///
  /// - Parameters:
  ///   - template: The line.
  ///   - standardInput: What stands there to read standard input; nil if it cannot.
  public init(_ template: String, standardInput: String? = "") {
    (self.template, self.standardInput) = (template, standardInput)
  }

  /// The line for a file, whose name the caller has quoted for the shell, or for standard input
  /// (nil); nil if the command cannot read that.
  public func command(for file: String?) -> String? {
    guard let name = file ?? standardInput else { return nil }
    guard name.isEmpty else { return template.replacing("{}", with: name) }
    return template.replacing("< {}", with: "").replacing("{}", with: "")
      .split(separator: " ").joined(separator: " ")
  }

  /// A conversion by iconv(1).
  package static func iconv(_ encoding: String) -> TextRemedy {
    "iconv -f \(encoding) -t UTF-8 {}"
  }
}

extension TextRemedy: ExpressibleByStringInterpolation {
  /// A line with `{}` in place of the file, or without it to read standard input.
  public init(stringLiteral template: String) { self.init(template) }

  /// The first text of each row that SQL inserts.
  package static let sql: TextRemedy =
    #"grep -aoE "\([^()']*'([^']|'')*'" {} | sed "s/^[^']*'//; s/'$//; s/''/'/g""#

  /// A line of Python that prints the first text of each value of a JSON document, or of its first
  /// array.
  ///
  /// - Parameter document: What makes the values.
  package static func json(_ document: String = "json.load(sys.stdin)") -> TextRemedy {
    """
    python3 -c 'import json, sys; d = \(document); \
    d = next((v for v in d.values() if isinstance(v, list)), d) if isinstance(d, dict) else d; \
    [print(v if isinstance(v, str) else next(t for t in \
    (v.values() if isinstance(v, dict) else v) if isinstance(t, str))) for v in d]' < {}
    """
  }
}

extension FileFormat {
  /// The format that the first bytes show.
  init?(ofTextStartingWith bytes: Span<UInt8>) {
    if let encoding = ForeignEncoding(ofTextStartingWith: bytes) {
      self = .unicode(encoding)
      return
    }
    guard let signature = Self.signatures.first(where: { $0.matches(bytes) }) else { return nil }
    if signature.name == "a zip archive" {
      self = Self.archive(bytes)
    } else {
      self = .other(signature.name, signature.remedy)
    }
  }

  /// The kind of a model file and of a notebook's tensors.
  package static let safetensors = "a model file (safetensors)"

  /// What kind of file begins with these bytes, in words; nil if unknown.
  package static func name(ofFileStartingWith bytes: [UInt8]) -> String? {
    switch FileFormat(ofTextStartingWith: bytes.span) {
    case .other(let name, _): name
    case .unicode(let encoding): "text in \(encoding.rawValue)"
    case nil: nil
    }
  }

  private struct Signature {
    let name: String
    let bytes: [UInt8]
    let offset: Int
    let remedy: TextRemedy?

    init(_ name: String, _ bytes: [UInt8], at offset: Int = 0, _ remedy: TextRemedy? = nil) {
      (self.name, self.bytes, self.offset, self.remedy) = (name, bytes, offset, remedy)
    }

    init(_ name: String, _ text: String, at offset: Int = 0, _ remedy: TextRemedy? = nil) {
      self.init(name, Array(text.utf8), at: offset, remedy)
    }

    func matches(_ text: Span<UInt8>) -> Bool {
      guard text.count >= offset + bytes.count else { return false }
      for index in bytes.indices where text[offset + index] != bytes[index] { return false }
      return true
    }
  }

  private static let signatures: [Signature] = [
    Signature("compressed by gzip", [0x1F, 0x8B], "gzip -dc {}"),
    Signature("compressed by compress", [0x1F, 0x9D], "gzip -dc {}"),
    Signature(
      "compressed by xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz -dc {}"),
    Signature(
      "compressed by lzma", [0x5D, 0x00, 0x00], "xz --format=lzma -dc {}"),
    Signature(
      "compressed by bzip2", [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], at: 4, "bzip2 -dc {}"
    ),
    Signature("compressed by zstd", [0x28, 0xB5, 0x2F, 0xFD], "zstd -dc {}"),
    Signature("compressed by lz4", [0x04, 0x22, 0x4D, 0x18], "lz4 -dc {}"),
    Signature("compressed by lzip", "LZIP\u{1}", "lzip -dc {}"),
    Signature("compressed by snappy", [0xFF, 0x06, 0x00, 0x00, 0x73, 0x4E, 0x61, 0x50]),
    Signature("a zip archive", "PK\u{3}\u{4}"),
    Signature("an empty zip archive", "PK\u{5}\u{6}"),
    Signature(
      "a 7z archive", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C],
      TextRemedy("7z x -so {}", standardInput: nil)),
    Signature(
      "a RAR archive", "Rar!\u{1A}\u{7}", TextRemedy("unrar p -inul {}", standardInput: nil)),
    Signature("a tar archive", "ustar\0", at: 257, TextRemedy("tar -xOf {}", standardInput: "-")),
    Signature(
      "a tar archive", "ustar  \0", at: 257, TextRemedy("tar -xOf {}", standardInput: "-")),
    Signature("a PDF", "%PDF-", TextRemedy("pdftotext -nopgbrk {} -", standardInput: "-")),
    Signature("PostScript", "%!PS-", "ps2ascii {}"),
    Signature("rich text (RTF)", "{\\rtf", "unrtf --text {}"),
    Signature("a DjVu document", "AT&TFORM", TextRemedy("djvutxt {}", standardInput: nil)),
    Signature(
      "an old Office file (xls, doc)", [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]),
    Signature("a SQLite database", "SQLite format 3\0"),
    Signature("a Parquet table", "PAR1\u{15}"),
    Signature("an Arrow table", "ARROW1\0"),
    Signature("a Python pickle", [0x80, 0x02]),
    Signature("a Python pickle", [0x80, 0x03]),
    Signature("a Python pickle", [0x80, 0x04]),
    Signature("a Python pickle", [0x80, 0x05]),
    Signature("a NumPy array", [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]),
    Signature("HDF5", [0x89, 0x48, 0x44, 0x46]),
    Signature("an image (PNG)", [0x89, 0x50, 0x4E, 0x47]),
    Signature("an image (JPEG)", [0xFF, 0xD8, 0xFF]),
    Signature("an image (GIF)", "GIF89a"),
    Signature("an image (GIF)", "GIF87a"),
    Signature("an image (TIFF)", [0x49, 0x49, 0x2A, 0x00]),
    Signature("an image (TIFF)", [0x4D, 0x4D, 0x00, 0x2A]),
    Signature("an image (WebP)", "WEBPVP8", at: 8),
    Signature("audio (WAV)", "WAVEfmt ", at: 8),
    Signature("audio (MP3)", [0x49, 0x44, 0x33, 0x03]),
    Signature("audio (MP3)", [0x49, 0x44, 0x33, 0x04]),
    Signature("audio (Ogg)", "OggS\0"),
    Signature("audio (FLAC)", "fLaC\0"),
    Signature("an executable (ELF)", [0x7F, 0x45, 0x4C, 0x46]),
    Signature("an executable (Windows)", [0x4D, 0x5A, 0x90, 0x00]),
    Signature("a Java class", [0xCA, 0xFE, 0xBA, 0xBE]),
    Signature(safetensors, "\0\0\0\0\0{\"", at: 3),
  ]

  /// A zip archive by the names of its members: office documents are such archives.
  private static func archive(_ bytes: Span<UInt8>) -> FileFormat {
    func holds(_ name: String) -> Bool {
      let name = Array(name.utf8)
      guard bytes.count >= name.count else { return false }
      return (0...min(bytes.count, 1 << 20) - name.count).contains { start in
        name.indices.allSatisfy { bytes[start + $0] == name[$0] }
      }
    }
    func unzip(_ line: String) -> TextRemedy { TextRemedy(line, standardInput: nil) }
    if holds("xl/w") {
      return .other(
        "an Excel workbook",
        unzip("unzip -p {} 'xl/*.xml' | grep -oE '<t( [^>]*)?>[^<]+' | sed 's/<[^>]*>//'"))
    }
    if holds("word/document") {
      return .other(
        "a Word document",
        unzip(#"unzip -p {} word/document.xml | sed 's/<\/w:p>/\n/g; s/<[^>]*>//g'"#))
    }
    if holds("opendocument.") {
      return .other(
        "an OpenDocument file",
        unzip(#"unzip -p {} content.xml | sed 's/<\/text:p>/\n/g' | sed 's/<[^>]*>//g'"#))
    }
    if holds("/data.pkl") { return .other("a PyTorch file (torch.save)", nil) }
    if holds(".npy") { return .other("a NumPy archive (npz)", nil) }
    return .other("a zip archive", unzip("unzip -p {}"))
  }
}

// MARK: - UTF-16 and UTF-32

/// An encoding of Unicode that a word list must be converted from, named as iconv(1) does.
///
/// Such a file would be refused anyway, for its NULs or its byte order mark, but "control character
/// in line 1" does not help those who have just exported a list from a spreadsheet.
public enum ForeignEncoding: String, Sendable {
  /// UTF-16 with a byte order mark.
  case utf16 = "UTF-16"
  /// UTF-32 with a byte order mark.
  case utf32 = "UTF-32"
  /// UTF-16, the low byte first, without a mark.
  case utf16LittleEndian = "UTF-16LE"
  /// UTF-16, the high byte first, without a mark.
  case utf16BigEndian = "UTF-16BE"
  /// UTF-32, the low byte first, without a mark.
  case utf32LittleEndian = "UTF-32LE"
  /// UTF-32, the high byte first, without a mark.
  case utf32BigEndian = "UTF-32BE"

  /// Whether a byte order mark says so.
  var isMarked: Bool { self == .utf16 || self == .utf32 }

  /// The foreign encoding that the first bytes suggest: by a byte order mark, or by NULs in exactly
  /// every second byte of the first 64, at least four (Latin text in UTF-16 without a mark).
  init?(ofTextStartingWith bytes: Span<UInt8>) {
    guard bytes.count >= 2 else { return nil }
    let zeroes = bytes.count >= 4 && bytes[2] == 0 && bytes[3] == 0
    switch (bytes[0], bytes[1]) {
    case (0xFF, 0xFE): self = zeroes ? .utf32 : .utf16
    case (0xFE, 0xFF): self = .utf16
    case (0, 0) where bytes.count >= 4 && bytes[2] == 0xFE && bytes[3] == 0xFF: self = .utf32
    default:
      guard let isBigEndian = Self.isBigEndian(byNULsIn: bytes) else { return nil }
      self = isBigEndian ? .utf16BigEndian : .utf16LittleEndian
    }
  }

  /// Whether the first of two bytes is always NUL, or (false) the second; nil if neither is.
  private static func isBigEndian(byNULsIn bytes: Span<UInt8>) -> Bool? {
    let pairs = min(bytes.count, 64) / 2
    guard pairs >= 2 else { return nil }
    let zeroAt = bytes[0] == 0 ? 0 : 1
    let isTwoByte = (0..<pairs).allSatisfy {
      bytes[2 * $0 + zeroAt] == 0 && bytes[2 * $0 + 1 - zeroAt] != 0
    }
    return isTwoByte ? zeroAt == 0 : nil
  }
}

// MARK: - Several words on a line, or all of them on one
//
// What stands between the words, and the shell command that writes one on each line. It decides
// nothing about lists that can be read: a line with commas is a word like any other, unless the
// list is refused, or gets a warning, for another reason.

/// What stands between the words of a line.
public enum WordSeparation: Equatable, Sendable {
  /// The words are strings of a JSON value.
  case json
  /// The words are between quotation marks, as in `['anna', 'bert']`.
  case quotes
  /// The words are values in SQL.
  case sql
  /// The words are between tags of HTML.
  case tags
  /// A character.
  case separator(Unicode.Scalar)
  /// A character, and a word before the last: `anna, bert and cleo`.
  case enumeration(Unicode.Scalar, conjunction: String)

  /// The separation in a text of few lines; nil if it would not leave at least six words, and three
  /// times as many as there are lines.
  init?(of text: some Collection<UInt8>) {
    let text = Array(String(decoding: text.prefix(1 << 16), as: UTF8.self).unicodeScalars)
    let lines = text.split(separator: "\n")
    var start = String.UnicodeScalarView()
    start.append(contentsOf: text.lazy.filter { !$0.isBlank && $0 != "\n" }.prefix(2))
    if String(String.UnicodeScalarView(text.prefix(12))).uppercased() == "INSERT INTO " {
      self = .sql
      return
    }
    if zip(text, text.dropFirst()).count(where: { $0 == "<" && $1 == "/" }) >= 3 {
      self = .tags
      return
    }
    for separator in Self.separators {
      let pieces = lines.flatMap { $0.split(separator: separator) }
        .map { $0.drop(while: \.isBlank) }.filter { !$0.isEmpty }
      // Between commas, a text has clauses.
      let longest = separator == " " ? 40 : 20
      guard pieces.count >= max(6, 3 * lines.count),
        pieces.reduce(0, { $0 + $1.count }) <= longest * pieces.count,
        10 * pieces.count(where: { $0.contains(where: \.properties.isAlphabetic) })
          >= 9 * pieces.count
      else { continue }
      let single = pieces.count { $0.first == "'" }
      if ["[\"", "{\"", "[{"].contains(String(start)), single == 0 {
        self = .json
      } else {
        let quoted = pieces.count { [0x22, 0x27].contains($0.last?.value) && $0.count > 1 }
        self =
          2 * quoted > pieces.count
          ? .quotes
          : Self.conjunction(pieces).map { .enumeration(separator, conjunction: $0) }
            ?? .separator(separator)
      }
      return
    }
    return nil
  }

  /// The word that stands before the last word, and nowhere else.
  private static func conjunction(_ pieces: [ArraySlice<Unicode.Scalar>]) -> String? {
    let last = pieces.last!.split(separator: " ")
    guard (2...3).contains(last.count) else { return nil }
    let conjunction = String(String.UnicodeScalarView(last[last.count - 2]))
    guard conjunctions.contains(conjunction.lowercased()) else { return nil }
    let isCommon = pieces.dropLast().contains { piece in
      piece.split(separator: " ").contains { $0.elementsEqual(conjunction.unicodeScalars) }
    }
    return isCommon ? nil : conjunction
  }

  private static let conjunctions: Set<String> = [
    "and", "or", "&", "und", "oder", "et", "ou", "y", "o", "e", "en", "of", "og", "och", "eller",
    "ja", "tai", "i", "lub", "a", "nebo", "și", "ve", "и", "или", "та", "και",
  ]

  private static let separators: [Unicode.Scalar] = [
    "\t", ";", "|", ",", "\u{3001}", "\u{FF0C}", "\u{60C}", "\u{B7}", "\u{2022}",
    "/", " ",
  ]

  /// What it is called after "a list": "separated by commas".
  package var name: String {
    switch self {
    case .json: "in JSON"
    case .quotes: "between quotation marks"
    case .sql: "in SQL"
    case .tags: "in HTML"
    case .separator("/"): "separated by slashes"
    case .separator(let separator): "separated by \(separator.separatorName)s"
    case .enumeration(let separator, let conjunction):
      "\(Self.separator(separator).name) and “\(conjunction)”"
    }
  }

  /// The shell command that prints one word on each line.
  package var remedy: TextRemedy {
    switch self {
    case .json: .json()
    case .quotes: #"grep -aoE "\"[^\"]*\"|'[^']*'" {} | sed -E 's/^.(.*).$/\1/'"#
    case .sql: .sql
    case .tags: #"sed 's/<[^>]*>/\n/g' {}"#
    case .separator("\t"): #"tr '\t' '\n' < {}"#
    case .separator(let separator) where separator.isASCII: #"tr '\#(separator)' '\n' < {}"#
    case .separator(let separator): #"sed 's/\#(separator)/\n/g' {}"#
    // Only the last line has the conjunction, and may end in a full stop as a sentence does.
    case .enumeration(let separator, let conjunction):
      #"""
      \#(Self.separator(separator).remedy.template) | \#
      sed '$ { s/[[:blank:]]\#(conjunction) /\n/; s/\.$//; }'
      """#
    }
  }
}

extension Unicode.Scalar {
  /// What this is called where it separates words or columns; commas have several forms.
  package var separatorName: String {
    switch self {
    case "\t": "tab"
    case ";": "semicolon"
    case "|": "bar"
    case ":": "colon"
    case " ": "blank"
    case "\u{B7}", "\u{2022}": "dot"
    default: "comma"
    }
  }
}
