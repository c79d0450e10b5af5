// What helps with a notebook: the Python lines that write the file, and the derivation's own lines.

import CharMLP

extension PassTensor {
  /// Python that writes what a notebook has of a pass; for the end of a notebook, before the update.
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
