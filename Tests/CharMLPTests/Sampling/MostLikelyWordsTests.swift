// The most likely words: against exhaustive search, and within a bound on the memory.

import RealModule
import Testing

@testable import CharMLP

@Suite("The most likely words")
struct MostLikelyWordsTests {
  @Test(
    "The most likely words are those of exhaustive search, in order", arguments: askedFor,
    [Int.max, 0])
  func exhaustive(asked: AskedFor, stateLimit: Int) throws {
    let model = try tinyModel(ending: 3)
    var request = Sampler.Request(seed: 0)
    (request.constraints, request.chain) = (asked.constraints, asked.options)
    for word in asked.forbidden { request.forbidden.add(word, model.vocabulary) }
    // Words of more than twelve letters are rarer than the first ten of any of these.
    let allowed = allWords(model, asked.options, upTo: 12).filter {
      asked.constraints.allow($0.word) && !asked.forbidden.contains($0.word) && $0.probability > 0
    }
    let expected = allowed.map { Double.log($0.probability) }.sorted(by: >).prefix(10)
    let logs = Dictionary(
      uniqueKeysWithValues: allowed.map { ($0.word, Double.log($0.probability)) })
    var search = try MostLikelyWords(Predictor(model), request, stateLimit: stateLimit)
    var word = DrawnWord()
    var found: Set<String> = []
    for log in expected {
      try search.next(into: &word)
      let text = model.vocabulary.decode(word.ids)
      found.insert(text)
      // Words of the same pairs in another order are equally probable but for rounding, so that
      // their order is open; 1e-12 is far above the rounding of fourteen logarithms.
      #expect(abs(word.logProbability - log) < 1e-12)
      #expect(abs((logs[text] ?? 0) - log) < 1e-12)
    }
    #expect(found.count == expected.count)
    if expected.count < 10, asked.constraints.maxLength != nil {
      #expect(throws: SamplingError.exhausted) { try search.next(into: &word) }
    }
  }
}

@Suite("The memory of the search for the most likely words")
struct MostLikelyMemoryTests {
  private static let request = {
    var request = Sampler.Request(seed: 0)
    request.constraints = WordConstraints(max: 9)
    return request
  }()

  /// The words that a search gives, at most `count`, and why there are no more.
  private func words(
    _ search: MostLikelyWords, _ count: Int
  ) -> (words: [DrawnWord], failure: SamplingError?, nodes: Int) {
    var (search, words, nodes) = (search, [DrawnWord](), 0)
    do throws(SamplingError) {
      while words.count < count {
        var word = DrawnWord()
        while try !search.proceed(into: &word) { nodes = max(nodes, search.nodes.count) }
        words.append(word)
      }
      return (words, nil, nodes)
    } catch {
      return (words, error, nodes)
    }
  }

  @Test(
    "A search for few words finds the first of those for many, in order, with less memory",
    arguments: [1, 2, 10, 100, 1000], [Int.max, 0])
  func few(count: Int, stateLimit: Int) throws {
    let model = try tinyModel(ending: 3)
    let all = words(
      try MostLikelyWords(Predictor(model), Self.request, stateLimit: stateLimit), count)
    let few = words(
      try MostLikelyWords(Predictor(model), Self.request, count: count, stateLimit: stateLimit),
      count)
    #expect(few.words.count == count && few.words == all.words)
    // Where hardly more words are possible, nothing can be left out.
    #expect(count <= 100 ? few.nodes < all.nodes : few.nodes <= all.nodes)
  }

  @Test(
    "Within a bound, what is found is found in order; then the search says that it is too large",
    arguments: [20, 40, 100, 1000, 10_000], [Int.max, 0])
  func bounded(nodeLimit: Int, stateLimit: Int) throws {
    let model = try tinyModel(ending: 3)
    let all = words(
      try MostLikelyWords(Predictor(model), Self.request, stateLimit: stateLimit), 3000)
    for count in [3000, Int.max] {
      let found = words(
        try MostLikelyWords(
          Predictor(model), Self.request, count: count, stateLimit: stateLimit, nodeLimit: nodeLimit
        ), 3000)
      #expect(found.words == Array(all.words.prefix(found.words.count)))
      #expect(found.words.count > nodeLimit / 40)
      #expect(found.nodes <= nodeLimit)
      if found.words.count < all.words.count {
        #expect(found.failure == .searchTooLarge(bytes: MostLikelyWords.byteLimit))
      }
    }
  }

  @Test("With less memory the same words are found, and then the search says how much there was")
  func littleMemory() throws {
    let model = try tinyModel(ending: 3)
    let all = words(try MostLikelyWords(Predictor(model), Self.request), 3000)
    let found = words(
      try MostLikelyWords(Predictor(model), Self.request, memoryLimit: 1 << 14), 3000)
    #expect(found.failure == .searchTooLarge(bytes: 1 << 14))
    #expect(found.words.count < all.words.count)
    #expect(found.words == Array(all.words.prefix(found.words.count)))
    let none = words(try MostLikelyWords(Predictor(model), Self.request, memoryLimit: 0), 3000)
    #expect(none.words.isEmpty && none.failure == .searchTooLarge(bytes: 0))
  }

  @Test("A search that finds no word within its budget says so")
  func budget() throws {
    var request = Self.request
    request.budget = 2
    request.constraints = WordConstraints(suffix: "abababab")
    let found = words(
      try MostLikelyWords(Predictor(try tinyModel()), request, stateLimit: 0), 10)
    #expect(found.failure == .searchTooLong(beginnings: 2))
  }
}
