// The files that the programs carry.

import CEmbeddedFiles

/// The text of a file that is compiled into the program, by its name in `CEmbeddedFiles.c`.
package func embeddedFile(_ name: String) -> String {
  guard let text = unsafe embedded_file(name) else {
    preconditionFailure("no file \(name) is compiled in")
  }
  return unsafe String(cString: text)
}
