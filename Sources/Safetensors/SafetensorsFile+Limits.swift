// What a file may ask of its reader. The format itself sets no limits.
//
// The key limit is there for time, not for space: to hash or compare a string, Swift first puts
// its combining marks into canonical order, by insertion sort, so a key that is one long run of
// marks costs the square of its length. Values are never hashed and may be as long as they like.

extension SafetensorsFile {
  /// The limits a header is held to, when it is read and when it is written.
  public struct Limits: Hashable, Sendable {
    /// The most bytes a header may take, padding included.
    public var headerLength: Int
    /// The most UTF-8 bytes a key may take: a tensor's name, a metadata key.
    public var keyLength: Int
    /// The most dimensions a tensor may have.
    public var rank: Int

    /// Makes a set of limits.
    ///
    /// The default header limit is the reference implementation's own; 64 dimensions are what
    /// NumPy 2 can hold.
    ///
    /// - Precondition: no limit is negative.
    public init(headerLength: Int = 100_000_000, keyLength: Int = 1024, rank: Int = 64) {
      precondition(
        headerLength >= 0 && keyLength >= 0 && rank >= 0, "Limits: a limit must not be negative")
      self.headerLength = headerLength
      self.keyLength = keyLength
      self.rank = rank
    }
  }
}
