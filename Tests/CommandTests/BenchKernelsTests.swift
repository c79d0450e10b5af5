// `bench --kernels`: its rows, its remarks, and what becomes of a process that fails. No time is
// judged.

import Foundation
import OrderedJSON
import Testing

@testable import BenchCommand

@Suite("bench --kernels")
struct BenchKernelsTests {
  private static let figures = ["--json", "--seconds", "0.01", "--threads", "2"]

  @Test("Every core type that runs here has a row with times, or says why not")
  func rows() throws {
    let outcome = try Workplace().run("bench", ["--kernels"] + Self.figures)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try jsonObject(outcome.output)
    let rows = try objects(object["kernels"])
    guard object["obstacle"] is NSNull else {
      #expect(rows.isEmpty)
      return
    }
    let names = rows.compactMap { $0["core"] as? String }
    #expect(names.count == rows.count && Set(names).count == names.count)
    for row in rows where row["failure"] is NSNull {
      let steps = try objects(row["steps"])
      #expect(steps.map { $0["threads"] as? Int } == [1, 2])
      #expect(steps.allSatisfy { number($0, "seconds") > 0 })
      #expect(number(row, "peak_gflops") > 0)
    }
    let marked = { (key: String) in rows.filter { $0[key] as? Bool == true } }
    #expect(marked("is_in_use").map { $0["core"] as? String } == [object["core"] as? String])
    #expect(marked("is_in_use").allSatisfy { $0["failure"] is NSNull })
    #expect(marked("is_picked").count == 1)
    let times = try rows.filter { $0["failure"] is NSNull }.map {
      (name: $0["core"] as? String, seconds: number(try objects($0["steps"])[0], "seconds"))
    }
    let fastest = try #require(times.min { $0.seconds < $1.seconds })
    #expect(marked("is_fastest").map { $0["core"] as? String } == [fastest.name])
  }

  @Test("--kernels and --sizes exclude each other")
  func refusal() throws {
    let outcome = try Workplace().run("bench", ["--kernels", "--sizes"])
    #expect(outcome.status == 64)
    #expect(outcome.output.isEmpty)
  }

  @Test("bench says whether the user or the library chose the kernels")
  func choice() throws {
    let place = try Workplace()
    let kernels = "\"$bench\" --json --seconds 0.01 --threads 1 --hidden 8 --batch-size 4"
    let own = try jsonObject(try place.shell("env -u OPENBLAS_CORETYPE " + kernels).output)
    let picked = try #require(own["core_picked"] as? String)
    let core = try #require(own["core"] as? String)
    #expect(own["core_chosen_by"] as? String == (core == picked ? "library" : "charmlp"))
    let users = try jsonObject(try place.shell("OPENBLAS_CORETYPE=\(picked) " + kernels).output)
    #expect(users["core"] as? String == picked)
    #expect(users["core_picked"] is NSNull)
    #expect(users["core_chosen_by"] as? String == "user")
  }

  @Test(
    "The choice of kernels is described in words",
    arguments: [
      (KernelChoice(core: "Zen", picked: nil), "core Zen, chosen by OPENBLAS_CORETYPE"),
      (KernelChoice(core: "Zen", picked: "Zen"), "core Zen, picked by the library"),
      (
        KernelChoice(core: "SkylakeX", picked: "Zen"),
        "core SkylakeX instead of Zen, which the library picked"
      ),
    ])
  func words(choice: KernelChoice, expected: String) {
    #expect(choice.text == expected)
  }

  @Test(
    "A process without times gives a row that says why",
    arguments: [
      ("kill -ILL $$", "needs instructions that this processor lacks"),
      ("kill -SEGV $$", "died of signal 11"),
      ("exit 3", "failed: ended with status 3"),
      ("echo 'bench: no memory' >&2; echo 'Use less.' >&2; exit 71", "failed: bench: no memory"),
      ("true", "printed no times"),
      ("echo nonsense", "printed no times"),
      ("echo '{\"core\": \"Zen\"}'", "printed no times"),
      ("echo '{\"core\": \"Prescott\"}'", "rejected: the library used Prescott"),
    ])
  func failure(script: String, reason: String) {
    let process = BenchProcess(executable: "/bin/sh", arguments: ["-c", script])
    #expect(process.timing(of: "Zen", seconds: 1) == .failure(KernelTiming.Failure(reason: reason)))
  }

  @Test("A process that does not start gives a row that says so")
  func noProcess() {
    let process = BenchProcess(executable: "/nowhere/bench", arguments: [])
    guard case .failure(let failure) = process.timing(of: "Zen", seconds: 1) else {
      Issue.record("a program that is not there has times")
      return
    }
    #expect(failure.reason.hasPrefix("not started: "))
  }

  @Test("A process is told its core type, and what it prints is read")
  func success() {
    let script = """
      echo "{\\"core\\": \\"$OPENBLAS_CORETYPE\\", \\"peak_gflops\\": 8, \\
      \\"steps\\": [{\\"threads\\": 1, \\"seconds\\": 0.5}]}"
      """
    let process = BenchProcess(executable: "/bin/sh", arguments: ["-c", script])
    let timing = KernelTiming(steps: [.init(threads: 1, seconds: 0.5)], peakGFLOPS: 8)
    #expect(process.timing(of: "Zen", seconds: 1) == .success(timing))
  }

  @Test("The text marks the pick, the choice and the fastest, and keeps rows without times")
  func text() throws {
    let report = KernelsReport(
      rows: [
        .init(core: "Prescott", result: .failure(.init(reason: "died of signal 4"))),
        .init(core: "Haswell", result: .success(Self.timing(30e-6, 20e-6, 118))),
        .init(core: "SkylakeX", result: .success(Self.timing(16e-6, 10e-6, 235))),
      ], kernels: KernelChoice(core: "Haswell", picked: nil),
      unprompted: KernelChoice(core: "SkylakeX", picked: "Haswell"))
    let lines = report.text.split(separator: "\n")
    let start = try #require(lines.firstIndex { $0.hasPrefix("core type ") })
    let table = lines[start...].prefix(4).map { line in
      line.split(separator: "  ", omittingEmptySubsequences: true).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
    #expect(
      table == [
        ["core type", "µs, 1 thread", "µs, 2 threads", "GFLOP/s"],
        ["Prescott", "–", "–", "–", "died of signal 4"],
        ["Haswell", "30.0", "20.0", "118.0", "picked by the library, in use"],
        ["SkylakeX", "16.0", "10.0", "235.0", "fastest"],
      ])
    #expect(lines.last == "Without OPENBLAS_CORETYPE SkylakeX would be in use.")
  }

  @Test("bench --kernels says in a sentence that there is no choice of kernels")
  func obstacle() throws {
    let choice = KernelChoice(core: "Zen", picked: "Zen")
    let report = KernelsReport(rows: [], kernels: choice, unprompted: choice)
    let sentence = try #require(report.text.split(separator: "\n").last)
    #expect(sentence.hasPrefix("The kernels were not compared: "))
    #expect(report.json["obstacle"]?.text?.isEmpty == false)
    #expect(report.json["kernels"]?.elements?.isEmpty == true)
  }

  private static func timing(
    _ one: Double, _ two: Double, _ peak: Double
  ) -> KernelTiming {
    KernelTiming(
      steps: [.init(threads: 1, seconds: one), .init(threads: 2, seconds: two)], peakGFLOPS: peak)
  }
}
