// `train` under mpirun: rank 0 does what `train` does alone, and the others take every step with it.
//
// Only rank 0 reads, prints and saves. The others get from it a checkpoint and the words, whether a run
// begins or goes on: so they need neither the list nor the run directory on their machines, and any
// number of ranks can go on with a run. What rank 0 alone has met with ends the whole job.

#if MPI
  import CharMLP
  import CommandSupport

  extension Train {
    func run(on ranks: MPICommunicator) throws {
      let isAlone = ranks.count == 1 || describe || findLearningRate
      if isAlone { ranks.leave() }
      if ranks.rank == 0 {
        try isAlone ? runAlone() : lead(ranks)
      } else if !isAlone {
        follow(ranks)
      }
    }

    private func lead(_ ranks: MPICommunicator) throws {
      let run: TrainingRun
      do {
        run = try TrainingRun(self, ranks)
        try run.start.share(ranks)
      } catch {
        // Nothing to follow: the others leave.
        var nothing: [UInt8] = []
        ranks.broadcast(&nothing)
        ranks.leave()
        throw error
      }
      do {
        try run.run()
      } catch {
        let trainer = run.start.trainer
        let isKnownToAll = trainer.isStopped || trainer.isFinished || error is Divergence
        if !isKnownToAll { abort(error, ranks) }
        ranks.leave()
        throw error
      }
      ranks.leave()
    }

    /// Says what went wrong, and ends the job: the other ranks wait for a step that will not come.
    private func abort(_ error: any Error, _ ranks: MPICommunicator) -> Never {
      let failure = (error as? any CommandFailureConvertible)?.commandFailure
      StandardError.shared.note(failure?.message ?? "\(error)")
      if let advice = failure?.advice { StandardError.shared.writeLine(advice) }
      ranks.abort(status: (failure?.status ?? .failure).rawValue)
    }

    private func follow(_ ranks: MPICommunicator) {
      Interruption.startCatching()
      // Rank 0 reports a training that falls apart.
      if let trainer = Trainer(following: ranks, threads: threads ?? 1) {
        trainer.stop { Interruption.pending != nil }
        try? trainer.follow()
      }
      ranks.leave()
    }
  }

  extension RunStart {
    /// Gives the other ranks what they start from.
    fileprivate func share(_ ranks: MPICommunicator) throws {
      var checkpoint = try Checkpoint(trainer, words: words).encoded()
      ranks.broadcast(&checkpoint)
      var text = dataset.words.utf8
      ranks.broadcast(&text)
    }
  }

  extension Trainer {
    /// Starts where rank 0 does; nil if that has failed, and said so.
    fileprivate convenience init?(following ranks: MPICommunicator, threads: Int) {
      var (file, text): ([UInt8], [UInt8]) = ([], [])
      ranks.broadcast(&file)
      if file.isEmpty { return nil }
      ranks.broadcast(&text)
      do {
        let checkpoint = try Checkpoint(file: file)
        let dataset = try Dataset(WordList(utf8: text), checkpoint.recipe)
        self.init(resuming: checkpoint, dataset, threads: threads, communicator: ranks)
      } catch {
        StandardError.shared.note("rank \(ranks.rank): \(error)")
        ranks.abort(status: ExitStatus.failure.rawValue)
      }
    }
  }
#endif
