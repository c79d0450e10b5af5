// Words that a run shows on its way: they change nothing, and a resumed run shows the same.

import Foundation
import Testing

@Suite("Samples during training")
struct TrainSamplesTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let recipe = ["--steps", "2000", "--hidden", "16", "--evaluate-every", "100"]
  private static let shown = ["--samples-during", "4"]

  /// The words that are shown after each step's line.
  private func words(_ errors: String) throws -> [String: [String]] {
    var (words, step): ([String: [String]], String?) = ([:], nil)
    for line in errors.split(separator: "\n") {
      if line.hasPrefix("step ") {
        step = String(line.dropFirst(5).prefix { $0 != "/" })
      } else if let step, line.hasPrefix("  ") {
        let found = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        words[step, default: []] += found.filter { !$0.isEmpty }
      }
    }
    return words
  }

  @Test("They leave the run as it is, are few columns wide, and quiet has none")
  func sameRun() throws {
    let plain = try place.run("train", Self.recipe + ["-o", "plain"])
    let shown = try place.run("train", Self.recipe + Self.shown + ["-o", "shown"])
    #expect(shown.status == 0, "\(shown.errors)")
    for name in ["model.safetensors", "best.safetensors"] {
      #expect(try place.read("plain/" + name) == place.read("shown/" + name))
    }
    let samples = { (outcome: Outcome) in
      outcome.output.split(separator: "samples:").last.map(String.init)
    }
    #expect(samples(plain) == samples(shown))
    let words = try words(shown.errors)
    #expect(words.count == 20 && words.values.allSatisfy { $0.count == 4 }, "\(shown.errors)")
    // From a seed of each step's own.
    #expect(Set(words.values.map { $0.joined() }).count == 20)
    #expect(shown.errorLines.allSatisfy { $0.count <= 80 || $0.contains("warning: ") })
    let quiet = try place.run("train", Self.recipe + Self.shown + ["-o", "quiet", "-q"])
    #expect(quiet.errors.isEmpty)
  }

  @Test("A run that was stopped and resumed shows those of one that was not")
  func resumed() throws {
    let whole = try place.run("train", Self.recipe + Self.shown + ["-o", "whole"])
    let running = try place.start(
      "train", Self.recipe + Self.shown + ["-o", "stopped"], isHeld: true)
    try running.wait { (try? place.read("stopped/metrics.jsonl"))?.isEmpty == false }
    running.send(SIGINT)
    let stopped = try running.outcome()
    #expect(stopped.status == 130, "\(stopped.errors)")
    let resumed = try place.run("train", ["--resume", "stopped"] + Self.shown)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let (before, after) = (try words(stopped.errors), try words(resumed.errors))
    #expect(!after.isEmpty)
    #expect(before.merging(after) { $1 } == (try words(whole.errors)))
  }
}
