// Signals, from a terminal that closes to a limit on processor time: what is saved and what is
// left.

import Foundation
import Testing

@Suite("Signals")
struct SignalTests {
  let place: Workplace
  private static let long = ["--steps", "100000000", "--hidden", "8", "--out", "run", "--quiet"]

  init() throws { place = try Workplace() }

  @Test(
    "A run is saved, says so, and can be resumed",
    arguments: [(SIGHUP, 129), (SIGXCPU, 152)] as [(Int32, Int32)])
  func saved(signal: Int32, status: Int32) throws {
    let command = try place.start("train", Self.long)
    try command.wait { FileManager.default.fileExists(atPath: place.path("run/run.json")) }
    command.send(signal)
    command.send(signal)
    let outcome = try command.outcome()
    #expect(outcome.status == status)
    #expect(outcome.errors.hasSuffix("\nTo continue:  train --resume run\n"))
    let run = try jsonObject(String(decoding: place.read("run/run.json"), as: UTF8.self))
    #expect(run["finished_at"] is String)
    #expect(try place.run("sample", ["--model", "run"]).status == 0)
  }

  @Test(
    "Ctrl-\\ ends a run at once, without a word, and leaves its last save",
    arguments: ["enable=yes", "enable=no"])
  func quit(backtrace: String) throws {
    let command = try place.start("train", Self.long, environment: ["SWIFT_BACKTRACE": backtrace])
    try command.wait { FileManager.default.fileExists(atPath: place.path("run/model.safetensors")) }
    command.send(SIGQUIT)
    let outcome = try command.outcome()
    #expect(command.process.terminationReason == .uncaughtSignal)
    #expect(outcome.status == 131)
    #expect(outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(try place.run("sample", ["--model", "run"]).status == 0)
  }

  @Test("Ctrl-\\ does not end a shell's background job, which ignores it")
  func ignoredQuit() throws {
    let outcome = try place.guarded(
      """
      train \(Self.long.joined(separator: " ")) &
      until [ -e run/run.json ]; do sleep 0.05; done
      kill -QUIT $!; kill -TERM $!; wait $!
      """)
    #expect(outcome.status == 143, "\(outcome.errors)")
  }

  @Test("A run that has used up its processor time is saved, though the signal comes again")
  func processorTime() throws {
    let outcome = try place.shell(
      "ulimit -St 1; exec \"$train\" \(Self.long.joined(separator: " "))")
    #expect(outcome.status == 152, "\(outcome.errors)")
    #expect(try place.run("sample", ["--model", "run"]).status == 0)
  }

  @Test(
    "A signal during a report leaves no folder and no process",
    arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)],
    ["report", "train"])
  func report(end: (signal: Int32, status: Int32), command name: String) throws {
    try TrainedRun.tiny.get().write(to: "run", in: place)
    let made = try place.shell(
      """
      mkdir bin tmp
      printf '#!/bin/sh\\nPATH=/usr/bin:/bin\\nsleep 600 & echo $! >%s/child; wait\\n' "$PWD" >bin/gnuplot
      chmod 755 bin/gnuplot
      """)
    try #require(made.status == 0)
    let arguments = name == "report" ? ["run"] : ["--resume", "run", "--report", "--quiet"]
    let command = try place.start(
      name, arguments, environment: ["PATH": place.path("bin"), "TMPDIR": place.path("tmp")])
    try command.wait { ((try? place.read("child").count) ?? 0) > 0 }
    #expect(try place.names(in: "tmp").count == 1)
    command.send(end.signal)
    command.send(end.signal)
    #expect(try command.outcome().status == end.status)
    #expect(try place.names(in: "tmp") == [])
    // A lock that nobody holds means nothing.
    #expect(try place.names(in: "run").allSatisfy { $0 == ".lock" || !$0.hasPrefix(".") })
    let child = try String(decoding: place.read("child"), as: UTF8.self).dropLast()
    // It was killed before the command ended, and may take a moment to be gone.
    var isAlive = true
    for _ in 0..<50_000 where isAlive {
      let status = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
      isAlive = !(status?.contains(") Z ") ?? true)
      if isAlive { usleep(2000) }
    }
    #expect(!isAlive)
  }

  @Test("A directory named gnuplot on PATH does not hide the program after it")
  func directoryNamedGnuplot() throws {
    try TrainedRun.tiny.get().write(to: "run", in: place)
    let outcome = try place.guarded(
      """
      mkdir -p a/gnuplot b; printf '#!/bin/sh\\nexit 3\\n' >b/gnuplot; chmod 755 b/gnuplot
      PATH="$PWD/a:$PWD/b:$PATH" report run
      """)
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("lacks charts: gnuplot: it said nothing"), "\(outcome.errors)")
  }

  @Test("A time in the future does not keep an old run the newest")
  func future() throws {
    for run in ["runs/names-1", "runs/names-2"] {
      try TrainedRun.tiny.get().write(to: run, in: place)
    }
    for date in ["2099-01-01", "2500-01-01", "tomorrow"] {
      let outcome = try place.guarded(
        "touch runs/names-2/*; touch -d \(date) runs/names-1/*; sample --json")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("\"runs/names-2/"), "\(date)")
    }
    // If all are in the future, the earliest guess is as good as any.
    #expect(try place.guarded("touch -d 2099-01-01 runs/*/*; sample").status == 0)
  }
}
