// The page of one run: its parts in their order.

import CharMLP
import CommandSupport

/// A run as one HTML file that needs nothing besides itself.
public struct ReportPage {
  let run: RecordedRun
  let findings: Findings
  let figures: Figures

  /// Computes what a page shows.
  public init(_ run: RecordedRun) {
    self.init(run, Gnuplot())
  }

  init(_ run: RecordedRun, _ gnuplot: Gnuplot?) {
    self.run = run
    findings = Findings(run)
    figures = Figures(gnuplot)
  }

  /// What is missing in the page, for whoever made it; nil if nothing is.
  public var warning: String? { figures.warning }

  /// The file.
  public var html: String {
    let generator = GeneratorData(model: run.checkpoint.model, dataset: run.dataset)
    let body = Template(Resource.page).filled([
      "heading": .element("bdi", run.name),
      "lead": lead,
      "tiles": tiles,
      "verdict": verdict,
      "notices": notices,
      "loss": loss,
      "words": words,
      "embedding": embedding,
      "health": health,
      "dlogits": dlogits,
      "gradients": gradients,
      "data": data,
      "run": reproduction,
      "network": Markup(json: generator.json),
      "script": Markup(trusted: Resource.generator),
    ])
    return Markup.file(
      title: "\(run.name): a CharMLP run",
      permissions: "script-src 'unsafe-inline'; img-src data:", body: body
    ).html
  }

  /// What stands where the words of the run would be needed.
  static let withoutWords = Markup.note(
    "The run's list was too long to be stored with it, so this part is missing.")
}
