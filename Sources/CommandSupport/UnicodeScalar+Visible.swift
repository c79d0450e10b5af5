// A symbol where it stands alone, so that nobody overlooks it or the mark that it would put on its neighbour.

extension Unicode.Scalar {
  /// The symbol itself if it shows alone; blanks, marks and invisible ones by their number: U+00A0.
  public var visible: String {
    switch properties.generalCategory {
    case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format, .surrogate,
      .privateUse, .unassigned, .nonspacingMark, .spacingMark, .enclosingMark:
      let digits = String(value, radix: 16, uppercase: true)
      return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    default: return String(self)
    }
  }
}
