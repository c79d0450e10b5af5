// Reads a word list from a path or from an open file descriptor, all of it at once.
//
// A path may name a regular file, a FIFO or a device; standard input may be any of them. A regular file
// that is too large is refused from its size, before a byte is read. The text is read once and then
// never again, so that a file that changes or vanishes later changes nothing.

extension WordList {
  /// The most bytes that are read from a file or a pipe unless told otherwise: 1 GiB.
  public static let defaultReadLimit = 1 << 30

  /// Reads the words of the file or FIFO at `path`; opening a FIFO waits for its writer.
  /// - Throws: `missing`, `directory`, `unreadable`, `readFailed`, `tooLarge`, or what is wrong with
  ///   the text.
  public init(
    contentsOf path: String, limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) {
    try self.init(file: .opening(path), limit: limit)
  }

  /// Reads the words of standard input, up to its end.
  /// - Throws: as `init(contentsOf:limit:)`.
  public static func standardInput(
    limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) -> WordList {
    try WordList(file: .standardInput, limit: limit)
  }

  /// Reads the words of an open file, from where it stands to its end, and leaves it open.
  /// - Throws: as `init(contentsOf:limit:)`.
  public init(
    fileDescriptor: CInt, limit: Int = WordList.defaultReadLimit
  ) throws(WordListError) {
    try self.init(file: ReadableFile(descriptor: fileDescriptor), limit: limit)
  }

  private init(file: consuming ReadableFile, limit: Int) throws(WordListError) {
    precondition(limit >= 0, "WordList: a limit of \(limit) bytes")
    try self.init(utf8: readAll(&file, limit: Swift.min(limit, WordList.byteLimit)))
  }
}

/// All bytes from where the file stands.
private func readAll(_ file: inout ReadableFile, limit: Int) throws(WordListError) -> [UInt8] {
  var text: [UInt8] = []
  let size = try file.size() ?? 0
  guard size <= limit else { throw .tooLarge(size: size, limit: limit) }
  text.reserveCapacity(size + 1)
  var chunk = [UInt8](repeating: 0, count: 1 << 18)
  var startIsChecked = false
  while true {
    let received = try file.read(into: &chunk)
    if received == 0 { return text }
    guard received <= limit - text.count else { throw .tooLarge(size: nil, limit: limit) }
    text.append(contentsOf: chunk[..<received])
    if !startIsChecked && text.count >= 1 << 16 {
      try checkStart(text)
      startIsChecked = true
    }
  }
}

/// Refuses what its first lines already rule out, such as an image or endless NULs, before the rest is
/// read.
///
/// The last line is left out, since it may not have arrived whole. Without any line end, 2¹⁶ bytes are
/// longer than the longest line (10,000 characters of at most four bytes), so that all can be judged.
private func checkStart(_ text: [UInt8]) throws(WordListError) {
  let end = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.count
  do throws(WordListError) {
    _ = try WordList(utf8: Array(text[..<end]))
  } catch {
    if error != .onlyBlankLines { throw error }  // words may still follow
  }
}
