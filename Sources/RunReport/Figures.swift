// Charts in a page: the picture, its legend, its caption; or, where it cannot be drawn, what is missing.

/// Draws charts, as long as there is something to draw them with.
final class Figures {
  private let gnuplot: Gnuplot?
  /// Why a chart is missing although there is a gnuplot: the first reason.
  private var failure: Gnuplot.Failure?

  init(_ gnuplot: Gnuplot?) { self.gnuplot = gnuplot }

  /// Why no chart of the page is there; nil if there is a gnuplot.
  var notice: String? {
    gnuplot == nil
      ? "The charts are missing: there is no gnuplot on the machine that made this page. Install it "
        + "(make gnuplot, or apt-get install gnuplot-nox) and run report again."
      : nil
  }

  /// What is missing, for whoever made the page; nil if all charts are there.
  var warning: String? {
    if gnuplot == nil { return "has no charts: there is no gnuplot; make gnuplot installs it" }
    return failure.map { "lacks charts: \($0.reason)" }
  }

  /// A name in a legend, and the role whose colour it has.
  typealias Entry = (role: String, name: String)

  /// A figure with its caption.
  func figure(
    _ chart: Chart, legend: [Entry] = [], isDiscs: Bool = false, caption: String
  ) -> Markup {
    let entries = legend.map { entry in
      Markup.element(
        "li", ["class": "swatch-\(entry.role)\(isDiscs ? " disc" : "")"],
        [.element("span", [:], entry.name)])
    }
    let key = entries.isEmpty ? .empty : Markup.element("ul", ["class": "legend"], entries)
    return .element(
      "figure", [:], [key, picture(chart), .element("figcaption", [:], caption)])
  }

  private func picture(_ chart: Chart) -> Markup {
    guard let gnuplot else { return missing("A chart was to stand here; it takes gnuplot.") }
    do throws(Gnuplot.Failure) {
      // Who waited for one chart in vain does not wait for the next.
      if let failure, failure == .tooLate { throw failure }
      return try gnuplot.draw(chart)
    } catch {
      failure = failure ?? error
      return missing("This chart is missing. \(error.reason)")
    }
  }

  private func missing(_ text: String) -> Markup {
    .element("div", ["class": "missing"], text)
  }
}
