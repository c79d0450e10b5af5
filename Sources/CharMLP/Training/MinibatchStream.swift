// The notebook's minibatches: windows of the training split, drawn with replacement.

/// An endless stream of random minibatches, or of the same share of each.
public struct MinibatchStream: Sendable {
  private let windows: ContextWindows
  private var generator: TorchGenerator
  private let share: Range<Int>
  private var indices: [Int32]
  private var minibatch: Minibatch
  private var spare: Minibatch

  /// Makes a stream over windows, of which there is at least one.
  ///
  /// - Parameter share: The positions of a minibatch that are wanted; nil for all of them. All are
  ///   drawn, so that the shares of one minibatch fit together.
  public init(
    _ windows: ContextWindows, batchSize: Int, share: Range<Int>? = nil, generator: TorchGenerator
  ) {
    precondition(windows.count > 0, "MinibatchStream: there are no windows")
    let share = share ?? 0..<batchSize
    self.share = share
    self.windows = windows
    self.generator = generator
    indices = Array(repeating: 0, count: batchSize)
    minibatch = Minibatch(blockSize: windows.blockSize, count: share.count)
    spare = minibatch
  }

  /// The state of the generator: with it, another stream over the same windows goes on from here.
  public var generatorState: TorchGenerator.State { generator.state }

  /// The next minibatch: `torch.randint(0, windows, (batchSize,))` and the windows with these numbers.
  ///
  /// Nothing is allocated as long as nobody holds more than the last minibatch.
  public mutating func next() -> Minibatch {
    swap(&minibatch, &spare)
    draw(windows.count, &generator, &indices)
    gatherTargets(windows.targets, indices, share, &minibatch.targets)
    gatherContexts(windows.targets, windows.blockSize, indices, share, &minibatch.contexts)
    return minibatch
  }
}

// One function for one array: each takes its span alone.

private func draw(_ bound: Int, _ generator: inout TorchGenerator, _ indices: inout [Int32]) {
  var span = indices.mutableSpan
  generator.randint(below: bound, into: &span)
}

private func gatherTargets(
  _ source: [Int32], _ indices: [Int32], _ share: Range<Int>, _ targets: inout [Int32]
) {
  let (source, indices) = (source.span, indices.span.extracting(share))
  var targets = targets.mutableSpan
  for row in 0..<indices.count { targets[row] = source[Int(indices[row])] }
}

/// Reads each window's context off the targets before its own: the sequence of targets is the text, and
/// back from the end of the word before there are terminators only.
///
/// So a window costs one access to memory instead of two, and the text is a fraction of all contexts.
private func gatherContexts(
  _ text: [Int32], _ blockSize: Int, _ indices: [Int32], _ share: Range<Int>,
  _ contexts: inout [Int32]
) {
  let (text, indices) = (text.span, indices.span.extracting(share))
  var contexts = contexts.mutableSpan
  for row in 0..<indices.count {
    let window = Int(indices[row])
    var isInWord = true
    for distance in 1...blockSize {
      let id = isInWord && distance <= window ? text[window - distance] : Vocabulary.terminator
      isInWord = id != Vocabulary.terminator
      contexts[(row + 1) * blockSize - distance] = id
    }
  }
}
