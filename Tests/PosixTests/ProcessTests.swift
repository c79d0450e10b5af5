// Descriptors, child processes, signals and clocks of a process.

import Foundation
import Testing

@testable import Posix

@Suite("Process")
struct ProcessTests {
  @Test("A descriptor that was passed in stays open, one of our own is closed once")
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
        #expect(Self.isNullDevice(number))
      }
      #expect(!Self.isNullDevice(number))
      let file = try OpenFile(reading: "/dev/null")
      let next = file.descriptor
      try file.close()
      #expect(!Self.isNullDevice(next))
    }
    #expect(throws: SystemError(code: EBADF)) { try OpenFile(descriptor: -1).close() }
  }

  /// Whether a descriptor is that of the null device: one that was closed may be another file's by
  /// now, since Dispatch looks into /proc now and then.
  private static func isNullDevice(_ descriptor: CInt) -> Bool {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)"))
      == "/dev/null"
  }

  private func run(_ script: String, seconds: Double = 20) throws -> (ChildProcess.Outcome, String)
  {
    let place = try MadeTree()
    let child = ChildProcess(
      executable: "/bin/sh", arguments: ["-c", script], environment: ["WORD=emma"],
      directory: place.path, messages: "messages")
    let end = try child.run(seconds: seconds)
    let text = try FileSystem.read(place.path + "/messages")
    return (end, String(decoding: text, as: UTF8.self))
  }

  @Test("A child has its environment and directory, and its status and messages are read")
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

  @Test("A program that is not there, or cannot be executed, is not started")
  func notStarted() throws {
    let place = try MadeTree(["text": ""])
    for (name, code) in [("/none", ENOENT), ("/text", EACCES), ("", EACCES)] {
      for (directory, limit) in [(nil, nil), (place.path, nil), (nil, 1 << 20)] as [(String?, Int?)]
      {
        let program = place.path + name
        let child = ChildProcess(
          executable: program, arguments: [], environment: [], directory: directory,
          messages: directory == nil ? place.path + "/messages" : "messages", fileLimit: limit)
        #expect(throws: SystemError(program, code: code)) { _ = try child.run(seconds: 20) }
      }
    }
  }

  @Test("A child's status is known where SIGCHLD is ignored, as a parent may have left it")
  func ignoredEnds() async {
    await #expect(processExitsWith: .success) {
      let place = try MadeTree()
      Signal.childEnded.ignore()
      let child = ChildProcess(
        executable: "/bin/sh", arguments: ["-c", "exit 7"], environment: [],
        messages: place.path + "/messages")
      #expect(try child.run(seconds: 300) == .status(7))
    }
  }

  @Test("A child that does not end is killed, and so is one that is no longer wanted")
  func patience() throws {
    #expect(try run("exec sleep 60", seconds: 0.05).0 == .timedOut)
    let place = try MadeTree()
    let child = ChildProcess(
      executable: "/bin/sleep", arguments: ["600"], environment: [],
      messages: place.path + "/messages")
    #expect(try child.run(seconds: 600) { true } == .cancelled)
  }

  @Test(
    "What a child has started is ended with it, however it ends",
    arguments: [("wait", ChildProcess.Outcome.timedOut), ("exit 3", .status(3))])
  func grandchildren(ending: String, end: ChildProcess.Outcome) throws {
    let (found, text) = try run("sleep 600 & echo $! >&2; \(ending)", seconds: 2)
    #expect(found == end)
    let grandchild = try #require(Int32(text.dropLast()))
    // It may take a moment to be gone, or stay for whoever waits for orphans.
    var isAlive = true
    for _ in 0..<5000 where isAlive {
      let status = try? String(contentsOfFile: "/proc/\(grandchild)/stat", encoding: .utf8)
      isAlive = !(status?.contains(") Z ") ?? true)
      if isAlive { usleep(2000) }
    }
    #expect(!isAlive)
  }

  @Test("A child that writes too much is ended")
  func fileLimit() throws {
    let place = try MadeTree()
    let child = ChildProcess(
      executable: "/bin/sh", arguments: ["-c", "exec head -c 100000000 /dev/zero >big"],
      environment: ["PATH=/usr/bin:/bin"], directory: place.path, messages: "messages",
      fileLimit: 1 << 20)
    #expect(try child.run(seconds: 300) == .status(128 + SIGXFSZ))
    #expect(try FileSystem.kind(of: place.path + "/big") == .file(size: 1 << 20))
  }

  @Test("A child has the signals that this process ignores, and none blocked")
  func childrensSignals() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Signal.brokenPipe.ignore()
      var all = sigset_t()
      unsafe sigfillset(&all)
      unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
      let place = try MadeTree()
      for signal in ["PIPE", "TERM"] {
        let child = ChildProcess(
          executable: "/bin/sh", arguments: ["-c", "kill -\(signal) $$; exit 7"], environment: [],
          messages: place.path + "/messages")
        #expect(try child.run(seconds: 300) == .status(signal == "PIPE" ? 141 : 143))
      }
      exit(0)
    }
  }

  @Test("A program is a file that may be executed, in the first directory that has one")
  func programs() throws {
    let place = try MadeTree(["a/other": "", "b/tool": "", "c/tool": "", "d/tool/x": ""])
    let path = ["a", "d", "b", "c"].map { place.path + "/" + $0 }.joined(separator: ":")
    #expect(FileSystem.program("tool", path: path) == nil)
    try #require(unsafe chmod(place.path + "/c/tool", 0o755) == 0)
    #expect(FileSystem.program("tool", path: path) == place.path + "/c/tool")
    #expect(FileSystem.program("tool", path: "") == nil)
    #expect(FileSystem.absolute("x").hasSuffix("/x") && FileSystem.absolute("/x") == "/x")
  }

  @Test("A temporary directory is for this process alone, and goes with all that is in it")
  func temporaryDirectories() throws {
    let path = try FileSystem.makeTemporaryDirectory(prefix: "charmlp-test-")
    #expect(try FileSystem.status(of: path).st_mode & 0o777 == 0o700)
    let outside = try MadeTree(["kept": ""])
    try FileSystem.makeDirectory(path + "/inner")
    try FileSystem.create(path + "/inner/file", with: [1])
    try FileManager.default.createSymbolicLink(
      atPath: path + "/inner/link", withDestinationPath: outside.path)
    FileSystem.removeTree(path)
    #expect(!FileSystem.exists(path))
    #expect(try outside.names() == ["kept"])
  }

  @Test("The monotonic clock grows, and a timestamp is in ISO 8601")
  func clocks() {
    let start = monotonicNanoseconds()
    usleep(1000)
    #expect(monotonicNanoseconds() - start >= 1_000_000)
    #expect(timestamp().wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
    #expect(!hostName().isEmpty)
  }

  @Test("An environment variable is read, and nil if it is not set")
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

  @Test("The default action is restored, and the signal unblocked")
  func defaultAction() async {
    await #expect(processExitsWith: .signal(SIGQUIT)) {
      Signal.quit.handle { _ in exitProcessImmediately(5) }
      var signals = sigset_t()
      unsafe sigfillset(&signals)
      unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
      Signal.quit.restoreDefault()
      kill(getpid(), SIGQUIT)
      pause()
    }
  }
}
