// Models by their paths, and how well they predict words.

import Foundation
import Testing

@testable import CharMLP

@Suite("Saved models")
struct SavedModelsTests {
  private static func trained(mix: Mix = .none) throws -> (trainer: Trainer, words: WordList) {
    var recipe = Recipe()
    (recipe.hidden, recipe.steps, recipe.mix) = (16, 30, mix)
    let words = try WordList(Array(bundledWords().prefix(300)))
    let trainer = try Trainer(recipe, Dataset(words, recipe))
    try trainer.advance(to: recipe.steps)
    return (trainer, words)
  }

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.path + "/charmlp-\(UUID())"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try body(directory)
  }

  @Test("A checkpoint comes back from its file, and a trainer goes on from it")
  func checkpoint() throws {
    let (trainer, words) = try Self.trained(mix: .ngram)
    try withDirectory { directory in
      let path = directory + "/names.safetensors"
      let checkpoint = Checkpoint(trainer, words: words)
      try checkpoint.write(to: path)
      let read = try Checkpoint(contentsOf: path)
      #expect(read == checkpoint)
      #expect(read.step == 30)
      #expect(try Model(contentsOf: path) == trainer.model())
      let predictor = try Predictor(contentsOf: path)
      #expect(predictor.counting != nil)
      #expect(try predictor.loss(of: words) == checkpoint.predictor().loss(of: words))
      _ = try Trainer(resuming: read, Dataset(words, read.recipe))
    }
  }

  @Test("A network alone comes back, and predicts, but there is no run to resume")
  func networkAlone() throws {
    let model = try Self.trained().trainer.model()
    try withDirectory { directory in
      let path = directory + "/model.safetensors"
      try model.write(to: path)
      #expect(try Model(contentsOf: path) == model)
      // The directory of a run stands for its model.
      #expect(try Model(contentsOf: directory) == model)
      #expect(try Predictor(contentsOf: path).model == model)
      #expect(throws: ModelFileError.networkAlone) { try Checkpoint(contentsOf: path) }
      try model.write(to: path)
    }
  }

  @Test("A model file that is missing, damaged or out of reach is named by its path")
  func errors() throws {
    let model = try Self.trained().trainer.model()
    try withDirectory { directory in
      let missing = directory + "/none.safetensors"
      let error = #expect(throws: ModelFileError.self) { try Model(contentsOf: missing) }
      #expect(error.map { "\($0)" } == "\(missing): No such file or directory")
      #expect(throws: ModelFileError.self) { try model.write(to: missing + "/model.safetensors") }
      var bytes = try model.encoded()
      bytes[bytes.count - 3] ^= 1
      #expect(throws: ModelFileError.self) { try Model(file: bytes) }
    }
  }

  @Test("The loss of words is that of their windows, and the sum of their log-probabilities")
  func losses() throws {
    let (trainer, words) = try Self.trained(mix: .ngram)
    let checkpoint = Checkpoint(trainer, words: words)
    let predictor = try checkpoint.predictor()
    let dataset = try Dataset(words, trainer.recipe)
    for predictor in [predictor, Predictor(predictor.model)] {
      let validation = words.selecting(dataset.split.validation)
      let loss = try predictor.loss(of: validation)
      #expect(abs(loss - predictor.loss(over: dataset.validation)) <= 1e-9)
      #expect(
        try predictor.loss(on: dataset.validation) == predictor.loss(over: dataset.validation))
      #expect(try predictor.losses(on: dataset) == predictor.losses(dataset))
      var (sum, count) = (0.0, 0)
      for word in validation {
        sum += try predictor.logProbability(of: word)
        count += word.unicodeScalars.count + 1
      }
      #expect(abs(loss + sum / Double(count)) <= 1e-5)
      let ids = try predictor.model.vocabulary.encode("anna")
      let score = WordScore(ids, WordScorer(predictor))
      #expect(abs(try predictor.logProbability(of: "anna") - score.sum) <= 1e-5)
    }
    let model = predictor.model
    #expect(try model.logProbability(of: "anna") == Predictor(model).logProbability(of: "anna"))
    #expect(try model.loss(of: words) == Predictor(model).loss(of: words))
  }

  @Test("Words and data of other symbols are refused")
  func otherSymbols() throws {
    let (trainer, words) = try Self.trained()
    let model = trainer.model()
    #expect(throws: VocabularyError.unknownSymbol("ж")) { try model.logProbability(of: "жан") }
    #expect(throws: VocabularyError.unknownSymbol("ж")) {
      try model.loss(of: WordList(["anna", "жан"]))
    }
    let others = try Dataset(WordList(Array(words) + ["жан"]), trainer.recipe)
    let expected = VocabularyError.otherSymbols(
      others.vocabulary.count, network: model.vocabulary.count)
    #expect(throws: expected) { try model.losses(on: others) }
    #expect(throws: expected) { try model.loss(on: others.train) }
  }
}
