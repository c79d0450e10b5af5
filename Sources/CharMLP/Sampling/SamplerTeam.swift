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
  package let estimate: RejectionEstimate?

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
    self.init(
      plan, threads: threads, estimate: plan.method == .rejection ? RejectionEstimate(plan) : nil)
  }

  init(
    _ plan: Sampler.Plan, threads: Int, wordsPerThread: Int? = nil,
    estimate: RejectionEstimate? = nil
  ) {
    precondition(threads >= 1, "SamplerTeam: \(threads) threads")
    var plan = plan
    // A long search is worth it if it is known to end.
    if estimate != nil, plan.request.budget == nil { plan.budget = plan.longBudget }
    self.plan = plan
    self.estimate = estimate
    self.threads = threads
    self.wordsPerThread = wordsPerThread ?? Self.wordsPerThread(plan.predictor.model.shape)
  }

  /// Draws `count` words and passes on their text in pieces, on the calling thread.
  ///
  /// - Returns: Why there were fewer words, if so.
  package func spell<Failure: Error>(
    _ count: Int, _ spelling: @escaping WordSpelling, take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    if let estimate, estimate.charactersPerWord > Double(plan.budget), count > 0 {
      return .tooRare(estimate)
    }
    let limit = limit(count)
    guard limit > 1 else { return try Sampler(plan).spell(count, spelling, take: take) }
    if plan.method == .rejection {
      let (output, team) = start(limit) { [plan] numbers, members in
        var worker = AttemptWorker(plan, numbers, members: members)
        return { worker.nextPiece() }
      }
      // Releasing the team waits for its threads, so they must be told to end before.
      defer { withExtendedLifetime(team) { output.end() } }
      return try TeamSearch(plan, output).spell(count, spelling, take: take)
    }
    let (output, team) = start(limit) { [plan] numbers, members in
      let sampler = Sampler(plan, numbers, members: members)
      var worker = TextWorker(sampler, numbers, count: count, spelling)
      return { worker.nextPiece() }
    }
    defer { withExtendedLifetime(team) { output.end() } }
    return try output.read(count, take)
  }

  /// The threads for `count` words.
  private func limit(_ count: Int) -> Int {
    guard plan.method == .rejection else {
      return plan.request.isUnique ? 1 : min(threads, max(1, count / wordsPerThread))
    }
    let attempts = Double(count) / (estimate?.probability ?? 1)
    return min(threads, max(1, Int(min(attempts / Double(wordsPerThread), 1024))))
  }

  /// Starts threads that fill an output.
  private func start<Piece>(
    _ limit: Int, _ make: @escaping @Sendable (WordNumbers, _ members: Int) -> () -> Piece?
  ) -> (TeamOutput<Piece>, ThreadTeam) {
    var output: TeamOutput<Piece>?
    let team = ThreadTeam(upTo: limit) { [plan] members, _ in
      let shared = TeamOutput(members: members) { member in
        make(WordNumbers(member: member, of: members, block: plan.blockSize), members)
      }
      output = shared
      return { member in shared.fill(member) }
    }
    guard let output else { preconditionFailure("SamplerTeam: there is no output") }
    team.startOthers()
    return (output, team)
  }
}

// MARK: - Pieces that have not been read

/// A piece of a member's words.
protocol TeamPiece: Sendable {
  /// Whether the next piece is another member's.
  var endsBlock: Bool { get }
}

/// The pieces of all members.
final class TeamOutput<Piece: TeamPiece>: @unchecked Sendable {
  private let members: Int
  private let make: @Sendable (_ member: Int) -> () -> Piece?
  private let monitor = Monitor()
  private var pieces: [[Piece]]  // of each member, the oldest first; under the lock
  private var isOver = false  // under the lock
  private lazy var makeOwn = make(0)  // only the reader uses this, and the next
  private var member = 0  // whose piece is read next

  /// The most pieces of a member that wait for the reader.
  private let room = 16

  /// - Parameter make: Returns a function that makes a member's pieces one after the other, nil
  ///   after the last; called on the thread that uses it.
  init(members: Int, make: @escaping @Sendable (_ member: Int) -> () -> Piece?) {
    self.members = members
    self.make = make
    pieces = Array(repeating: [], count: members)
  }

  /// Lets every thread end.
  func end() {
    monitor.locked {
      isOver = true
      monitor.wakeAll()
    }
  }

  /// Makes a member's pieces until there are no more, or the reader has enough.
  func fill(_ member: Int) {
    let make = make(member)
    while let piece = make() {
      let isOver = monitor.locked {
        while pieces[member].count >= room, !self.isOver { monitor.wait() }
        pieces[member].append(piece)
        monitor.wakeAll()
        return self.isOver
      }
      if isOver { return }
    }
  }

