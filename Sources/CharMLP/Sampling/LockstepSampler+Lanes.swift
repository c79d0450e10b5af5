// Words that are drawn in lockstep: where each stands, how it begins and how it ends.

extension LockstepSampler {
  /// A word in the making.
  struct Lane {
    var isActive = false
    /// Which of the sampler's words it is.
    var index: UInt64 = 0
    var stream = Philox(seed: 0, stream: 0)
    /// The context's number, −1 if it is not kept.
    var context = 0
    var state = 0
    var ids: [Int32] = []
    var probability = LogProduct()
    var drawn = 0
    /// The steps of a context that is not kept, as in ContextGraph.
    var steps: [ContextGraph.Step] = []
  }

  /// A finished word, and what it takes to go on with its stream.
  struct Waiting {
    var isReady = false
    var hasFailed = false
    var word = DrawnWord()
    var stream = Philox(seed: 0, stream: 0)
    var drawn = 0
  }

  /// Lets a free lane take up a word that was drawn before, or the next one.
  mutating func beginWord(_ lane: inout Lane) {
    if let index = repeated.popLast() {
      let word = waiting[Int(index % UInt64(Self.window))]
      (lane.index, lane.stream, lane.drawn) = (index, word.stream, word.drawn)
    } else {
      guard begun < emitted + UInt64(Self.window) else { return }
      lane.index = begun
      lane.stream = Philox(seed: seed, stream: numbers[begun])
      lane.drawn = 0
      begun += 1
    }
    lane.isActive = true
    restart(&lane)
  }

  func restart(_ lane: inout Lane) {
    lane.ids.removeAll(keepingCapacity: true)
    lane.ids.append(contentsOf: language.prefix)
    lane.context = startContext
    lane.state = language.startState
    lane.probability = LogProduct(prefixLogProbability)
  }

  /// Ends a word if it may be one, or begins it again.
  mutating func end(_ lane: inout Lane) {
    guard language.mayEnd(lane.state, length: lane.ids.count),
      forbidden.isEmpty || !forbidden.contains(lane.ids)
    else { return restart(&lane) }
    finish(&lane, hasFailed: false)
  }

  mutating func finish(_ lane: inout Lane, hasFailed: Bool) {
    let place = Int(lane.index % UInt64(Self.window))
    waiting[place].isReady = true
    waiting[place].hasFailed = hasFailed
    // The two arrays change places, so that neither is copied.
    swap(&waiting[place].word.ids, &lane.ids)
    waiting[place].word.logProbability = lane.probability.log
    waiting[place].stream = lane.stream
    waiting[place].drawn = lane.drawn
    lane.isActive = false
  }
}
