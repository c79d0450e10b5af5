// Sizes without measure are refused before the first allocation: a process that asks for too much is
// ended by the system, without a word and with a status that says nothing.

extension Host {
  /// Refuses what this process could not hold.
  ///
  /// - Parameters:
  ///   - need: The bytes that are needed, or nil if they cannot be counted.
  ///   - purpose: What needs them, as the subject of a sentence.
  ///   - advice: What to do about it.
  /// - Throws: `CommandFailure` (71).
  public static func require(
    _ need: Int?, for purpose: String, advice: String
  ) throws(CommandFailure) {
    let available = availableMemory
    if let need, need <= available { return }
    let size = need.map { "\(Format.count($0 >> 20)) MiB" } ?? "more memory than can be counted"
    throw CommandFailure(
      .resources,
      "\(purpose) need \(size); there are \(Format.count(available >> 20)) MiB", advice: advice)
  }
}
