// Enough to run it again: the command line, the recipe, the machine, the versions.

import CharMLP
import CommandSupport

extension ReportPage {
  var reproduction: Markup {
    command + .element("h3", "Recipe") + recipe + .element("h3", "Run") + circumstances
  }

  private var command: Markup {
    guard let line = run.commandLine else {
      return .note("run.json does not tell the command line; the recipe below is the model file's.")
    }
    return .element("pre", [:], [.element("code", line)])
  }

  private var recipe: Markup {
    .facts(
      run.checkpoint.recipe.settings.map {
        ($0.key.split(separator: "_").joined(separator: " "), Markup($0.value))
      })
  }

  private var circumstances: Markup {
    var pairs: [(name: String, value: Markup)] = [
      ("model file", .element("bdi", run.modelPath)),
      ("parameters", Markup(Format.count(run.checkpoint.model.parameters.count))),
      ("step of the model", Markup(Format.count(run.checkpoint.training.step))),
      ("words", Markup("\(Format.count(run.checkpoint.words.byteCount)) bytes")),
    ]
    pairs += run.description.all.map { key, value in
      let name = key.split { $0 == "_" || $0 == "." }.joined(separator: " ")
      return (name, .element("bdi", shown(key, value)))
    }
    return .facts(pairs)
  }

  /// Times and rates with few digits, all else as it is.
  private func shown(_ key: String, _ value: String) -> String {
    guard let number = Double(value) else { return value }
    switch key {
    case "seconds": return Format.duration(seconds: number)
    case "steps_per_second": return Format.rate(number, "steps")
    default: return value
    }
  }
}
