// The table of settings: the recipe in a model file, and what else is made from the table.

import OrderedJSON
import Testing

@testable import CharMLP

@Suite("Settings of a recipe")
struct RecipeFieldsTests {
  @Test("The text of a recipe keeps its bytes")
  func bytes() {
    #expect(
      Recipe().text == """
        {"block_size":3,"embedding":10,"embedding_scale":1.0,"hidden":200,"batch_size":32,\
        "steps":200000,"optimizer":"sgd","learning_rate":0.1,"schedule":"step","warmup":0,\
        "weight_decay":0.0,"dropout":0.0,"averaging":0.0,"evaluate_every":0,"patience":0,\
        "stop_at_validation_loss":0.0,"mix":"none","seed":2147483647,"split":"shuffle",\
        "split_seed":42,"deduplicate":false}
        """)
    var recipe = Recipe(.best, trainingWindows: 10_000)
    (recipe.learningRate, recipe.weightDecay, recipe.stopAtValidationLoss) = (1e-7, 1e8, 16_777_216)
    (recipe.seed, recipe.deduplicate, recipe.split) = (.max, true, .hash)
    #expect(
      recipe.text == """
        {"block_size":5,"embedding":24,"embedding_scale":0.5,"hidden":256,"batch_size":64,\
        "steps":18750,"optimizer":"adamw","learning_rate":1e-07,"schedule":"cosine","warmup":375,\
        "weight_decay":1e+08,"dropout":0.5,"averaging":0.9989333,"evaluate_every":375,\
        "patience":15,"stop_at_validation_loss":16777216.0,"mix":"ngram",\
        "seed":18446744073709551615,"split":"hash","split_seed":42,"deduplicate":true}
        """)
  }

  @Test("Every stored property of a recipe is in the table, once, and no two keys are equal")
  func completeness() {
    #expect(Recipe.fields.count == Mirror(reflecting: Recipe()).children.count)
    #expect(Set(Recipe.fields.map(\.path)).count == Recipe.fields.count)
    #expect(Set(Recipe.fields.map(\.key)).count == Recipe.fields.count)
  }

  @Test("The settings of the notebook and of the best recipe are within their ranges")
  func presets() throws {
    for preset in Recipe.Preset.allCases {
      for windows in [1, 20_000, 50_000, 182_000, 800_000, 1 << 40] {
        let recipe = Recipe(preset, trainingWindows: windows)
        #expect(try Recipe(json: recipe.json) == recipe)
      }
    }
  }

  @Test(
    "The ends of every setting's range belong to it, and what is beyond does not",
    arguments: Recipe.fields)
  func ranges(field: RecipeField) {
    var recipe = Recipe()
    func accepts(_ value: JSONValue) -> Bool { field.set(&recipe, to: value) }
    #expect(!accepts(nil) && !accepts([]) && !accepts([:]))
    switch field.values {
    case .whole(let range):
      #expect(accepts(.unsigned(range.lowerBound)) && accepts(.unsigned(range.upperBound)))
      #expect(field.value(in: recipe) == .unsigned(range.upperBound))
      #expect(!accepts(.number(Double(range.upperBound) * 2)) && !accepts(-1) && !accepts("1"))
      #expect(!accepts(1.5) && !accepts(true))
    case .decimal(let range):
      #expect(accepts(.number(range.lowerBound)) && accepts(.number(range.upperBound)))
      #expect(field.value(in: recipe) == .number(range.upperBound))
      #expect(
        !accepts(.number(range.upperBound.nextUp)) && !accepts(.number(range.lowerBound.nextDown)))
      #expect(!accepts("0.5") && !accepts(false))
    case .names(let names):
      #expect(names.allSatisfy { accepts(.string($0)) } && !accepts("") && !accepts(0))
      #expect(field.value(in: recipe) == names.last.map { .string($0) })
    case .boolean: #expect(accepts(true) && accepts(false) && !accepts(0) && !accepts("true"))
    }
  }

  @Test("Dropout leaves out nothing, or any share below all")
  func dropout() throws {
    #expect(try Recipe(text: "{\"dropout\":0.995}").dropout == 0.995)
    #expect(throws: RecipeError.value("dropout", found: "1")) {
      try Recipe(text: "{\"dropout\":1}")
    }
  }

  @Test("A recipe's order and white space do not matter, and settings may be left out")
  func otherForms() throws {
    let recipe = try Recipe(text: "{ \"steps\" : 2e2,\n \"hidden\":8 }")
    #expect(recipe.steps == 200 && recipe.hidden == 8)
    #expect(try Recipe(text: "{}") == Recipe())
  }

  @Test("An unknown setting is not taken for a wrong value, whatever its value is")
  func newer() {
    #expect(throws: RecipeError.unknownSetting("mixture")) {
      try Recipe(text: "{\"steps\":7,\"mixture\":{\"of\":[1,2]}}")
    }
  }

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
    "Text that is not a recipe is refused",
    arguments: [
      "", "{", "{\"steps\"}", "{\"steps\":}", "{steps:7}", "{\"steps\":7,}", "[7]",
      "{\"steps\":7,\"steps\":8}", "{\"steps\":7.5}", "{\"steps\":0}", "{\"batch_size\":1}",
      "{\"learning_rate\":nan}", "{\"learning_rate\":inf}", "{\"learning_rate\":0}",
      "{\"seed\":-1}", "{\"seed\":18446744073709551616}", "{\"steps\":7}}", "null", "7",
      "{\"evaluate_every\":-1}", "{\"optimizer\":\"lion\"}", "{\"deduplicate\":1}",
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
    let fields = Recipe().differences(from: other)
    #expect(fields.map(\.key) == ["hidden", "seed"])
    #expect(fields.map { $0.text(in: other) } == ["3", "1"])
  }
}
