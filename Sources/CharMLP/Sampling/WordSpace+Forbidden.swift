// R at the nodes of forbidden words: for all of them at first, then along the path of each new one.

extension WordSpace {
  /// Forbids one more word, which begins with the prefix.
  mutating func forbid(_ word: [Int32]) {
    let first = forbidden.nodeCount
    var node = forbidden.add(word[language.prefix.count...])
    for new in first..<forbidden.nodeCount { place(new) }
    var weights = [Double](repeating: 0, count: vocabularyCount)
    while node >= 0 {
      masses[node] = weigh(positions[node], into: &weights)
      node = Int(forbidden.parents[node])
    }
  }

  /// Finds R at every node: a node after all that is below it.
  mutating func measureForbidden() {
    positions.reserveCapacity(forbidden.nodeCount)
    masses.reserveCapacity(forbidden.nodeCount)
    for node in 0..<forbidden.nodeCount { place(node) }
    var weights = [Double](repeating: 0, count: vocabularyCount)
    for node in (0..<forbidden.nodeCount).reversed() {
      masses[node] = weigh(positions[node], into: &weights)
    }
  }

  /// Finds the position of a node, whose parent's is known.
  private mutating func place(_ node: Int) {
    let parent = Int(forbidden.parents[node])
    positions.append(parent < 0 ? start : advance(positions[parent], forbidden.id(of: node)))
    masses.append(0)
  }
}
