// A padded matrix's memory as a span, for whoever moves it somewhere else whole.

extension PaddedMatrix {
  /// Calls a function with all of the memory, row after row, padding included.
  package func withMutableSpan(_ body: (inout MutableSpan<Float>) -> Void) {
    var span = unsafe MutableSpan(
      _unsafeElements: UnsafeMutableBufferPointer(start: start, count: rows * stride))
    body(&span)
  }
}
