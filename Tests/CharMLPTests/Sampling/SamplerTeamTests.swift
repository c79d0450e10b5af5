// Words that several threads draw, beside those of one.

import Testing

@testable import CharMLP

/// What a team is asked for, and by which method it has to find it.
private struct Asked: Sendable, CustomTestStringConvertible {
  let method: Sampler.Method
  let count: Int
  let stateLimit: Int
  let change: @Sendable (inout Sampler.Request) -> Void

  var testDescription: String { method.rawValue }

  /// Enough words for several rounds of blocks.
  static let all = [
    Asked(method: .free, count: 60_001, stateLimit: .max) { _ in },
    Asked(method: .exact, count: 60_001, stateLimit: .max) { $0.constraints.suffix = "a" },
    Asked(method: .rejection, count: 1000, stateLimit: 0) { $0.constraints.suffix = "a" },
    Asked(method: .rejection, count: 1000, stateLimit: 0) {
      $0.constraints.suffix = "ia"
      $0.constraints.maxLength = 5
      $0.isUnique = true
    },
  ]

  func plan(_ model: Model) throws -> Sampler.Plan {
    var request = Sampler.Request(seed: 11)
    change(&request)
    return try Sampler.Plan(Predictor(model), request, stateLimit: stateLimit)
  }
}

/// Why a reader wants no more.
private struct Enough: Error {}

@Suite("Drawing by several threads")
struct SamplerTeamTests {
  private func text(
    _ plan: Sampler.Plan, _ count: Int, threads: Int
  ) -> (text: [UInt8], words: Int, failure: SamplingError?) {
    let vocabulary = plan.predictor.model.vocabulary
    var (text, words): ([UInt8], Int) = ([], 0)
    let failure = SamplerTeam(plan, threads: threads, wordsPerThread: 1).spell(
      count,
      { word, number, text in
        text += "\(number) ".utf8
        vocabulary.append(word.ids, to: &text)
        text += " \(word.logProbability)\n".utf8
      },
      take: { piece in
        text += piece.text
        words += piece.words
      })
    return (text, words, failure)
  }

  @Test(
    "Several threads draw the words of one thread, in order, to the last bit", arguments: Asked.all)
  fileprivate func threads(asked: Asked) throws {
    let plan = try asked.plan(try TrainedModelTests.model.get())
    #expect(plan.method == asked.method)
    let one = text(plan, asked.count, threads: 1)
    #expect(one.words == asked.count)
    #expect(one.failure == nil)
    for threads in 2...4 {
      let several = text(plan, asked.count, threads: threads)
      #expect(several.text == one.text)
      #expect(several.words == asked.count)
    }
  }

  @Test("Words drawn by several threads are those of one sampler", arguments: Asked.all)
  fileprivate func sampler(asked: Asked) throws {
    let plan = try asked.plan(try TrainedModelTests.model.get())
    var sampler = Sampler(plan)
    let words = try (0..<300).map { _ in try sampler.next() }
    let lines = String(decoding: text(plan, 300, threads: 3).text, as: UTF8.self)
      .split(separator: "\n").map { $0.split(separator: " ")[1] }
    #expect(lines.map(String.init) == words)
  }

  @Test("Several threads end at the first word that cannot be found, and give those before it")
  func failure() throws {
    // One word in five ends so: a hundred characters are too few for one in some dozens.
    var request = Sampler.Request(seed: 4)
    request.constraints.suffix = "a"
    request.budget = 100
    let predictor = Predictor(try TrainedModelTests.model.get())
    let plan = try Sampler.Plan(predictor, request, stateLimit: 0)
    let one = text(plan, 100_000, threads: 1)
    #expect(one.failure == .budgetSpent(characters: 100))
    #expect(one.words > 0)
    for threads in 2...3 {
      let several = text(plan, 100_000, threads: threads)
      #expect(several.failure == one.failure)
      #expect(several.text == one.text)
    }
  }

  @Test(
    "Several threads end when their reader wants no more words, and only then", arguments: 1...3)
  func reader(threads: Int) throws {
    let plan = try Asked.all[0].plan(try tinyModel())
    var words = 0
    #expect(throws: Enough.self) {
      _ = try SamplerTeam(plan, threads: threads).spell(
        1_000_000_000, { _, _, _ in },
        take: { piece throws(Enough) in
          words += piece.words
          if words > 50_000 { throw Enough() }
        })
    }
    #expect((50_001..<200_000).contains(words))
  }

  @Test("Several threads asked for no words draw none", arguments: 1...3)
  func nothing(threads: Int) throws {
    let found = text(try Asked.all[0].plan(try tinyModel()), 0, threads: threads)
    #expect(found.words == 0 && found.text.isEmpty && found.failure == nil)
  }

  @Test(
    "Each word number belongs to one member of a team, and blocks alternate", arguments: 1...4,
    [1, 3])
  func numbers(members: Int, block: Int) {
    let all = (0..<members).map { WordNumbers(member: $0, of: members, block: block) }
    let dealt = all.flatMap { numbers in (0..<UInt64(6 * block)).map { numbers[$0] } }
    #expect(dealt.sorted() == (0..<UInt64(6 * block * members)).map(\.self))
    #expect(all[members - 1][0] == UInt64((members - 1) * block))
    #expect((0..<UInt64(6 * block)).count { all[0].endsBlock($0) } == 6)
  }
}
