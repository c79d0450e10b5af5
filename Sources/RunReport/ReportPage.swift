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
  public var notice: String? { figures.notice }

  /// The file.
  public var html: String {
    let generator = GeneratorData(model: run.checkpoint.model, dataset: run.dataset)
    return Template(Resource.page).filled([
      "title": Markup("\(run.name): a CharMLP run"),
      "style": Markup(trusted: Resource.style),
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
      "version": Markup(version),
      "network": Markup(json: generator.json),
      "script": Markup(trusted: Resource.generator),
    ]).html
  }

  /// What stands where the words of the run would be needed.
  static let withoutWords = Markup.note(
    "The run's list was too long to be stored with it, so this part is missing.")
}
