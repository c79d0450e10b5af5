// What Python and PyTorch draw from known seeds, written by Tools/make_randomness_fixtures.py. Each
// record is one generator's stream in order. Nothing here computes: it is the other side's word.

import Foundation
import Testing

struct RandomnessFixture: Decodable {
  var python: [PythonStream]
  var pythonLongShuffle: LongShuffle
  var pythonState: SavedState
  var torch: [TorchStream]
  var torchEnds: [Ends]
  var torchState: SavedState

  static func load() throws -> RandomnessFixture {
    let url = Bundle.module.url(
      forResource: "randomness", withExtension: "json", subdirectory: "Fixtures")
    return try JSONDecoder().decode(Self.self, from: Data(contentsOf: #require(url)))
  }
}

extension RandomnessFixture {
  struct PythonStream: Decodable, Sendable, CustomTestStringConvertible {
    var seed: String  // as text: Python's integers have no widest
    var uniforms: [Double]
    var bits: [[UInt64]]  // (count of bits, draw)
    var below: [[Int]]  // (bound, draw)
    var shuffles: [[Int]]  // of 0..<count
    var next: UInt64
    var testDescription: String { "seed \(seed)" }
  }

  struct LongShuffle: Decodable {
    var seed: Int
    var count: Int
    var first: [Int]
    var last: [Int]
  }

  /// A generator's state after `draws` 32-bit draws (Python) or after `randn(count)` (PyTorch).
  struct SavedState: Decodable {
    var seed: UInt64
    var draws: Int?
    var count: Int?
    var words: [UInt32]
    var position: Int
    var cachedNormal: Double?
  }

  /// The ends of one `randn(count)` and the whole number below 2²⁸ − 1 drawn after it.
  struct Ends: Decodable {
    var count: Int
    var first: Float
    var last: Float
    var next: Int
  }
}

extension RandomnessFixture {
  struct TorchStream: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var seed: UInt64
    var draws: [TorchDraw]
    var next: Int  // a whole number below 2²⁸ − 1
    var testDescription: String { "\(name), seed \(seed)" }
  }

  /// One call and what came of it.
  enum TorchDraw: Decodable, Sendable {
    case normals([Float])
    case integers(Range<Int>, [Int])
    case doubles([Double])
    case floats([Float])

    enum CodingKeys: CodingKey {
      case normals, low, high, integers, doubles, floats
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      if let values = try fields.decodeIfPresent([Int].self, forKey: .integers) {
        let low = try fields.decode(Int.self, forKey: .low)
        self = .integers(low..<(try fields.decode(Int.self, forKey: .high)), values)
      } else if let values = try fields.decodeIfPresent([Double].self, forKey: .doubles) {
        self = .doubles(values)
      } else if let values = try fields.decodeIfPresent([Float].self, forKey: .floats) {
        self = .floats(values)
      } else {
        self = .normals(try fields.decode([Float].self, forKey: .normals))
      }
    }
  }
}
