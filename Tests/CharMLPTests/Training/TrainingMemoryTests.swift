// What is refused before it is allocated: sizes whose product no memory holds.

import Testing

@testable import CharMLP

@Suite("Memory")
struct TrainingMemoryTests {
  @Test("for the windows is asked for before there are any")
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

  @Test("of a run is more than its engine takes, and of the derivation's more than of the fused")
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
  @Test("of a run that averages its parameters is more by three copies of them and the engine's")
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
    let copies = 3 * Int(Trainer.parameters(shape))
    #expect(try abs(more - copies - (engine(true) - engine(false))) <= 1)
  }

  @Test("is not counted where it cannot be expressed")
  func overflow() {
    let huge = Self.recipe { $0.hidden = 1 << 40 }
    #expect(Trainer.byteCount(huge, vocabulary: 1 << 30) == nil)
    let wide = Self.recipe { $0.batchSize = 1 << 46 }
    #expect(Trainer.byteCount(wide, vocabulary: 1 << 10) != nil)
    #expect(Trainer.byteCount(wide, vocabulary: 1 << 10, backward: .derivation(.blas)) == nil)
  }

  @Test(
    "of the derivation is announced as no less than its tensors take, and not as much more",
    arguments: [(27, 3, 10, 200, 32), (27, 8, 24, 620, 1024), (900, 2, 7, 30, 64)])
  func derivation(vocabulary: Int, block: Int, embedding: Int, hidden: Int, batch: Int) {
    let shape = ModelShape(
      vocabulary: vocabulary, blockSize: block, embedding: embedding, hidden: hidden)
    let sizes = PassSizes(shape, batchSize: batch)
    func bytes(_ tensors: [PassTensor]) -> Double {
      4 * tensors.reduce(0) { $0 + sizes.shape(of: $1).reduce(1.0) { $0 * Double($1) } }
    }
    #expect(Trainer.parameters(shape) == bytes(PassTensor.parameters))
    // Tensors with a row for each window; the gradients of parameters are counted with the parameters.
    let perWindow = PassTensor.computed.filter { sizes.shape(of: $0).first == batch }
    let announced = Trainer.derivation(shape, batchSize: batch)
    #expect(announced >= bytes(perWindow) && announced <= 1.5 * bytes(perWindow))
  }

  @Test(
    "of an evaluation does not grow with the width of the network",
    arguments: [(1, 256), (200, 256), (65536, 256), (65537, 255), (1 << 24, 1), (1 << 30, 1)])
  func blocks(width: Int, length: Int) {
    #expect(DistinctContexts.blockLength(width: width) == length)
  }

  @Test("or not, blocks are all contexts in order", arguments: [200, 1 << 22, 1 << 24])
  func blocksInOrder(width: Int) throws {
    let words = try WordList(RandomWords.make(count: 300, alphabet: 6, longest: 12))
    let contexts = try Dataset(words, splitSeed: 42, blockSize: 3).train.distinct()
    let blocks = Array(contexts.blocks(width: width))
    #expect(blocks.flatMap(\.indices) == Array(0..<contexts.count))
    #expect(blocks.flatMap(\.contexts) == contexts.contexts)
  }
}
