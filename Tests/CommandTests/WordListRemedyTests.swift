// The line that a refusal of a word list ends with: pasted into a shell, it reads the list.

import Foundation
import Testing

/// Eight words in a language, their encoding, and what the refusal says of it.
private struct EncodedList: Sendable, CustomTestStringConvertible {
  let encoding: String
  let words: String
  let message: String

  init(_ encoding: String, _ words: String, _ message: String) {
    (self.encoding, self.words, self.message) = (encoding, words, message)
  }

  var testDescription: String { "\(encoding): \(words)" }
}

private let german = "müller schröder jäger weiß köhler björn günther jürgen"
private let french = "hélène françois éloïse gérard rené zoé cédric raphaël"
private let polish = "michał łukasz świętosława józef żaneta łódź gdańsk jędrzej"
private let icelandic = "Þór Jón Garðar Þóra Ásta Þorsteinn Guðný Þórhallur"
private let vietnamese = "Nguyễn Trần Phạm Huỳnh Đặng Bùi Đỗ Dương"
private let turkish = "ayşe çağla gökhan ümit işıl şükrü özgür doğan"
private let russian = "анна борис елена иван кирилл наталья роман юлия"
private let greek = "γιώργος μαρία νίκος ελένη δημήτρης κώστας άννα σοφία"
private let hebrew = "אברהם יצחק יעקב שרה רבקה רחל משה אהרן"
private let joinedHebrew =
  "אברהםיצחק משהאהרן יהושועשרה רחלבנימין יוסףלאה מריםדוד שלמהנתן אסתרחיים"
private let arabic = "محمد فاطمة أحمد علي حسن حسين خديجة عائشة"
private let japanese = "たろう はなこ さくら ゆうき 田中 佐藤 鈴木 高橋"
private let chinese = "王伟 李娜 张敏 刘洋 陈静 杨帆 赵磊 黄丽"
private let taiwanese = "陳怡君 林志明 黃淑芬 張家豪 李雅婷 王建國 吳宗翰 劉美玲"
private let korean = "김민준 이서연 박지훈 최수빈 정예은 강도윤 조하은 윤지우"

