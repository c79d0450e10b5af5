// `run.json`: all that is not the model, so that two runs that learned the same have equal models.

import CommandSupport
import LinearAlgebra

/// When, where and how a run was made.
struct RunDescription {
  let threads: Int
  let startedAt: String
  let seconds: Double
  let stepsPerSecond: Double
  let data: String

  var json: JSONValue {
    [
      "command_line": .array(CommandLine.arguments.map { .string($0) }),
      "data": .string(data),
      "started_at": .string(startedAt),
      "finished_at": .string(Host.timestamp),
      "seconds": .number(seconds),
      "steps_per_second": .number(stepsPerSecond),
      "host": .string(Host.name),
      "versions": ["charmlp": .string(version), "blas": .string(BLASLibrary.configuration)],
      "blas_core": .string(BLASLibrary.core),
      "threads": .integer(threads),
      "build": .string(Host.buildMode),
    ]
  }
}
