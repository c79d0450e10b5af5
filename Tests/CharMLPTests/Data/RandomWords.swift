// Words to test with: the same ones every time, with as many repeated beginnings as a small
// alphabet gives.
//
// The generator is Knuth's MMIX linear congruential one, of which the upper bits are used; it needs
// to be reproducible here and nothing more.

enum RandomWords {
  /// `count` words of 1 to `longest` letters from the first `alphabet` scalars of hiragana.
  static func make(count: Int, alphabet: UInt64, longest: UInt64) -> [String] {
    var state: UInt64 = 42
    func next(below bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    return (0..<count).map { _ in
      var word = ""
      for _ in 0...next(below: longest) {
        if let scalar = Unicode.Scalar(0x3041 + UInt32(next(below: alphabet))) {
          word.unicodeScalars.append(scalar)
        }
      }
      return word
    }
  }
}
