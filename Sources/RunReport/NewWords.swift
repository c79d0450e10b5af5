// Words that the network makes, and how new they are.

import CharMLP

/// Twenty words beside the training words nearest to them, and the novelty of many more.
struct NewWords: Sendable {
  /// A word, and the nearest training word if the list is known.
  struct Row: Sendable {
    let word: String
    let nearest: NearestWords.Match?
  }

  let rows: [Row]
  /// Of how many words novelty was counted.
  let drawn: Int
  /// How many of them do not stand in the training list; nil if the list is not known.
  let unknown: Int?

  private static let shown = 20
  private static let counted = 1000

  init(_ model: Model, _ dataset: Dataset?, seed: UInt64) {
    let words = Self.draw(model, seed: seed)
    let list = dataset.map { NearestWords($0.words, selecting: $0.split.train) }
    drawn = words.count
    unknown = list.map { list in words.count { !list.contains($0) } }
    rows = words.prefix(Self.shown).map { Row(word: $0, nearest: list?.nearest(to: $0)) }
  }

  /// Fewer words if the model has none to offer.
  private static func draw(_ model: Model, seed: UInt64) -> [String] {
    guard var sampler = try? Sampler(model, seed: seed) else { return [] }
    var words: [String] = []
    while words.count < counted, let word = try? sampler.next() { words.append(word) }
    return words
  }
}
