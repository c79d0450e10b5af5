// A character more for each of the words in lockstep.

extension LockstepSampler {
  mutating func step() {
    // Taken out while they are worked on, so that each is changed in place.
    var lanes: [Lane] = []
    swap(&lanes, &self.lanes)
    for index in lanes.indices where !lanes[index].isActive { beginWord(&lanes[index]) }
    graph?.evaluate()
    evaluateUnkept(&lanes)
    for index in lanes.indices where lanes[index].isActive { advance(&lanes[index]) }
    swap(&lanes, &self.lanes)
  }

  /// Computes the distributions that there is no room to keep: one batch, for there are no more lanes.
  private mutating func evaluateUnkept(_ lanes: inout [Lane]) {
    let block = network.shape.blockSize
    contexts.removeAll(keepingCapacity: true)
    for index in lanes.indices where lanes[index].isActive && lanes[index].context < 0 {
      contexts.append(contentsOf: repeatElement(0, count: max(0, block - lanes[index].ids.count)))
      contexts.append(contentsOf: lanes[index].ids.suffix(block))
    }
    guard !contexts.isEmpty else { return }
    network.evaluate(contexts)
    var row = 0
    for index in lanes.indices where lanes[index].isActive && lanes[index].context < 0 {
      network.distribution(row, options, into: &distribution)
      lanes[index].steps = ContextGraph.steps(of: distribution)
      row += 1
    }
  }

  /// Draws a character, and goes on, ends or begins again.
  @inline(__always)
  private mutating func advance(_ lane: inout Lane) {
    let length = lane.ids.count
    // That a word has a character more than its prefix is known at its first draw.
    let isEndless = length == language.prefix.count && length < language.minLength
    let id = draw(&lane, isEndless)
    lane.drawn += 1
    if lane.drawn > budget {
      finish(&lane, hasFailed: true)
    } else if id < 0 {
      restart(&lane)
    } else if id == Vocabulary.terminator {
      end(&lane)
    } else {
      let state = language.automaton.next(lane.state, id)
      guard length < WordList.lineLimit, language.mayGoOn(state, length: length + 1) else {
        return restart(&lane)
      }
      lane.state = state
      lane.ids.append(Int32(id))
      moveOn(&lane, id)
    }
  }

  @inline(__always)
  private mutating func moveOn(_ lane: inout Lane, _ id: Int) {
    lane.context =
      (lane.context >= 0
        ? graph?.successor(of: lane.context, id)
        : graph?.number(after: lane.ids.suffix(network.shape.blockSize))) ?? -1
  }

  /// The id of the next character, or −1 if only the end could be drawn and may not.
  @inline(__always)
  private func draw(_ lane: inout Lane, _ isEndless: Bool) -> Int {
    let share = lane.stream.uniform()
    let id: Int
    let probability: Double
    if let graph, lane.context >= 0 {
      id = graph.find(share, after: lane.context, isEndless)
      probability = id < 0 ? 0 : graph.step(lane.context, id).probability
    } else {
      id = ContextGraph.find(share, in: lane.steps, isEndless)
      probability = id < 0 ? 0 : lane.steps[id == 0 ? lane.steps.count - 1 : id - 1].probability
    }
    lane.probability.multiply(probability)
    return id
  }
}
