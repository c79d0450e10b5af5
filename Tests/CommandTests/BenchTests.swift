// `bench` from the shell: what is printed, never how fast anything was.

import Foundation
import Testing

@Suite("bench")
struct BenchTests {
  static let products = [
    "embcat @ W1", "h @ W2", "dlogits @ W2.T", "h.T @ dlogits", "dhprebn @ W1.T",
    "embcat.T @ dhprebn",
  ]

  private func bench(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try Workplace().run("bench", ["--json", "--seconds", "0.1"] + arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try jsonObject(outcome.output)
  }

  @Test("--json has six products and four ways to take a step, with positive figures")
  func json() throws {
    let object = try bench(["--threads", "2"])
    let products = try objects(object["products"])
    #expect(products.map { $0["name"] as? String } == Self.products)
    for product in products {
      for key in ["naive_seconds", "blas_seconds", "blas_gflops", "ratio"] {
        #expect(number(product, key) > 0)
      }
      #expect(product["max_difference"] is NSNumber)
      #expect(["m", "n", "k"].allSatisfy { number(product, $0) > 0 })
    }
    let steps = try objects(object["steps"])
    #expect(steps.map { $0["path"] as? String } == ["derivation", "derivation", "fused", "fused"])
    #expect(steps.map { $0["product"] as? String } == ["naive", "blas", "blas", "blas"])
    #expect(steps.map { $0["threads"] as? Int } == [1, 1, 1, 2])
    for step in steps {
      #expect(number(step, "seconds") > 0)
      #expect(number(step, "steps_per_second") > 0)
    }
  }

  @Test("bench lists the parts of a step for one thread and for several, and they sum to the step")
  func breakdowns() throws {
    let breakdowns = try objects(try bench(["--threads", "2"])["breakdowns"])
    #expect(breakdowns.map { $0["threads"] as? Int } == [1, 2])
    for breakdown in breakdowns {
      let parts = try objects(breakdown["parts"])
      let names = parts.compactMap { $0["name"] as? String }
      #expect(Set(names).isSuperset(of: Self.products + ["update", "waiting"]))
      #expect(names.count == Set(names).count)
      // Rounding alone: sums of a dozen numbers in Double.
      let sum = parts.reduce(0) { $0 + number($1, "seconds") }
      #expect(abs(sum / number(breakdown, "clocked_seconds") - 1) < 1e-12)
      #expect(abs(parts.reduce(0) { $0 + number($1, "share") } - 1) < 1e-12)
      #expect(number(breakdown, "seconds") > 0)
    }
  }

  @Test("A step is set beside its six products, whose operations are counted exactly")
  func limit() throws {
    let object = try bench(["--batch-size", "16", "--hidden", "200", "--threads", "2"])
    let limit = try #require(object["limit"] as? [String: Any])
    let counted = try objects(object["products"]).reduce(0) {
      $0 + 2 * number($1, "m") * number($1, "n") * number($1, "k")
    }
    #expect(number(limit, "operations") == counted)
    #expect(counted == 2 * 16 * 200 * 3 * (30 + 27))
    #expect(number(limit, "rounds") >= 3)
    #expect(number(limit, "peak_size") == 1024)
    for key in ["products_seconds", "peak_gflops"] { #expect(number(limit, key) > 0) }
    let steps = try objects(limit["steps"])
    #expect(steps.map { $0["threads"] as? Int } == [1, 2])
    for step in steps {
      for key in ["ratio", "gflops"] { #expect(number(step, key) > 0) }
    }
  }

  @Test("Where an engine has one thread at most, nothing is printed twice")
  func oneThread() throws {
    for arguments in [["--threads", "1"], ["--threads", "2", "--hidden", "8"]] {
      let object = try bench(arguments)
      #expect(try objects(object["steps"]).map { $0["threads"] as? Int } == [1, 1, 1])
      #expect(try objects(object["breakdowns"]).count == 1)
    }
  }

  @Test("The text has a row for each product, way and part, and says what the ratio is")
  func text() throws {
    let outcome = try Workplace().run("bench", ["--seconds", "0.1", "--threads", "2"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    for row in Self.products + ["derivation", "fused", "waiting", "step, no clock running"] {
      #expect(outcome.output.contains("\n" + row + " "), "\(row)")
    }
    for line in ["µs, 1 thread ", "µs, 2 threads ", "share", "median of the ratios of"] {
      #expect(outcome.output.replacing("\n  ", with: " ").contains(line), "\(line)")
    }
  }

  @Test(
    "An impossible size, number of threads or time is a usage error of bench",
    arguments: [
      ["--threads", "0"], ["--batch-size", "1"], ["--seconds", "0"], ["--sizes", "9"],
    ])
  func refusal(arguments: [String]) throws {
    let outcome = try Workplace().run("bench", arguments)
    #expect(outcome.status == 64)
    #expect(outcome.output.isEmpty)
    #expect((1...2).contains(outcome.errorLines.count))
  }
}

/// An array of objects of a JSON text.
func objects(_ value: Any?) throws -> [[String: Any]] { try #require(value as? [[String: Any]]) }

/// A number of a JSON object; NaN, which no comparison accepts, if it has none.
func number(_ object: [String: Any], _ key: String) -> Double {
  (object[key] as? NSNumber)?.doubleValue ?? .nan
}
