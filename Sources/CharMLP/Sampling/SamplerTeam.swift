// Many words drawn by several threads, in the order and with the bits of one.
//
// Every thread has its own sampler and turns its blocks of words into text, some blocks ahead of the reader. The
// calling thread hands the text over in order, and draws its own blocks while the next text is not there yet. No
// thread waits for another at every block, so one that has lost its core for a moment holds up nobody else.

/// Threads that draw words of one request.
public struct SamplerTeam {
  private let plan: Sampler.Plan
  private let threads: Int
  private let wordsPerThread: Int

  /// How many words make another thread worthwhile: more where there are few contexts, which each
  /// thread evaluates for itself.
  static func wordsPerThread(_ shape: ModelShape) -> Int {
    let contexts = (0..<shape.blockSize).reduce(1.0) { count, _ in
      count * Double(shape.vocabulary)
    }
    return contexts < 1e6 ? 16_384 : 4096
  }

  /// Prepares to draw.
  ///
  /// - Parameter threads: The most threads; fewer are used for few words, and one if each word is
  ///   drawn only once.
  /// - Throws: `ConstraintError` if no word can meet the constraints, whatever the model.
  public init(
    _ predictor: Predictor, _ request: Sampler.Request, threads: Int
  ) throws(ConstraintError) {
    self.init(try Sampler.Plan(predictor, request), threads: threads)
  }

  init(_ plan: Sampler.Plan, threads: Int, wordsPerThread: Int? = nil) {
    precondition(threads >= 1, "SamplerTeam: \(threads) threads")
    self.plan = plan
    self.threads = threads
    self.wordsPerThread = wordsPerThread ?? Self.wordsPerThread(plan.predictor.model.shape)
  }

  /// Draws `count` words and passes on their text in pieces, on the calling thread.
  ///
  /// - Returns: Why there were fewer words, if so.
  public func spell<Failure: Error>(
    _ count: Int, _ spelling: @escaping WordSpelling, take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    let limit = plan.request.isUnique ? 1 : min(threads, max(1, count / wordsPerThread))
    guard limit > 1 else { return try plan.sampler().spell(count, spelling, take: take) }
    var output: Output?
    let team = ThreadTeam(upTo: limit) { [plan] threads, _ in
      let shared = Output(plan, members: threads, count: count, spelling)
      output = shared
      return { member in shared.fill(member) }
    }
    guard let output else { preconditionFailure("SamplerTeam: there is no output") }
    // The others end before the team does.
    defer { output.end() }
    team.callOthers()
    return try output.read(take)
  }
}

extension SamplerTeam {
  /// What the threads have spelled and nobody has read yet.
  private final class Output: @unchecked Sendable {
    private typealias Maker = WordPieceMaker<Sampler>

    private let plan: Sampler.Plan
    private let count: Int
    private let members: Int
    private let spelling: WordSpelling
    private let monitor = Monitor()
    private var pieces: [[WordPiece]]  // of each member, the oldest first; under the lock
    private var isOver = false  // under the lock

    /// The most pieces of a member that wait for the reader.
    private static let room = 16

    init(
      _ plan: Sampler.Plan, members: Int, count: Int, _ spelling: @escaping WordSpelling
    ) {
      self.plan = plan
      self.members = members
      self.count = count
      self.spelling = spelling
      pieces = Array(repeating: [], count: members)
    }

    /// Lets every thread end.
    func end() {
      monitor.locked {
        isOver = true
        monitor.wakeAll()
      }
    }

    /// A member's maker; called by the thread that uses it.
    private func maker(_ member: Int) -> Maker {
      let numbers = WordNumbers(member: member, of: members, block: plan.blockSize)
      return Maker(plan.sampler(numbers, members: members), numbers, count: count, spelling)
    }

