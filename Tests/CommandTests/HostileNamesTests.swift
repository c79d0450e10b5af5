// File names that speak to the terminal, turn lines around, look like shell or are no text at all.

import Foundation
import Testing

@Suite("Hostile names")
struct HostileNamesTests {
  let place: Workplace
  private static let quick = ["--steps", "60", "--hidden", "8", "--samples", "2"]
  /// ESC, BEL, the control sequence introducer of one character, and marks that turn a line around.
  private static let name = "a\u{1B}[2J\u{7}\u{9B}b\u{202E}\u{2066}\u{200F}c"
  private static let shown = #"a\u{1b}[2J\u{7}\u{9b}b\u{202e}\u{2066}\u{200f}c"#

  init() throws { place = try Workplace() }

  /// Nothing but line ends among what does not show, and no line that fills the screen.
  private func expectVisible(_ outcome: Outcome, sourceLocation: SourceLocation = #_sourceLocation)
  {
    for text in [outcome.output, outcome.errors] {
      let hidden = text.unicodeScalars.filter {
        ($0.properties.generalCategory == .control && $0 != "\n")
          || $0.properties.generalCategory == .format
      }
      #expect(hidden.isEmpty, "\(text.debugDescription)", sourceLocation: sourceLocation)
      let longest = text.utf8.split(separator: UInt8(ascii: "\n")).map(\.count).max() ?? 0
      #expect(longest < 2000, sourceLocation: sourceLocation)
    }
  }

  @Test("A name that speaks to the terminal is spelled out wherever commands print it")
  func terminal() throws {
    let (list, run) = (Self.name + ".txt", Self.name + "/run")
    try place.write("anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n".utf8, to: list)
    let trained = try place.run("train", Self.quick + ["--data", list, "--out", run, "--report"])
    #expect(trained.status == 0 && trained.output.contains(Self.shown), "\(trained.errors)")
    #expect(trained.errors.contains(Self.shown))
    expectVisible(trained)
    for (command, arguments) in [
      ("train", ["--data", list, "--describe"]),
      ("train", ["--data", list, "--describe", "--json"]),
      ("train", ["--resume", run]), ("train", ["--resume", run, "--json"]),
      ("train", ["--resume", run, "--data", "data/" + Self.name]), ("train", ["--" + Self.name]),
      ("train", ["--steps", Self.name]), ("report", [run]), ("report", [run, "--json"]),
      ("report", [run, "--out", Self.name + ".html"]), ("report", ["--compare", run, run]),
      ("sample", ["--model", run, "--json"]), ("sample", ["--model", Self.name]),
      ("sample", ["--model", run, "--prefix", Self.name]),
      ("sample", ["score", "--model", run, Self.name]),
      ("sample", ["score", "--model", run, "--format", "json", "anna"]),
      ("sample", ["explain", "--model", run, Self.name]),
      ("sample", ["evaluate", "--model", run, "--count", "20"]),
      ("gradcheck", ["--data", list, "--batch-size", "2", "--hidden", "2"]),
      ("gradcheck", ["--reference", Self.name]), ("bench", ["--" + Self.name]),
    ] {
      let outcome = try place.run(command, arguments)
      #expect(outcome.output.count + outcome.errors.count > 0)
      expectVisible(outcome)
    }
  }

  @Test(
    "A pile of marks is cut",
    arguments: ["\u{301}", "\u{20DD}", "\u{202E}", "e\u{301}\u{302}\u{303}"])
  func piles(piece: String) throws {
    let pile = "x" + String(repeating: piece, count: 15_000)
    try TrainedRun.tiny.get().write(to: "run", in: place)
    for (command, arguments) in [
      ("train", ["--data", pile]), ("train", ["--steps", pile]), ("train", ["--out", pile]),
      ("sample", ["--model", pile]), ("sample", ["score", "--model", "run", pile]),
      ("sample", ["explain", "--model", "run", pile]), ("report", [pile]), ("gradcheck", [pile]),
    ] {
      let outcome = try place.run(command, arguments)
      #expect((64...73).contains(outcome.status))
      #expect((1...2).contains(outcome.errorLines.count))
      expectVisible(outcome)
    }
  }

  @Test(
    "The command that continues a run runs that, and nothing that a name says",
    arguments: [
      "it'\u{301};touch PWNED;#", "'\u{301}$(touch PWNED)'\u{301}", "`touch PWNED`\u{301}",
      "a\u{1B}';touch PWNED;'", "a b\u{202E}",
    ])
  func goingOn(name: String) throws {
    let command = try place.start(
      "train", ["--steps", "100000000", "--hidden", "8", "--out", name, "--quiet"])
    try command.wait {
      FileManager.default.fileExists(atPath: place.path(name + "/model.safetensors"))
    }
    command.send(SIGTERM)
    let outcome = try command.outcome()
    #expect(outcome.status == 143)
    expectVisible(outcome)
    let line = try #require(outcome.errorLines.last?.split(separator: "To continue:  ").last)
    // With a flag of another run: it is refused because the run was found, or would train for
    // hours.
    try place.write("\(line) --hidden 9\n".utf8, to: "go-on")
    let resumed = try place.guarded("bash go-on")
    #expect(resumed.status == 76, "\(line): \(resumed.errors)")
    #expect(!FileManager.default.fileExists(atPath: place.path("PWNED")))
  }

  @Test(
    "A name that is not UTF-8 is refused, and nothing is made in its place",
    arguments: [
      "train --data 'X'", "train --out 'X' --steps 20", "train --resume 'X'", "sample --model 'X'",
      "sample --exclude 'X'", "sample score 'X'", "sample explain 'X'", "sample --prefix 'X'",
      "report 'X'", "report run --out 'X'", "gradcheck --data 'X'", "gradcheck --write 'X'",
      "gradcheck --reference 'X'", "bench --data 'X'", "train --out=d'X'",
    ])
  func notText(line: String) throws {
    try TrainedRun.tiny.get().write(to: "run", in: place)
    for bytes in [#"\377"#, #"a\303"#, #"\355\240\200"#] {
      let before = try place.shell("ls -A | grep -v '^\\.std'").output
      let outcome = try place.guarded(
        line.replacing("'X'", with: "\"$(printf '\(bytes)')\""))
      expectRefusal(outcome, status: 66, saying: "is not UTF-8: ")
      expectVisible(outcome)
      let after = try place.shell(
        "rm -f line.sh stdout stderr; ls -A | grep -v '^\\.std'"
      ).output
      #expect(after == before)
    }
  }

  @Test("A directory with a file that is not named in UTF-8 is not empty")
  func foreignFile() throws {
    let outcome = try place.guarded(
      #"mkdir d; touch "d/$(printf '\377')"; train --out d --steps 20 --hidden 4 --quiet"#)
    expectRefusal(outcome, status: 73, saying: "Nothing is overwritten")
    // Such a run is not taken for one with a name that looks like it.
    try TrainedRun.tiny.get().write(to: "run", in: place)
    let sampled = try place.guarded(
      #"mkdir runs; cp -r run runs/a-1; cp -r run "runs/$(printf 'z\377')"; sample --json"#)
    #expect(sampled.status == 0)
    #expect(sampled.output.contains("\"runs/a-1/"))
  }
}
