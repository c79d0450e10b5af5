// The mixture of a network and counts: what it gains, where it comes from, and that words are drawn
// from it.

import Testing

@testable import CharMLP

@Suite("A network mixed with counts")
struct MixtureTests {
  /// A small network of the bundled kind, trained a little on words of a simple rule.
  private struct Run {
    let dataset: Dataset
    let trainer: Trainer
    let model: Model

    init(words: Int = 400, steps: Int = 200, block: Int = 3) throws {
      var recipe = Recipe()
      (recipe.blockSize, recipe.hidden, recipe.steps, recipe.mix) = (block, 16, steps, .ngram)
      let syllables = ["ka", "ri", "mo", "te", "lu", "sen", "dor", "vi"]
      var generator = Philox(seed: 3, stream: 0)
      let list = (0..<words).map { _ in
        (0..<2 + Int(generator.uniform() * 2)).map { _ in
          syllables[Int(generator.uniform() * Double(syllables.count))]
        }.joined()
      }
      dataset = try Dataset(
        WordList(utf8: Array((list.joined(separator: "\n") + "\n").utf8)), recipe)
      trainer = try Trainer(recipe, dataset)
      try trainer.advance(to: steps)
      model = trainer.model()
    }

    var mixture: Mixture { get throws { try #require(trainer.mixture(with: model)) } }

    var predictor: Predictor {
      get throws { Predictor(model, try mixture, trainedOn: dataset.train) }
    }
  }

  // At λ = 1/2 the loss is below the mean of the two, for −log is convex; the fitted λ is better
  // still.
  @Test(
    "On the words that chose its weight a mixture beats the network, and the mean of both losses")
  func gain() throws {
    let run = try Run()
    let mixed = try run.predictor.loss(over: run.dataset.validation)
    let mixture = try run.mixture
    let counted = try #require(
      Baseline(run.dataset).entries.first {
        $0.order == mixture.order && $0.discounting == mixture.discounting
      })
    let network = run.model.loss(over: run.dataset.validation.distinct())
    #expect(mixed < network)
    #expect(mixed < (network + counted.losses.validation) / 2)
  }

  @Test(
    "No other weight of a mixture is better, but for the prior's pull towards one half",
    arguments: [(400, 200), (400, 1), (8000, 1)])
  func weight(words: Int, steps: Int) throws {
    let run = try Run(words: words, steps: steps)
    let found = try run.mixture
    func loss(_ weight: Double) -> Double {
      let mixture = Mixture(weight: weight, order: found.order, discounting: found.discounting)
      return Predictor(run.model, mixture, trainedOn: run.dataset.train)
        .loss(over: run.dataset.validation)
    }
    // −Σ log p − prior · (log λ + log(1 − λ)), which the fitted weight makes smallest.
    func objective(_ weight: Double) -> Double {
      Double(run.dataset.validation.count) * loss(weight)
        - 20 * (.log(weight) + .log(1 - weight))
    }
    for factor in [0.98, 0.999, 1.001, 1.02] {
      #expect(objective(found.weight) <= objective(found.weight * factor))
    }
  }

  @Test("No other order or discount of a mixture is better on the words that choose it")
  func choice() throws {
    let run = try Run()
    let found = try run.mixture
    let best = try run.predictor.loss(over: run.dataset.validation)
    for order in Mixture.orders {
      for discounting in Discounting.allCases {
        let other = Mixture(weight: found.weight, order: order, discounting: discounting)
        let loss = Predictor(run.model, other, trainedOn: run.dataset.train)
          .loss(over: run.dataset.validation)
        // The other's own weight would gain a little.
        #expect(best <= loss + 1e-3, "\(order), \(discounting)")
      }
    }
  }

  @Test("With six words a mixture's weight stays near one half")
  func prior() throws {
    let run = try Run(words: 10)
    #expect(try abs(run.mixture.weight - 0.5) < 0.2)
  }

  @Test("The distribution after a text is λ of the network's and the rest of the n-gram's")
  func distribution() throws {
    let run = try Run()
    let (predictor, mixture) = try (run.predictor, run.mixture)
    let ngram = NGramModel(
      of: run.dataset.train, order: mixture.order, discounting: mixture.discounting)
    for text in ["", "k", "kari", "karimote", "vivivivivi"] {
      let ids = try run.dataset.vocabulary.encode(text)
      let network = WordScorer(run.model).distribution(after: ids)
      let counted = ngram.distribution(after: ids)
      let mixed = WordScorer(predictor).distribution(after: ids)
      for id in mixed.indices {
        let expected = mixture.weight * network[id] + (1 - mixture.weight) * counted[id]
        #expect(abs(mixed[id] - expected) <= 1e-12)
      }
      #expect(abs(mixed.reduce(0, +) - 1) <= 1e-12)
    }
  }

