// Model files from strangers: what never ends, what waits for ever, what leads elsewhere, and what
// is sound but for its weights.

import Foundation
import Safetensors
import Testing

@Suite("Untrusted model files")
struct ModelFileInputTests {
  let place: Workplace

  init() throws { place = try Workplace(with: Self.trained, at: "run") }

  private static let trained = Result {
    try TrainedRun(["--steps", "20", "--hidden", "8", "--samples", "0"])
  }

  /// A process that may have 1 GiB of addresses cannot read without end; OpenBLAS takes some of
  /// them.
  private static let limit = "\(onOneCore); ulimit -v 1048576"
  /// The beginning of a file that promises 8 TiB.
  private static let vast =
    #"printf '\115\0\0\0\0\0\0\0{"a":{"dtype":"U8","shape":[8796093022208],"data_offsets":[0,8796093022208]}}'"#

  @Test(
    "A model that is not a file, or has no end, is refused with 65 or 66 by every command",
    .enabled(if: !isSanitized, "a sanitizer needs more addresses"),
    arguments: [
      ("ln -s /dev/zero m", 66, "m: a device, not a file"),
      ("ln -s /dev/null m", 66, "m: a device, not a file"),
      ("ln -s m m", 66, "m: symbolic links form a loop"),
      ("mkdir m m/model.safetensors", 66, "m"),
      ("truncate -s 8T m", 65, "m: "),
      ("mkfifo m; cat /dev/zero > m 2> log &", 65, "m: "),
      ("mkfifo m; yes > m 2> log &", 65, "m: "),
      ("mkfifo m; { \(vast); cat /dev/zero; } > m 2> log &", 66, "m: larger than the limit of "),
      ("\(vast) > m; truncate -s 8T m", 66, "m: larger than the limit of "),
      ("{ printf '\\0\\0\\0\\004\\0\\0\\0\\0'; yes '' 2> log; } | head -c 100M > m", 65, "m: "),
    ] as [(String, Int32, String)])
  func endless(script: String, status: Int32, message: String) throws {
    for command in ["sample --model", "gradcheck --reference"] {
      let outcome = try place.guarded("rm -rf m\n\(script)\n\(Self.limit)\n\(command) m")
      expectRefusal(outcome, status: status, saying: message)
    }
  }

  @Test(
    "A model file that was cut off or lengthened is called damaged, by every command",
    arguments: [
      "head -c 5000 run/model.safetensors > m", "{ cat run/model.safetensors; echo; } > m",
    ])
  func damaged(script: String) throws {
    for command in ["sample --model", "report", "charmlp import"] {
      let outcome = try place.guarded("\(script)\n\(command) m")
      expectRefusal(outcome, status: 65, saying: "m: damaged: ")
    }
  }

  @Test("Where the best state is damaged, the run's last one is named")
  func damagedBest() throws {
    let outcome = try place.guarded("echo > run/best.safetensors\nsample --model run")
    expectRefusal(outcome, status: 65, saying: "The run's last state is run/model.safetensors.")
  }

  @Test("A model may come through a pipe")
  func pipe() throws {
    let outcome = try place.guarded("cat run/model.safetensors | sample --model /dev/stdin")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == (try place.guarded("sample --model run")).output)
  }

  @Test(
    "A run directory with a pipe or folder in a file's place is refused, and nothing waits",
    arguments: [
      ("mkfifo", "model.safetensors", 66, "a pipe, not a file"),
      ("mkdir", "model.safetensors", 66, "Is a directory"),
      ("ln -s /dev/zero", "model.safetensors", 66, "a device, not a file"),
      ("ln -s model.safetensors", "model.safetensors", 66, "there is no model.safetensors"),
      ("mkfifo", "metrics.jsonl", 74, "a pipe, not a file"),
      ("ln -s /dev/zero", "metrics.jsonl", 74, "a device, not a file"),
      ("ln -s ../mine", ".lock", 73, "a symbolic link, which is not followed"),
      ("mkdir", ".lock", 73, "Is a directory"),
      ("ln mine", ".lock", 73, "other names"),
      ("cp mine", ".lock", 73, "File exists"),
      ("mkfifo", ".lock", 73, "a device, not a file"),
    ] as [(String, String, Int32, String)])
  func runDirectory(make: String, name: String, status: Int32, message: String) throws {
    let outcome = try place.guarded(
      "echo mine > mine; rm -f run/\(name); \(make) run/\(name); train --resume run")
    expectRefusal(outcome, status: status, saying: message)
    #expect(try place.read("mine") == Data("mine\n".utf8))
  }

  @Test(
    "A run does not write through links in its directory",
    arguments: ["model.safetensors.new", ".new-0123456789abcdef", ".lock"])
  func links(name: String) throws {
    let outcome = try place.guarded(
      """
      echo mine > mine; mkdir new; ln -s ../mine new/\(name)
      train --steps 20 --hidden 8 --quiet --samples 0 --out new
      """)
    #expect(outcome.status == (name == ".lock" ? 73 : 0), "\(outcome.errors)")
    #expect(try place.read("mine") == Data("mine\n".utf8))
  }

  @Test("A pipe beside the model's file does not stop a run from saving")
  func temporary() throws {
    let outcome = try place.guarded(
      """
      mkdir new; mkfifo new/model.safetensors.new
      train --recipe notebook --steps 20 --hidden 8 --quiet --samples 0 --out new
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try place.read("new/model.safetensors") == place.read("run/model.safetensors"))
  }

  @Test(
    "Weights so large that probabilities are not numbers do not crash any command",
    arguments: ["W1", "W2"])
  func hugeWeights(name: String) throws {
    var file = try SafetensorsFile(decoding: [UInt8](place.read("run/model.safetensors")))
    let tensor = try #require(file[name])
    file[name] = Tensor([Float](repeating: 3e38, count: tensor.elementCount), shape: tensor.shape)
    try place.write(sealed(file), to: "huge.safetensors")
    // 69: no word is drawn.
    for command in [
      "sample", "sample evaluate", "sample --most-likely 3", "sample score emma",
      "sample explain em",
    ] {
      let outcome = try place.guarded("\(command) --model huge.safetensors")
      #expect([0, 69].contains(outcome.status), "\(command): \(outcome.errors)")
    }
    let outcome = try place.guarded("report huge.safetensors --out page.html")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}

// MARK: - A checksum for a model file that a test has changed, by other means than the program's

/// The bytes of a file, with the CRC-32 that a model file has to have.
func sealed(_ file: SafetensorsFile) throws -> [UInt8] {
  var file = file
  file.metadata["crc32"] = "00000000"
  let digits = String(crc32(try file.encoded()), radix: 16)
  file.metadata["crc32"] = String(repeating: "0", count: 8 - digits.count) + digits
  return try file.encoded()
}

/// The reflected polynomial 0xEDB88320, a bit at a time.
private func crc32(_ bytes: [UInt8]) -> UInt32 {
  var sum = UInt32.max
  for byte in bytes {
    sum ^= UInt32(byte)
    for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
  }
  return ~sum
}
