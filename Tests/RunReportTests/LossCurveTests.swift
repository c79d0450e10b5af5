// The curve of minibatch losses, from metrics as runs and other programs write them.

import Testing

@testable import RunReport

@Suite("Loss curve")
struct LossCurveTests {
  private func curve(_ lines: String..., limit: Int = 1000) -> LossCurve {
    LossCurve(MetricsLine.all(lines), limit: limit)
  }

  @Test("A mean loss is drawn at the middle of its stretch, also of a short last one")
  func places() {
    let curve = curve(
      #"{"step":10,"stretch":4,"losses":[3,2,1]}"#, #"{"step":14,"stretch":4,"losses":[0.5]}"#)
    #expect(curve.points.map(\.step) == [2.5, 6.5, 9.5, 12.5])
    #expect(curve.points.map(\.loss) == [3, 2, 1, 0.5])
    #expect(curve.stretch == 4)
  }

  @Test("Stretches are placed back from their line's step if the line before is missing")
  func gap() {
    let curve = curve(
      #"{"step":10,"stretch":5,"losses":[3,2]}"#, #"{"step":100,"stretch":5,"losses":[1,1]}"#)
    #expect(curve.points.map(\.step) == [3, 8, 93, 98])
  }

  @Test("Lines without means give their last minibatch loss, null means leave a gap")
  func older() {
    let curve = curve(
      #"{"step":7,"minibatch_loss":2}"#, #"{"step":9,"stretch":1,"losses":[null,1]}"#)
    #expect(curve.points.map(\.step) == [7, 8, 9])
    #expect(curve.points.map(\.loss) == [2, nil, 1])
    #expect(curve.stretch == 1)
  }

  @Test("A loss curve with too many points averages neighbours")
  func thinned() {
    let curve = curve(#"{"step":5,"stretch":1,"losses":[5,3,null,1,9]}"#, limit: 3)
    #expect(curve.points.map(\.step) == [1.5, 3.5, 5])
    #expect(curve.points.map(\.loss) == [4, 1, 9])
    #expect(curve.stretch == 2)
  }

  @Test(
    "Impossible stretch lengths give a finite loss curve",
    arguments: ["-3", "0", "9223372036854775807", "1e300", "\"4\"", "[]"])
  func strange(stretch: String) {
    let curve = curve(#"{"step":10,"minibatch_loss":2,"stretch":\#(stretch),"losses":[1,2]}"#)
    #expect((1...2).contains(curve.points.count))
    #expect(curve.points.allSatisfy { $0.step.isFinite })
  }
}
