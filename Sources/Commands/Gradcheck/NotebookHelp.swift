// What helps with a notebook: the Python lines that write the file, the derivation's own lines, and
// the page that judges a file in a browser.
//
// docs/gradcheck.html is one file that works without a network. It judges in JavaScript; a test in
// a browser compares its verdicts with this command's. It is generated here, because the table of
// tensors and the words are Swift's. The derivations are those of docs/derivation.md.

import CharMLP
import CommandSupport
import OrderedJSON

// MARK: - Python lines, and ours

extension PassTensor {
  /// Python that writes what a notebook has of a pass; for the end of a notebook, before the
  /// update.
  static var snippet: String {
    var lines = ["names = \"\"\""]
    for name in (parameters + forward).map(\.name) {
      let last = lines[lines.count - 1]
      let blank = last.hasSuffix("\"") || last == "  " ? "" : " "
      if last.count + blank.count + name.count > 76 {
        lines.append("  " + name)
      } else {
        lines[lines.count - 1] = last + blank + name
      }
    }
    return """
      # once: pip install safetensors
      import torch
      from safetensors.torch import save_file
      \(lines.joined(separator: "\n"))\""".split()
      names = ["Xb", "Yb"] + names + ["d" + name for name in names]
      mine = {name: globals()[name] for name in names if torch.is_tensor(globals().get(name))}
      save_file({name: tensor.detach().clone().contiguous() for name, tensor in mine.items()},
                "notebook.safetensors")

      """
  }

  /// Our line, the forward lines that it inverts, and where it is derived.
  var solution: String {
    let forward = (owner?.readers ?? []).map { "\($0) = \($0.line)" }
    let lines = [
      forward.map { "// " + $0 }, [line.isEmpty ? "\(self) is a parameter" : "\(self) = \(line)"],
    ]
    return lines.joined().joined(separator: "\n")
      + "\n\ndocs/derivation.md, \"\(section)\"\n"
  }
}

// MARK: - The page

/// The page, put together from its parts.
package enum BrowserPage {
  /// The scripts in the order in which they use each other.
  private static let scripts = [
    "safetensors", "matrix", "pass", "lines", "verdicts", "notebook", "derivation", "graph",
    "practice", "page",
  ]

  /// The whole file.
  package static var html: String {
    let pieces = [
      ("style", part("style.css")),
      ("table", escaped(table.encoded())),
      ("derivation", escaped(part("derivation.md"))),
      ("script", scripts.map { part($0 + ".js") }.joined(separator: "\n")),
    ]
    var html = part("page.html")
    for (place, piece) in pieces { html.replace("{{\(place)}}", with: piece) }
    return html
  }

  private static func part(_ name: String) -> String { embeddedFile("notebook/" + name) }

  private static var table: JSONValue {
    let words = VerdictSentence.table.map { (key: $0.name, value: JSONValue.string($0.text)) }
    let own: [(key: String, value: JSONValue)] = [
      ("words", .object(words)), ("snippet", .string(PassTensor.snippet)),
    ]
    return .object((PassTensor.table.pairs ?? []) + own)
  }

  /// Text that cannot end the script element around it; the page undoes this.
  private static func escaped(_ text: String) -> String { text.replacing("</", with: "<\\/") }
}
