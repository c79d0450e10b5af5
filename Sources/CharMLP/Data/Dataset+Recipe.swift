// A data set as a recipe asks for it.

extension Dataset {
  /// Makes the data set of a recipe: duplicates are removed before the split if it says so.
  ///
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(_ words: WordList, _ recipe: Recipe) throws(DatasetError) {
    let kept = recipe.deduplicate ? words.deduplicated() : words
    try self.init(kept, splitSeed: recipe.splitSeed, blockSize: recipe.blockSize)
    duplicatesRemoved = words.count - kept.count
  }
}
