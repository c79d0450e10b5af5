// Runs that are given another end, and runs that start from a trained network.

import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Changing when a run ends")
struct AnotherEndTests {
  /// A run of 40 steps, evaluated every 15 and at its end.
  private func run(_ change: (inout Recipe) -> Void = { _ in }) throws -> SmallRun {
    var run = try SmallRun(embedding: 3, hidden: 5)
    run.recipe.evaluateEvery = 15
    change(&run.recipe)
    return run
  }

  private func train(_ trainer: Trainer, to last: Int) throws {
    while trainer.step < last, !trainer.isFinished {
      try trainer.advance(to: min(last, trainer.recipe.nextEvaluation(after: trainer.step)))
      if trainer.recipe.isEvaluated(at: trainer.step) { _ = trainer.evaluate() }
    }
  }

  private func trained(_ run: SmallRun, to last: Int = 40) throws -> Checkpoint {
    let trainer = try run.trainer()
    try train(trainer, to: last)
    return try Checkpoint(file: Checkpoint(trainer, words: run.words).encoded())
  }

  private func longer(_ checkpoint: Checkpoint, _ steps: Int) -> Checkpoint {
    var recipe = checkpoint.recipe
    recipe.steps = steps
    return checkpoint.withEnd(of: recipe)
  }

  /// A checkpoint's run taken to a step, as a file would have it.
  private func advanced(_ checkpoint: Checkpoint, _ run: SmallRun, to step: Int) throws
    -> Checkpoint
  {
    let trainer = try Trainer(resuming: checkpoint, run.dataset)
    try train(trainer, to: step)
    return try Checkpoint(file: Checkpoint(trainer, words: run.words).encoded())
  }

  @Test(
    "A run that is made longer twice and killed anywhere in between has the bytes of one that is not"
  )
  func killed() throws {
    let run = try run {
      ($0.optimizer, $0.schedule, $0.averaging, $0.dropout) = (.adamw, .cosine, 0.9, 0.2)
    }
    let finished = try trained(run)
    let middle = try advanced(longer(finished, 70), run, to: 70)
    let whole = try advanced(longer(middle, 90), run, to: 90)
    #expect(whole.lineage.formerSchedules.map(\.step) == [40, 70])
    #expect(whole.lineage.formerSchedules.map(\.steps) == [40, 70])
    #expect(whole.recipe.steps == 90 && whole.training.step == 90)
    for step in 40...70 {
      let killed = try advanced(longer(finished, 70), run, to: step)
      // Who asks for the same end again asks for nothing new.
      let again = try advanced(longer(killed, 70), run, to: 70)
      #expect(try again.encoded() == middle.encoded(), "step \(step)")
    }
    for step in 70...90 {
      let killed = try advanced(longer(middle, 90), run, to: step)
      #expect(try advanced(killed, run, to: 90).encoded() == whole.encoded(), "step \(step)")
    }
  }

  @Test(
    "Where the learning rate does not depend on the length, a longer run is the uninterrupted one")
  func constantRate() throws {
    let run = try run { ($0.optimizer, $0.schedule, $0.averaging) = (.adamw, .constant, 0.9) }
    var long = run
    long.recipe.steps = 75
    let whole = try trained(long, to: 75)
    let extended = try advanced(longer(trained(run), 75), run, to: 75)
    #expect(extended.training.optimization == whole.training.optimization)
    #expect(extended.training.generator == whole.training.generator)
    #expect(extended.recipe == whole.recipe)
  }

  @Test("A longer run's remaining learning rates are those of the new length")
  func schedule() throws {
    let run = try run { $0.schedule = .cosine }
    let extended = longer(try trained(run), 80)
    var long = run.recipe
    long.steps = 80
    for step in 40..<80 {
      #expect(extended.recipe.learningRate(at: step) == long.learningRate(at: step))
    }
  }

  @Test("A longer run is evaluated at the same interval, and its losses begin at the old end")
  func evaluations() throws {
    let run = try run { $0.evaluateEvery = 0 }  // every 2 steps
    let extended = longer(try trained(run, to: 33), 400)
    #expect(extended.recipe.evaluationInterval == 2)
    #expect(extended.lineage.lastCompletedStep == 0)

    let finished = try trained(try self.run())
    let trainer = try Trainer(resuming: longer(finished, 80), run.dataset)
    #expect(trainer.meanLosses.isEmpty)
    try trainer.advance(to: 45)
    // 41 to 45: the line of step 40, the old end, has told of those before.
    #expect(trainer.meanLosses.count == 5)
    try trainer.advance(to: 60)
    #expect(trainer.meanLosses.count == 15)
  }

