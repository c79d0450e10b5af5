// The first signal is noted, the second one ends the process.

import Foundation
import Testing

@testable import CommandSupport

@Suite("Interruption")
struct InterruptionTests {
  @Test("The first signal is noted until the command asks for it")
  func noted() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Interruption.startCatching()
      #expect(Interruption.pending == nil)
      raise(SIGINT)
      #expect(Interruption.pending == .interrupted)
      #expect(Interruption.stopCatching() == .interrupted)
      exit(0)
    }
    await #expect(processExitsWith: .exitCode(0)) {
      Interruption.startCatching()
      raise(SIGTERM)
      #expect(Interruption.pending == .terminated)
      exit(0)
    }
  }

  @Test("The second signal ends the process at once, with its own status")
  func second() async {
    await #expect(processExitsWith: .exitCode(143)) {
      Interruption.startCatching()
      raise(SIGINT)
      raise(SIGTERM)
      exit(0)
    }
    await #expect(processExitsWith: .exitCode(130)) {
      Interruption.startCatching()
      raise(SIGINT)
      raise(SIGINT)
      exit(0)
    }
  }

  @Test("Signals that come in pairs are noted once, and do not end a save")
  func pairs() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Interruption.startCatching()
      for signal in [SIGHUP, SIGHUP, SIGXCPU] { raise(signal) }
      #expect(Interruption.pending == .hungUp)
      #expect(Interruption.pending?.isSignal == true)
      exit(0)
    }
    await #expect(processExitsWith: .exitCode(0)) {
      Interruption.startCatching()
      for signal in [SIGXCPU, SIGXCPU, SIGHUP] { raise(signal) }
      #expect(Interruption.pending == .processorTimeSpent)
      exit(0)
    }
    await #expect(processExitsWith: .exitCode(130)) {
      Interruption.startCatching()
      raise(SIGHUP)
      raise(SIGINT)
      exit(0)
    }
    await #expect(processExitsWith: .exitCode(152)) {
      Interruption.startCatching()
      _ = Interruption.stopCatching()
      raise(SIGXCPU)
      exit(0)
    }
  }

  @Test("Cleanup runs before a signal ends the process")
  func deferred() async {
    await #expect(processExitsWith: .exitCode(130)) {
      let path = try Interruption.deferring {
        let directory = try TemporaryDirectory()
        raise(SIGINT)
        raise(SIGINT)
        #expect(Interruption.pending == .interrupted)
        return directory.path
      }
      exit(path.isEmpty ? 8 : 7)
    }
    // Nothing has come: signals do what they did.
    await #expect(processExitsWith: .signal(SIGTERM)) {
      #expect(Interruption.deferring { 5 } == 5)
      #expect(Interruption.pending == nil)
      raise(SIGTERM)
      exit(7)
    }
    // In the middle of a run, and after its last save.
    await #expect(processExitsWith: .exitCode(0)) {
      Interruption.startCatching()
      Interruption.deferring { _ = raise(SIGTERM) }
      #expect(Interruption.pending == .terminated)
      exit(0)
    }
    await #expect(processExitsWith: .exitCode(143)) {
      Interruption.startCatching()
      _ = Interruption.stopCatching()
      Interruption.deferring { _ = raise(SIGTERM) }
      exit(7)
    }
    await #expect(processExitsWith: .exitCode(130)) {
      Interruption.startCatching()
      _ = Interruption.stopCatching()
      Interruption.deferring {}
      raise(SIGINT)
      exit(7)
    }
  }

  @Test("After the last save, one signal ends the process")
  func stopped() async {
    await #expect(processExitsWith: .exitCode(130)) {
      Interruption.startCatching()
      #expect(Interruption.stopCatching() == nil)
      raise(SIGINT)
      exit(0)
    }
  }

  @Test("A signal that was ignored at the start stays ignored")
  func ignored() async {
    await #expect(processExitsWith: .exitCode(0)) {
      signal(SIGINT, SIG_IGN)
      Interruption.startCatching()
      raise(SIGINT)
      raise(SIGINT)
      #expect(Interruption.pending == nil)
      exit(0)
    }
  }

  @Test("An interrupted system call is resumed")
  func restarted() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Interruption.startCatching()
      let pipe = Pipe()
      let process = getpid()
      Thread.detachNewThread {
        usleep(100_000)
        kill(process, SIGTERM)
        usleep(100_000)
        pipe.fileHandleForWriting.write(Data("x".utf8))
      }
      #expect(pipe.fileHandleForReading.readData(ofLength: 1) == Data("x".utf8))
      #expect(Interruption.pending == .terminated)
      exit(0)
    }
  }
}