private let encodedLists = [
  EncodedList("CP1252", "anna bert carla dora emil frida gusta café", "perhaps windows-1252"),
  EncodedList("CP1252", "anna bert carla dora emil frida gusta Zoë", "perhaps windows-1252"),
  EncodedList("CP1251", russian.uppercased(), "perhaps windows-1251"),
  EncodedList("KOI8-R", russian.uppercased(), "perhaps KOI8-R"),
  EncodedList("CP866", russian.uppercased(), "perhaps DOS Cyrillic"),
  EncodedList(
    "CP1253", "ΓΙΩΡΓΟΣ ΜΑΡΙΑ ΝΙΚΟΣ ΕΛΕΝΗ ΠΕΤΡΟΣ ΚΩΣΤΑΣ ΑΝΝΑ ΣΟΦΙΑ", "perhaps windows-1253"),
  EncodedList(
    "CP850", "ÅBERG ÖBERG SJÖGREN ÅKESSON HÄGG LÖFGREN MÅRTENSSON SVÄRD", "perhaps DOS (850)"),
  EncodedList(
    "CP1252", "o’brien d’arc l’anna mc’coy o’neil anna bert carla", "perhaps windows-1252"),
  EncodedList("CP1252", french, "perhaps windows-1252"),
  EncodedList("LATIN1", german, "perhaps windows-1252"),
  EncodedList("LATIN1", icelandic, "perhaps windows-1252"),
  EncodedList("LATIN1", icelandic.uppercased(), "perhaps windows-1252"),
  EncodedList("LATIN1", "Þór Anna Bert Carla Dora Emil Frida Gusta", "perhaps windows-1252"),
  EncodedList("CP1258", vietnamese, "perhaps windows-1258"),
  EncodedList("CP1258", vietnamese.lowercased(), "perhaps windows-1258"),
  EncodedList("MACINTOSH", french, "perhaps Mac Roman"),
  EncodedList("CP850", german, "perhaps DOS (850)"),
  EncodedList("CP1250", polish, "perhaps windows-1250"),
  EncodedList("ISO-8859-2", polish, "perhaps ISO-8859-2"),
  EncodedList(
    "CP1250", "Pătru Stănescu Bălan Ion Ana Maria Radu Elena", "perhaps windows-1250"),
  EncodedList(
    "CP1252", "João Guimarães Irmãs Simão Ana Maria Pedro Luis", "perhaps windows-1252"),
  EncodedList(
    "ISO-8859-2", "Rašeta Marić Ivan Ana Luka Petra Josip Karlo", "perhaps ISO-8859-2"),
  EncodedList("CP850", "Åberg Öberg Anna Erik Lars Nils Karin Olof", "perhaps DOS (850)"),
  EncodedList("CP437", "Björn Jörn Anna Erik Lars Nils Karin Olof", "perhaps DOS (850)"),
  EncodedList("CP1254", turkish, "perhaps windows-1254"),
  EncodedList("CP1251", russian, "perhaps windows-1251"),
  EncodedList("KOI8-R", russian, "perhaps KOI8-R"),
  EncodedList("CP866", russian, "perhaps DOS Cyrillic"),
  EncodedList("ISO-8859-5", russian, "perhaps ISO-8859-5"),
  EncodedList("CP1253", greek, "perhaps windows-1253"),
  EncodedList("CP1255", hebrew, "perhaps windows-1255"),
  // Two names in one word: a final letter inside it.
  EncodedList("CP1255", joinedHebrew, "perhaps windows-1255"),
  EncodedList("CP862", joinedHebrew, "perhaps DOS Hebrew"),
  EncodedList(
    "CP869", "νίκοςελένη γιώργοςμαρία κώσταςάννα πέτροςσοφία μάριοςεύα σπύροςζωή άρηςδάφνη ηλίας",
    "perhaps DOS Greek (869)"),
  EncodedList("CP1256", arabic, "perhaps windows-1256"),
  EncodedList("SHIFT-JIS", japanese, "perhaps Shift-JIS"),
  EncodedList("EUC-JP", japanese, "perhaps EUC-JP"),
  EncodedList("ISO-2022-JP", japanese, "U+001B"),
  EncodedList("GB18030", chinese, "perhaps GB18030"),
  EncodedList("BIG5", taiwanese, "perhaps Big5"),
  EncodedList("EUC-KR", korean, "perhaps EUC-KR"),
  EncodedList("UTF-16LE", russian, "looks like UTF-16LE"),
  EncodedList("UTF-16BE", chinese, "looks like UTF-16BE"),
  EncodedList("UTF-16BE", german, "looks like UTF-16BE"),
  EncodedList("UTF-32LE", german, "looks like UTF-32LE"),
  EncodedList("UTF-32BE", korean, "looks like UTF-32BE"),
  EncodedList("IBM037", "anna bert carla dora emil frida gusta hanna", "perhaps EBCDIC"),
]

