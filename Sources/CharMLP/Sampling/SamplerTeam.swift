// Many words drawn by several threads, in the order and with the bits of one.
//
// Every thread has its own sampler and works some blocks ahead of the reader, the calling thread,
// which takes the pieces in order and makes its own while the next is not there yet. No thread
// waits for another at every block, so one that has lost its core for a moment does not hold up the
// others. If every attempt is a word, a piece is their text. If words are searched for, a block is
// one of attempts, and a piece is what they found: only the reader knows whether a word repeats an
// earlier one.

internal import Posix

/// Threads that draw words of one request.
package struct SamplerTeam {
  private let plan: Sampler.Plan
  private let threads: Int
  private let wordsPerThread: Int
  /// How rare the words of the request are, if they are searched for; nil if that is not known.
  package let rarity: Rarity?

  /// How many words make another thread worthwhile: more where there are few contexts, which each
  /// thread evaluates for itself.
  static func wordsPerThread(_ shape: ModelShape) -> Int {
    let contexts = (0..<shape.blockSize).reduce(1.0) { count, _ in
      count * Double(shape.vocabulary)
    }
    return contexts < 1e6 ? 16_384 : 4096
  }

  /// Prepares to draw, and estimates how rare the words are if they have to be searched for.
  ///
  /// - Parameter threads: The most threads; fewer are used for few words, and one if all words come
  ///   from the exact distribution and each is drawn only once.
  /// - Throws: `ConstraintError` if no word can meet the constraints, whatever the model.
  package init(
    _ predictor: Predictor, _ request: Sampler.Request, threads: Int
  ) throws(ConstraintError) {
    let plan = try Sampler.Plan(predictor, request)
    self.init(plan, threads: threads, rarity: plan.method == .rejection ? Rarity(plan) : nil)
  }

  init(
    _ plan: Sampler.Plan, threads: Int, wordsPerThread: Int? = nil, rarity: Rarity? = nil
  ) {
    precondition(threads >= 1, "SamplerTeam: \(threads) threads")
    var plan = plan
    // A long search is worth it if it is known to end.
    if rarity != nil, plan.request.budget == nil { plan.budget = plan.longBudget }
    self.plan = plan
    self.rarity = rarity
    self.threads = threads
    self.wordsPerThread = wordsPerThread ?? Self.wordsPerThread(plan.predictor.model.shape)
  }

  /// Draws `count` words and passes on their text in pieces, on the calling thread.
  ///
  /// - Returns: Why there were fewer words, if so.
  package func spell<Failure: Error>(
    _ count: Int, _ spelling: @escaping WordSpelling, take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    if let rarity, rarity.charactersPerWord > Double(plan.budget), count > 0 {
      return .tooRare(rarity)
    }
    let limit = limit(count)
    guard limit > 1 else { return try plan.sampler().spell(count, spelling, take: take) }
    if plan.method == .rejection {
      let (output, team) = start(limit) { [plan] members in
        TeamOutput(members: members) { AttemptWorker(plan, member: $0, of: members) }
      }
      // The others end before the team does.
      defer { withExtendedLifetime(team) { output.end() } }
      return try TeamSearch(plan, output).spell(count, spelling, take: take)
    }
    let (output, team) = start(limit) { [plan] members in
      TeamOutput(members: members) { member in
        let numbers = WordNumbers(member: member, of: members, block: plan.blockSize)
        return TextWorker(
          plan.sampler(numbers, members: members), numbers, count: count, spelling)
      }
    }
    defer { withExtendedLifetime(team) { output.end() } }
    return try output.read(count, take)
  }

  /// The threads for `count` words.
  private func limit(_ count: Int) -> Int {
    guard plan.method == .rejection else {
      return plan.request.isUnique ? 1 : min(threads, max(1, count / wordsPerThread))
    }
    let attempts = Double(count) / (rarity?.probability ?? 1)
    return min(threads, max(1, Int(min(attempts / Double(wordsPerThread), 1024))))
  }

  /// Starts threads that fill an output.
  private func start<Maker>(
    _ limit: Int, _ make: (_ members: Int) -> TeamOutput<Maker>
  ) -> (TeamOutput<Maker>, ThreadTeam) {
    var output: TeamOutput<Maker>?
    let team = ThreadTeam(upTo: limit) { members, _ in
      let shared = make(members)
      output = shared
      return { member in shared.fill(member) }
    }
    guard let output else { preconditionFailure("SamplerTeam: there is no output") }
    team.startOthers()
    return (output, team)
  }
}

