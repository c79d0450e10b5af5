// The moving line's memory: how the loss went until now.

import CommandSupport

/// A sparkline that grows whenever the moving line is made.
final class LossTrace {
  private var sparkline = Sparkline()

  /// The curve, with one value more.
  func text(adding loss: Double) -> String {
    sparkline.add(loss)
    return sparkline.text
  }
}
