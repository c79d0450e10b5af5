// Ids in as few bytes as they need.

import Testing

@testable import CharMLP

@Suite("Compact ids")
struct CompactIDsTests {
  @Test(
    "Compact ids take as many bytes as the largest needs, and are returned unchanged",
    arguments: [(255, 1), (256, 2), (65_535, 2), (65_536, 4), (Int32.max, 4)])
  func width(largest: Int32, bytes: Int) {
    var ids = CompactIDs()
    ids.append([0, 1, 2])
    ids.append([largest, 3])
    ids.append([])
    #expect(ids.expanded == [0, 1, 2, largest, 3])
    #expect(ids.count == 5)
    let width =
      switch ids.storage {
      case .narrow: 1
      case .medium: 2
      case .wide: 4
      }
    #expect(width == bytes)
  }

  @Test(
    "Compact ids can be renumbered, even to wider ones", arguments: [7, 300, 70_000] as [Int32])
  func renumbering(largest: Int32) {
    var ids = CompactIDs()
    ids.append([0, 2, 1, 2])
    ids.renumber([0, 5, largest])
    #expect(ids.expanded == [0, largest, 5, largest])
  }
}
