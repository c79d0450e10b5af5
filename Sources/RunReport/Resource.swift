// The files of this module that are part of every page.

/// Markup, style, scripts and charts, embedded when the module is built.
enum Resource {
  static var frame: String { text(PackageResources.frame_html) }
  static var page: String { text(PackageResources.page_html) }
  static var comparison: String { text(PackageResources.comparison_html) }
  static var style: String { text(PackageResources.style_css) }
  static var generator: String { text(PackageResources.generator_js) }
  static var chartBasics: String { text(PackageResources.basics_gp) }
  static var chartSteps: String { text(PackageResources.steps_gp) }

  /// The gnuplot script of a chart.
  static func script(_ chart: Chart.Kind) -> String {
    switch chart {
    case .loss: text(PackageResources.loss_gp)
    case .learningRate: text(PackageResources.rate_gp)
    case .embedding: text(PackageResources.embedding_gp)
    case .activations: text(PackageResources.activations_gp)
    case .gradients: text(PackageResources.gradients_gp)
    case .updates: text(PackageResources.updates_gp)
    case .saturation: text(PackageResources.saturation_gp)
    case .dlogits: text(PackageResources.dlogits_gp)
    case .comparison: text(PackageResources.comparison_gp)
    }
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
