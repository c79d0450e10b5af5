// From a position to the next, and what each character weighs there.

extension WordSpace {
  /// Where every word stands after the prefix.
  var start: Position {
    Position(
      context: 0, state: Int32(language.startState), length: Int32(language.prefix.count), node: 0)
  }

  /// The position after one more character.
  @inline(__always)
  func advance(_ position: Position, _ id: Int) -> Position {
    let node = Int(position.node)
    return Position(
      context: chain.successors[Int(position.context) * vocabularyCount + id],
      state: Int32(language.automaton.next(Int(position.state), id)),
      length: position.length + 1,
      node: node < 0 ? -1 : forbidden.child(of: node, Int32(id)).map(Int32.init) ?? -1)
  }

  /// R: the probability that a word from here ends as asked and is not forbidden.
  @inline(__always)
  func mass(_ position: Position) -> Double {
    position.node >= 0 ? masses[Int(position.node)] : completed(position)
  }

  /// The share of the constrained words' probability that is not forbidden; 0 if there is none at all.
  var shareLeft: Double {
    let all = completed(start)
    return all > 0 && prefixLogProbability.isFinite ? mass(start) / all : 0
  }

  /// The probability of the next character in the chain, without constraints.
  @inline(__always)
  func probability(_ position: Position, _ id: Int) -> Double {
    chain.probabilities[Int(position.context) * vocabularyCount + id]
  }

  /// h, without regard to forbidden words.
  private func completed(_ position: Position) -> Double {
    if let maxLength = language.maxLength, position.length > maxLength { return 0 }
    let layer = completion.layer(ofLength: Int(position.length))
    return completion.layers[layer][
      Int(position.state) * chain.contexts + Int(position.context)]
  }

  /// What each character weighs, 0 being the end, and the sum of all.  (vocabulary)
  @inline(__always)
  func weigh(_ position: Position, into weights: inout [Double]) -> Double {
    let row = Int(position.context) * vocabularyCount
    let (state, length, node) = (Int(position.state), Int(position.length), Int(position.node))
    let mayEnd = language.mayEnd(state, length: length) && !(node >= 0 && forbidden.isWord(node))
    weights[0] = mayEnd ? chain.probabilities[row] : 0
    var sum = weights[0]
    if let maxLength = language.maxLength, length >= maxLength {
      for id in 1..<vocabularyCount { weights[id] = 0 }
      return sum
    }
    let layer = completion.layer(ofLength: length + 1)
    for id in 1..<vocabularyCount {
      let target = language.automaton.next(state, id) * chain.contexts
      let context = Int(chain.successors[row + id])
      weights[id] = chain.probabilities[row + id] * completion.layers[layer][target + context]
    }
    if node >= 0 {
      forbidden.forEachChild(of: node) { child in
        let id = forbidden.id(of: child)
        weights[id] = chain.probabilities[row + id] * masses[child]
      }
    }
    for id in 1..<vocabularyCount { sum += weights[id] }
    return sum
  }
}
