// How the ranks of a training come to their data: what rank 0 says before anything else.
//
// A list that is shuffled goes to everybody; one that is split by hash is read by all ranks, each its own
// lines, unless rank 0 has it from a model file. In every case all ranks end up with equal data sets, but
// for their parts of the training text.

/// What rank 0 asks the other ranks to prepare for.
public struct RunAssignment: Equatable, Sendable {
  /// What is going to be trained.
  public let recipe: Recipe
  /// The list that every rank reads its share of; nil if rank 0 sends the words.
  public let path: String?

  public init(_ recipe: Recipe, path: String?) {
    (self.recipe, self.path) = (recipe, path)
  }

  /// Tells the other ranks; called by rank 0.
  public func send(_ communicator: any Communicator) {
    var message = Array("\(recipe.text)\n\(path ?? "")".utf8)
    communicator.broadcast(&message)
  }

  /// What rank 0 asks for; nil if there will be no run.
  public static func received(_ communicator: any Communicator) -> RunAssignment? {
    var message: [UInt8] = []
    communicator.broadcast(&message)
    let parts = String(decoding: message, as: UTF8.self)
      .split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let recipe = withoutFailure { try Recipe(text: String(parts[0])) }
    return RunAssignment(recipe, path: parts[1].isEmpty ? nil : String(parts[1]))
  }

  /// Tells the other ranks that there will be no run, wherever they wait for rank 0.
  public static func cancel(_ communicator: any Communicator) {
    var nothing: [UInt8] = []
    communicator.broadcast(&nothing)
  }
}
