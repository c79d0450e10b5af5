// Word lists from strangers, as `train` meets them: what is refused, with which status and message,
// and what is accepted and learned to the same bytes.

import Foundation
import Safetensors
import Testing

/// A shell command that makes what `--data` then names.
struct WordListCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let script: String
  let message: String

  /// A file `words.txt` of bytes in the notation of printf.
  init(_ name: String, bytes: String, _ message: String) {
    self.init(name, script: "printf '\(bytes)' > words.txt", message)
  }

  init(_ name: String, script: String, _ message: String) {
    testDescription = name
    self.script = script
    self.message = message
  }
}

private let refusedTexts = [
  WordListCase("empty", bytes: "", "words.txt: the word list is empty"),
  WordListCase("a mark alone", bytes: #"\357\273\277"#, "words.txt: the word list is empty"),
  WordListCase("blanks", bytes: #" \n\t\r\n\343\200\200\n"#, "words.txt: there are only blank"),
  WordListCase("one word", bytes: #"anna\n"#, "words.txt: 1 word, but at least 6"),
  WordListCase("no test words", bytes: #"a\nb\nc\nd\ne\n"#, "words.txt: 5 words, but at least 6"),
  WordListCase("lone CR", bytes: #"anna\rbert\r"#, "words.txt:1: carriage return"),
  WordListCase("UTF-16", bytes: #"\377\376a\0\n\0"#, "words.txt: looks like UTF-16"),
  WordListCase("UTF-16 big", bytes: #"\376\377\0a\0\n"#, "words.txt: looks like UTF-16"),
  WordListCase("UTF-16 unmarked", bytes: #"a\0b\0\n\0"#, "words.txt: looks like UTF-16"),
  WordListCase("UTF-32", bytes: #"\377\376\0\0a\0\0\0"#, "words.txt: looks like UTF-32"),
  WordListCase("Latin-1", bytes: #"a\nren\351e\n"#, "words.txt:2: invalid UTF-8 at byte 5 (0xE9)"),
  WordListCase("overlong", bytes: #"a\n\300\257\n"#, "words.txt:2: invalid UTF-8 at byte 2 (0xC0)"),
  WordListCase("surrogate", bytes: #"ab\355\240\200\n"#, "words.txt:1: invalid UTF-8 at byte 2"),
  WordListCase("cut off", bytes: #"a\nb\346\274"#, "words.txt:2: invalid UTF-8 at byte 3 (0xE6)"),
  WordListCase("NUL", bytes: #"anna\nbe\0rt\n"#, "words.txt:2: U+0000 (a control character)"),
  WordListCase("bell", bytes: #"anna\nbe\007rt\n"#, "words.txt:2: U+0007 (a control character)"),
  WordListCase("escape", bytes: #"\033[31manna\n"#, "words.txt:1: U+001B (a control character)"),
  WordListCase("delete", bytes: #"anna\177\n"#, "words.txt:1: U+007F (a control character)"),
  WordListCase("next line", bytes: #"a\302\205b\n"#, "words.txt:1: U+0085 (a control character)"),
  WordListCase("line break", bytes: #"a\342\200\250b\n"#, "words.txt:1: U+2028 (a line break"),
  WordListCase("inner mark", bytes: #"a\357\273\277b\n"#, "words.txt:1: U+FEFF (a byte order mark"),
  WordListCase(
    "a long line", script: "{ echo anna; head -c 10001 /dev/zero | tr '\\0' x; } > words.txt",
    "words.txt:2: longer than 10000 characters"),
  WordListCase(
    "2 GiB without a byte", script: "truncate -s 2G words.txt",
    "words.txt: 2147483648 bytes, over the limit of 1073741824 bytes"),
  WordListCase("endless", script: "ln -s /dev/zero words.txt", "words.txt:1: U+0000"),
]

private let refusedPlaces = [
  WordListCase("missing", script: "", "words.txt: no such file"),
  WordListCase("directory", script: "mkdir words.txt", "words.txt: is a directory"),
  WordListCase("unreadable", script: "ln -s words.txt words.txt", "words.txt: cannot be opened"),
  WordListCase("below a file", script: "echo a > f; ln -s f/words words.txt", "words.txt: "),
]

/// Ways to write down the eight words of the lists below that must not change what is learned.
private let equivalentLists = [
  WordListCase("CRLF", script: "sed 's/$/\\r/' plain.txt > words.txt", "words.txt"),
  WordListCase(
    "mark", script: "printf '\\357\\273\\277' | cat - plain.txt > words.txt", "words.txt"),
  WordListCase("no last end", script: "printf %s \"$(cat plain.txt)\" > words.txt", "words.txt"),
  WordListCase("blanks", script: "sed 's/^/ \\t/; s/$/ \\n /' plain.txt > words.txt", "words.txt"),
  WordListCase("FIFO", script: "mkfifo words.txt; cat plain.txt > words.txt &", "words.txt"),
  WordListCase("standard input", script: "exec < plain.txt", "-"),
  WordListCase("pipe", script: "cat plain.txt |", "-"),
]

@Suite("Untrusted word lists")
struct WordListInputTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let quick = "train --recipe notebook --steps 20 --hidden 8 --samples 0 --data"
  private static let eight = "anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n"
  /// What is learned from the eight words.
  private static let plain = Result {
    try TrainedRun(["--steps", "20", "--hidden", "8", "--samples", "0"], words: eight)
  }

  @Test(
    "A file that is no word list is refused with 65 and the place, and leaves nothing behind",
    arguments: refusedTexts)
  func refusedText(_ list: WordListCase) throws {
    for command in ["train", "gradcheck"] {
      let outcome = try place.guarded("\(list.script)\n\(command) --data words.txt")
      if command == "gradcheck", list.message.contains("at least 6") { continue }
      expectRefusal(outcome, status: 65, saying: "\(command): \(list.message)")
      try FileManager.default.removeItem(atPath: place.path("words.txt"))
    }
    #expect(!place.hasRun)
  }

  @Test("A word list that cannot be opened is refused with 66", arguments: refusedPlaces)
  func refusedPlace(_ list: WordListCase) throws {
    let outcome = try place.guarded("\(list.script)\ntrain --data words.txt")
    expectRefusal(outcome, status: 66, saying: "train: \(list.message)")
    #expect(!place.hasRun)
  }

  @Test("A word list without permission to read is refused with 66")
  func forbidden() throws {
    let outcome = try place.guarded(
      "echo anna > words.txt; chmod 0 words.txt\n\(ordinaryUser) train --data words.txt")
    expectRefusal(outcome, status: 66, saying: "train: words.txt: cannot be opened")
  }

  @Test(
    "A word list that is too short without its duplicates is refused with 65, and the message says so"
  )
  func repetitions() throws {
    try place.write("anna\nanna\nanna\nanna\nanna\nanna\nbert\n".utf8, to: "words.txt")
    let outcome = try place.guarded("\(Self.quick) words.txt --deduplicate")
    expectRefusal(
      outcome, status: 65,
      saying: "words.txt: 2 distinct words (5 repeated), but at least 6 are needed")
    #expect(try place.guarded("\(Self.quick) words.txt").status == 0)
    try place.write("anna\nanna\nanna\nanna\nanna\n".utf8, to: "words.txt")
    expectRefusal(
      try place.guarded("\(Self.quick) words.txt --deduplicate"), status: 65,
      saying: "words.txt: 1 distinct word (4 repeated), but at least 6 are needed")
  }

  @Test("A closed standard input, or a word list without a name, is refused with 66")
  func nowhere() throws {
    expectRefusal(
      try place.guarded("train --data - <&-"), status: 66,
      saying: "train: stdin: cannot be opened (Bad file descriptor)")
    expectRefusal(
      try place.guarded("mkdir data; train --data ''"), status: 64,
      saying: "the name of a list cannot be empty")
  }

  @Test("An empty standard input is refused with 65")
  func emptyStandardInput() throws {
    expectRefusal(try place.guarded("train --data -"), status: 65, saying: "train: stdin: the word")
  }

  @Test(
    "A word list gives the same model, however it is written and wherever it comes from",
    arguments: equivalentLists)
  func equivalent(_ list: WordListCase) throws {
    try place.write(Self.eight.utf8, to: "plain.txt")
    try Self.plain.get().write(to: "a", in: place)
    let end = list.script.hasSuffix("|") ? " " : "\n"
    let outcome = try place.guarded(
      "\(list.script)\(end)\(Self.quick) \(list.message) --out b")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains(": 8 words, all distinct; 17 symbols;"), "\(outcome.errors)")
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test("Inner blanks, capitals and combining marks are symbols of their own")
  func unusualCharacters() throws {
    // A B a b space, e, U+0301, U+00E9: nothing is folded or normalized.
    try place.write("A b\na B\nA\nb\ne\u{301}\n\u{e9}\nab\nba\n".utf8, to: "words.txt")
    let outcome = try place.guarded("\(Self.quick) words.txt")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("words.txt: 8 words, all distinct; 8 symbols;"), "\(outcome.errors)")
  }

  @Test("A word list of 5,000 symbols is trained on and sampled from")
  func manySymbols() throws {
    let scalars = (0..<5000).map { Character(Unicode.Scalar(0x4E00 + UInt32($0))!) }
    let lines = stride(from: 0, to: 5000, by: 5).map { String(scalars[$0..<$0 + 5]) + "\n" }
    try place.write(lines.joined().utf8, to: "words.txt")
    let outcome = try place.guarded(
      """
      train --recipe notebook --steps 200 --hidden 8 --samples 0 --learning-rate 1 words.txt && \
        sample --count 3
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("words.txt: 1,000 words, all distinct; 5,000 symbols;"),
      "\(outcome.errors)")
  }

  @Test(
    "A word list that changes or vanishes after it was read changes nothing",
    arguments: ["echo x >", "rm"])
  func later(change: String) throws {
    try place.write("anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n".utf8, to: "words.txt")
    let outcome = try place.guarded(
      """
      \(Self.quick) words.txt --out a 2> a.log
      \(Self.quick) words.txt --out b 2> b.log & run=$!
      for i in $(seq 3000); do grep -q '8 words' b.log && break; sleep 0.01; done
      \(change) words.txt
      wait $run
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test("A line of exactly 10,000 characters, and words shorter than the block, are trained on")
  func extremes() throws {
    let long = String(repeating: "ab", count: 5000)
    try place.write("\(long)\na\nb\nab\nba\naa\nbb\n".utf8, to: "words.txt")
    let outcome = try place.guarded("\(Self.quick) words.txt")
    #expect(outcome.status == 0, "\(outcome.errors)")
    try place.write("a\nb\nab\nba\naa\nbb\n".utf8, to: "words.txt")
    let block = try place.guarded("\(Self.quick) words.txt --block-size 300")
    #expect(block.status == 0, "\(block.errors)")
  }
}
