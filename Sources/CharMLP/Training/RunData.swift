// How a run gets its data: from its recipe, and on several ranks from rank 0.
//
// Rank 0 sends a list that is shuffled to the others. One that is split by hash is read by all ranks,
// each its own lines, unless rank 0 has it from a model file. Either way all ranks have equal data sets
// in the end, but for their parts of the training text.

extension Dataset {
  /// Makes the data set of a recipe: duplicates removed if it says so, and split as it says.
  ///
  /// - Parameter memoryLimit: The bytes that the windows, and the distinct ones among them, may take.
  /// - Throws: `DatasetError` if a part would hold no window, or memory could not hold them all.
  public init(
    _ words: WordList, _ recipe: Recipe, memoryLimit: Int = Self.defaultMemoryLimit
  ) throws(DatasetError) {
    try self.init(words, recipe, communicator: nil, memoryLimit: memoryLimit)
  }

  /// The same, where ranks share the training text if it is split by hash; nil for this process alone.
  package init(
    _ words: WordList, _ recipe: Recipe, communicator: (any Communicator)?,
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

// MARK: Ranks

/// What rank 0 tells the other ranks first: the run to prepare for.
package struct RunAssignment: Equatable, Sendable {
  /// The recipe of the run.
  package let recipe: Recipe
  /// The list that every rank reads its share of; nil if rank 0 sends the words.
  package let path: String?

  package init(_ recipe: Recipe, path: String?) {
    (self.recipe, self.path) = (recipe, path)
  }

  /// Sends this to the other ranks; called by rank 0.
  package func send(_ communicator: any Communicator) {
    var message = Array("\(recipe.text)\n\(path ?? "")".utf8)
    communicator.broadcast(&message)
  }

  /// Receives what rank 0 sends; nil if there will be no run.
  package static func received(_ communicator: any Communicator) -> RunAssignment? {
    var message: [UInt8] = []
    communicator.broadcast(&message)
    let parts = String(decoding: message, as: UTF8.self)
      .pieces(separatedBy: UInt8(ascii: "\n"), maxSplits: 1, omittingEmpty: false)
    guard parts.count == 2 else { return nil }
    let recipe = withoutFailure { try Recipe(text: String(parts[0])) }
    return RunAssignment(recipe, path: parts[1].isEmpty ? nil : String(parts[1]))
  }

  /// Tells the other ranks that there will be no run, wherever they wait for rank 0.
  package static func cancel(_ communicator: any Communicator) {
    var nothing: [UInt8] = []
    communicator.broadcast(&nothing)
  }
}
