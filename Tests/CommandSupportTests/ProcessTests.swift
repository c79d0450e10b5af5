// The command as a process: what its caller sees, with the standard descriptors in every state.

import Foundation
import Testing

@testable import CommandSupport

@Suite struct ProcessTests {
  @Test(
    "A wrong flag ends with 64 and two lines",
    arguments: [
      ["--foo"], ["--steps", "0"], ["--steps", "-3"], ["--steps", "99999999999999999999"],
      ["--learning-rate", "-0.1"], ["--learning-rate", "1\n2"],
    ])
  func usage(arguments: [String]) async throws {
    let result = await #expect(
      processExitsWith: .exitCode(64), observing: [\.standardOutputContent, \.standardErrorContent]
    ) { [arguments] in
      DemoCommand.main(arguments)
    }
    let lines = try #require(result).standardErrorContent.text.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("demo: ") == true)
    #expect(lines.last == "See 'demo --help'.")
  }

  @Test("Results go to stdout, progress and warnings to stderr")
  func success() async throws {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]
    ) {
      DemoCommand.main(["--steps", "3"])
    }
    #expect(try #require(result).standardOutputContent.text.contains("1\n2\n3\n"))
    let messages = try #require(result).standardErrorContent.text
    #expect(messages.contains("counting\ndemo: warning: that was all\n"))
  }

  @Test("A failure keeps the results before it")
  func failure() async throws {
    let result = await #expect(
      processExitsWith: .exitCode(65), observing: [\.standardOutputContent, \.standardErrorContent]
    ) {
      DemoCommand.main(["fail"])
    }
    #expect(try #require(result).standardOutputContent.text.contains("a result\n"))
    let messages = try #require(result).standardErrorContent.text
    #expect(messages.contains("demo: names.txt:17: no letters\nRemove the line.\n"))
  }

  @Test(
    "A full stdout ends with 74, for results as for help",
    arguments: [["--quiet"], ["--steps", "100000"], ["--help"], ["--version"]])
  func full(arguments: [String]) async throws {
    let result = await #expect(
      processExitsWith: .exitCode(74), observing: [\.standardErrorContent]
    ) { [arguments] in
      let full = FileHandle(forWritingAtPath: "/dev/full")
      dup2(full?.fileDescriptor ?? -1, STDOUT_FILENO)
      DemoCommand.main(arguments)
    }
    let messages = try #require(result).standardErrorContent.text
    #expect(messages.hasSuffix("demo: stdout: No space left on device\n"))
  }

  @Test("A closed stdout ends with 74, but means nothing to a command without results")
  func closed() async {
    await #expect(processExitsWith: .exitCode(74)) {
      lose(STDOUT_FILENO)
      DemoCommand.main([])
    }
    await #expect(processExitsWith: .exitCode(64)) {
      lose(STDOUT_FILENO)
      DemoCommand.main(["--foo"])
    }
  }

  @Test("An earlier failure keeps its status when stdout fails as well")
  func twoFailures() async {
    await #expect(processExitsWith: .exitCode(65)) {
      lose(STDOUT_FILENO)
      DemoCommand.main(["fail"])
    }
    await #expect(processExitsWith: .exitCode(76)) {
      DemoCommand.main(["fail", "--quietly"])
    }
  }

  @Test("A reader that is gone ends the command quietly, as SIGPIPE would")
  func brokenPipe() async throws {
    let result = await #expect(
      processExitsWith: .exitCode(141), observing: [\.standardErrorContent]
    ) {
      let pipe = Pipe()
      dup2(pipe.fileHandleForWriting.fileDescriptor, STDOUT_FILENO)
      try pipe.fileHandleForReading.close()
      DemoCommand.main(["--steps", "100000", "--quiet"])
    }
    #expect(!(try #require(result).standardErrorContent.text.contains("demo:")))
  }

  @Test("A closed stderr changes nothing")
  func closedStandardError() async {
    await #expect(processExitsWith: .success) {
      lose(STDERR_FILENO)
      DemoCommand.main([])
    }
    await #expect(processExitsWith: .exitCode(64)) {
      lose(STDERR_FILENO)
      DemoCommand.main(["--foo"])
    }
  }
}

/// Makes of a stream what a closed one is to a command: the null device, the wrong way round. The
/// tests of the commands close them for good, before a process has threads that open files.
private func lose(_ descriptor: CInt) {
  dup2(unsafe open("/dev/null", O_RDONLY), descriptor)
}

extension [UInt8] {
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
