// The flags about saving and going on.

import ArgumentParser
import CommandSupport

/// When a run is saved, and which one goes on.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: "Steps between two saves. (default: about 10 seconds of training)",
    transform: wholeNumber(in: 1...1_000_000_000))
  var checkpointEvery: Int?
  @Option(help: "Run directory of a run that was stopped, to go on with; needs no other flag.")
  var resume: String?

  func validate() throws {
    if resume == "" { throw ValidationError("--resume must name a run directory") }
  }
}
