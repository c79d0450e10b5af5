// What `bench --sizes` has to show, for programs. Seconds are those of one call, or of six products.

import CharMLP
import CommandSupport

extension SizesReport {
  /// `blas`, `core`, `build`, `squares`, `products`, `blas_threads` and `sentences`.
  var json: JSONValue {
    .object(
      BenchReport.libraryJSON + [
        ("squares", .array(squares.map { json($0, size: "size") })),
        ("products", .array(products.joined().map { json($0, size: "batch_size") })),
        (
          "blas_threads",
          [
            "threads": .integer(threads.count),
            "obstacle": threads.obstacle.map { .string($0) } ?? .null,
            "timings": .array(threads.timings.map(json)),
          ]
        ),
        ("sentences", .array(sentences.map { .string($0) })),
      ])
  }

  private var sentences: [String] {
    [sentence("Square products", squares)] + products.map { sentence($0[0].product.name, $0) }
      + threadSentences
  }

  private func json(_ timing: SizeTiming, size: String) -> JSONValue {
    .object([
      ("name", .string(timing.product.name)),
      (size, .integer(timing.size)),
      ("m", .integer(timing.product.rows)),
      ("n", .integer(timing.product.columns)),
      ("k", .integer(timing.product.depth)),
      ("naive_seconds", timing.naiveSeconds.map { .number($0) } ?? .null),
      ("blas_seconds", .number(timing.blasSeconds)),
      ("ratio", timing.ratio.map { .number($0) } ?? .null),
      ("wins", timing.winner.map { .string($0.rawValue) } ?? .null),
    ])
  }

  private func json(_ timing: LibraryThreadsTiming) -> JSONValue {
    [
      "hidden": .integer(timing.hidden),
      "batch_size": .integer(timing.batchSize),
      "one_thread_seconds": .number(timing.oneThreadSeconds),
      "seconds": .number(timing.seconds),
      "ratio": .number(timing.ratio),
      "effect": .string(timing.effect.rawValue),
    ]
  }
}
