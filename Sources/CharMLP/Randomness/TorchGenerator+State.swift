// The state of PyTorch's generator as plain numbers: what `generator.get_state()` packs into bytes,
// without the seed, which no later draw depends on. It is not PyTorch's byte layout.

extension TorchGenerator {
  /// A generator's state: the Mersenne Twister's, and the normal deviate that waits, if one does.
  public struct State: Sendable, Equatable {
    public var twister: MersenneTwister.State

    /// The next deviate that fewer than 16 at a time will draw; finite.
    public var cachedNormal: Double?

    public init(twister: MersenneTwister.State, cachedNormal: Double?) {
      self.twister = twister
      self.cachedNormal = cachedNormal
    }
  }

  /// Why a saved state is not one a generator can have been in.
  public enum InvalidState: Error, Equatable, CustomStringConvertible {
    case twister(MersenneTwister.InvalidState)
    case cachedNormal(found: Double)

    public var description: String {
      switch self {
      case .twister(let reason):
        reason.description
      case .cachedNormal(let found):
        "expected a finite normal deviate in the generator's state, found \(found)"
      }
    }
  }

  /// The state now; a generator restored from it draws what this one would draw next.
  public var state: State {
    State(twister: twister.state, cachedNormal: cachedNormal)
  }

  /// Continues from a saved state.
  ///
  /// - Throws: `InvalidState` when no generator can have been in that state.
  public init(restoring state: State) throws(InvalidState) {
    if let normal = state.cachedNormal, !normal.isFinite {
      throw .cachedNormal(found: normal)
    }
    do {
      let twister = try MersenneTwister(restoring: state.twister)
      self.init(twister: twister, cachedNormal: state.cachedNormal)
    } catch {
      throw .twister(error)
    }
  }
}