  private func isEnough(
    _ recipe: Recipe, _ best: BestEvaluation, at step: Int, since change: Int? = nil
  ) -> Bool {
    recipe.earlyStop(best, at: step, since: change) != nil
  }

  @Test("Only evaluations after a change of the end count for patience, and for a loss to stop at")
  func stopping() throws {
    var recipe = Recipe()
    (recipe.steps, recipe.evaluateEvery, recipe.patience) = (200, 10, 3)
    let best = BestEvaluation(step: 50, validationLoss: 2)
    #expect(isEnough(recipe, best, at: 80))
    #expect(!isEnough(recipe, best, at: 80, since: 80))
    // Whole evaluations: the answer never changes between two.
    #expect(
      isEnough(recipe, best, at: 109, since: 77) && !isEnough(recipe, best, at: 109, since: 85))
    #expect((100..<110).allSatisfy { isEnough(recipe, best, at: $0, since: 77) })
    #expect((90..<100).allSatisfy { !isEnough(recipe, best, at: $0, since: 77) })
    (recipe.patience, recipe.stopAtValidationLoss) = (0, 2.5)
    #expect(isEnough(recipe, best, at: 50))
    #expect(!isEnough(recipe, best, at: 60, since: 50))
    #expect(isEnough(recipe, BestEvaluation(step: 60, validationLoss: 1.9), at: 60, since: 50))
  }

  @Test("A run that patience has ended goes on to another end, from a file too")
  func patience() throws {
    let run = try run {
      ($0.evaluateEvery, $0.patience, $0.learningRate, $0.steps) = (1, 1, 30, 300)
    }
    let ended = try trained(run, to: 300)
    try #require(ended.isFinished && ended.training.step < 300)
    let extended = longer(ended, 301)
    #expect(!extended.isFinished)
    #expect(try !Trainer(resuming: extended, run.dataset).isFinished)
    let later = try advanced(extended, run, to: ended.training.step + 1)
    #expect(later.training.step == ended.training.step + 1)
  }

  @Test("A model file whose former ends are impossible is refused")
  func refusals() throws {
    let run = try run()
    let bytes = try advanced(longer(trained(run), 70), run, to: 50).encoded()
    #expect(throws: Never.self) { try Checkpoint(file: bytes) }
    for text in [
      "", "[]", "{}", "[1]", #"[{"step":40}]"#, #"[{"step":51,"steps":60}]"#,
      #"[{"step":40,"steps":39}]"#, #"[{"step":-1,"steps":40}]"#,
      #"[{"step":40,"steps":40},{"step":39,"steps":40}]"#,
    ] {
      var file = try SafetensorsFile(decoding: bytes)
      (file.metadata["former_ends"], file.metadata[FileChecksum.key]) = (text, FileChecksum.zero)
      let changed = FileChecksum.sealed(try file.encoded())
      #expect(throws: ModelFileError.self, "\(text)") { try Checkpoint(file: changed) }
    }
  }
}

@Suite("Starting from a trained network")
struct StartingNetworkTests {
  private let run: SmallRun
  private let source: StartingNetwork
  private let dataset: Dataset

  init() throws {
    run = try SmallRun(embedding: 3, hidden: 5)
    source = try StartingNetwork(file: Checkpoint(run.trainer(at: 20), words: run.words).encoded())
    // Without "f", "r" and others, with "q", "x" and "ß" that the network does not know.
    let words = try WordList(["anna", "qala", "xena", "eßa", "nano", "lena", "zoë", "maß"])
    dataset = try Dataset(words, splitSeed: 42, blockSize: 2)
  }

