// A curve in a line of text.

import CommandSupport
import Testing

@Suite("Sparkline")
struct SparklineTests {
  private func curve(_ values: [Double], width: Int = 8) -> String {
    var sparkline = Sparkline(width: width)
    for value in values { sparkline.add(value) }
    return sparkline.text
  }

  @Test(
    "A sparkline's lowest block is the smallest value, its highest the largest",
    arguments: [
      ([], ""), ([3], "▁"), ([3, 3], "▁▁"), ([0, 7], "▁█"), ([7, 6, 5, 4, 3, 2, 1, 0], "█▇▆▅▄▃▂▁"),
      ([.nan, 1, .infinity, 2], "▁█"),
    ] as [([Double], String)])
  func blocks(values: [Double], text: String) {
    #expect(curve(values) == text)
  }

  @Test("A sparkline keeps its width, and a falling curve falls")
  func width() {
    for count in [9, 17, 100, 1000] {
      let text = curve((0..<count).map { -Double($0) })
      #expect((4...8).contains(text.count))
      #expect(Array(text) == text.sorted(by: >))
      #expect(text.first == "█" && text.last == "▁")
    }
  }
}
