// The list that ships with the project, found from this file's place in it.

import CharMLP
import Foundation

/// The directory of the package.
let projectRoot = URL(filePath: #filePath).deletingLastPathComponent()
  .appending(components: "..", "..", "..").standardized

/// The words of data/names.txt.
func bundledWords() throws -> WordList {
  try WordList(contentsOf: projectRoot.appending(path: "data/names.txt").path)
}
