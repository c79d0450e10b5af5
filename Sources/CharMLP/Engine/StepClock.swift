// Where the time of a step goes: for whoever measures an engine, not for whoever trains.
//
// An engine without a clock pays a comparison for each mark. A clock belongs to one thread.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A part of a step, named after what it computes.
package enum StepPart: String, CaseIterable, Sendable {
  case hprebn = "embcat @ W1"
  case logits = "h @ W2"
  case dh = "dlogits @ W2.T"
  case dW2 = "h.T @ dlogits"
  case dembcat = "dhprebn @ W1.T"
  case dW1 = "embcat.T @ dhprebn"
  case normalization = "batch norm + tanh"
  case softmax = "softmax, loss, dlogits"
  case elementwiseBackward = "tanh + batch norm backward"
  case embedding = "embedding: gather, scatter"
  case update = "update"
  case waiting = "waiting"
}

/// The seconds that one thread of an engine spent in each part of its steps.
final class StepClock {
  private var nanoseconds = [Int](repeating: 0, count: StepPart.allCases.count)
  private var last = StepClock.now()

  /// Counts the time since the last mark to a part.
  func mark(_ part: StepPart) {
    let now = Self.now()
    nanoseconds[part.index] += now - last
    last = now
  }

  /// The seconds of a part.
  subscript(part: StepPart) -> Double { Double(nanoseconds[part.index]) / 1e9 }

  private static func now() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}

extension StepPart {
  fileprivate var index: Int {
    switch self {
    case .hprebn: 0
    case .logits: 1
    case .dh: 2
    case .dW2: 3
    case .dembcat: 4
    case .dW1: 5
    case .normalization: 6
    case .softmax: 7
    case .elementwiseBackward: 8
    case .embedding: 9
    case .update: 10
    case .waiting: 11
    }
  }
}
