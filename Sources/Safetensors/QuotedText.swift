// Text from a file, made fit to stand in an error message: in quotation marks, at most 64
// characters of it, and nothing in it that could break the line or steer a terminal.

/// A string as it is shown in an error.
func quoted(_ string: String) -> String {
  let scalars = string.unicodeScalars
  let shown = scalars.prefix(64)
  let text = shown.map { escaped($0) }.joined()
  return "\"\(text)\"" + (shown.endIndex == scalars.endIndex ? "" : "…")
}

private func escaped(_ scalar: Unicode.Scalar) -> String {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
    "\\u{\(String(scalar.value, radix: 16))}"
  default:
    scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : String(Character(scalar))
  }
}
