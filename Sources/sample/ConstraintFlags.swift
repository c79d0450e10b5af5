// What words are asked for: the flags of `sample words` that say which words.

import ArgumentParser
import CharMLP
import CommandSupport

/// Constraints on whole words, and words that are not wanted.
struct ConstraintFlags: ParsableArguments {
  @Option(help: "Fewest characters; 0 lets the empty word in.", in: 0...1000) var minLength = 1
  @Option(help: "Most characters. (default: any)", transform: wholeNumber(in: 0...1000))
  var maxLength: Int?
  @Option(help: "What every word begins with.") var prefix = ""
  @Option(help: "What every word ends with.") var suffix = ""
  @Option(help: "What every word contains; may be repeated.") var contains: [String] = []
  @Option(help: "Characters that no word has.") var avoid = ""
  @Flag(help: "Only words that are not in the training list, which the model's file carries.")
  var novel = false
  @Option(help: "A file of words that are not wanted, one a line; may be repeated.")
  var exclude: [String] = []

  var constraints: WordConstraints {
    var constraints = WordConstraints()
    constraints.minLength = minLength
    constraints.maxLength = maxLength
    constraints.prefix = prefix
    constraints.suffix = suffix
    constraints.contains = contains
    constraints.avoid = avoid
    return constraints
  }

  /// The words that are not wanted.
  func forbidden(_ checkpoint: Checkpoint, _ path: String) throws -> ForbiddenWords {
    let vocabulary = checkpoint.model.vocabulary
    var forbidden = ForbiddenWords()
    if novel {
      forbidden.add(
        try checkpoint.trainingWords(
          path, instead: "Name the list with --exclude FILE instead of --novel."), vocabulary)
    }
    for name in exclude { forbidden.add(try WordListSource(name).read(), vocabulary) }
    return forbidden
  }
}
