// Many words drawn by several threads, in the order and with the bits of one.
//
// Every thread has a sampler of its own, with what it knows of the chain, and draws its blocks of words
// into text. A round ends when all have drawn a block, or a tenth of a second has passed; while the next
// one runs, the calling thread hands over what is there, in order, and then works itself. So memory is
// that of two blocks a thread, however many words there are.

import Synchronization

/// Threads that draw words of one request.
public struct SamplerTeam {
  private let plan: Sampler.Plan
  private let threads: Int
  private let wordsPerThread: Int

  /// Words for which a thread is worth starting: more where there are few contexts, since each thread
  /// evaluates those for itself.
  static func wordsPerThread(_ shape: ModelShape) -> Int {
    let contexts = (0..<shape.blockSize).reduce(1.0) { count, _ in
      count * Double(shape.vocabulary)
    }
    return contexts < 1e6 ? 16_384 : 4096
  }

  /// Prepares to draw.
  ///
  /// - Parameter threads: The most threads; fewer work on few words, and one if none is to be drawn twice.
  /// - Throws: `ConstraintError` if no word at all can be as asked, whatever the model.
  public init(
    _ model: Model, _ request: Sampler.Request, threads: Int
  ) throws(ConstraintError) {
    self.init(try Sampler.Plan(model, request), threads: threads)
  }

  init(_ plan: Sampler.Plan, threads: Int, wordsPerThread: Int? = nil) {
    precondition(threads >= 1, "SamplerTeam: \(threads) threads")
    self.plan = plan
    self.threads = threads
    self.wordsPerThread = wordsPerThread ?? Self.wordsPerThread(plan.model.shape)
  }

  /// Draws `count` words, and passes on their text piece by piece, on the calling thread.
  ///
  /// - Returns: Why there were fewer words, if so.
  public func spell<Failure: Error>(
    _ count: Int, _ spelling: @escaping WordSpelling, take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    let limit = plan.request.isUnique ? 1 : min(threads, max(1, count / wordsPerThread))
    guard limit > 1 else { return try plan.sampler().spell(count, spelling, take: take) }
    var members: [Member] = []
    var work: ThreadTeam.Work = { _ in }
    let team = ThreadTeam(upTo: limit) { [plan] threads in
      let all = (0..<threads).map { Member(plan, $0, of: threads, count: count, spelling) }
      let gate = Barrier(parties: threads)
      members = all
      work = { member in
        all[member].work()
        gate.wait(member)
      }
      return work
    }
    var collector = Collector(members: members)
    team.callOthers()
    work(0)
    while true {
      let pieces = collector.collect()
      if pieces.last?.failure != nil || collector.words == count {
        for piece in pieces { try take(piece) }
        return pieces.last?.failure
      }
      team.callOthers()
      do throws(Failure) {
        for piece in pieces { try take(piece) }
      } catch {
        // The others are at work, and wait for this thread when they are done.
        work(0)
        throw error
      }
      work(0)
    }
  }
}

extension SamplerTeam {
  /// What a thread draws with.
  private final class Member: Sendable {
    private let maker: Mutex<WordPieceMaker<Sampler>?>
    private let plan: Sampler.Plan
    private let numbers: WordNumbers
    private let members: Int
    private let count: Int
    private let spelling: WordSpelling

    init(
      _ plan: Sampler.Plan, _ member: Int, of members: Int, count: Int,
      _ spelling: @escaping WordSpelling
    ) {
      self.plan = plan
      self.members = members
      self.count = count
      self.spelling = spelling
      numbers = WordNumbers(member: member, of: members, block: plan.blockSize)
      maker = Mutex(nil)
    }

    /// Goes on with a block; the sampler is made by the thread that uses it.
    func work() {
      maker.withLock { maker in
        if maker == nil {
          maker = WordPieceMaker(
            plan.sampler(numbers, members: members), numbers, count: count, spelling)
        }
        maker?.work()
      }
    }

    func take() -> WordPiece { maker.withLock { $0?.take() ?? WordPiece() } }
  }

  /// Puts pieces into the order of their words.
  private struct Collector {
    let members: [Member]
    /// The member whose block is next.
    private var current = 0
    private(set) var words = 0

    init(members: [Member]) { self.members = members }

    /// All that is there of the next block and of those after it.
    mutating func collect() -> [WordPiece] {
      var pieces: [WordPiece] = []
      while true {
        let piece = members[current].take()
        words += piece.words
        let (isLast, endsBlock) = (piece.failure != nil, piece.endsBlock)
        pieces.append(piece)
        if isLast || !endsBlock { return pieces }
        current = (current + 1) % members.count
      }
    }
  }
}

// MARK: - Words in the making and their text, a piece at a time: what is drawn in bulk

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

// MARK: - Which of a seed's words a sampler draws, if several share the work

// Word number i draws from stream i, so words are the same whoever draws them. They are dealt out in
// blocks: each sampler has every n-th block, and goes from one to the next without a pause.

/// The numbers of a sampler's words, by index.
struct WordNumbers: Equatable, Sendable {
  private let member: UInt64
  private let members: UInt64
  private let block: UInt64

  /// Every word.
  static let all = WordNumbers(member: 0, of: 1, block: 1)

  /// Every `members`-th block of so many words, from the block of this member on.
  init(member: Int, of members: Int, block: Int) {
    precondition(
      0 <= member && member < members && block > 0, "WordNumbers: \(member) of \(members)")
    (self.member, self.members, self.block) = (UInt64(member), UInt64(members), UInt64(block))
  }

  @inline(__always)
  subscript(index: UInt64) -> UInt64 {
    let (turn, place) = index.quotientAndRemainder(dividingBy: block)
    return (turn * members + member) * block + place
  }

  /// Whether a word is the last one of a block.
  @inline(__always)
  func endsBlock(_ index: UInt64) -> Bool { (index + 1) % block == 0 }
}