  @Test("Symbols are matched by character; those of new ones are what the seed draws")
  func matching() throws {
    let (old, new) = (source.model, dataset.vocabulary)
    let drawn = try Trainer(run.recipe, dataset).parameters
    let parameters = try Trainer(run.recipe, dataset, from: source).parameters
    #expect(source.newSymbols(of: new) == ["q", "x", "ß"])
    for path in [\Parameters<Float>.W1, \.b1, \.bngain, \.bnbias] {
      #expect(parameters[keyPath: path] == old.parameters[keyPath: path])
    }
    func embedding(_ parameters: Parameters<Float>, _ id: Int32) -> [Float] {
      (0..<3).map { parameters.C[Int(id), $0] }
    }
    func output(_ parameters: Parameters<Float>, _ id: Int32) -> [Float] {
      (0..<5).map { parameters.W2[$0, Int(id)] } + [parameters.b2[0, Int(id)]]
    }
    for id in 0..<Int32(new.count) {
      let known: Int32? = id == 0 ? 0 : old.vocabulary.id(of: new.symbols[Int(id) - 1])
      #expect(
        embedding(parameters, id)
          == (known.map { embedding(old.parameters, $0) } ?? embedding(drawn, id)))
      #expect(
        output(parameters, id) == (known.map { output(old.parameters, $0) } ?? output(drawn, id)))
    }
  }

  @Test(
    "A network of other sizes than the recipe's is refused by name",
    arguments: [
      ("block_size", 1, 2), ("embedding", 4, 3), ("hidden", 6, 5),
    ])
  func sizes(key: String, size: Int, ofNetwork: Int) throws {
    var recipe = run.recipe
    switch key {
    case "block_size": recipe.blockSize = size
    case "embedding": recipe.embedding = size
    default: recipe.hidden = size
    }
    let data = try Dataset(dataset.words, splitSeed: 42, blockSize: recipe.blockSize)
    let expected = RecipeError.size(key, size, ofNetwork: ofNetwork)
    #expect(throws: expected) { try Trainer(recipe, data, from: source) }
    #expect(throws: expected) { try LearningRateSearch(recipe, data, from: source) }
    #expect("\(expected)" == "\(key) is \(size), but the network to start from has \(ofNetwork)")
  }

  @Test("The minibatches are those of a run from scratch, and resuming needs no source")
  func resuming() throws {
    let words = StoredWords(dataset.words)
    let whole = try Trainer(run.recipe, dataset, from: source)
    try whole.advance(to: 30)
    let other = try Trainer(run.recipe, dataset)
    try other.advance(to: 30)
    #expect(whole.state.generator == other.state.generator)
    #expect(whole.parameters != other.parameters)

    let stopped = try Trainer(run.recipe, dataset, from: source)
    try stopped.advance(to: 13)
    let checkpoint = try Checkpoint(file: Checkpoint(stopped, words: words).encoded())
    #expect(checkpoint.lineage.origin == source.origin)
    let resumed = try Trainer(resuming: checkpoint, dataset)
    try resumed.advance(to: 30)
    #expect(
      try Checkpoint(resumed, words: words).encoded()
        == Checkpoint(whole, words: words).encoded())
  }

  @Test("The file names the network by its checksum and its steps; a strange origin is refused")
  func origin() throws {
    let bytes = try Checkpoint(run.trainer(at: 20), words: run.words).encoded()
    let checksum = try #require(FileChecksum.read(bytes)?.found)
    #expect(source.origin == Origin(fingerprint: checksum, step: 20, steps: 40))
    let own = try Checkpoint(
      try Trainer(run.recipe, dataset, from: source), words: StoredWords(dataset.words)
    ).encoded()
    var file = try SafetensorsFile(decoding: own)
    #expect(
      file.metadata["started_from"]
        == #"{"crc32":"\#(source.origin.fingerprint)","step":20,"steps":40}"#)
    for text in [
      "", "{}", #"{"crc32":"0","step":20,"steps":40}"#,
      #"{"crc32":"0123456g","step":20,"steps":40}"#, #"{"crc32":"01234567","step":50,"steps":40}"#,
    ] {
      (file.metadata["started_from"], file.metadata[FileChecksum.key]) = (text, FileChecksum.zero)
      let changed = FileChecksum.sealed(try file.encoded())
      #expect(throws: ModelFileError.self, "\(text)") { try Checkpoint(file: changed) }
    }
  }

  @Test("An averaged network is what a run starts from, not the parameters behind it")
  func averaged() throws {
    var run = run
    run.recipe.averaging = 0.9
    let trainer = try run.trainer(at: 20)
    let network = try StartingNetwork(file: Checkpoint(trainer, words: run.words).encoded())
    #expect(network.model.parameters == trainer.state.optimization.average)
    #expect(
      try Trainer(run.recipe, run.dataset, from: network).parameters == network.model.parameters)
  }
}
