// A checkpoint holds all that going on takes: the bits of a run do not tell that it was stopped.

import LinearAlgebra
import Safetensors
import Testing

@testable import CharMLP

@Suite("Checkpoint")
struct CheckpointTests {
  @Test("A checkpoint that is read is the one that was written", arguments: [0, 1, 17, 40])
  func roundTrip(step: Int) throws {
    let run = try SmallRun()
    let checkpoint = Checkpoint(try run.trainer(at: step), words: run.words)
    let file = try checkpoint.encoded()
    let read = try Checkpoint(file: file)
    // NaN, the loss before the first step, is not equal to itself; the bytes are.
    #expect(try read.encoded() == file)
    if step > 0 { #expect(read == checkpoint) }
    #expect(read.training.step == step)
    #expect(read.isFinished == (step == 40))
    #expect(try read.wordList() == run.dataset.words)
    #expect(try Model(file: file) == checkpoint.model)
  }

  @Test(
    "A run stopped and resumed at any step has the bits of one that was not",
    arguments: [Trainer.Backward.fused, .derivation(.blas), .derivation(.naive)])
  func resuming(backward: Trainer.Backward) throws {
    let run = try SmallRun(embedding: 3, hidden: 5)
    let whole = try run.trainer(at: 40, backward: backward)
    let final = try Checkpoint(whole, words: run.words).encoded()
    for step in 0...40 {
      let stopped = try run.trainer(at: step, backward: backward)
      let file = try Checkpoint(stopped, words: run.words).encoded()
      let checkpoint = try Checkpoint(file: file)
      #expect(checkpoint.backward == backward)
      let list = try #require(try checkpoint.wordList())
      let dataset = try Dataset(
        list, splitSeed: checkpoint.recipe.splitSeed, blockSize: checkpoint.recipe.blockSize)
      let resumed = try Trainer(resuming: checkpoint, dataset)
      try resumed.advance(to: 40)
      #expect(resumed.state == whole.state)
      #expect(try Checkpoint(resumed, words: checkpoint.words).encoded() == final)
    }
  }

  @Test("With AdamW, dropout and evaluations, too, a resumed run has the bits of one that was not")
  func resumingAdamW() throws {
    var run = try SmallRun(embedding: 3, hidden: 5)
    run.recipe.optimizer = .adamw
    run.recipe.schedule = .cosine
    run.recipe.weightDecay = 0.1
    run.recipe.dropout = 0.3
    run.recipe.warmup = 10
    func train(_ trainer: Trainer, to last: Int) throws {
      while trainer.step < last {
        try trainer.advance(to: min(last, (trainer.step / 5 + 1) * 5))
        if trainer.step.isMultiple(of: 5) { _ = trainer.evaluate() }
      }
    }
    let whole = try run.trainer()
    try train(whole, to: 40)
    #expect(whole.best != nil)
    let final = try Checkpoint(whole, words: run.words).encoded()
    for step in 0...40 {
      let stopped = try run.trainer()
      try train(stopped, to: step)
      let checkpoint = try Checkpoint(
        file: Checkpoint(stopped, words: run.words).encoded())
      let resumed = try Trainer(resuming: checkpoint, run.dataset)
      try train(resumed, to: 40)
      #expect(resumed.state == whole.state, "step \(step)")
      #expect(try Checkpoint(resumed, words: run.words).encoded() == final)
    }
  }

  @Test("Saving a checkpoint during training changes nothing that is learned")
  func saving() throws {
    let run = try SmallRun()
    let trainer = try run.trainer()
    for step in 1...40 {
      try trainer.advance(to: step)
      _ = try Checkpoint(trainer, words: run.words).encoded()
    }
    #expect(try Checkpoint(trainer, words: run.words).encoded() == run.file(at: 40))
  }

  @Test("A normal deviate that waits in the generator is kept")
  func cachedNormal() throws {
    let run = try SmallRun()
    // One hidden unit: b1 is a tensor of one deviate, and the second of its pair waits.
    let checkpoint = try Checkpoint(file: run.file(at: 3))
    #expect(checkpoint.training.generator.cachedNormal != nil)
    let roomy = try SmallRun(hidden: 16)
    #expect(try Checkpoint(file: roomy.file(at: 3)).training.generator.cachedNormal == nil)
  }

  @Test("The tensors have the notebook's names and shapes, the rest is named for what it is")
  func tensors() throws {
    let run = try SmallRun(embedding: 3, hidden: 5)
    let file = try SafetensorsFile(decoding: run.file(at: 3))
    let n = run.dataset.vocabulary.count
    let shapes: [String: [Int]] = [
      "C": [n, 3], "W1": [6, 5], "b1": [5], "W2": [5, n], "b2": [n], "bngain": [1, 5],
      "bnbias": [1, 5], "bnmean": [1, 5], "bnvar": [1, 5], "training.step": [],
      "training.minibatch_loss": [], "training.smoothed_loss": [], "training.generator": [625],
      "training.loss_sums": [1],
    ]
    for (name, shape) in shapes { #expect(file[name]?.shape == shape, "\(name)") }
    #expect(
      file.metadata.keys.sorted() == [
        "architecture", "backward", "crc32", "format", "recipe", "version", "vocabulary",
        "words_bytes",
      ])
  }
}
