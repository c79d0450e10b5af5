// Which of a seed's words a sampler draws, if several share the work.
//
// Word number i draws from stream i, so words are the same whoever draws them. They are dealt out in
// blocks: each sampler has every n-th block, and goes from one to the next without a pause.

/// The numbers of a sampler's words, by index.
struct WordNumbers: Equatable, Sendable {
  private let member: UInt64
  private let members: UInt64
  private let block: UInt64

  /// Every word.
  static let all = WordNumbers(member: 0, of: 1, block: 1)

  /// Every `members`-th block of so many words, from the block of this member on.
  init(member: Int, of members: Int, block: Int) {
    precondition(
      0 <= member && member < members && block > 0, "WordNumbers: \(member) of \(members)")
    (self.member, self.members, self.block) = (UInt64(member), UInt64(members), UInt64(block))
  }

  @inline(__always)
  subscript(index: UInt64) -> UInt64 {
    let (turn, place) = index.quotientAndRemainder(dividingBy: block)
    return (turn * members + member) * block + place
  }

  /// Whether a word is the last one of a block.
  @inline(__always)
  func endsBlock(_ index: UInt64) -> Bool { (index + 1) % block == 0 }
}
