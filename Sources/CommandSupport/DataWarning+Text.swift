// What to tell the owner of a list, and what they can do.

public import CharMLP

extension DataWarning {
  /// What programs call it.
  public var kind: String {
    switch self {
    case .tiny: "tiny"
    case .duplicated: "duplicated"
    case .mixedCase: "mixed_case"
    case .unequalLengths: "unequal_lengths"
    }
  }

  /// The property in a sentence, then advice.
  public var text: String {
    switch self {
    case .tiny(let words, let validationWords):
      """
      tiny: \(Format.counted(words, "word")), \(validationWords) of them for validation, so that \
      losses depend on chance; add words, or take a smaller network (--hidden 20) and fewer --steps
      """
    case .duplicated(let duplicates, let validationWordsInTraining, let validationWords):
      """
      duplicated: \(Format.counted(duplicates, "duplicate")), and \
      \(Format.count(validationWordsInTraining)) of \(Format.count(validationWords)) validation \
      words also train, so that losses look better than on new words; --deduplicate removes them
      """
    case .mixedCase(let letters):
      """
      mixed case: \(letters == 1 ? "one letter counts" : "\(letters) letters count") as two symbols, \
      capital and small; unless capitals shall be learned, make the list lower case
      """
    case .unequalLengths(let median, let longest):
      """
      very unequal lengths: half of the words have at most \(median) characters, the longest has \
      \(Format.count(longest)), and every character weighs the same; remove lines that are no words
      """
    }
  }
}