// MARK: - Pieces that have not been read

/// Makes pieces of one member's words, one after the other.
protocol PieceMaker: SendableMetatype {
  associatedtype Piece: TeamPiece
  /// Whether there are no more pieces.
  var isFinished: Bool { get }
  /// Works for a moment, or does nothing before the end of a block is taken.
  mutating func work()
  /// Hands over what was made.
  mutating func take() -> Piece
}

extension PieceMaker {
  var isFinished: Bool { false }
}

/// A piece of a member's words.
protocol TeamPiece: Sendable {
  /// Whether the next piece is another member's.
  var endsBlock: Bool { get }
  /// Whether there are no more words after it.
  var isLast: Bool { get }
}

extension TeamPiece {
  var isLast: Bool { false }
}

/// The pieces of all members.
final class TeamOutput<Maker: PieceMaker>: @unchecked Sendable {
  let members: Int
  private let make: @Sendable (_ member: Int) -> Maker
  private let monitor = Monitor()
  private var pieces: [[Maker.Piece]]  // of each member, the oldest first; under the lock
  private var isOver = false  // under the lock

  /// The most pieces of a member that wait for the reader.
  private let room = 16

  /// - Parameter make: Gives a member's maker, on the thread that uses it.
  init(members: Int, make: @escaping @Sendable (_ member: Int) -> Maker) {
    self.members = members
    self.make = make
    pieces = Array(repeating: [], count: members)
  }

  /// The maker of the calling thread, which reads as well.
  func readersMaker() -> Maker { make(0) }

  /// Lets every thread end.
  func end() {
    monitor.locked {
      isOver = true
      monitor.wakeAll()
    }
  }

  /// Makes a member's pieces until there are no more, or the reader has enough.
  func fill(_ member: Int) {
    var maker = make(member)
    while !maker.isFinished {
      maker.work()
      let piece = maker.take()
      let isOver = monitor.locked {
        while pieces[member].count >= room, !self.isOver { monitor.wait() }
        pieces[member].append(piece)
        monitor.wakeAll()
        return self.isOver
      }
      if isOver || piece.isLast { return }
    }
  }

