// The fused engine (Float) against the step-by-step pass in Double, where the two meet.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The fused engine")
struct FusedEngineTests {
  @Test(
    "The engine's loss and gradients are the derivation's, in both forms, on any threads",
    arguments: DerivationAgainstPyTorchTests.shapes, FirstLayerForm.allCases)
  func agreesWithDerivation(shape: String, form: FirstLayerForm) throws {
    let fixture = try Fixture("\(shape)-float64")
    let (parameters, minibatch) = try (fixture.parameters(Double.self), fixture.minibatch)
    let steps = Derivation(parameters, minibatch)
    // Float against Double, batches of 32 and more: rounding stays below 2e-6.
    let tolerance = 2e-6
    for threads in 1...2 {
      let engine = FusedEngine(
        OptimizationState(parameters.converted()), batchSize: minibatch.count, threads: threads,
        firstLayer: form, keepsIntermediates: true)
      let loss = engine.differentiate(minibatch)
      #expect(abs(Double(loss) - steps.loss[0, 0]) <= tolerance)
      let found = engine.intermediates
      #expect(found.count == (form == .perExample ? 5 : 4))
      for (tensor, value) in found {
        #expect(distance(value, steps[tensor]) <= tolerance, "\(tensor)")
      }
      for ((name, single), (_, double)) in zip(
        Parameters<Float>.ordered, Parameters<Double>.ordered)
      {
        let error = distance(
          engine.gradients[keyPath: single], steps.gradients[keyPath: double])
        #expect(error <= tolerance, "d\(name): \(error)")
      }
    }
  }

