// Which words of a list are the same, and the list without its duplicates.
//
// Words are equal if their bytes are: "é" as one scalar and as two are two words here, as they are two
// contexts to a model, while Swift's own comparison of strings holds them equal.
//
// They are found with a hash table of our own, as distinct contexts are: words stay where they are. The
// hash is the standard library's, whose seed changes with every run; results do not depend on it.

extension WordList {
  /// The list with the first occurrence of every word, in the same order.
  public func deduplicated() -> WordList {
    let first = firstOccurrences()
    return selecting(indices.filter { first[$0] == $0 }[...])
  }

  /// For each word the index of the first word that equals it: (count).
  func firstOccurrences() -> [UInt32] {
    var first = [UInt32](repeating: 0, count: count)
    var slots = [UInt32](repeating: .max, count: Self.slotCount(words: count))
    let bytes = utf8.span
    for word in indices {
      let range = utf8Range(of: word)
      var slot = hash(bytes, range) & (slots.count - 1)
      while slots[slot] != .max, !areEqual(bytes, range, utf8Range(of: Int(slots[slot]))) {
        slot = (slot + 1) & (slots.count - 1)
      }
      if slots[slot] == .max { slots[slot] = UInt32(word) }
      first[word] = slots[slot]
    }
    return first
  }

  /// A power of two of which the words fill at most a half.
  private static func slotCount(words: Int) -> Int {
    var slots = 2
    while slots < 2 * words { slots *= 2 }
    return slots
  }
}

/// The hash of some bytes, eight at a time.
@inline(__always)
private func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
  var hasher = Hasher()
  var pending: UInt64 = 0
  for position in range {
    pending = pending << 8 | UInt64(bytes[position])
    if (position - range.lowerBound) & 7 == 7 {
      hasher.combine(pending)
      pending = 0
    }
  }
  hasher.combine(pending)
  return hasher.finalize()
}

@inline(__always)
private func areEqual(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
  guard left.count == right.count else { return false }
  for offset in 0..<left.count
  where bytes[left.lowerBound + offset] != bytes[right.lowerBound + offset] {
    return false
  }
  return true
}