/// Lists of UTF-8 that was read in another encoding, a letter having become a control, and what the
/// refusal says.
private let encodedTwice: [(words: String, script: String, message: String)] = [
  (
    "Łukasiek Żółć Anna Bert Carla Dora Emil Frida", "iconv -f LATIN1 -t UTF-8",
    "words.txt:1: UTF-8 that was read as Latin-1 and written as UTF-8 again; this line was Łukasiek"
  ),
  (
    "Anna François voilà Årsta Ásta Łódź Ñu São",
    "{ printf '\\357\\273\\277'; cat; } | iconv -f LATIN1 -t UTF-8",
    "words.txt:4: UTF-8 that was read as Latin-1 and written as UTF-8 again; this line was Årsta"
  ),
  ("Ý Þór Ð Áki Íris Ísak Óðinn Ása", "iconv -f LATIN1 -t UTF-8", "this line was Ý"),
  (russian, "iconv -f LATIN1 -t UTF-8", "read as Latin-1"),
  (chinese, "iconv -f LATIN1 -t UTF-8", "read as Latin-1"),
  (vietnamese, "iconv -f LATIN1 -t UTF-8", "read as Latin-1"),
  // What windows-1252 lacks becomes a control; other bytes become signs.
  (
    "Łukasiek Ágnes İpek d’Arc Emil Frida Gusta Hanna",
    #"""
    python3 -c 'import sys; print("".join(
    bytes([b]).decode("cp1252" if b not in b"\x81\x8d\x8f\x90\x9d" else "latin-1")
    for b in sys.stdin.buffer.read()), end="")'
    """#,
    "words.txt:1: UTF-8 that was read as windows-1252"
  ),
  // Some lines were read correctly.
  (
    "Ágnes Ásta Łukasiek Íris Zoë Emil Frida Gusta",
    "{ head -4 | iconv -f LATIN1 -t UTF-8; tail -n +5 plain.txt; }", "this line was Ágnes"
  ),
]

/// Lists that some lines of shell make of the eight words in `plain.txt`.
private let otherFiles = [
  WordListCase("gzip", script: "gzip -c plain.txt", "is compressed by gzip"),
  WordListCase("xz", script: "xz -c plain.txt", "is compressed by xz"),
  WordListCase("bzip2", script: "bzip2 -c plain.txt", "is compressed by bzip2"),
  WordListCase("tar", script: "tar -cf - plain.txt", "is a tar archive"),
  WordListCase("carriage returns", script: #"tr '\n' '\r' < plain.txt"#, "carriage return"),
  WordListCase("NULs", script: #"tr '\n' '\0' < plain.txt"#, "U+0000"),
  WordListCase("form feeds", script: #"tr '\n' '\f' < plain.txt"#, "U+000C"),
  WordListCase("DOS", script: #"sed 's/$/\r/' plain.txt; printf '\032'"#, "U+001A"),
  WordListCase(
    "two marks",
    script: #"printf '\357\273\277'; head -4 plain.txt; printf '\357\273\277'; tail -4 plain.txt"#,
    "U+FEFF"),
  WordListCase("U+2028", script: #"sed ':a;N;$!ba;s/\n/\xE2\x80\xA8/g' plain.txt"#, "U+2028"),
  WordListCase("colours", script: #"sed 's/.*/\x1B[31m&\x1B[0m/' plain.txt"#, "U+001B"),
  WordListCase(
    "JSON",
    script: #"""
      printf '["anna",%10000s' ''; sed '1d; s/.*/"&",/; $s/,$/]/' plain.txt | tr -d '\n'
      """#, "a list on one line, in JSON"),
  WordListCase("blanks", script: "paste -sd ' ' plain.txt", "on one line, separated by blanks"),
  WordListCase("commas", script: "paste -sd , plain.txt | sed 's/,/, /g'", "separated by commas"),
  WordListCase(
    "commas and a word",
    script: "paste -sd , plain.txt | sed 's/,/, /g; s/, \\([^ ]*\\)$/ and \\1./'",
    "separated by commas and “and”"),
  WordListCase(
    "commas, and a word after the last",
    script: "paste -sd , plain.txt | sed 's/,/, /g; s/ \\([^ ]*\\)$/ und \\1/'",
    "separated by commas and “und”"),
  WordListCase(
    "commas of Japanese", script: "paste -sd , plain.txt | sed 's/,/、/g'", "separated by commas"),
  WordListCase("dots", script: "paste -sd , plain.txt | sed 's/,/ · /g'", "separated by dots"),
  WordListCase("slashes", script: "paste -sd / plain.txt", "separated by slashes"),
  WordListCase("tags", script: #"sed 's|.*|<li>&</li>|' plain.txt | tr -d '\n'"#, "line, in HTML"),
  WordListCase(
    "values of SQL",
    script: #"sed "s/.*/('&',3)/" plain.txt | paste -sd , | sed 's/^/INSERT INTO w VALUES /'"#,
    "a list on one line, in SQL"),
  WordListCase("semicolons", script: "paste -sd ';' plain.txt", "separated by semicolons"),
  WordListCase("tabs", script: "paste -s plain.txt", "separated by tabs"),
  WordListCase(
    "commas on one long line",
    script: "printf 'anna,%9990s' ''; sed 1d plain.txt | paste -sd ,", "separated by commas"),
  WordListCase(
    "a short JSON array", script: #"sed 's/.*/"&"/' plain.txt | paste -sd , | sed 's/.*/[&]/'"#,
    "a list on one line, in JSON"),
  WordListCase(
    "a JSON object",
    script: #"sed 's/.*/{"id": 3, "name": "&"}/' plain.txt | paste -sd , | sed 's/.*/{"w": [&]}/'"#,
    "a list on one line, in JSON"),
  WordListCase(
    "a list in Python", script: #"sed "s/.*/'&'/" plain.txt | paste -sd , | sed 's/.*/[&]/'"#,
    "a list on one line, between quotation marks"),
  WordListCase(
    "a damaged line", script: #"cat plain.txt; printf 'ren\351\n'"#, "some lines are damaged"),
  WordListCase(
    "a damaged line of two", script: #"cat plain.txt; printf 'ren\351\nzo\353\n'"#,
    "some lines are damaged"),
  WordListCase(
    "beyond Unicode", script: #"cat plain.txt; printf '\365\200\200\200\n'"#,
    "some lines are damaged"),
  WordListCase(
    "halves of a pair", script: #"cat plain.txt; printf '\355\240\275\355\270\200\n'"#,
    "some lines are damaged"),
  WordListCase(
    "too long", script: #"printf 'a\300\200b\n'; cat plain.txt"#, "some lines are damaged"),
]

@Suite("The command suggested after a refused word list")
struct WordListRemedyTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  /// Expects a refusal of `words.txt` with a line that reads eight words from it.
  private func expectRemedy(_ message: String, file: String = "words.txt") throws {
    let name = "'" + file.replacing("'", with: #"'\''"#) + "'"
    let refusal = try place.guarded("train --describe --data=\(name)")
    expectRefusal(refusal, status: 65, saying: message)
    let line = try #require(refusal.errorLines.last)
    #expect(line.hasPrefix("Try:  "), "\(refusal.errors)")
    let outcome = try place.guarded("\(line.dropFirst(6)) --describe")
    #expect(outcome.output.contains("-: 8 words, all distinct"), "\(line)\n\(outcome.errors)")
  }

  @Test(
    "The printed line converts a list from the encoding that was guessed", arguments: encodedLists)
  private func encoding(list: EncodedList) throws {
    let words = list.words.replacing(" ", with: "\n") + "\n"
    try place.write(words.utf8, to: "plain.txt")
    let made = try place.guarded(
      "iconv -f UTF-8 -t \(list.encoding) plain.txt > words.txt")
    try #require(made.status == 0)
    try expectRemedy(list.message)
    let line = try place.guarded(
      "eval \"$(train --describe --data words.txt 2>&1 | sed -n 's/^Try:  \\(.*\\) | train.*/\\1/p')\""
    )
    #expect(line.output == words)
  }

  @Test("The printed line undoes a second encoding", arguments: encodedTwice)
  private func secondEncoding(words: String, script: String, message: String) throws {
    let text = words.replacing(" ", with: "\n") + "\n"
    try place.write(text.utf8, to: "plain.txt")
    let made = try place.guarded("{ \(script)\n} < plain.txt > words.txt")
    try #require(made.status == 0)
    try expectRemedy(message)
    let line = try place.guarded(
      "eval \"$(train --data words.txt 2>&1 | sed -n 's/^Try:  \\(.*\\) | train.*/\\1/p')\"")
    let output = line.output.trimmingPrefix("\u{FEFF}")
    #expect(output.trimmingCharacters(in: .newlines) + "\n" == text)
  }

  @Test(
    "Controls that are no second encoding are refused as such",
    arguments: ["d\u{92}arc", "Z\u{FC}\u{81}rich", "\u{C5}\u{81}ukasz\nZo\u{EB}\nRen\u{E9}"])
  func controls(text: String) throws {
    try place.write("\(text)\nanna\nbert\ncarla\ndora\nemil\nfrida\n".utf8, to: "words.txt")
    let refusal = try place.guarded("train --data words.txt")
    expectRefusal(refusal, status: 65, saying: "(a control character)")
  }

  @Test(
    "The printed line reads other formats, and removes what no word may have", arguments: otherFiles
  )
  func format(list: WordListCase) throws {
    var words = ["anna", "bert", "carla", "dora", "emil", "frida", "gusta", "hanna"]
    if list.testDescription.hasPrefix("a damaged line") {
      words = Array(words.dropLast()) + ["jürg"]
    }
    try place.write((words.joined(separator: "\n") + "\n").utf8, to: "plain.txt")
    let made = try place.guarded("{ \(list.script)\n} > words.txt")
    try #require(made.status == 0)
    try expectRemedy(list.message)
  }

  @Test(
    "The printed line quotes the name of the file",
    arguments: ["a b.gz", "it's.gz", "-x.gz", "$HOME.gz"])
  func quoting(file: String) throws {
    let words = "anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n"
    try place.write(words.utf8, to: "plain")
    let name = "'" + file.replacing("'", with: #"'\''"#) + "'"
    #expect(try place.guarded("gzip -c plain > \(name)").status == 0)
    try expectRemedy("is compressed by gzip", file: file)
  }
}
