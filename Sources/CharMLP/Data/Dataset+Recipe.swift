// A data set as a recipe asks for it.

extension Dataset {
  /// Makes the data set of a recipe: duplicates are removed before the split if it says so.
  ///
  /// - Parameter memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, _ recipe: Recipe, memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    let kept = recipe.deduplicate ? words.deduplicated() : words
    guard kept.count >= Self.fewestWords || kept.count == words.count else {
      throw .tooFewWords(
        kept.count, needed: Self.fewestWords, removed: words.count - kept.count)
    }
    try self.init(
      kept, splitSeed: recipe.splitSeed, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
    duplicatesRemoved = words.count - kept.count
  }
}
