// What minibatches are drawn from: the ids of all training words, a terminator after each.
//
// Window number k is the one whose target is id number k; its context are the ids before it in the same
// word. So the text is all there is to store. Where ranks share out a list that is split by hash, each
// holds the text of its own lines, and windows are numbered through all ranks in the order of the file.

/// The training windows of a list, as one sequence of targets; or the part of it that a rank holds.
public struct TrainingText: Equatable, Sendable {
  /// The targets of the windows that are held here.
  let ids: CompactIDs
  /// The number of the first window that is held here.
  public let firstWindow: Int
  /// The number of training windows of the whole list, on all ranks.
  public let windowCount: Int
  /// Whether other ranks hold the rest.
  public let isPart: Bool

  /// The numbers of the windows that are held here.
  public var windows: Range<Int> { firstWindow..<firstWindow + ids.count }

  /// The whole text.
  init(_ ids: CompactIDs) {
    (self.ids, firstWindow, windowCount, isPart) = (ids, 0, ids.count, false)
  }

  /// A rank's part of a text.
  init(_ ids: CompactIDs, firstWindow: Int, of windowCount: Int) {
    precondition(
      firstWindow >= 0 && firstWindow <= windowCount - ids.count,
      "TrainingText: \(ids.count) windows from \(firstWindow) on, of \(windowCount)")
    (self.ids, self.firstWindow, self.windowCount, isPart) = (ids, firstWindow, windowCount, true)
  }

  /// The whole text of the words at some indices, in their order.
  ///
  /// - Precondition: the vocabulary has their characters.
  init(_ words: WordList, _ selection: ArraySlice<Int>, _ vocabulary: Vocabulary) {
    var ids = CompactIDs()
    var rest = selection
    while !rest.isEmpty {  // not all at once: ids take four bytes on the way
      let some = rest.prefix(1 << 16)
      do {
        ids.append(try EncodedWords(words, selecting: some, vocabulary: vocabulary).ids)
      } catch {
        preconditionFailure("TrainingText: \(error)")
      }
      rest = rest.dropFirst(some.count)
    }
    self.init(ids)
  }

  /// The whole text of some windows.
  public init(_ windows: ContextWindows) {
    var ids = CompactIDs()
    ids.append(windows.targets)
    self.init(ids)
  }
}
