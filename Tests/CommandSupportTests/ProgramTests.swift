// What a program has in it, and what it is called by.

import ArgumentParser
import CharMLP
import Foundation
import Testing

@testable import CommandSupport

@Suite struct ProgramTests {
  @Test("The list in the program is data/names.txt")
  func bundledList() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../data/names.txt").standardized
    let words = try WordList(contentsOf: file.path)
    #expect(WordListSource.bundledWords() == words)
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(embeddedFile("names.txt") == text)
    #expect(WordListSource(nil).stem == "names" && WordListSource(nil).path == nil)
  }

  @Test("--version names the program, its version, the kernels and the build")
  func version() {
    let text = Outcome(of: CleanExit.message(CommandSupport.version), in: DemoCommand.self).output
    let form = /demo \d+\.\d+\.\d+ \(\S+ \S+, \w+ kernels; (native|portable) \w+ build\)\n/
    #expect(text.wholeMatch(of: form) != nil, "\(text)")
  }

  @Test(
    "A first word that is no subcommand is refused, and the nearest is suggested",
    arguments: [
      (["fial"], "Unknown subcommand 'fial'. Did you mean 'fail'?"),
      (["fa"], "Unknown subcommand 'fa'. Did you mean 'fail'?"),
      (["something"], "Unknown subcommand 'something'"),
      (["--steps"], nil), (["fail", "x"], nil), (["help"], nil), ([], nil),
    ] as [([String], String?)])
  func unknownSubcommand(arguments: [String], message: String?) throws {
    guard let message else { return try DemoCommand.requireSubcommand(arguments) }
    let error = #expect(throws: ValidationError.self) {
      try DemoCommand.requireSubcommand(arguments)
    }
    #expect(error?.message == message)
  }
}