  @Test(
    "A mixture's loss is the mean of its words' log-probabilities, negated", arguments: [1, 3, 8])
  func loss(block: Int) throws {
    let run = try Run(words: 100, steps: 20, block: block)
    let (predictor, windows) = (try run.predictor, run.dataset.test)
    let scorer = WordScorer(predictor)
    let words = windows.targets.split(separator: Vocabulary.terminator).map(Array.init)
    let total = words.reduce(0.0) { $0 - scorer.logProbabilities(of: $1).reduce(0, +) }
    #expect(abs(total / Double(windows.count) - predictor.loss(over: windows)) <= 1e-6)
  }

  @Test("Temperature, top-k and top-p act on the mixed distribution")
  func options() throws {
    let predictor = try Run().predictor
    let plain = WordScorer(predictor).distribution(after: [1, 2])
    let powers = plain.map { Double.exp(.log($0) / 0.5) }
    let cold = try WordScorer(predictor, ChainOptions(temperature: 0.5)).distribution(after: [1, 2])
    for id in plain.indices {
      #expect(abs(cold[id] - powers[id] / powers.reduce(0, +)) <= 1e-12)
    }
    let top = try WordScorer(predictor, ChainOptions(topK: 2)).distribution(after: [1, 2])
    #expect(top.count { $0 > 0 } == 2)
    #expect(
      plain.sorted().suffix(2) == plain.indices.filter { top[$0] > 0 }.map { plain[$0] }.sorted())
  }

  @Test(
    "The chain forgets characters that were not counted, and no distribution changes by that",
    arguments: [1, 2, 3])
  func merging(block: Int) throws {
    let run = try Run(block: block)
    let predictor = try run.predictor
    #expect(predictor.contextLength > block)
    var graph = try #require(
      ContextGraph(NextCharacterNetwork(predictor), ChainOptions(), limit: 1 << 16))
    let scorer = WordScorer(predictor)
    var request = Sampler.Request(seed: 9)
    request.constraints.maxLength = 12
    var sampler = try Sampler(run.model, request)
    for _ in 0..<50 {
      var word = DrawnWord()
      try sampler.next(into: &word)
      let start = graph.number(after: [])
      var context = try #require(start)
      for length in 0...word.ids.count {
        graph.evaluate()
        let expected = scorer.distribution(after: Array(word.ids[..<length]))
        for id in expected.indices {
          #expect(abs(graph.step(context, id).probability - expected[id]) <= 1e-12)
        }
        guard length < word.ids.count else { break }
        let next = graph.successor(of: context, Int(word.ids[length]))
        context = try #require(next)
      }
    }
  }

  @Test("Words with a condition are drawn exactly, from the mixture")
  func conditioned() throws {
    let run = try Run()
    let predictor = try run.predictor
    var request = Sampler.Request(seed: 1)
    request.constraints.suffix = "mo"
    request.constraints.maxLength = 6
    var sampler = try Sampler(predictor, request)
    #expect(sampler.method == .exact)
    let scorer = WordScorer(predictor)
    for _ in 0..<200 {
      var word = DrawnWord()
      try sampler.next(into: &word)
      #expect(run.dataset.vocabulary.decode(word.ids).hasSuffix("mo"))
      let expected = scorer.logProbabilities(of: word.ids).reduce(0, +)
      #expect(abs(word.logProbability - expected) <= 1e-9)
    }
  }

  @Test(
    "A file has all that its mixture needs, whether or not it stores the list",
    arguments: [StoredWords.byteLimit, 10])
  func file(limit: Int) throws {
    let run = try Run()
    let words = StoredWords(run.dataset.words, limit: limit)
    var checkpoint = Checkpoint(run.trainer, words: words)
    checkpoint.mixture = StoredMixture(run.trainer, run.model, words)
    let read = try Checkpoint(file: checkpoint.encoded())
    #expect(read == checkpoint)
    let (before, after) = try (run.predictor, read.predictor())
    #expect(
      WordScorer(after).distribution(after: [1, 2, 3])
        == WordScorer(before).distribution(after: [1, 2, 3]))
  }
}

@Suite("Averaged parameters")
struct AveragingTests {
  @Test(
    "The average predicts, and a resumed run has the bits of an uninterrupted one"
  )
  func resuming() throws {
    var recipe = Recipe()
    (recipe.hidden, recipe.steps, recipe.averaging, recipe.optimizer) = (16, 40, 0.9, .adamw)
    let words = try WordList(utf8: Array("anna\nbela\ncleo\ndina\nemil\nfritz\ngeno\nhanna\n".utf8))
    let dataset = try Dataset(words, recipe)
    let whole = try Trainer(recipe, dataset)
    try whole.advance(to: 40)
    #expect(whole.model().parameters == whole.state.optimization.average)
    let average = try #require(whole.state.optimization.average)
    #expect(
      whole.model().statistics == Calibration(dataset.measured.train).statistics(average))
    #expect(whole.model().parameters != whole.parameters)

    let first = try Trainer(recipe, dataset)
    try first.advance(to: 17)
    let file = try Checkpoint(first, words: StoredWords(words)).encoded()
    let second = try Trainer(resuming: Checkpoint(file: file), dataset)
    try second.advance(to: 40)
    #expect(second.state == whole.state)
  }
}
