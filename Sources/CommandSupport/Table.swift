// Columns of text for people: words aligned left, numbers right.

/// A table whose columns are as wide as what stands in them.
public struct Table {
  private var rows: [[String]]
  private let leftAligned: Set<Int>

  /// Makes a table with a heading for each column.
  ///
  /// - Parameter leftAligned: The columns that hold words; the others are aligned right.
  public init(_ headings: [String], leftAligned: Set<Int> = [0]) {
    rows = [headings]
    self.leftAligned = leftAligned
  }

  /// Adds a row with a cell for each column.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == rows[0].count, "Table: \(cells.count) cells")
    rows.append(cells)
  }

  /// The table, each row on a line.
  public var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return leftAligned.contains(column) ? row[column] + padding : padding + row[column]
      }
      let line = cells.joined(separator: "  ")
      return line.prefix(line.count - trailingBlanks(line)) + "\n"
    }.joined()
  }

  private func trailingBlanks(_ line: String) -> Int { line.reversed().prefix { $0 == " " }.count }
}
