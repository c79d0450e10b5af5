// The moving line's memory: how the loss went until now.

import CommandSupport

/// A sparkline that grows whenever the moving line is made.
final class LossTrace {
  // So narrow that the whole line has room in eighty columns.
  private var sparkline = Sparkline(width: 10)

  /// The curve, with one value more.
  func text(adding loss: Double) -> String {
    sparkline.add(loss)
    return sparkline.text
  }
}