    /// Spells a member's words until there are no more, or the reader has enough.
    func fill(_ member: Int) {
      var maker = maker(member)
      while !maker.isFinished {
        maker.work()
        let piece = maker.take()
        let isLast = piece.failure != nil
        let isOver = monitor.locked {
          while pieces[member].count >= Self.room, !self.isOver { monitor.wait() }
          pieces[member].append(piece)
          monitor.wakeAll()
          return self.isOver
        }
        if isOver || isLast { return }
      }
    }

    /// Passes on all text in the order of its words, on the calling thread, which spells the first member's.
    ///
    /// - Returns: Why there were fewer words, if so.
    func read<Failure: Error>(
      _ take: (WordPiece) throws(Failure) -> Void
    ) throws(Failure) -> SamplingError? {
      var maker = maker(0)
      var (member, words) = (0, 0)
      while words < count {
        let piece = nextPiece(of: member, &maker)
        try take(piece)
        words += piece.words
        if let failure = piece.failure { return failure }
        if piece.endsBlock { member = (member + 1) % members }
      }
      return nil
    }

    private func nextPiece(of member: Int, _ maker: inout Maker) -> WordPiece {
      while true {
        let (piece, hasRoom) = monitor.locked {
          let piece = pieces[member].isEmpty ? nil : pieces[member].removeFirst()
          if piece != nil { monitor.wakeAll() }
          return (piece, pieces[0].count < Self.room)
        }
        if let piece { return piece }
        if member == 0 || hasRoom, !maker.isFinished {
          maker.work()
          let piece = maker.take()
          monitor.locked { pieces[0].append(piece) }
        } else {
          monitor.locked { while pieces[member].isEmpty { monitor.wait() } }
        }
      }
    }
  }
}

// MARK: - The text of words, in pieces

// A piece ends when a block is full or a tenth of a second has passed, so that a slow search shows
// every word soon and a fast one rarely interrupts.

/// Appends a word and its number to a text in UTF-8.
public typealias WordSpelling =
  @Sendable (_ word: DrawnWord, _ number: Int, _ text: inout [UInt8]) -> Void

/// The text of some consecutive words.
public struct WordPiece: Sendable {
  public internal(set) var text: [UInt8] = []
  public internal(set) var words = 0
  /// Why there are no more words.
  var failure: SamplingError?
  var endsBlock = false
}

extension WordSource {
  /// Finds up to `count` words and passes on their text in pieces.
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

/// Turns the words of one source into pieces of text.
struct WordPieceMaker<Source: WordSource> {
  private var source: Source
  private let numbers: WordNumbers
  private let count: UInt64
  private let spelling: WordSpelling
  private var index: UInt64 = 0
  private var word = DrawnWord()
  private var piece = WordPiece()

  /// How long a piece may take; the first words are passed on at once.
  private var patience = Duration.zero

  /// - Parameter count: The number of words of all makers together.
  init(_ source: Source, _ numbers: WordNumbers, count: Int, _ spelling: @escaping WordSpelling) {
    self.source = source
    self.numbers = numbers
    self.count = UInt64(count)
    self.spelling = spelling
  }

  /// Whether nothing is left to find or to take.
  var isFinished: Bool { numbers[index] >= count && piece.words == 0 && piece.failure == nil }

  /// Continues a block until it is full or the piece's time is up; then does nothing until the end
  /// of the block is taken.
  mutating func work() {
    let start = ContinuousClock.now
    var moments = 0
    defer { patience = .milliseconds(100) }
    while !piece.endsBlock, piece.failure == nil, numbers[index] < count {
      do throws(SamplingError) {
        guard try source.proceed(into: &word) else {
          moments += 1
          // A moment may be a few microseconds, so the clock is not read after each.
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

// MARK: - Sharing words among samplers

/// The numbers of a sampler's words, by index.
///
/// Word i draws from stream i, so it does not matter which sampler draws it. Each of n samplers has
/// every n-th block of words.
struct WordNumbers: Equatable, Sendable {
  private let member: UInt64
  private let members: UInt64
  private let block: UInt64

  /// Every word.
  static let all = WordNumbers(member: 0, of: 1, block: 1)

  /// Every `members`-th block of `block` words, beginning with block number `member`.
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
