// Words in the making and their text, a piece at a time: what is drawn in bulk.
//
// A piece holds what was found until a block was full or a tenth of a second had passed, so that a slow
// search shows every word soon and a fast one is handed over rarely.

/// Something that finds words one after the other, in small steps.
public protocol WordSource {
  /// Finds the next word, or works towards it for a moment; whether it did the former.
  ///
  /// - Throws: `SamplingError` if there is none; there will be none later.
  mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool
}

/// Appends a word, the one of the given number, to a text in UTF-8.
public typealias WordSpelling =
  @Sendable (_ word: DrawnWord, _ number: Int, _ text: inout [UInt8]) -> Void

/// The text of some words that follow each other.
public struct WordPiece: Sendable {
  public internal(set) var text: [UInt8] = []
  public internal(set) var words = 0
  /// Why there are no more words.
  var failure: SamplingError?
  var endsBlock = false
}

extension WordSource {
  /// Finds the next word, in the memory of one that was found before.
  ///
  /// - Throws: `SamplingError` if there is none; there will be none later.
  public mutating func next(into word: inout DrawnWord) throws(SamplingError) {
    while try !proceed(into: &word) {}
  }

  /// Finds up to `count` words, and passes on their text piece by piece.
  ///
  /// - Returns: Why there were fewer words, if so.
  public func spell<Failure: Error>(
    _ count: Int, _ spelling: @escaping WordSpelling, take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    var maker = WordPieceMaker(
      self, WordNumbers(member: 0, of: 1, block: 256), count: count, spelling)
    while !maker.isFinished {
      maker.work()
      let piece = maker.take()
      try take(piece)
      if let failure = piece.failure { return failure }
    }
    return nil
  }
}

/// Makes pieces of the words that one source finds.
struct WordPieceMaker<Source: WordSource> {
  private var source: Source
  private let numbers: WordNumbers
  private let count: UInt64
  private let spelling: WordSpelling
  private var index: UInt64 = 0
  private var word = DrawnWord()
  private var piece = WordPiece()

  /// How long a piece may take; the first words are shown at once.
  private var patience = Duration.zero

  /// - Parameter count: The number of words of all makers together.
  init(_ source: Source, _ numbers: WordNumbers, count: Int, _ spelling: @escaping WordSpelling) {
    self.source = source
    self.numbers = numbers
    self.count = UInt64(count)
    self.spelling = spelling
  }

  /// Whether there is nothing left to find or to take.
  var isFinished: Bool { numbers[index] >= count && piece.words == 0 && piece.failure == nil }

  /// Goes on with a block until it is full, or time for a piece is up; does nothing until what ends a
  /// block is taken.
  mutating func work() {
    let start = ContinuousClock.now
    var moments = 0
    defer { patience = .milliseconds(100) }
    while !piece.endsBlock, piece.failure == nil, numbers[index] < count {
      do throws(SamplingError) {
        guard try source.proceed(into: &word) else {
          moments += 1
          // A moment may be a few microseconds: the clock is not asked after each.
          if moments % 16 == 0, ContinuousClock.now - start > patience { return }
          continue
        }
      } catch {
        piece.failure = error
        return
      }
      spelling(word, Int(numbers[index]), &piece.text)
      piece.words += 1
      piece.endsBlock = numbers.endsBlock(index)
      index += 1
    }
  }

  /// Hands over what was found.
  mutating func take() -> WordPiece {
    var taken = WordPiece()
    swap(&taken, &piece)
    return taken
  }
}
