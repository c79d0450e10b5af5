// Descriptors, child processes, signals and clocks of a process.

import Foundation
import Testing

@testable import Posix

@Suite("Process")
struct ProcessTests {
  @Test("A file never gets the number of a standard descriptor")
  func missingDescriptors() async {
    await #expect(processExitsWith: .success) {
      for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { close(descriptor) }
      StandardDescriptors.takeMissing()
      let file = try #require(FileHandle(forReadingAtPath: "/dev/null"))
      #expect(file.fileDescriptor > STDERR_FILENO)
      for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
        #expect(throws: SystemError(code: EBADF)) {
          try OpenFile(descriptor: descriptor).write([0].span)
        }
      }
    }
  }

  @Test("Somebody else's descriptor stays open, one of our own is closed once")
  func ownership() async {
    await #expect(processExitsWith: .success) {
      let pipe = Pipe()
      let descriptor = pipe.fileHandleForReading.fileDescriptor
      do {
        let isTerminal = OpenFile(descriptor: descriptor).isTerminal
        #expect(!isTerminal)
      }
      #expect(fcntl(descriptor, F_GETFD) >= 0)
      let number: CInt
      do {
        let file = try OpenFile(reading: "/dev/null")
        number = file.descriptor
        #expect(fcntl(number, F_GETFD) >= 0)
      }
      #expect(fcntl(number, F_GETFD) == -1)
      try OpenFile(reading: "/dev/null").close()
      #expect(fcntl(number, F_GETFD) == -1)
    }
    #expect(throws: SystemError(code: EBADF)) { try OpenFile(descriptor: -1).close() }
  }

  private func run(_ script: String, seconds: Double = 20) throws -> (ChildProcess.End, String) {
    let place = try MadeTree()
    let child = ChildProcess(
      executable: "/bin/sh", arguments: ["-c", script], environment: ["WORD=emma"],
      directory: place.path, messages: "messages")
    let end = try child.run(seconds: seconds)
    let text = try FileSystem.read(place.path + "/messages")
    return (end, String(decoding: text, as: UTF8.self))
  }

  @Test("A child's status, environment, directory and messages")
  func children() throws {
    #expect(try run("echo $WORD >&2; test -e messages && exit 7") == (.status(7), "emma\n"))
    #expect(try run("kill -KILL $$").0 == .status(128 + SIGKILL))
    #expect(try run("read line || exit 3").0 == .status(3))
  }

  @Test("A child's output goes to a file; without a directory it runs in the working directory")
  func output() throws {
    let place = try MadeTree()
    let (output, messages) = (place.path + "/output", place.path + "/messages")
    let child = ChildProcess(
      executable: "/bin/sh", arguments: ["-c", "pwd; echo no >&2"], environment: [],
      output: output, messages: messages)
    #expect(try child.run(seconds: 20) == .status(0))
    let directory = URL(filePath: FileManager.default.currentDirectoryPath)
    let printed = String(decoding: try FileSystem.read(output), as: UTF8.self)
    #expect(
      URL(filePath: String(printed.dropLast())).resolvingSymlinksInPath()
        == directory.resolvingSymlinksInPath())
    #expect(try FileSystem.read(messages) == Array("no\n".utf8))
  }

  @Test("A child that does not end is killed")
  func patience() throws {
    #expect(try run("exec sleep 60", seconds: 0.05).0 == .tooLate)
  }

  @Test("A clock that only grows, and a time of day")
  func clocks() {
    let start = monotonicNanoseconds()
    usleep(1000)
    #expect(monotonicNanoseconds() - start >= 1_000_000)
    #expect(timestamp().wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
    #expect(!hostName().isEmpty)
  }

  @Test("Environment variables")
  func environment() {
    #expect(environmentVariable("PATH")?.isEmpty == false)
    #expect(environmentVariable("CHARMLP_NEVER_SET") == nil)
  }

  @Test("A signal is ignored or handled")
  func signals() async {
    await #expect(processExitsWith: .exitCode(5)) {
      #expect(!Signal.interrupt.isIgnored)
      Signal.interrupt.ignore()
      #expect(Signal.interrupt.isIgnored)
      raise(SIGINT)
      Signal.terminate.handle { _ in exitProcessImmediately(5) }
      raise(SIGTERM)
    }
  }
}
