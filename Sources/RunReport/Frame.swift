// What every page has around its parts: head, style, footer.

import CommandSupport

extension Markup {
  /// A whole file.
  ///
  /// - Parameter permissions: What the content security policy allows besides a style sheet.
  static func file(
    title: String, permissions: StaticString, body: Markup
  ) -> Markup {
    Template(Resource.frame).filled([
      "permissions": Markup(trusted: "\(permissions)"),
      "title": Markup(title),
      "style": Markup(trusted: Resource.style),
      "body": body,
      "version": Markup(version),
    ])
  }
}
