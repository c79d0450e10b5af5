// From the list that a user named to the data set of a recipe.

import CharMLP
import CommandSupport

extension WordListSource {
  /// Reads the list and prepares it as the recipe says.
  /// - Throws: `CommandFailure` for a list that is not there, is none, or is too small or too large.
  func dataset(_ recipe: Recipe) throws(CommandFailure) -> Dataset {
    try Dataset(read(), recipe, name: name)
  }
}
