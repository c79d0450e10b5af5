// What lines have behind their words: comments, the reference marks of an encyclopedia, and what
// makes an e-mail address of a name.
//
// These are told where a minority of the lines has them, as well as where all do: they are learned
// as endings. ListSurvey tells columns and numbers first, which can look like them.

/// The kinds of marks that refer to a note.
package enum ReferenceMark: CaseIterable, Equatable, Hashable, Sendable {
  /// `[1]`, `[a]` or `[note 1]`.
  case bracketed
  /// ¹
  case superscript
  /// † or ‡
  case dagger

  init?(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0xB2, 0xB3, 0xB9, 0x2070, 0x2074...0x2079: self = .superscript
    case 0x2020, 0x2021: self = .dagger
    default: return nil
    }
  }
}

extension LineSurvey {
  /// The warnings about lists whose lines have no other structure.
  var behindWords: [DataWarning] {
    [trailingComments, references, addresses, fewQuotes].compactMap(\.self)
  }

  var trailingComments: DataWarning? {
    let lines = counts.trailingComments.values.reduce(0, +)
    guard lines > 0, 100 * lines >= words.count else { return nil }
    return .trailingComments(lines: lines, marks: counts.trailingComments.keys.sorted())
  }

  private var references: DataWarning? {
    let marks = ReferenceMark.allCases.filter { mark in
      let found = counts.references[mark, default: 0]
      return found >= 3 && 100 * found >= words.count
        && (mark == .bracketed || !isMost(found))
        && (mark != .superscript || counts.hasFirstSuperscript && !hasInnerSuperscripts)
    }
    if marks.isEmpty { return nil }
    return .references(words: marks.reduce(0) { $0 + counts.references[$1]! }, marks)
  }

  /// Whether numbers stand within words, as tones do in transcriptions.
  private var hasInnerSuperscripts: Bool {
    words.contains { word in
      let scalars = word.unicodeScalars
      return zip(scalars, scalars.dropFirst()).contains { scalar, next in
        ReferenceMark(scalar) == .superscript && next.properties.isAlphabetic
      }
    }
  }

  private var addresses: DataWarning? {
    guard counts.addresses > 0 else { return nil }
    return .addresses(words: counts.addresses, areMost: isMost(counts.addresses))
  }
}
