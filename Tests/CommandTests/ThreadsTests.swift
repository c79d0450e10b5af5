// What threads may change: how long it takes, and nothing else.

import Foundation
import Testing

@Suite("Threads")
struct ThreadsTests {
  @Test(
    "The model file is the same to the byte, whatever the number of threads and of cores",
    arguments: [[], ["--hidden", "331", "--batch-size", "77", "--block-size", "5"]])
  func sameModel(shape: [String]) throws {
    let workplace = try Workplace()
    let arguments = ["--steps", "200", "--samples", "0", "--quiet"] + shape
    for threads in ["1", "2", "4"] {
      let outcome = try workplace.run(
        "train", arguments + ["--threads", threads, "--out", "threads-\(threads)"])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let models = try ["1", "2", "4"].map { try workplace.read("threads-\($0)/model.safetensors") }
    #expect(models[1] == models[0])
    #expect(models[2] == models[0])
    #expect(!models[0].isEmpty)
  }

  @Test("A machine with one core learns the same")
  func oneCore() throws {
    let place = try Workplace()
    let train = "train --steps 20 --evaluate-every 20 --samples 0 --quiet --out"
    // The first of the cores that this process may use.
    let core = "taskset --cpu-list $(taskset --cpu-list --pid $$ | sed 's/.*: //; s/[-,].*//')"
    let outcome = try place.guarded("\(train) a && \(core) \(train) b")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test(
    "Threads that are not a number from 1 on are refused", arguments: ["0", "-1", "two", "1025"])
  func refusal(threads: String) throws {
    let outcome = try Workplace().run("train", ["--threads", threads])
    #expect(outcome.status == 64)
  }

  @Test(
    "Words are the same to the byte, whatever the number of threads",
    arguments: [[], ["--suffix", "a"]])
  func sameWords(constraints: [String]) throws {
    let workplace = try Workplace()
    let trained = try workplace.run("train", ["--steps", "100", "--samples", "0", "--quiet"])
    #expect(trained.status == 0, "\(trained.errors)")
    let words = try ["1", "2", "3"].map { threads in
      let arguments = ["--count", "50000", "--format", "tsv", "--threads", threads] + constraints
      let outcome = try workplace.run("sample", arguments)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.output
    }
    #expect(words[0].utf8.count { $0 == UInt8(ascii: "\n") } == 50_000)
    #expect(words[1] == words[0])
    #expect(words[2] == words[0])
  }
}
