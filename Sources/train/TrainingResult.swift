// What a run has to show, for people and for programs.

import CharMLP
import CommandSupport

/// The mean loss over each part of the split, in nats per character.
struct Losses {
  let train: Double
  let validation: Double
  let test: Double

  init(_ model: Model, _ dataset: Dataset) {
    train = model.loss(over: dataset.train.distinct())
    validation = model.loss(over: dataset.validation.distinct())
    test = model.loss(over: dataset.test.distinct())
  }
}

/// The end of a run.
struct TrainingResult {
  let steps: Int
  let parameters: Int
  var seconds: Double
  let stepsPerSecond: Double
  let loss: Losses
  let samples: [String]
  let model: String

  var json: JSONValue {
    [
      "steps": .integer(steps),
      "parameters": .integer(parameters),
      "seconds": .number(seconds),
      "steps_per_second": .number(stepsPerSecond),
      "loss": [
        "train": .number(loss.train), "val": .number(loss.validation), "test": .number(loss.test),
      ],
      "samples": .array(samples.map { .string($0) }),
      "model": .string(model),
    ]
  }

  var text: String {
    var text = """
      loss: train \(Format.fixed(loss.train, decimals: 4)), \
      validation \(Format.fixed(loss.validation, decimals: 4)), \
      test \(Format.fixed(loss.test, decimals: 4))
      time: \(Format.duration(seconds: seconds)), \(Format.rate(stepsPerSecond, "steps"))
      model: \(model)

      """
    if !samples.isEmpty {
      text += "samples:\n" + samples.map { "  \($0)\n" }.joined()
    }
    return text
  }
}
