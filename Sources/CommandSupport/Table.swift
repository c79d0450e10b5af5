// Columns of text for people: the first aligned left, the others right.

/// A table whose columns are as wide as what stands in them.
public struct Table {
  private var rows: [[String]]

  /// Makes a table with a heading for each column.
  public init(_ headings: [String]) { rows = [headings] }

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
        return column == 0 ? row[column] + padding : padding + row[column]
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}
