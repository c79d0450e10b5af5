// The lecture's diagnostics, against what can be worked out by hand.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Diagnostics")
struct DiagnosticsTests {
  @Test(
    "A histogram counts each value once; an edge belongs to the bin above, the last one to the last bin"
  )
  func histogram() {
    let found = Histogram([0, 0.49, 0.5, 1, -0.1, 1.1, .nan], bins: 2, over: 0...1)
    #expect(found.counts == [2, 2])
    #expect(found.outside == 3 && found.total == 7)
    #expect(found.center(of: 1) == 0.75)
    #expect(found.share(of: 0) == 2.0 / 7)
  }

  private let shape = ModelShape(vocabulary: 5, blockSize: 2, embedding: 3, hidden: 4)

  private func network(_ change: (inout Parameters<Float>) -> Void = { _ in }) -> Diagnostics {
    var generator = TorchGenerator(seed: 7)
    var parameters = Parameters.notebook(shape, seed: 7, generator: &generator)
    change(&parameters)
    let minibatch = Minibatch(
      blockSize: 2, contexts: [0, 0, 0, 1, 1, 2, 2, 3, 3, 1, 2, 2], targets: [1, 2, 3, 4, 0, 1])
    return Diagnostics(parameters, minibatch)
  }

  @Test("A unit saturated by its bias is dead; one that batch norm centres is not")
  func deadUnits() {
    #expect(network().deadUnits == 0)
    let found = network { parameters in
      parameters.bngain[0, 2] = 0
      parameters.bnbias[0, 2] = -5  // tanh(−5) = −0.9999
    }
    #expect(found.deadUnits == 1 && found.units == 4)
    #expect(found.saturatedShare >= 0.25)
    #expect(found.activations.counts[0] >= 6)
  }

  @Test(
    "Diagnostics have all activations in the histogram, and count those beyond 0.97 as saturated")
  func saturation() {
    let found = network { parameters in
      parameters.bngain = .zeros(1, 4)
      parameters.bnbias = Matrix(rows: 1, columns: 4, elements: [5, -5, 0, 2])  // tanh(2) = 0.964
    }
    #expect(found.activations.total == 24 && found.activations.outside == 0)
    #expect(found.saturatedShare == 0.5)
    #expect(found.deadUnits == 2)
  }

  @Test("Diagnostics have dlogits that sum to zero in each row, and a summary of every gradient")
  func gradients() {
    let found = network()
    // Five terms below 1/6 in magnitude.
    #expect(found.dlogits.sum(.columns).elements.allSatisfy { abs($0) < 1e-7 })
    #expect(found.gradients.map(\.name) == Parameters<Float>.ordered.map(\.name))
    for row in found.gradients {
      #expect(row.magnitudes.total == row.count)
      #expect(row.zeros <= row.magnitudes.outside)
    }
    // Symbol 4 stands in no context.
    #expect(found.gradients[0].zeros >= 3)
  }

  @Test("The update ratio is log10 of the ratio of deviations, and nil where nothing changes")
  func ratios() {
    var before = Parameters<Float>(zeros: shape)
    before.C = Matrix(rows: 5, columns: 3, elements: (0..<15).map(Float.init))
    before.W2 = Matrix(rows: 4, columns: 5, repeating: 1)
    var after = before
    after.C = Float(1.001) * before.C
    after.W2 = 2 * before.W2
    let ratios = updateRatios(from: before, to: after)
    #expect(ratios.map(\.name) == Parameters<Float>.ordered.map(\.name))
    // 1.001 in Float is off by 5e-8, a twenty-thousandth of the update.
    #expect(abs((ratios[0].logarithm ?? 0) + 3) < 1e-4)
    #expect(ratios.dropFirst().allSatisfy { $0.logarithm == nil })
  }

  @Test(
    "The diagnostics' minibatch is always the same, at most of the recipe's size, and none for a net too wide"
  )
  func minibatch() throws {
    let dataset = try Dataset(bundledWords(), splitSeed: 42, blockSize: 3)
    var recipe = Recipe()
    let found = Minibatch.forDiagnosis(dataset, recipe)
    #expect(found?.count == 32)
    #expect(found == Minibatch.forDiagnosis(dataset, recipe))
    recipe.batchSize = 100_000
    #expect(Minibatch.forDiagnosis(dataset, recipe)?.count == (1 << 18) / 200)
    recipe.hidden = 200_000
    #expect(Minibatch.forDiagnosis(dataset, recipe) == nil)
  }
}

@Suite("Nearest words")
struct NearestWordsTests {
  private func words(_ list: [String]) throws -> NearestWords {
    let list = try WordList(list)
    return NearestWords(list, selecting: Array(list.indices)[...])
  }

  @Test(
    "The edit distance counts insertions, deletions and replacements",
    arguments: [
      ("kitten", "sitting", 3), ("anna", "anna", 0), ("anna", "ana", 1), ("ab", "ba", 2),
      ("abc", "xyz", 3), ("a", "abcdef", 5), ("né", "ne\u{301}", 2),
    ])
  func distance(word: String, other: String, edits: Int) throws {
    #expect(try words([other]).nearest(to: word) == .init(word: other, distance: edits))
  }

  @Test("NearestWords finds the first of equally near words")
  func nearest() throws {
    let found = try words(["zzzzzzzz", "bert", "beta", "berta", "b"]).nearest(to: "beata")
    #expect(found == .init(word: "beta", distance: 1))
  }

  @Test("NearestWords knows a word of the list scalar by scalar")
  func contains() throws {
    let list = try words(["né", "bert"])
    #expect(list.contains("bert") && list.contains("né"))
    #expect(!list.contains("ne\u{301}") && !list.contains("ber"))
  }
}
