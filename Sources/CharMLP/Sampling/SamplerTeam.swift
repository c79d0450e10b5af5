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
