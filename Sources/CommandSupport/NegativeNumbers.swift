// Lets an option be given a negative number, so that it can say why it does not want one.
//
// ArgumentParser reads the `-3` of `--steps -3` as a flag named 3 and answers that the value of
// --steps is missing; of `--learning-rate -0.1` it says "Invalid option: -.". No command has a flag
// that is a number, so such an argument is joined to the option before it: `--steps=-3`.

/// `arguments` with every negative number joined to the long option before it, up to a `--`.
func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
  var joined: [String] = []
  for (index, argument) in arguments.enumerated() {
    if argument == "--" { return joined + arguments[index...] }
    if argument.looksLikeNegativeNumber, let option = joined.last, option.isLongOption {
      joined[joined.count - 1] = option + "=" + argument
    } else {
      joined.append(argument)
    }
  }
  return joined
}

extension String {
  fileprivate var looksLikeNegativeNumber: Bool {
    guard first == "-" else { return false }
    let rest = dropFirst()
    if ["inf", "infinity", "nan"].contains(rest.lowercased()) { return true }
    return (rest.first == "." ? rest.dropFirst() : rest).first?.isASCIIDigit ?? false
  }

  fileprivate var isLongOption: Bool {
    hasPrefix("--") && count > 2 && !contains("=")
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
