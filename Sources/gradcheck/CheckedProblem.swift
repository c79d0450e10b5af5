// What is checked: the problem of a reference file, or one of our own.
//
// Ours is the notebook's first step: its initial parameters and its first minibatch of the training
// split, from the same seed.

import CharMLP
import CommandSupport

/// A problem, and the reference that it comes from if there is one.
struct CheckedProblem {
  let problem: GradientProblem
  let reference: Reference?
  /// What the problem is called where results are shown.
  let source: String

  /// Reads the reference, or makes a problem from a word list.
  /// - Throws: `CommandFailure` for what is missing, malformed or too large.
  init(_ options: Gradcheck) throws(CommandFailure) {
    if let path = options.reference {
      let reference = try Self.reference(path)
      (problem, source) = (reference.problem, path)
      self.reference = reference
    } else {
      let list = WordListSource(options.data)
      (problem, source) = (try Self.notebookProblem(options.recipe, list), list.name)
      reference = nil
    }
  }

  func check() -> GradientCheck {
    let threads = availableCores()
    if let reference { return GradientCheck(reference, threads: threads) }
    return GradientCheck(problem, threads: threads)
  }

  private static func reference(_ path: String) throws(CommandFailure) -> Reference {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try Reference.read(path, limit: Host.readableBytes)
    } catch {
      throw CommandFailure(.noInput, "\(error)", advice: "Name a file with --reference.")
    }
    let reference: Reference
    do throws(ReferenceError) {
      reference = try Reference(decoding: bytes)
    } catch {
      let advice = "docs/derivation.md shows how a notebook writes the file."
      throw CommandFailure(.badData, "\(path): \(error)", advice: advice)
    }
    let problem = reference.problem
    try checkMemory(problem.parameters.shape, batchSize: problem.minibatch.count)
    return reference
  }

  private static func notebookProblem(
    _ recipe: Recipe, _ source: WordListSource
  ) throws(CommandFailure) -> GradientProblem {
    let words = try source.read()
    let dataset: Dataset
    do throws(DatasetError) {
      dataset = try Dataset(words, recipe, memoryLimit: Host.availableMemory)
    } catch {
      throw error.commandFailure(in: source.name)
    }
    let shape = recipe.shape(vocabulary: dataset.vocabulary.count)
    try checkMemory(shape, batchSize: recipe.batchSize)
    var generator = TorchGenerator(seed: recipe.seed)
    let parameters = Parameters.notebook(shape, seed: recipe.seed, generator: &generator)
    var stream = MinibatchStream(
      dataset.train, batchSize: recipe.batchSize, generator: generator)
    return GradientProblem(
      parameters.converted(), stream.next(), dropout: recipe.dropoutMask(at: 0))
  }
}

extension Gradcheck {
  /// The notebook's recipe with the sizes that were asked for.
  fileprivate var recipe: Recipe {
    var recipe = Recipe()
    recipe.batchSize = batchSize ?? recipe.batchSize
    recipe.hidden = hidden ?? recipe.hidden
    recipe.embedding = embedding ?? recipe.embedding
    recipe.blockSize = blockSize ?? recipe.blockSize
    recipe.dropout = dropout ?? recipe.dropout
    recipe.seed = seed ?? recipe.seed
    return recipe
  }
}
