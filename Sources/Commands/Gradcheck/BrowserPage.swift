// docs/gradcheck.html: the check of a notebook as one HTML file that works without a network.
//
// The page judges by itself, in JavaScript; a test in a browser holds its verdicts against this command's. It is put
// together here, because what it has to know of the tensors, and the words that it uses, are Swift's. The
// derivations are docs/derivation.md, which Page has a link to.

import CharMLP
import CommandSupport
import OrderedJSON
import Posix

/// The page, put together from its parts.
package enum BrowserPage {
  /// The scripts in the order in which they use each other.
  private static var scripts: [[UInt8]] {
    [
      PackageResources.safetensors_js, PackageResources.matrix_js, PackageResources.pass_js,
      PackageResources.lines_js, PackageResources.verdicts_js, PackageResources.notebook_js,
      PackageResources.derivation_js, PackageResources.graph_js, PackageResources.practice_js,
      PackageResources.page_js,
    ]
  }

  /// The whole file.
  package static var html: String {
    let pieces = [
      ("style", text(PackageResources.style_css)),
      ("table", escaped(table.encoded())),
      ("derivation", escaped(text(PackageResources.derivation_md))),
      ("script", scripts.map(text).joined(separator: "\n")),
    ]
    var html = text(PackageResources.page_html)
    for (place, piece) in pieces { html.replace("{{\(place)}}", with: piece) }
    return html
  }

  private static var table: JSONValue {
    let words = VerdictSentence.table.map { (key: $0.name, value: JSONValue.string($0.text)) }
    let own: [(key: String, value: JSONValue)] = [
      ("words", .object(words)), ("snippet", .string(PassTensor.snippet)),
    ]
    return .object((PassTensor.table.pairs ?? []) + own)
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// Text that cannot end the script element around it; the page undoes this.
  private static func escaped(_ text: String) -> String { text.replacing("</", with: "<\\/") }

  /// Writes the page to a file that is not there yet.
  /// - Throws: `CommandFailure` (73) if there is one, or none can be made; (74) if it cannot be written.
  static func write(to path: String) throws(CommandFailure) {
    do throws(SystemError) {
      try FileSystem.write(Array(html.utf8), to: path)
    } catch {
      throw CommandFailure(
        error.isFailedWrite ? .inputOutput : .cannotCreate, "\(error)",
        advice: "Name another file with --page.")
    }
  }
}
