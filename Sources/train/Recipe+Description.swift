// A recipe in words, and as the flags that ask for it.

import CharMLP
import CommandSupport

extension Recipe {
  /// How a run is trained: 200,000 steps of 32, learning rate 0.1, then 0.01.
  var trainingText: String {
    var parts = ["\(Format.count(steps)) steps of \(batchSize)"]
    if optimizer != .sgd { parts.append(optimizer.rawValue) }
    parts.append("learning rate \(scheduleText)")
    if weightDecay > 0 { parts.append("weight decay \(weightDecay)") }
    if dropout > 0 { parts.append("dropout \(dropout)") }
    return parts.joined(separator: ", ")
  }

  private var scheduleText: String {
    let fall =
      switch schedule {
      case .constant: ""
      case .step: ", then \(learningRate / 10)"
      case .cosine: ", falling as a cosine"
      }
    return "\(learningRate)\(fall)"
      + (warmup > 0 ? " after \(Format.count(warmup)) steps of warm-up" : "")
  }

  /// All settings that are not off, as flags.
  var flags: String {
    settings.filter { Double($0.value) != 0 }.compactMap { key, value in
      let flag = "--" + key.split(separator: "_").joined(separator: "-")
      if value == "true" { return flag }
      return value == "false" ? nil : "\(flag) \(value)"
    }.joined(separator: " ")
  }
}