  @Test(
    "Any number of threads computes the same bits, in both forms of the first layer",
    arguments: [
      (ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 200), 32),
      (ModelShape(vocabulary: 27, blockSize: 5, embedding: 10, hidden: 331), 77),
      (ModelShape(vocabulary: 5, blockSize: 1, embedding: 17, hidden: 64), 2),
    ], FirstLayerForm.allCases)
  func threads(problem: (shape: ModelShape, batchSize: Int), form: FirstLayerForm) {
    var generator = TorchGenerator(seed: 7)
    let parameters = Parameters<Float>.notebook(problem.shape, seed: 7, generator: &generator)
    let engines = [1, 2, 4].map {
      FusedEngine(
        OptimizationState(parameters), batchSize: problem.batchSize, threads: $0, firstLayer: form)
    }
    #expect(
      engines.map(\.threads) == [1, 2, min(4, HiddenSlice.count(hidden: problem.shape.hidden))])
    let minibatches = (0..<20).map { _ in
      Minibatch.random(problem.shape, count: problem.batchSize, &generator)
    }
    // The rate changes with every step: no thread may see the next one's.
    let steps = minibatches.enumerated().map { index, minibatch in
      PlannedStep(minibatch, StepSettings(.descent(index.isMultiple(of: 2) ? 0.1 : 0.01)))
    }
    let losses = engines.map { $0.losses(steps) }
    for index in 1..<engines.count {
      #expect(losses[index] == losses[0])
      #expect(engines[index].parameters == engines[0].parameters)
    }
    #expect(engines[0].parameters != parameters)
  }

  @Test("Steps that follow each other learn the same bits as steps that are taken one by one")
  func stepsInARow() {
    let shape = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 200)
    var generator = TorchGenerator(seed: 7)
    let parameters = Parameters<Float>.notebook(shape, seed: 7, generator: &generator)
    // More than sixteen: after as many the number of threads may change.
    let steps = (0..<50).map { index in
      PlannedStep(
        .random(shape, count: 40, &generator),
        StepSettings(
          .descent(0.1),
          dropout: RandomMask(rate: 0.5, seed: 7, step: index, columns: shape.hidden)))
    }
    let engines = [(1, true), (2, true), (2, false)].map {
      FusedEngine(OptimizationState(parameters), batchSize: 40, threads: $0, isFixed: $1)
    }
    let losses = [
      steps.map { engines[0].step($0.minibatch, $0.settings) }, engines[1].losses(steps),
      engines[2].losses(steps),
    ]
    #expect(losses[0] == losses[1] && losses[0] == losses[2])
    #expect(engines[0].parameters == engines[1].parameters)
    #expect(engines[0].parameters == engines[2].parameters)
  }

  @Test("The next step is asked for once in every step", arguments: 1...2)
  func asksForNext(threads: Int) {
    let shape = ModelShape(vocabulary: 3, blockSize: 1, embedding: 2, hidden: 64)
    let engine = FusedEngine(
      OptimizationState(Parameters(zeros: shape)), batchSize: 4, threads: threads)
    let step = PlannedStep(Minibatch(blockSize: 1, count: 4), StepSettings(.descent(0.1)))
    var calls: [String] = []
    engine.takeSteps(
      from: step,
      next: { _ in
        calls.append("next")
        return calls.count < 7 ? step : nil
      }, completed: { _ in calls.append("completed") })
    #expect(calls == Array(repeatElement(["next", "completed"], count: 4).joined()))
  }

  @Test(
    "A step that was planned and is not taken changes nothing, on any threads", arguments: 1...4)
  func abandonedStep(threads: Int) {
    let shape = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 600)
    var generator = TorchGenerator(seed: 7)
    let parameters = Parameters<Float>.notebook(shape, seed: 7, generator: &generator)
    let steps = (0..<4).map { _ in
      PlannedStep(.random(shape, count: 40, &generator), StepSettings(.descent(0.1)))
    }
    let engine = FusedEngine(OptimizationState(parameters), batchSize: 40, threads: threads)
    // Often enough that the other threads are met everywhere on their way.
    for round in 0..<50 {
      var remaining = steps[...]
      #expect(throws: CancellationError.self) {
        try engine.takeSteps(
          from: remaining.removeFirst(), next: { _ in remaining.popFirst() },
          completed: { _ in if remaining.count == 1 { throw CancellationError() } })
      }
      if round == 0 {
        let reference = FusedEngine(OptimizationState(parameters), batchSize: 40)
        _ = reference.losses(steps.dropLast(2))
        #expect(engine.parameters == reference.parameters)
      }
    }
    _ = engine.losses(steps)
  }

  @Test("The parts of a step are measured, and take no longer than the step", arguments: 1...2)
  func timing(threads: Int) throws {
    let fixture = try Fixture("exercise-float32")
    let (parameters, minibatch) = try (fixture.parameters(Float.self), fixture.minibatch)
    let engine = FusedEngine(
      OptimizationState(parameters), batchSize: minibatch.count, threads: threads)
    var parts: [StepPart: Double] = [:]
    let whole = ContinuousClock().measure {
      let step = PlannedStep(minibatch, StepSettings(.descent(0.1)))
      parts = engine.timing { _ = engine.losses(Array(repeating: step, count: 20)) }
    }
    #expect(Set(parts.keys) == Set(StepPart.allCases))
    #expect(parts.values.allSatisfy { $0 > 0 })
    #expect(parts.values.reduce(0, +) <= whole / .seconds(1))
  }

  @Test(
    "The engine allocates the bytes that it announces",
    arguments: [
      (27, 3, 10, 200, 32), (27, 8, 24, 620, 1024), (900, 2, 7, 30, 64), (3, 1, 1, 1, 2),
    ],
    [(1, false), (1, true), (2, true)])
  func byteCount(
    sizes: (vocabulary: Int, block: Int, embedding: Int, hidden: Int, batch: Int),
    run: (threads: Int, hasMoments: Bool)
  ) throws {
    let shape = ModelShape(
      vocabulary: sizes.vocabulary, blockSize: sizes.block, embedding: sizes.embedding,
      hidden: sizes.hidden)
    let announced = try #require(
      FusedEngine.byteCount(
        shape, batchSize: sizes.batch, threads: run.threads, hasMoments: run.hasMoments,
        hasAverage: run.hasMoments))
    let start = OptimizationState(
      start: Parameters(zeros: shape), run.hasMoments ? .adamw : .sgd, keepsAverage: run.hasMoments)
    let memory = FusedEngine(start, batchSize: sizes.batch, threads: run.threads).memory
    #expect(memory.asked == announced)
    // The allocator rounds each of some hundred blocks up, large ones to whole pages.
    #expect(memory.given >= announced && memory.given <= announced + announced / 20 + 1 << 14)
  }

  @Test("An engine whose bytes no Int can count has no estimate")
  func uncountable() {
    let impossible = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: .max / 64)
    #expect(FusedEngine.byteCount(impossible, batchSize: 32) == nil)
  }

  @Test(
    "Threads that rest and come back in the course of a training change no bit",
    arguments: FirstLayerForm.allCases)
  func changingThreads(form: FirstLayerForm) {
    let shape = ModelShape(vocabulary: 27, blockSize: 3, embedding: 10, hidden: 600)
    var generator = TorchGenerator(seed: 7)
    let parameters = Parameters<Float>.notebook(shape, seed: 7, generator: &generator)
    let engines = [1, 4].map {
      FusedEngine(
        OptimizationState(parameters), batchSize: 40, threads: $0, firstLayer: form, isFixed: true)
    }
    for threads in [4, 1, 3, 2, 4, 2, 1, 4] {
      engines[1].use(threads)
      #expect(engines[1].threads == threads)
      for _ in 0..<3 {
        let minibatch = Minibatch.random(shape, count: 40, &generator)
        let losses = engines.map { $0.step(minibatch, learningRate: 0.1) }
        #expect(losses[0] == losses[1])
      }
    }
    #expect(engines[0].parameters == engines[1].parameters)
  }

  @Test("Keeping intermediates changes no bit of what it learns")
  func keepingIntermediates() throws {
    let fixture = try Fixture("exercise-float32")
    let (parameters, minibatch) = try (fixture.parameters(Float.self), fixture.minibatch)
    let engines = [true, false].map {
      FusedEngine(
        OptimizationState(parameters), batchSize: minibatch.count, keepsIntermediates: $0)
    }
    for engine in engines {
      for _ in 0..<3 { _ = engine.step(minibatch, learningRate: 0.1) }
    }
    #expect(engines[0].parameters == engines[1].parameters)
    #expect(engines[0].parameters != parameters)
  }

  @Test("A step of the engine makes the derivation's update")
  func step() throws {
    let fixture = try Fixture("exercise-float32")
    let (parameters, minibatch) = try (fixture.parameters(Float.self), fixture.minibatch)
    let fused = FusedEngine(OptimizationState(parameters), batchSize: minibatch.count)
    let reference = DerivationEngine(OptimizationState(parameters))
    for _ in 0..<5 {
      let losses = (
        fused.step(minibatch, learningRate: 0.1), reference.step(minibatch, learningRate: 0.1)
      )
      #expect(abs(losses.0 - losses.1) <= 2e-6)
    }
    for (name, path) in Parameters<Float>.ordered {
      let error = distance(fused.parameters[keyPath: path], reference.parameters[keyPath: path])
      #expect(error <= 2e-6, "\(name): \(error)")
    }
  }

  // A parameter whose gradient is rounding alone moves by up to the learning rate, whichever way.
  @Test(
    "With AdamW, weight decay, dropout and averages, a step is the derivation's, in both forms, on any threads",
    arguments: FirstLayerForm.allCases, 1...2)
  func adamwAndDropout(form: FirstLayerForm, threads: Int) throws {
    let fixture = try Fixture("exercise-float32")
    let (parameters, minibatch) = try (fixture.parameters(Float.self), fixture.minibatch)
    let start = OptimizationState(start: parameters, .adamw, keepsAverage: true)
    let fused = FusedEngine(
      start,
      batchSize: minibatch.count, threads: threads, firstLayer: form)
    let reference = DerivationEngine(start)
    for step in 0..<10 {
      let settings = StepSettings(
        ParameterUpdate(
          .adamw, learningRate: 1e-3, weightDecay: 1, averaging: 0.5, step: step),
        dropout: RandomMask(rate: 0.3, seed: 5, step: step, columns: parameters.shape.hidden))
      let losses = (
        fused.step(minibatch, settings), reference.step(minibatch, settings)
      )
      #expect(abs(losses.0 - losses.1) <= 2e-6)
    }
    let found = try #require(fused.state.moments)
    let expected = try #require(reference.state.moments)
    let averages = (try #require(fused.state.average), try #require(reference.state.average))
    // The average follows the parameters, but is none of them.
    #expect(distance(averages.1.W2, reference.parameters.W2) > 1e-4)
    for (name, path) in Parameters<Float>.ordered where name != "b1" {
      #expect(
        distance(found.first[keyPath: path], expected.first[keyPath: path]) <= 2e-6, "\(name)")
      #expect(distance(found.second[keyPath: path], expected.second[keyPath: path]) <= 2e-6)
      // Most elements move alike; the few whose gradients are near zero do not.
      let difference = fused.parameters[keyPath: path] - reference.parameters[keyPath: path]
      #expect(difference.elements.count { abs($0) > 2e-5 } <= difference.count / 100, "\(name)")
      let lag = averages.0[keyPath: path] - averages.1[keyPath: path]
      #expect(lag.elements.count { abs($0) > 2e-5 } <= lag.count / 100, "average of \(name)")
    }
  }

  @Test("With AdamW, dropout and averages, too, any number of threads computes the same bits")
  func adamwThreads() {
    let shape = ModelShape(vocabulary: 27, blockSize: 5, embedding: 10, hidden: 331)
    var generator = TorchGenerator(seed: 7)
    let parameters = Parameters<Float>.notebook(shape, seed: 7, generator: &generator)
    let engines = [1, 2, 4].map {
      FusedEngine(
        OptimizationState(start: parameters, .adamw, keepsAverage: true), batchSize: 77, threads: $0
      )
    }
    for step in 0..<10 {
      let minibatch = Minibatch.random(shape, count: 77, &generator)
      let settings = StepSettings(
        ParameterUpdate(
          .adamw, learningRate: 1e-2, weightDecay: 1, averaging: 0.9, step: step),
        dropout: RandomMask(rate: 0.5, seed: 7, step: step, columns: 331))
      for engine in engines { _ = engine.step(minibatch, settings) }
    }
    for engine in engines.dropFirst() {
      #expect(engine.state == engines[0].state)
    }
  }

  @Test("Adam without room for its moments stops the program")
  func adamWithoutMoments() async {
    await #expect(processExitsWith: .failure) {
      let shape = ModelShape(vocabulary: 3, blockSize: 1, embedding: 2, hidden: 4)
      let engine = FusedEngine(OptimizationState(Parameters(zeros: shape)), batchSize: 4)
      let settings = StepSettings(ParameterUpdate(.adamw, learningRate: 0.1, step: 0))
      _ = engine.step(Minibatch(blockSize: 1, count: 4), settings)
    }
  }

  @Test("A minibatch of another size stops the program")
  func wrongBatch() async {
    await #expect(processExitsWith: .failure) {
      let shape = ModelShape(vocabulary: 3, blockSize: 1, embedding: 2, hidden: 4)
      let engine = FusedEngine(OptimizationState(Parameters(zeros: shape)), batchSize: 4)
      _ = engine.step(Minibatch(blockSize: 1, count: 5), learningRate: 0.1)
    }
  }
}

extension FusedEngine {
  /// The losses of steps that follow each other.
  func losses(_ steps: [PlannedStep]) -> [Float] {
    var (remaining, losses) = (steps[...], [Float]())
    takeSteps(
      from: remaining.removeFirst(), next: { _ in remaining.popFirst() },
      completed: { losses.append($0) })
    return losses
  }
}

extension Minibatch {
  /// Ids drawn at random.
  static func random(
    _ shape: ModelShape, count: Int, _ generator: inout TorchGenerator
  ) -> Minibatch {
    func ids(_ count: Int) -> [Int32] {
      (0..<count).map { _ in Int32(generator.randint(below: shape.vocabulary)) }
    }
    return Minibatch(
      blockSize: shape.blockSize, contexts: ids(count * shape.blockSize), targets: ids(count))
  }
}
