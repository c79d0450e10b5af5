// The lengths of a list's words, as a histogram of text.

import CharMLP
import CommandSupport

extension LengthDistribution {
  /// From the shortest to the longest: 2 to 15 characters.
  var range: String {
    let range = shortest == longest ? "\(shortest)" : "\(shortest) to \(Format.count(longest))"
    return range + (longest == 1 ? " character" : " characters")
  }

  /// A line for each length that occurs, or for each stretch of lengths if they are many.
  var text: String {
    var table = Table(["length", "words", ""], leftAligned: [2])
    for bin in bins where bin.words > 0 {
      let last = bin.lengths.upperBound - 1
      let name = bin.lengths.count == 1 ? "\(last)" : "\(bin.lengths.lowerBound)–\(last)"
      table.add([name, Format.count(bin.words), String(repeating: "▪", count: bin.bar)])
    }
    return """
      lengths: \(range), median \(median), mean \(Format.fixed(mean, decimals: 1))
      \(table.text)
      """
  }

  /// Lengths that share a line.
  private struct Bin {
    let lengths: Range<Int>
    let words: Int
    let bar: Int
  }

  private static let lines = 25
  private static let longestBar = 40

  private var bins: [Bin] {
    let width = (longest - shortest) / Self.lines + 1
    let stretches = stride(from: shortest, through: longest, by: width).map { start in
      start..<min(start + width, longest + 1)
    }
    let words = stretches.map { counts[$0].reduce(0, +) }
    let most = words.max() ?? 1
    return zip(stretches, words).map { lengths, words in
      // Rounded up: whatever is there is seen.
      Bin(lengths: lengths, words: words, bar: (words * Self.longestBar + most - 1) / most)
    }
  }
}
