// What stands where a command is to write: what stays, with which status, and what is left beside
// it.

import Foundation
import Testing

@Suite("Users' files")
struct UsersFilesTests {
  let place: Workplace
  private static let check = "gradcheck --batch-size 2 --hidden 2 --write"
  private static let report = "PATH=/nowhere $(command -v report) run --out"

  init() throws {
    place = try Workplace()
    try TrainedRun.tiny.get().write(to: "run", in: place)
    try place.write("mine\n".utf8, to: "mine")
  }

  /// The names that a test has made, without those of the shell's own files.
  private func names() throws -> [String] {
    try place.names(in: ".").filter { !["line.sh", "stdout", "stderr"].contains($0) }
  }

  @Test(
    "Nothing that is there is overwritten: no file, no link, no directory",
    arguments: [check, report],
    [
      ("cp mine out", "File exists"), ("ln mine out", "File exists"),
      ("ln -s mine out", "a symbolic link, which is not followed"),
      ("ln -s nowhere out", "a symbolic link, which is not followed"),
      ("mkdir out", "Is a directory"),
      ("cp run/model.safetensors out", "File exists"),
    ])
  func kept(command: String, place made: (script: String, reason: String)) throws {
    let outcome = try place.guarded("\(made.script); cp -a out before 2>before.log; \(command) out")
    expectRefusal(outcome, status: 73, saying: "out: \(made.reason)")
    #expect(try place.shell("diff -r --no-dereference out before").status == 0)
    #expect(try place.read("mine") == Data("mine\n".utf8))
    #expect(try place.shell("ls -a | grep -E '[.](tmp|new)'").status == 1)
  }

  @Test("A command does not overwrite what it reads", arguments: ["--data", "--reference"])
  func input(flag: String) throws {
    let words = "anna\nbert\ncarla\ndora\nemil\nfrida\ngusta\nhanna\n"
    try place.write(words.utf8, to: "words.txt")
    let made = try place.guarded("\(Self.check) ours.safetensors --data words.txt")
    #expect(made.status == 0, "\(made.errors)")
    let name = flag == "--data" ? "words.txt" : "ours.safetensors"
    let before = try place.read(name)
    let sizes = flag == "--data" ? "--batch-size 2 --hidden 2" : ""
    for alias in [name, "./" + name, "run/../" + name] {
      let outcome = try place.guarded("gradcheck \(sizes) \(flag) \(name) --write \(alias)")
      expectRefusal(outcome, status: 73, saying: "Nothing is overwritten")
    }
    #expect(try place.read(name) == before)
  }

