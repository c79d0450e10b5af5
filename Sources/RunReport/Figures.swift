// Charts in a page: the picture, its legend, its caption; or, without gnuplot, what is missing.

/// Draws charts, as long as there is something to draw them with.
struct Figures {
  private let gnuplot: Gnuplot?

  init(_ gnuplot: Gnuplot?) { self.gnuplot = gnuplot }

  /// Why no chart of the page is there; nil if they are.
  var notice: String? {
    gnuplot == nil
      ? "The charts are missing: there is no gnuplot on the machine that made this page. Install it "
        + "(make gnuplot, or apt-get install gnuplot-nox) and run report again."
      : nil
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
      return try gnuplot.draw(chart)
    } catch {
      return missing("This chart is missing. \(error.reason)")
    }
  }

  private func missing(_ text: String) -> Markup {
    .element("div", ["class": "missing"], text)
  }
}
