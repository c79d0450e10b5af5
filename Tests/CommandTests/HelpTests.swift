// The screens of `--help`: how large they are, and that what they show can be run as it stands.

import Foundation
import Testing

/// The commands and subcommands, as a shell's words.
private let commands = [
  "train", "sample", "sample score", "sample explain", "sample evaluate", "report", "gradcheck",
  "bench", "charmlp import",
]

@Suite("Help")
struct HelpTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private func help(_ command: String, _ flag: String = "--help") throws -> [Substring] {
    let words = command.split(separator: " ").map(String.init)
    let outcome = try place.run(
      words[0], words.dropFirst() + [flag], environment: ["COLUMNS": "80"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    return outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test(
    "Help is printed for terminals that are too narrow for it, too",
    arguments: ["-1", "0", "1", "20", "26", "39", "100000"])
  func narrow(columns: String) throws {
    for command in ["train", "charmlp"] {
      let outcome = try place.run(command, ["--help"], environment: ["COLUMNS": columns])
      #expect(
        outcome.status == 0 && outcome.output.contains("USAGE: \(command)"), "\(outcome.errors)")
    }
  }

  @Test("Help fits a screen of 60 lines and 80 columns, examples before flags", arguments: commands)
  func size(command: String) throws {
    let lines = try help(command)
    #expect(lines.count <= 60, "\(lines.count) lines")
    for line in lines { #expect(line.count <= 80, "\(line)") }
    let usage = try #require(lines.firstIndex { $0.hasPrefix("USAGE: ") })
    let flags = try #require(lines.firstIndex { $0.hasPrefix("OPTIONS:") })
    #expect(usage < flags && usage < 12)
    // No placeholder repeats its flag's name: it says what the flag takes.
    for line in lines {
      guard let flag = line.firstMatch(of: /--([a-z-]+) <([a-z|-]+)>/) else { continue }
      let isFormat = ["recipe", "scalar"].contains(flag.1)
      #expect(flag.1 != flag.2 || isFormat, "\(line)")
    }
  }

  @Test("--help-hidden explains every flag, and docs/commands.md names them all")
  func flags() throws {
    let guide = try String(
      contentsOf: URL(filePath: #filePath).appending(path: "../../../docs/commands.md")
        .standardized,
      encoding: .utf8)
    for command in commands {
      let lines = try help(command, "--help-hidden")
      let flags = lines.compactMap { $0.firstMatch(of: /^  (?:-[a-z], )?(--[a-z-]+)/)?.1 }
      #expect(flags.count > 3)
      for flag in flags where flag != "--help-hidden" {
        #expect(guide.contains("`\(flag)"), "\(command) \(flag)")
      }
    }
  }

  /// The examples of a command: the lines of its usage up to two blanks, after which stands what
  /// they do.
  private func examples(_ command: String) throws -> [String] {
    let lines = try help(command).drop { !$0.hasPrefix("USAGE: ") }.prefix { !$0.isEmpty }
    return lines.map { line in
      let text = String(line.dropFirst(7))
      return text.firstRange(of: "  ").map { String(text[..<$0.lowerBound]) } ?? text
    }
  }

  /// What examples find: lists, a notebook's tensors, a run or three.
  private func prepare() throws {
    try TrainedRun.names.get().write(to: "runs/a", in: place)
    for other in ["b", "c", "w", "towns"] {
      try TrainedRun.names.get().write(to: "runs/" + other, in: place)
    }
    let parts = [
      ["ka", "lo", "mi", "ren", "tus"], ["ba", "do", "ster", "win"], ["a", "en", "or", "y", "ick"],
      ["", "s", "n", "l"],
    ]
    let words = parts.reduce([""]) { words, endings in
      words.flatMap { word in endings.map { word + $0 } }
    }
    for list in ["towns.txt", "rivers.txt", "isles.txt", "words.txt"] {
      try place.write(words.joined(separator: "\n").utf8, to: list)
    }
    let reference = try place.run("gradcheck", ["--write", "mine.safetensors", "--hidden", "8"])
    #expect(reference.status == 0, "\(reference.errors)")
  }

  @Test("The examples of --help run as they stand", arguments: commands)
  func examples(command: String) throws {
    try prepare()
    let examples = try examples(command)
    #expect(examples.count >= 2)
    for example in examples {
      // A new run's directory must not be there.
      if example.contains("-o runs/w") {
        try FileManager.default.removeItem(atPath: place.path("runs/w"))
      } else if !FileManager.default.fileExists(atPath: place.path("runs/w")) {
        // On a busy machine the run before may have been stopped before its first save.
        try TrainedRun.names.get().write(to: "runs/w", in: place)
      }
      if command == "charmlp import" {
        let notebook =
          try example.contains("zäöü") ? Notebook.file(addingSymbols: 3) : Notebook.file()
        try place.write(notebook, to: "mine.safetensors")
        try place.write(Notebook.words().utf8, to: "names.txt")
      }
      let isSlow = example.hasPrefix("train") || example.hasPrefix("bench")
      // What takes long is stopped after a second of processor time, or two of any, as by Ctrl-C:
      // then it was at work.
      let (limit, seconds) = isSlow ? ("ulimit -St \(patience); ", 2) : ("", 200)
      let outcome = try place.guarded(
        "\(limit)timeout --foreground --signal=INT \(seconds) \(example)")
      #expect(
        outcome.status == 0 || isSlow && [124, 152].contains(outcome.status),
        "\(example): \(outcome.status) \(outcome.errors)")
    }
  }
}
