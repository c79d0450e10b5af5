// Whether the numeric modules were compiled with optimization: a figure measured without it says nothing.
// All of them share one list of settings, so that one can speak for all.

/// Whether this module was compiled with optimization, whatever the build's configuration is called.
public let isOptimized: Bool = {
  var isOptimized = true
  // An assertion is evaluated only without optimization.
  assert(
    {
      isOptimized = false
      return true
    }())
  return isOptimized
}()
