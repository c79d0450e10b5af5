// The notebook's minibatches: windows of the training split, drawn with replacement.

/// An endless stream of random minibatches.
public struct MinibatchStream: Sendable {
  private let windows: ContextWindows
  private var generator: TorchGenerator
  private var indices: [Int32]
  private var minibatch: Minibatch
  private var spare: Minibatch

  /// Makes a stream over windows, of which there is at least one.
  public init(_ windows: ContextWindows, batchSize: Int, generator: TorchGenerator) {
    precondition(windows.count > 0, "MinibatchStream: there are no windows")
    self.windows = windows
    self.generator = generator
    indices = Array(repeating: 0, count: batchSize)
    minibatch = Minibatch(blockSize: windows.blockSize, count: batchSize)
    spare = minibatch
  }

  /// The next minibatch: `torch.randint(0, windows, (batchSize,))` and the windows with these numbers.
  ///
  /// Nothing is allocated as long as nobody holds more than the last minibatch.
  public mutating func next() -> Minibatch {
    swap(&minibatch, &spare)
    draw(windows.count, &generator, &indices)
    gather(windows.contexts, windows.blockSize, indices, &minibatch.contexts)
    gather(windows.targets, 1, indices, &minibatch.targets)
    return minibatch
  }
}

// One function for one array: each takes its span alone.

private func draw(_ bound: Int, _ generator: inout TorchGenerator, _ indices: inout [Int32]) {
  var span = indices.mutableSpan
  generator.randint(below: bound, into: &span)
}

/// Copies the rows with the given numbers.
private func gather(_ source: [Int32], _ width: Int, _ indices: [Int32], _ target: inout [Int32]) {
  let source = source.span
  var target = target.mutableSpan
  for row in 0..<indices.count {
    let first = Int(indices[row]) * width
    for column in 0..<width { target[row * width + column] = source[first + column] }
  }
}
