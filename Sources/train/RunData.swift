// The words of a run: where they come from, and what is made of them.
//
// A list that is shuffled is read as a whole, and rank 0 sends it to the others. One that is split by hash
// is read a piece at a time, by all ranks together; only if a model file has the words, rank 0 sends them.

import CharMLP
import CommandSupport

/// What a run learns from, and what its files keep of it.
struct RunData {
  let dataset: Dataset
  let words: StoredWords

  init(dataset: Dataset, words: StoredWords) {
    (self.dataset, self.words) = (dataset, words)
  }

  /// Reads the list that a recipe asks for.
  ///
  /// - Throws: `CommandFailure` for a list that is not there, is none, or is too small or too large.
  init(
    reading source: WordListSource, _ recipe: Recipe, _ ranks: (any Communicator)? = nil
  ) throws(CommandFailure) {
    if recipe.split == .shuffle {
      let list = try source.read()
      try self.init(list, StoredWords(list), recipe, ranks, name: source.name)
    } else {
      let list = try source.readByHash(recipe, ranks)
      try self.init(list, recipe, name: source.name)
    }
  }

  /// Takes a list in memory, of which something is stored already.
  ///
  /// - Throws: `CommandFailure` for a list that is too small or too large; it calls the list `name`.
  init(
    _ list: WordList, _ words: StoredWords, _ recipe: Recipe, _ ranks: (any Communicator)?,
    name: String
  ) throws(CommandFailure) {
    if let ranks {
      RunAssignment(recipe, path: nil).send(ranks)
      var text = list.utf8
      ranks.broadcast(&text)
    }
    do throws(DatasetError) {
      dataset = try Dataset(
        list, recipe, communicator: ranks, memoryLimit: Host.availableMemory)
    } catch {
      throw error.commandFailure(in: name)
    }
    self.words = words
  }

  /// Takes a list that was read and split by hash.
  ///
  /// - Throws: `CommandFailure` for a list that is too small or too large; it calls the list `name`.
  init(_ list: HashSplitList, _ recipe: Recipe, name: String) throws(CommandFailure) {
    do throws(DatasetError) {
      dataset = try Dataset(
        list, blockSize: recipe.blockSize, memoryLimit: Host.availableMemory)
    } catch {
      throw error.commandFailure(in: name)
    }
    words = StoredWords(list)
  }
}

extension WordListSource {
  /// Reads the list a piece at a time, together with the other ranks.
  ///
  /// - Throws: `CommandFailure` for a list that is not there or is none.
  func readByHash(
    _ recipe: Recipe, _ ranks: (any Communicator)?
  ) throws(CommandFailure) -> HashSplitList {
    guard let path else {
      guard ranks == nil else {
        throw CommandFailure(
          .unavailable, "several ranks cannot share out standard input",
          advice: "Name a file with --data, or use --split shuffle.")
      }
      do throws(WordListError) {
        return try HashSplitList.standardInput(
          splitSeed: recipe.splitSeed, memoryLimit: Host.availableMemory / 2)
      } catch {
        throw error.commandFailure(in: "stdin")
      }
    }
    if let ranks { RunAssignment(recipe, path: path).send(ranks) }
    do throws(WordListError) {
      return try HashSplitList(
        contentsOf: path, splitSeed: recipe.splitSeed, communicator: ranks,
        memoryLimit: Host.availableMemory / 2)
    } catch {
      throw error.commandFailure(in: name)
    }
  }
}