  /// The next piece, on the calling thread, which makes the first member's meanwhile.
  func nextPiece() -> Piece {
    while true {
      let (piece, hasRoom) = monitor.locked {
        let piece = pieces[member].isEmpty ? nil : pieces[member].removeFirst()
        if piece != nil { monitor.wakeAll() }
        return (piece, pieces[0].count < room)
      }
      if let piece {
        if piece.endsBlock { member = (member + 1) % members }
        return piece
      }
      if member == 0 || hasRoom, let own = makeOwn() {
        monitor.locked { pieces[0].append(own) }
      } else {
        monitor.locked { while pieces[member].isEmpty { monitor.wait() } }
      }
    }
  }
}

extension TeamOutput<WordPiece> {
  /// Passes on all text in the order of its words, on the calling thread.
  ///
  /// - Returns: Why there were fewer words, if so.
  fileprivate func read<Failure: Error>(
    _ count: Int, _ take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    var words = 0
    while words < count {
      let piece = nextPiece()
      try take(piece)
      words += piece.words
      if let failure = piece.failure { return failure }
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
private struct AttemptWorker {
  private var search: LockstepSampler
  private let numbers: WordNumbers
  private var word = DrawnWord()

  init(_ plan: Sampler.Plan, _ numbers: WordNumbers, members: Int) {
    self.numbers = numbers
    search = plan.search(numbers, members: members)
  }

  /// How long a piece may take.
  private static let patience = Duration.milliseconds(50)

  /// Continues a block until it is full or the piece's time is up.
  mutating func nextPiece() -> AttemptBatch {
    var piece = AttemptBatch()
    let start = ContinuousClock.now
    var moments = 0
    while !piece.endsBlock {
      guard let attempt = search.collect(into: &word) else {
        moments += 1
        if moments % 16 == 0, ContinuousClock.now - start > Self.patience { break }
        continue
      }
      piece.attempts += 1
      piece.drawnAfter += attempt.drawn
      piece.endsBlock = numbers.endsBlock(search.collectedCount - 1)
      guard attempt.isWord else { continue }
      piece.finds.append((word, piece.drawnAfter))
      piece.drawnAfter = 0
    }
    return piece
  }
}

/// The words that several threads find, in the order of the attempts.
private struct TeamSearch: WordSource {
  private let output: TeamOutput<AttemptBatch>
  private var found: FoundWords
  private var piece = AttemptBatch()
  private var next = 0
  private(set) var attempts = 0

  init(_ plan: Sampler.Plan, _ output: TeamOutput<AttemptBatch>) {
    self.output = output
    found = FoundWords(plan.request, budget: plan.budget)
  }

  mutating func proceed(into word: inout DrawnWord) throws(SamplingError) -> Bool {
    guard next < piece.finds.count else {
      let drawn = piece.drawnAfter
      piece.drawnAfter = 0
      try found.spend(drawn)
      piece = output.nextPiece()
      attempts += piece.attempts
      next = 0
      return false
    }
    let find = piece.finds[next]
    next += 1
    try found.spend(find.drawn)
    word = find.word
    return found.accepts(word.ids)
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
}

extension WordSource {
  /// Finds up to `count` words and passes on their text in pieces.
  ///
  /// - Returns: Why there were fewer words, if so.
  package func spell<Failure: Error>(
    _ count: Int, _ spelling: @escaping WordSpelling, take: (WordPiece) throws(Failure) -> Void
  ) throws(Failure) -> SamplingError? {
    var worker = TextWorker(
      self, WordNumbers(member: 0, of: 1, block: 256), count: count, spelling)
    while let piece = worker.nextPiece() {
      try take(piece)
      if let failure = piece.failure { return failure }
    }
    return nil
  }
}

/// Turns the words of one source into pieces of text.
private struct TextWorker<Source: WordSource> {
  private var source: Source
  private let numbers: WordNumbers
  private let count: UInt64
  private let spelling: WordSpelling
  private var index: UInt64 = 0
  private var word = DrawnWord()
  private var hasFailed = false

  /// How long a piece may take; the first words are passed on at once.
  private var patience = Duration.zero

  /// - Parameter count: The number of words of all workers together.
  init(_ source: Source, _ numbers: WordNumbers, count: Int, _ spelling: @escaping WordSpelling) {
    self.source = source
    self.numbers = numbers
    self.count = UInt64(count)
    self.spelling = spelling
  }

  /// Continues a block until it is full or the piece's time is up; nil if there are no more words.
  mutating func nextPiece() -> WordPiece? {
    guard !hasFailed, numbers[index] < count else { return nil }
    var piece = WordPiece()
    let start = ContinuousClock.now
    var moments = 0
    while !piece.endsBlock, numbers[index] < count {
      do throws(SamplingError) {
        guard try source.proceed(into: &word) else {
          moments += 1
          // A moment may be a few microseconds, so the clock is not read after each.
          if moments % 16 == 0, ContinuousClock.now - start > patience { break }
          continue
        }
      } catch {
        piece.failure = error
        hasFailed = true
        break
      }
      spelling(word, Int(numbers[index]), &piece.text)
      piece.words += 1
      piece.endsBlock = numbers.endsBlock(index)
      index += 1
    }
    patience = .milliseconds(100)
    piece.attempts = source.attempts
    return piece
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
