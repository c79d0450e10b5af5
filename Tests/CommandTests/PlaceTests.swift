// Places that cannot be written to, or not far enough, and machines that give too little.

import Foundation
import Testing

@Suite("Output paths that cannot be written")
struct PlaceTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let quick =
    "--recipe notebook --steps 2000 --hidden 8 --quiet --samples 0"
  private static let trained = Result {
    try TrainedRun(["--steps", "2000", "--hidden", "8", "--samples", "0"])
  }

  private func expect(_ outcome: Outcome, _ status: Int32, _ message: String) {
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect((1...2).contains(outcome.errorLines.count), "\(outcome.errors)")
  }

  @Test(
    "A disk too full for the first save ends a run with 74 before its first step",
    .disabled(if: isThreadSanitized, "its own file is too large"))
  func fullFromTheStart() throws {
    // A file may have 4 KiB (in the shell's units of 512 bytes); the model has more.
    let outcome = try place.shell("ulimit -f 8; \"$train\" \(Self.quick) --out run")
    expect(outcome, 74, "run/model.safetensors: File too large")
    #expect(try place.names(in: "run") == [])
  }

  @Test(
    "A disk that is full later ends a run with 74; the last save is whole, nothing else is left",
    .disabled(if: isThreadSanitized, "its own file is too large"))
  func fullLater() throws {
    let command = try place.start(
      "train", ["--steps", "100000000", "--hidden", "8", "--out", "run", "--quiet"])
    try command.wait { try place.names(in: ".").contains("run") }
    try command.wait { try place.names(in: "run").contains("model.safetensors") }
    command.send(SIGTERM)
    #expect(try command.outcome().status == 143)
    let names = try place.names(in: "run")
    let model = try place.read("run/model.safetensors")
    let outcome = try place.shell(
      "ulimit -f 8; \"$train\" --resume run --quiet --checkpoint-every 10")
    expect(outcome, 74, "run/model.safetensors: File too large")
    #expect(try place.names(in: "run") == names)
    #expect(try place.read("run/model.safetensors") == model)
  }

  @Test(
    "A run whose directory is removed, moved, or another's ends with 74 and writes nowhere else",
    arguments: ["", "mkdir run", "echo mine > run", "cp -r other run", "ln -s other run"])
  func replaced(script: String) throws {
    try Self.trained.get().write(to: "other", in: place)
    let names = try place.names(in: "other")
    let files = try names.map { try place.read("other/" + $0) }
    let command = try place.start(
      "train",
      ["--steps", "100000000", "--hidden", "8", "--quiet", "--checkpoint-every", "100"]
        + ["--evaluate-every", "300", "--out", "run"])
    try command.wait { FileManager.default.fileExists(atPath: place.path("run/metrics.jsonl")) }
    #expect(try place.shell("mv run moved; \(script)").status == 0)
    let outcome = try command.outcome()
    #expect(outcome.status == 74, "\(outcome.errors)")
    #expect((1...2).contains(outcome.errorLines.count), "\(outcome.errors)")
    let untouched = script.contains("other") ? "run" : "other"
    #expect(try place.names(in: untouched) == names)
    if script.hasPrefix("mkdir") { #expect(try place.names(in: "run") == []) }
    #expect(try names.map { try place.read(untouched + "/" + $0) } == files)
    #expect(try place.shell("\"$sample\" --model moved/model.safetensors").status == 0)
  }

  @Test(
    "A run whose directory cannot be made is refused with 73",
    arguments: ["/proc/run", "/dev/null/run", "/sys/run"])
  func cannotCreate(path: String) throws {
    expect(try place.shell("\"$train\" \(Self.quick) --out \(path)"), 73, path.prefix(5) + "")
  }

  @Test("A path with room for a directory and not for its files is refused with 73, and not made")
  func longPath() throws {
    // 4,096 bytes are Linux's limit, the zero at the end among them; `/.new-` and 16 digits have
    // 22.
    for (length, status) in [(4073, 0), (4074, 73), (4095, 73), (4096, 73)] as [(Int, Int32)] {
      let names = String(repeating: String(repeating: "d", count: 99) + "/", count: 40)
      let directory = names + String(repeating: "e", count: length - 4000)
      let outcome = try place.shell("\"$train\" \(Self.quick) --out \(directory)")
      #expect(outcome.status == status, "\(length): \(outcome.errors.suffix(100))")
      #expect(outcome.errorLines.count == (status == 0 ? 0 : 2))
      #expect(try place.shell("ls -d ddd* && rm -r ddd*").output.isEmpty == (status != 0))
    }
  }

  @Test("A directory that may only be read is refused with 73")
  func readOnly() throws {
    let train = "\(ordinaryUser) \"$train\""
    expect(
      try place.shell("mkdir d; chmod 555 d; \(train) \(Self.quick) --out d"), 73, "d: ")
    expect(try place.shell("\(train) \(Self.quick) --out d/run"), 73, "d/run: ")
    #expect(try place.shell("\"$train\" \(Self.quick) --out r").status == 0)
    expect(try place.shell("chmod 555 r; \(train) --resume r"), 73, "r/.lock: ")
    #expect(try place.names(in: "d") == [])
    #expect(try !place.names(in: "r").contains(".lock"))
  }

  @Test("A full or closed stdout ends with 74, but the run is saved; stderr may be closed")
  func outputs() throws {
    expect(
      try place.shell("\"$train\" \(Self.quick) --out a >/dev/full"), 74, "No space left on device")
    expect(try place.shell("\"$train\" \(Self.quick) --out b >&-"), 74, "stdout: closed")
    #expect(try place.shell("\"$train\" \(Self.quick) --out c 2>&-").status == 0)
    for run in ["a", "b"] {
      #expect(try place.read(run + "/model.safetensors") == place.read("c/model.safetensors"))
    }
  }

  @Test("A reader that has seen enough ends `sample` without a word")
  func brokenPipe() throws {
    try Self.trained.get().write(to: "a", in: place)
    let outcome = try place.shell("\"$sample\" --model a --count 100000 | head -n 2")
    #expect(outcome.status == 0)
    #expect(outcome.output.split(separator: "\n").count == 2)
    #expect(outcome.errors.isEmpty)
  }

  @Test(
    "More threads than cores need more address space, and are refused with 71 without it",
    .enabled(if: !isSanitized, "a sanitizer needs more addresses"),
    arguments: ["train --steps 20 --hidden 400", "bench --seconds 0.1 --hidden 400"])
  func addressSpaceOfThreads(command: String) throws {
    let outcome = try place.guarded(
      "export OPENBLAS_NUM_THREADS=1; ulimit -v 700000; \(command) --threads 8")
    #expect(outcome.status == 71, "\(outcome.errors)")
    #expect(outcome.errors.contains("OpenBLAS needs 1024 MiB of it"), "\(outcome.errors)")
    #expect(!place.hasRun)
  }

  @Test(
    "Too small a stack ends every command with 71, and 256 KiB are enough",
    arguments: [
      "train \(Self.quick) --out a", "sample --model b", "gradcheck --hidden 4", "report b",
    ])
  func stack(command: String) throws {
    try Self.trained.get().write(to: "b", in: place)
    let outcome = try place.guarded("ulimit -s 128; \(command)")
    expectRefusal(outcome, status: 71, saying: "the stack is too small: 128 KiB")
    #expect(try place.guarded("ulimit -s 256; \(command)").status == 0)
  }

  @Test(
    "Where the system has no thread left, every command works with one",
    arguments: [
      "train --recipe notebook --steps 20 --samples 0 --quiet --threads 4 --out b",
      "gradcheck --hidden 4",
      "report a", "bench --seconds 0.01 --threads 2", "sample --model a",
    ])
  func noThread(command: String) throws {
    try Self.trained.get().write(to: "a", in: place)
    let outcome = try place.guarded("exec \(withoutThreads) \(command)")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test(
    "With hardly a descriptor left, commands end cleanly, and need few",
    arguments: [
      "train \(Self.quick) --out b", "gradcheck --hidden 4", "report a", "sample --model a",
    ])
  func fewDescriptors(command: String) throws {
    try Self.trained.get().write(to: "a", in: place)
    // Descriptor 3 is the only free one, then 4 is there as well, and so on.
    for count in 4...8 {
      let outcome = try place.guarded("ulimit -n \(count); exec \(command)")
      let statuses: [Int32] = count == 4 ? [0, 66, 73, 74] : [0]
      #expect(statuses.contains(outcome.status), "\(count): \(outcome.errors)")
      #expect(outcome.errorLines.count <= 2, "\(count): \(outcome.errors)")
      try? FileManager.default.removeItem(atPath: place.path("b"))
    }
  }

  @Test(
    "Too little address space ends every command with 71 instead of a hang",
    .enabled(if: !isSanitized, "a sanitizer needs more addresses"),
    arguments: ["train", "sample", "bench", "gradcheck"], [100_000, 200_000])
  func addressSpace(command: String, kibibytes: Int) throws {
    let outcome = try place.shell("ulimit -v \(kibibytes); \"$\(command)\"")
    expect(outcome, 71, "\(command): the address space is too small: OpenBLAS needs ")
    #expect(try place.names(in: ".").allSatisfy { $0.hasPrefix(".std") })
  }
}
