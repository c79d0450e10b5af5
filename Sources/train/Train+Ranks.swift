// `train` under mpirun: rank 0 does what `train` does alone, and the others take every step with it.
//
// Only rank 0 prints and saves. The others get from it the words and a checkpoint, whether a run begins or
// goes on: so they need neither the list nor the run directory on their machines, and any number of ranks
// can go on with a run. Only a list that is split by hash is read by all, each its own part. What rank 0
// alone has met with ends the whole job.

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
        RunAssignment.cancel(ranks)
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
    /// Gives the other ranks, which have prepared the same data, what they start from.
    fileprivate func share(_ ranks: MPICommunicator) throws {
      var checkpoint = try Checkpoint(trainer, words: words).encoded()
      ranks.broadcast(&checkpoint)
    }
  }

  extension Trainer {
    /// Starts where rank 0 does; nil if that has failed, and said so.
    fileprivate convenience init?(following ranks: MPICommunicator, threads: Int) {
      guard let assignment = RunAssignment.received(ranks) else { return nil }
      // What is wrong with the list is known to all ranks, and rank 0 tells it.
      let dataset = try? Dataset(assignment, ranks)
      var file: [UInt8] = []
      ranks.broadcast(&file)
      guard let dataset, !file.isEmpty else { return nil }
      do {
        self.init(
          resuming: try Checkpoint(file: file), dataset, threads: threads, communicator: ranks)
      } catch {
        StandardError.shared.note("rank \(ranks.rank): \(error)")
        ranks.abort(status: ExitStatus.failure.rawValue)
      }
    }
  }

  extension Dataset {
    /// Prepares what rank 0 asks for.
    fileprivate init(_ assignment: RunAssignment, _ ranks: MPICommunicator) throws {
      let recipe = assignment.recipe
      if let path = assignment.path {
        let list = try HashSplitList(
          contentsOf: path, splitSeed: recipe.splitSeed, communicator: ranks)
        try self.init(list, blockSize: recipe.blockSize)
      } else {
        var text: [UInt8] = []
        ranks.broadcast(&text)
        try self.init(WordList(utf8: text), recipe, communicator: ranks)
      }
    }
  }
#endif
