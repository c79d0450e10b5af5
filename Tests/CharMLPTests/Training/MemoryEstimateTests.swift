// What is refused before it is allocated, and whether the estimates are those of what is allocated.

import Foundation
import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("Memory estimates")
struct MemoryEstimateTests {
  @Test("A data set refuses windows beyond its memory limit before it makes any")
  func windows() throws {
    let words = try WordList(["anna", "bert", "carla", "dora", "emil", "frida"])
    // 32 windows: characters and ends of words. Four bytes for each of 10 entries and the target,
    // and as much again for the distinct ones.
    let need = 2 * 32 * 11 * 4
    let dataset = try Dataset(words, splitSeed: 42, blockSize: 10, memoryLimit: need)
    #expect(dataset.train.count + dataset.validation.count + dataset.test.count == 32)
    #expect(throws: DatasetError.tooLarge(windows: 32, blockSize: 10)) {
      try Dataset(words, splitSeed: 42, blockSize: 10, memoryLimit: need - 1)
    }
    #expect(throws: DatasetError.tooLarge(windows: 32, blockSize: .max)) {
      try Dataset(words, splitSeed: 42, blockSize: .max)
    }
  }

  private static func recipe(_ change: (inout Recipe) -> Void) -> Recipe {
    var recipe = Recipe()
    change(&recipe)
    return recipe
  }

  @Test("A run is estimated above its engine, and one by the derivation above a fused one")
  func run() throws {
    let recipe = Recipe()
    let engine = try #require(
      FusedEngine.byteCount(recipe.shape(vocabulary: 27), batchSize: recipe.batchSize))
    let fused = try #require(Trainer.byteCount(recipe, vocabulary: 27))
    let derivation = try #require(
      Trainer.byteCount(recipe, vocabulary: 27, backward: .derivation(.blas)))
    #expect(engine < fused && fused < derivation)
    // The default sizes train on every machine that runs Swift.
    #expect(derivation < 64 << 20)
  }

  // The parameters, taken down, as tensors and in the file, besides what the engine needs for them.
  @Test(
    "A run that averages its parameters is estimated higher by three copies and the engine's own")
  func averages() throws {
    let plain = Self.recipe { $0.hidden = 1000 }
    let averaging = Self.recipe { ($0.hidden, $0.averaging) = (1000, 0.99) }
    let shape = plain.shape(vocabulary: 27)
    func engine(_ hasAverage: Bool) throws -> Int {
      try #require(
        FusedEngine.byteCount(shape, batchSize: plain.batchSize, hasAverage: hasAverage))
    }
    let more =
      try #require(Trainer.byteCount(averaging, vocabulary: 27))
      - #require(Trainer.byteCount(plain, vocabulary: 27))
    let copies = 3 * Int(shape.parameterBytes)
    #expect(try abs(more - copies - (engine(true) - engine(false))) <= 1)
  }

  @Test("Sizes whose bytes no Int can count have no estimate")
  func overflow() {
    let huge = Self.recipe { $0.hidden = 1 << 40 }
    #expect(Trainer.byteCount(huge, vocabulary: 1 << 30) == nil)
    let wide = Self.recipe { $0.batchSize = 1 << 46 }
    #expect(Trainer.byteCount(wide, vocabulary: 1 << 10) != nil)
    #expect(Trainer.byteCount(wide, vocabulary: 1 << 10, backward: .derivation(.blas)) == nil)
  }

  @Test(
    "The derivation is estimated at no less than the tensors it keeps, and at not much more",
    arguments: [(27, 3, 10, 200, 32), (27, 8, 24, 620, 1024), (900, 2, 7, 30, 64)], [0, 0.5])
  func derivation(
    sizes: (vocabulary: Int, block: Int, embedding: Int, hidden: Int, batch: Int), dropout: Float
  ) {
    let shape = ModelShape(
      vocabulary: sizes.vocabulary, blockSize: sizes.block, embedding: sizes.embedding,
      hidden: sizes.hidden)
    let parameters = Parameters<Float>(zeros: shape)
    #expect(shape.parameterBytes == Double(4 * parameters.count))
    let mask = RandomMask(rate: dropout, seed: 1, step: 0, columns: sizes.hidden)
    let steps = Derivation(
      parameters, Minibatch(blockSize: sizes.block, count: sizes.batch),
      dropout: dropout > 0 ? mask : nil)
    let kept = PassTensor.computed.reduce(0) { $0 + steps[$1].count }
    let dropped = steps.hmask.count + steps.hdrop.count + steps.dhdrop.count
    let bytes = Double(4 * (kept + dropped))
    let estimate = shape.derivationBytes(batchSize: sizes.batch)
    #expect(estimate >= bytes && estimate <= 1.5 * bytes)
  }

  // In a process of its own: of this one, other tests take memory at the same time.
  @Test("A run by the fused engine never takes more memory than was estimated, nor much less")
  func fusedPeak() async {
    await #expect(processExitsWith: .success) {
      var recipe = Recipe()
      (recipe.blockSize, recipe.embedding, recipe.hidden) = (8, 50, 8000)
      try MemoryEstimateTests.checkPeak(recipe, .fused)
    }
  }

  @Test("A run with AdamW and an average never takes more memory than was estimated, nor much less")
  func averagedPeak() async {
    await #expect(processExitsWith: .success) {
      var recipe = Recipe()
      (recipe.blockSize, recipe.embedding, recipe.hidden) = (8, 50, 4000)
      (recipe.optimizer, recipe.averaging) = (.adamw, 0.9)
      try MemoryEstimateTests.checkPeak(recipe, .fused)
    }
  }

  @Test("A run by the derivation never takes more memory than was estimated, nor much less")
  func derivationPeak() async {
    await #expect(processExitsWith: .success) {
      var recipe = Recipe()
      (recipe.batchSize, recipe.hidden, recipe.dropout) = (4096, 600, 0.5)
      try MemoryEstimateTests.checkPeak(recipe, .derivation(.blas))
    }
  }

  /// Trains, evaluates and saves a run, and compares the growth of this process with the estimate.
  private static func checkPeak(_ given: Recipe, _ backward: Trainer.Backward) throws {
    let words = try WordList(RandomWords.make(count: 300, alphabet: 26, longest: 9))
    func run(_ recipe: Recipe) throws {
      let dataset = try Dataset(words, recipe)
      let trainer = try Trainer(recipe, dataset, backward: backward)
      try trainer.advance(to: 2)
      _ = trainer.evaluate()
      _ = try Checkpoint(trainer, words: StoredWords(words)).encoded()
    }
    // What BLAS and the runtime take once.
    var small = given
    (small.hidden, small.batchSize) = (8, 8)
    try run(small)
    let before = try kilobytes("VmRSS")
    // Forgets the peak so far.
    try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
    try run(given)
    let taken = try (kilobytes("VmHWM") - before) << 10
    let estimate = try #require(
      Trainer.byteCount(given, vocabulary: 27, backward: backward, threads: 1))
    #expect(taken <= estimate && taken >= estimate / 3)
  }

  private static func kilobytes(_ key: String) throws -> Int {
    let lines = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(
      separator: "\n")
    let words = lines.first { $0.hasPrefix(key + ":") }?.split { $0 == " " || $0 == "\t" }
    return try #require(words.flatMap { Int($0[1]) })
  }

  @Test(
    "The blocks of an evaluation hold no more elements for a wider network",
    arguments: [(1, 256), (200, 256), (65536, 256), (65537, 255), (1 << 24, 1), (1 << 30, 1)])
  func blocks(width: Int, length: Int) {
    #expect(DistinctContexts.blockLength(width: width) == length)
  }

  @Test(
    "The blocks of an evaluation are all contexts in order, however many there are",
    arguments: [200, 1 << 22, 1 << 24])
  func blocksInOrder(width: Int) throws {
    let words = try WordList(RandomWords.make(count: 300, alphabet: 6, longest: 12))
    let contexts = try Dataset(words, splitSeed: 42, blockSize: 3).train.distinct()
    let blocks = Array(contexts.blocks(width: width))
    #expect(blocks.flatMap(\.indices) == Array(0..<contexts.count))
    #expect(blocks.flatMap(\.contexts) == contexts.contexts)
  }
}
