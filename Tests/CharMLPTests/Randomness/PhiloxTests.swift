// Philox against the known answers that its authors publish with Random123 (kat_vectors, philox4x32
// 10).

import Testing

@testable import CharMLP

private let knownAnswers: [(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, block: SIMD4<UInt32>)] = [
  (
    SIMD4(0, 0, 0, 0), SIMD2(0, 0),
    SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
  ),
  (
    SIMD4(repeating: .max), SIMD2(repeating: .max),
    SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
  ),
  (
    SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), SIMD2(0xA409_3822, 0x299F_31D0),
    SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
  ),
]

@Suite("Philox")
struct PhiloxTests {
  @Test("Philox's blocks are the published ones", arguments: knownAnswers)
  func blocks(
    _ known: (counter: SIMD4<UInt32>, key: SIMD2<UInt32>, block: SIMD4<UInt32>)
  ) {
    #expect(Philox.block(counter: known.counter, key: known.key) == known.block)
  }

  @Test("A Philox stream gives the halves of its first block, then of its second")
  func stream() {
    var philox = Philox(seed: 0, stream: 0)
    #expect(philox.next() == 0xE169_C58D_6627_E8D5)
    #expect(philox.next() == 0x9B00_DBD8_BC57_AC4C)
    let second = Philox.block(counter: SIMD4(1, 0, 0, 0), key: SIMD2(0, 0))
    #expect(philox.next() == UInt64(second.y) << 32 | UInt64(second.x))
  }

  @Test("Every bit of Philox's seed and stream number changes the stream")
  func distinct() {
    var firsts = Set<UInt64>()
    for bit in 0..<64 {
      for (seed, stream) in [(1 << UInt64(bit), 0), (0, 1 << UInt64(bit))] as [(UInt64, UInt64)] {
        var philox = Philox(seed: seed, stream: stream)
        firsts.insert(philox.next())
      }
    }
    #expect(firsts.count == 128)
  }

  @Test("Philox's uniform numbers lie in [0, 1) with mean 1/2 and variance 1/12")
  func uniform() {
    var (sum, squares) = (0.0, 0.0)
    for stream in 0..<100_000 as Range<UInt64> {
      var philox = Philox(seed: 7, stream: stream)
      let x = philox.uniform()
      #expect(x >= 0 && x < 1)
      sum += x
      squares += (x - 0.5) * (x - 0.5)
    }
    // Five standard errors: √(1/12/n) and √(1/180/n).
    #expect(abs(sum / 100_000 - 0.5) < 5 * 0.000913)
    #expect(abs(squares / 100_000 - 1.0 / 12) < 5 * 0.000236)
  }
}
