// How long the words of a list are.

/// Numbers of words by length in characters.
public struct LengthDistribution: Equatable, Sendable {
  /// How many words have each length, from 0 on: (longest + 1).
  public let counts: [Int]

  public var shortest: Int { counts.firstIndex { $0 > 0 } ?? 0 }
  public var longest: Int { counts.count - 1 }

  /// The length that at least half of the words do not exceed.
  public var median: Int {
    var rest = (counts.reduce(0, +) + 1) / 2
    return counts.firstIndex { count in
      rest -= count
      return rest <= 0
    } ?? 0
  }

  public var mean: Double {
    let characters = counts.indices.reduce(0) { $0 + $1 * counts[$1] }
    return Double(characters) / Double(counts.reduce(0, +))
  }

  init(of dataset: Dataset) {
    var counts: [Int] = []
    for windows in [dataset.train, dataset.validation, dataset.test] {
      var length = 0
      for id in windows.targets {
        if id != Vocabulary.terminator {
          length += 1
          continue
        }
        while counts.count <= length { counts.append(0) }
        counts[length] += 1
        length = 0
      }
    }
    self.counts = counts
  }
}
