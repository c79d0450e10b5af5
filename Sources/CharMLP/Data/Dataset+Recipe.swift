// A data set as a recipe asks for it.

extension Dataset {
  /// Makes the data set of a recipe: split as it says, duplicates removed before if it says so.
  ///
  /// - Parameters:
  ///   - communicator: The ranks that share out the training text if it is split by hash; nil for this
  ///     process alone.
  ///   - memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, _ recipe: Recipe, communicator: (any Communicator)? = nil,
    memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    if recipe.split == .hash {
      let list = HashSplitList(
        words, splitSeed: recipe.splitSeed, communicator: communicator)
      try self.init(list, blockSize: recipe.blockSize, memoryLimit: memoryLimit)
      return
    }
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
