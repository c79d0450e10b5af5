// A file with places, `{{name}}`, that are filled once.
//
// What is filled in is not looked at again, so that a word that is called {{words}} stays one. It has no
// conditions and no loops: what repeats is made of elements, what may be missing is an empty piece.

/// A page with places for pieces of markup.
struct Template {
  private let text: String

  init(_ text: String) { self.text = text }

  /// The page, each place filled.
  ///
  /// It is a programmer's error if a place has no piece, or a piece no place.
  func filled(_ pieces: KeyValuePairs<String, Markup>) -> Markup {
    var html = ""
    var rest = text[...]
    var used: Set<String> = []
    while let open = rest.firstRange(of: "{{") {
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
        preconditionFailure("Template: a place that does not end")
      }
      let name = String(rest[open.upperBound..<close.lowerBound])
      guard let piece = pieces.first(where: { $0.key == name })?.value else {
        preconditionFailure("Template: nothing for the place \(name)")
      }
      html += rest[..<open.lowerBound] + piece.html
      used.insert(name)
      rest = rest[close.upperBound...]
    }
    precondition(
      pieces.allSatisfy { used.contains($0.key) }, "Template: a piece without a place")
    return Markup(trusted: html + rest)
  }
}