  @Test("A page of ours is replaced and keeps its mode; its neighbours and its other links stay")
  func pages() throws {
    let names = ["page.html.new", "page.html.tmp", "page.html~", ".page.html.new"]
    for name in names { try place.write("mine\n".utf8, to: name) }
    let first = try place.guarded("\(Self.report) page.html && chmod 600 page.html")
    #expect(first.status == 0, "\(first.errors)")
    let second = try place.guarded(
      "ln page.html backup.html; echo '<!-- of the page before -->' >>page.html; \(Self.report) page.html"
    )
    #expect(second.status == 0, "\(second.errors)")
    for name in names { #expect(try place.read(name) == Data("mine\n".utf8)) }
    #expect(
      try String(decoding: place.read("backup.html"), as: UTF8.self).contains("of the page before"))
    #expect(
      try !String(decoding: place.read("page.html"), as: UTF8.self).contains("of the page before"))
    #expect(try place.shell("stat -c %a page.html").output == "600\n")
    #expect(try self.names() == (["backup.html", "mine", "page.html", "run"] + names).sorted())
  }

  @Test("What goes to a pipe or a device is written as it is", arguments: [check, report])
  func streams(command: String) throws {
    for target in ["/dev/null", "/dev/stdout | cat >copy", "/dev/fd/3 3>&1 | cat >copy"] {
      let outcome = try place.guarded("\(command) \(target)")
      #expect(outcome.status == 0, "\(target): \(outcome.errors)")
    }
    #expect(try place.read("copy").count > 1000)
    let piped = try place.guarded("mkfifo pipe; cat pipe >copy2 & \(command) pipe; wait")
    #expect(piped.status == 0, "\(piped.errors)")
    #expect(try place.read("copy2").count > 1000)
  }

  @Test(
    "A file that cannot be written whole is not written at all",
    .disabled(if: isThreadSanitized, "its own file is too large"), arguments: [check, report])
  func fullDisk(command: String) throws {
    let outcome = try place.guarded("ulimit -f 2; \(command) out")
    expectRefusal(outcome, status: 74, saying: "out: File too large")
    #expect(try names() == ["mine", "run"])
  }

  /// Commands that meet a pipe at whose other end nobody is, with their statuses.
  private static let lonely: [(command: String, status: Int32)] = [
    ("train --data pipe --steps 20", 66), ("sample --model pipe", 66), ("report pipe", 66),
    ("sample --model run --exclude pipe", 66), ("train --data pipe --split hash --steps 20", 66),
    ("gradcheck --data pipe", 66), ("gradcheck --reference pipe", 66),
    ("\(report) pipe", 73), ("\(check) pipe", 73),
  ]

  @Test("A pipe with nobody at its other end does not block a command for ever")
  func lonelyPipes() throws {
    // They wait side by side, each in a folder of its own.
    let lines = Self.lonely.enumerated().map { index, lonely in
      """
      mkdir \(index); cp -r run mine \(index); mkfifo \(index)/pipe
      (cd \(index); \(lonely.command) >stdout 2>stderr; echo $? >status) &
      """
    }
    _ = try place.guarded(lines.joined(separator: "\n") + "\nwait")
    for (index, lonely) in Self.lonely.enumerated() {
      func text(_ file: String) throws -> String {
        String(decoding: try place.read("\(index)/\(file)"), as: UTF8.self)
      }
      let outcome = Outcome(
        status: try #require(try Int32(text("status").dropLast())), output: try text("stdout"),
        errors: try text("stderr"))
      expectRefusal(outcome, status: lonely.status, saying: "pipe")
      #expect(!FileManager.default.fileExists(atPath: place.path("\(index)/runs")))
    }
  }

  @Test("A pipe whose writer comes late is read")
  func latePipe() throws {
    let outcome = try place.guarded(
      """
      mkfifo pipe; (sleep 1; cat run/model.safetensors >pipe) &
      sample --model pipe --count 1
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test("A backup of a run by hard links stays as it is while the run goes on")
  func backup() throws {
    let flags = ["--hidden", "8", "--evaluate-every", "200", "--quiet", "--samples", "0"]
    let command = try place.start("train", ["--steps", "40000", "--out", "a"] + flags)
    try command.wait { FileManager.default.fileExists(atPath: place.path("a/metrics.jsonl")) }
    command.send(SIGTERM)
    try #require(try command.outcome().status == 143)
    let outcome = try place.guarded(
      """
      cp -al a b && cp -r b c
      train --resume a --quiet --samples 0 >result && diff -r b c && ! diff -rq a b >difference
      """)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(try place.read("a/metrics.jsonl").count > place.read("b/metrics.jsonl").count)
  }

  @Test("A pipe whose writer is silent is waited for")
  func silentPipe() throws {
    let outcome = try place.guarded(
      """
      mkfifo pipe; (exec 3>pipe; sleep 6; cat run/model.safetensors >&3) &
      sample --model pipe --count 1
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test(
    "Whatever the umask, a run can be used by its owner, and is in nobody's way",
    arguments: ["777", "577", "277"])
  func umask(mask: String) throws {
    let train = "\(ordinaryUser) $(command -v train) --steps 60 --hidden 8 --quiet --samples 0"
    let outcome = try place.guarded(
      """
      (umask \(mask); \(train) && \(ordinaryUser) $(command -v sample) --count 1) &&
      \(train) && \(ordinaryUser) $(command -v train) --resume runs/names-1 --quiet --samples 0
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try place.names(in: "runs") == ["names-1", "names-2"])
  }
}
