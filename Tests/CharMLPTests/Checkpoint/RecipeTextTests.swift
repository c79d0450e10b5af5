// The recipe in a model file.

import Testing

@testable import CharMLP

@Suite("Recipe as text")
struct RecipeTextTests {
  @Test("A recipe comes back as it was, extreme values too")
  func roundTrip() throws {
    var recipe = Recipe()
    #expect(try Recipe(text: recipe.text) == recipe)
    recipe.learningRate = 1e-7
    recipe.seed = .max
    recipe.steps = 1_000_000_000
    #expect(try Recipe(text: recipe.text) == recipe)
    recipe.learningRate = 0.1 + Float(0.1).ulp
    #expect(try Recipe(text: recipe.text) == recipe)
  }

  @Test("A setting that is not there has the notebook's value")
  func missing() throws {
    var expected = Recipe()
    expected.steps = 7
    #expect(try Recipe(text: "{\"steps\":7}") == expected)
  }

  @Test(
    "What is no recipe is refused",
    arguments: [
      "", "{", "{}", "{\"steps\"}", "{\"steps\":}", "{steps:7}", "{\"steps\":7,}", "[7]",
      "{\"steps\":7,\"steps\":8}", "{\"steps\":7.5}", "{\"steps\":0}", "{\"batch_size\":1}",
      "{\"learning_rate\":nan}", "{\"learning_rate\":inf}", "{\"learning_rate\":0}",
      "{\"seed\":-1}", "{\"seed\":18446744073709551616}", "{ \"steps\":7}",
    ])
  func refused(text: String) {
    #expect(throws: RecipeError.self) { try Recipe(text: text) }
  }

  @Test("Differences are named in the order of the file")
  func differences() {
    var other = Recipe()
    #expect(Recipe().differences(from: other).isEmpty)
    other.seed = 1
    other.hidden = 3
    #expect(Recipe().differences(from: other) == ["hidden", "seed"])
    #expect(other.text(of: "hidden") == "3")
    #expect(other.text(of: "depth") == nil)
  }
}