  /// The next piece of a member, on the calling thread, which makes the first member's meanwhile.
  func nextPiece(of member: Int, _ maker: inout Maker) -> Maker.Piece {
    while true {
      let (piece, hasRoom) = monitor.locked {
        let piece = pieces[member].isEmpty ? nil : pieces[member].removeFirst()
        if piece != nil { monitor.wakeAll() }
        return (piece, pieces[0].count < room)
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

extension TeamOutput where Maker.Piece == WordPiece {
  /// Passes on all text in the order of its words, on the calling thread.
  ///
  /// - Returns: Why there were fewer words, if so.
  fileprivate func read<Failure: Error>(
    _ count: Int, _ take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    var maker = readersMaker()
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
}

// MARK: - A search that several threads share

/// What some consecutive attempts have found.
private struct AttemptBatch: TeamPiece {
  /// The words, each with the characters drawn for it and for the attempts since the word before
  /// it.
  var finds: [(word: DrawnWord, drawn: Int)] = []
  /// The characters drawn for the attempts after the last word.
  var drawnAfter = 0
  var attempts = 0
  var endsBlock = false
}

/// Makes a member's attempts.
private struct AttemptWorker: PieceMaker {
  private var search: LockstepSampler
  private let numbers: WordNumbers
  private var piece = AttemptBatch()
  private var word = DrawnWord()

  init(_ plan: Sampler.Plan, member: Int, of members: Int) {
    numbers = WordNumbers(member: member, of: members, block: plan.blockSize)
    search = plan.search(NextCharacterNetwork(plan.predictor), numbers, members: members)
  }

  /// How long a piece may take.
  private static let patience = Duration.milliseconds(50)

  mutating func work() {
    let start = ContinuousClock.now
    var moments = 0
    while !piece.endsBlock {
      guard let attempt = search.collect(into: &word) else {
        moments += 1
        if moments % 16 == 0, ContinuousClock.now - start > Self.patience { return }
        continue
      }
      piece.attempts += 1
      piece.drawnAfter += attempt.drawn
      piece.endsBlock = numbers.endsBlock(search.collectedCount - 1)
      guard attempt.isWord else { continue }
      piece.finds.append((word, piece.drawnAfter))
      piece.drawnAfter = 0
    }
  }

  mutating func take() -> AttemptBatch {
    var taken = AttemptBatch()
    swap(&taken, &piece)
    return taken
  }
}

/// The words that several threads find, in the order of the attempts.
private struct TeamSearch: WordSource {
  private let output: TeamOutput<AttemptWorker>
  private var maker: AttemptWorker
  private let budget: Int
  private let isUnique: Bool
  private var forbidden: ForbiddenWords
  private var member = 0
  private var piece = AttemptBatch()
  private var next = 0
  /// The characters drawn since the last word.
  private var drawn = 0
  private(set) var attempts = 0

  init(_ plan: Sampler.Plan, _ output: TeamOutput<AttemptWorker>) {
    self.output = output
    maker = output.readersMaker()
    budget = plan.budget
    isUnique = plan.request.isUnique
    forbidden = isUnique ? plan.request.forbidden : ForbiddenWords()
  }

  mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool {
    guard next < piece.finds.count else {
      drawn += piece.drawnAfter
      piece.drawnAfter = 0
      guard drawn <= budget else { throw .budgetSpent(characters: budget) }
      if piece.endsBlock { member = (member + 1) % output.members }
      piece = output.nextPiece(of: member, &maker)
      attempts += piece.attempts
      next = 0
      return false
    }
    let find = piece.finds[next]
    next += 1
    drawn += find.drawn
    guard drawn <= budget else { throw .budgetSpent(characters: budget) }
    guard !(isUnique && forbidden.contains(find.word.ids)) else { return false }
    if isUnique { forbidden.add(find.word.ids) }
    drawn = 0
    word = find.word
    return true
  }
}

// MARK: - The text of words, in pieces

// A piece ends when a block is full or a tenth of a second has passed, so that a slow search shows
// every word soon and a fast one rarely interrupts.

/// Appends a word and its number to a text in UTF-8.
package typealias WordSpelling =
  @Sendable (_ word: DrawnWord, _ number: Int, _ text: inout [UInt8]) -> Void

/// The text of some consecutive words.
package struct WordPiece: Sendable, TeamPiece {
  package internal(set) var text: [UInt8] = []
  package internal(set) var words = 0
  /// The words tried so far in search of all words, from the first on; 0 if every attempt is a
  /// word.
  package internal(set) var attempts = 0
  /// Why there are no more words.
  var failure: SamplingError?
  var endsBlock = false
  var isLast: Bool { failure != nil }
}

extension WordSource {
  /// Finds up to `count` words and passes on their text in pieces.
  ///
  /// - Returns: Why there were fewer words, if so.
  package func spell<Failure: Error>(
    _ count: Int, _ spelling: @escaping WordSpelling, take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    var maker = TextWorker(
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
struct TextWorker<Source: WordSource>: PieceMaker {
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
    taken.attempts = source.attempts
    return taken
  }
}

// MARK: - Sharing words among samplers

/// The numbers of a sampler's words, or of its attempts where words are searched for, by index.
///
/// Number i draws from stream i, so it does not matter which sampler draws it. Each of n samplers
/// has every n-th block of words.
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
