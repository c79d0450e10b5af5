// Interpolated Kneser-Ney straight from its definition: words in arrays, counts in dictionaries, every
// sum taken anew for every question. It shares nothing with the library but the words.

import CharMLP
import Foundation

struct CountedSlowly {
  let order: Int
  let vocabularyCount: Int
  let discounting: Discounting
  /// For each length, how often each n-gram of ids counts.
  private var counts: [Int: [[Int32]: Int]] = [:]

  /// Counts encoded words, given without their terminators.
  init(_ words: [[Int32]], vocabularyCount: Int, order: Int, discounting: Discounting) {
    (self.order, self.vocabularyCount) = (order, vocabularyCount)
    self.discounting = discounting
    var top: [[Int32]: Int] = [:]
    for word in words {
      let text = [Int32](repeating: 0, count: order - 1) + word + [0]
      for start in 0...word.count { top[Array(text[start..<start + order]), default: 0] += 1 }
    }
    counts[order] = top
    for length in (1..<order).reversed() {
      var lower: [[Int32]: Int] = [:]
      for ngram in counts[length + 1]!.keys { lower[Array(ngram.dropFirst()), default: 0] += 1 }
      counts[length] = lower
    }
  }

  /// What is taken from a count of an n-gram of some length.
  func discount(of count: Int, length: Int) -> Double {
    let numbers = (1...4).map { k in Double(counts[length]!.values.count { $0 == k }) }
    guard discounting == .estimated, numbers.allSatisfy({ $0 > 0 }) else { return 0.75 }
    let ratio = numbers[0] / (numbers[0] + 2 * numbers[1])
    let estimates = (1...3).map { k in
      Double(k) - Double(k + 1) * ratio * numbers[k] / numbers[k - 1]
    }
    return estimates.allSatisfy { $0 > 0 } ? estimates[min(count, 3) - 1] : 0.75
  }

  /// The probability of the last id of an n-gram after the others.
  func probability(_ ngram: [Int32]) -> Double {
    guard !ngram.isEmpty else { return 1 / Double(vocabularyCount) }
    let shorter = probability(Array(ngram.dropFirst()))
    let following = counts[ngram.count]!.filter { $0.key.dropLast() == ngram.dropLast() }
    guard !following.isEmpty else { return shorter }
    let total = Double(following.values.reduce(0, +))
    let taken = following.values.reduce(0) { $0 + discount(of: $1, length: ngram.count) }
    let kept = following[ngram].map { Double($0) - discount(of: $0, length: ngram.count) } ?? 0
    return kept / total + taken / total * shorter
  }

  /// The logarithm of the probability of a word and its end.
  func logProbability(_ word: [Int32]) -> Double {
    let text = [Int32](repeating: 0, count: order - 1) + word + [0]
    return (0...word.count).reduce(0) { $0 + log(probability(Array(text[$1..<$1 + order]))) }
  }
}
