// `train --find-learning-rate`: the range test alone. A copy is trained; no run directory is made.

import CharMLP
import CommandSupport

extension Train {
  /// Shows the loss at growing learning rates, and the rate to begin with.
  func showLearningRates() throws {
    let source = WordListSource(data)
    let (recipe, dataset) = (recipe, try RunData(reading: source, recipe).dataset)
    try recipe.checkMemory(vocabulary: dataset.vocabulary.count, backward: trainerBackward)
    let search = LearningRateSearch(
      recipe, dataset, backward: trainerBackward, threads: availableThreads)
    try StandardOutput.shared.write(
      json ? search.json(of: source.name).encoded() + "\n" : search.text)
  }
}

extension LearningRateSearch {
  fileprivate func json(of name: String) -> JSONValue {
    [
      "data": .string(name),
      "points": .array(
        points.map { ["learning_rate": .number($0.learningRate), "loss": .number($0.loss)] }),
      "lowest": lowest.map { .number($0.learningRate) } ?? .null,
      "suggestion": suggestion.map { .number($0) } ?? .null,
    ]
  }

  /// About so many lines are shown.
  private static let lines = 25

  fileprivate var text: String {
    var table = Table(["learning rate", "loss", ""], leftAligned: [2])
    let losses = points.map(\.loss)
    let (smallest, largest) = (losses.min() ?? 0, losses.max() ?? 0)
    let interval = max(1, points.count / Self.lines)
    for index in stride(from: interval - 1, to: points.count, by: interval) {
      let share = (points[index].loss - smallest) / max(largest - smallest, 1e-9)
      table.add([
        Format.scientific(Double(points[index].learningRate)),
        Format.fixed(points[index].loss, decimals: 4),
        String(repeating: "▪", count: Int(share * 40) + 1),
      ])
    }
    guard let lowest, let suggestion else { return table.text }
    return table.text + """
      lowest at \(Format.scientific(Double(lowest.learningRate))); a tenth of it is a rate to begin with:  \
      --learning-rate \(Format.scientific(Double(suggestion)))

      """
  }
}
