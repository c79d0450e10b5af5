// `train --describe`: the data report alone. No run directory is made.

import CharMLP
import CommandSupport

extension Train {
  /// Reports on the list as this command line would train on it.
  func describeData() throws {
    let source = WordListSource(data)
    let report = DataReport(try RunData(reading: source, recipe).dataset)
    try StandardOutput.shared.write(
      json ? report.json(of: source.name).encoded() + "\n" : report.text(of: source.name))
  }
}
