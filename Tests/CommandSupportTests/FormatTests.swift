// Numbers for people, in tables; the interesting rows sit where rounding changes the unit.

import CommandSupport
import Testing

@Suite struct FormatTests {
  @Test(
    "A count has a comma at every thousand",
    arguments: [
      (0, "0"), (999, "999"), (1000, "1,000"), (12_297, "12,297"), (-1_234_567, "-1,234,567"),
      (Int.min, "-9,223,372,036,854,775,808"),
    ])
  func counts(value: Int, text: String) {
    #expect(Format.count(value) == text)
  }

  @Test(
    "Fixed decimals are rounded and padded",
    arguments: [
      (2.10434, 4, "2.1043"), (0.05, 1, "0.1"), (0.04, 1, "0.0"), (-0.04, 1, "0.0"),
      (-1.5, 0, "-2"),
      (9.999, 2, "10.00"), (0.001, 3, "0.001"), (7, 2, "7.00"), (1e300, 2, "1e+300"),
      (.nan, 2, "nan"), (-.infinity, 2, "-inf"),
    ])
  func fixed(value: Double, decimals: Int, text: String) {
    #expect(Format.fixed(value, decimals: decimals) == text)
  }

  @Test(
    "Scientific notation has two digits",
    arguments: [
      (1.24e-7, "1.2e-07"), (1.25e-7, "1.3e-07"), (9.94, "9.9e+00"), (9.96, "1.0e+01"),
      (-31_415, "-3.1e+04"), (1, "1.0e+00"), (1e-3, "1.0e-03"), (1e100, "1.0e+100"),
      (.leastNonzeroMagnitude, "4.9e-324"), (.greatestFiniteMagnitude, "1.8e+308"), (0, "0"),
      (-0.0, "0"), (.infinity, "inf"), (.nan, "nan"),
    ])
  func scientific(value: Double, text: String) {
    #expect(Format.scientific(value) == text)
  }

  @Test(
    "Prose is broken at blanks; names, quoted words and lines to paste stay whole",
    arguments: [
      ("one two three four", ["one two", "  three", "  four"]),
      ("short", ["short"]),
      ("a b.txt: no such file", ["a b.txt: no", "  such file"]),
      (
        "a sentence with a colon: is broken", ["a sentence", "  with a", "  colon: is", "  broken"]
      ),
      ("See 'train one --help'.", ["See", "  'train one --help'."]),
      ("the lecture's own words", ["the", "  lecture's", "  own words"]),
      ("To continue now:  train --resume run", ["To continue", "  now:", "  train --resume run"]),
      ("  --block-size 6 --hidden 9", ["  --block-size 6 --hidden 9"]),
      ("unbreakable-and-long", ["unbreakable-and-long"]),
    ])
  func wrapping(line: String, lines: [String]) {
    #expect(Format.wrapped(line, columns: 11) == lines)
  }

  @Test("A table aligns words left and numbers right, and no line ends in blanks")
  func table() {
    var table = Table(["name", "n", "verdict"], leftAligned: [0, 2])
    table.add(["a", "1", "x"])
    table.add(["abcdef", "200", ""])
    #expect(table.text == "name      n  verdict\na         1  x\nabcdef  200\n")
  }

  @Test(
    "A rate has three significant digits",
    arguments: [
      (13_512, "13,500 steps/s"), (999.6, "1,000 steps/s"), (812.3, "812 steps/s"),
      (99.96, "100 steps/s"), (81.23, "81.2 steps/s"), (8.123, "8.12 steps/s"),
      (0.9996, "1.00 steps/s"), (0.08123, "0.0812 steps/s"), (-8.123, "-8.12 steps/s"),
      (0, "0 steps/s"), (1e20, "1.0e+20 steps/s"), (1e-9, "1.0e-09 steps/s"),
      (.infinity, "inf steps/s"),
    ])
  func rates(perSecond: Double, text: String) {
    #expect(Format.rate(perSecond, "steps") == text)
  }

  @Test(
    "A duration has at most two units and never 60 of one",
    arguments: [
      (0, "0.0 ms"), (0.0042, "4.2 ms"), (0.00996, "10 ms"), (0.048, "48 ms"), (0.0996, "0.1 s"),
      (0.8, "0.8 s"), (9.94, "9.9 s"), (9.96, "10 s"), (42.4, "42 s"), (59.7, "1 min 0 s"),
      (72, "1 min 12 s"), (3599.4, "59 min 59 s"), (3599.6, "1 h 0 min"), (7500, "2 h 5 min"),
      (84_960, "23 h 36 min"), (86_369, "23 h 59 min"), (86_370, "1 d 0 h"), (273_600, "3 d 4 h"),
      (4e8, "4,629 d 15 h"), (-1, "unknown"), (.nan, "unknown"), (.infinity, "unknown"),
    ])
  func durations(seconds: Double, text: String) {
    #expect(Format.duration(seconds: seconds) == text)
  }
}

// MARK: - Sparklines

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
