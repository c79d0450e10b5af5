// What a beginning of words leads to: the same beginning with each character that may follow, or ended.

import RealModule

extension MostLikelyWords {
  mutating func expand(_ number: Int) {
    if let space { expand(number, space) } else { expandWithoutSpace(number) }
  }

  private mutating func expand(_ number: Int, _ space: WordSpace) {
    let node = nodes[number]
    var weights = [Double](repeating: 0, count: space.vocabularyCount)
    _ = space.weigh(node.position, into: &weights)
    for id in weights.indices where weights[id] > 0 {
      let next = id == 0 ? node.position : space.advance(node.position, id)
      add(
        Node(
          parent: number, id: Int32(id), position: next,
          logProbability: node.logProbability + .log(space.probability(node.position, id))),
        bound: node.logProbability + .log(weights[id]))
    }
  }

  private mutating func expandWithoutSpace(_ number: Int) {
    let node = nodes[number]
    let text = text(of: number)
    let (state, length) = (Int(node.position.state), text.count)
    for (id, probability) in scorer.distribution(after: text).enumerated() {
      var position = node.position
      if id == 0 {
        guard language.mayEnd(state, length: length), !forbidden.contains(text) else { continue }
      } else {
        position.state = Int32(language.automaton.next(state, id))
        guard language.mayGoOn(Int(position.state), length: length + 1) else { continue }
      }
      let logProbability = node.logProbability + .log(probability)
      add(
        Node(parent: number, id: Int32(id), position: position, logProbability: logProbability),
        bound: logProbability)
    }
  }
}
