// The choice of kernels as a table: core type in use, instructions, names accepted, and what is
// asked for.

import Testing

@testable import LinearAlgebra

@Suite("Choice of OpenBLAS kernels")
struct KernelsTests {
  struct Machine: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let inUse: String
    let instructions: Instructions
    var accepted = Set(CoreType.all.map(\.name))
    let better: String?
  }

  static let sse42: Instructions = [.sse3, .ssse3, .sse41, .sse42]
  static let avx2 = sse42.union([.avx, .avx2, .fma])
  static let avx512 = avx2.union(.avx512)

  static let machines: [Machine] = [
    Machine(
      testDescription: "a new Xeon that fell back to Prescott", inUse: "Prescott",
      instructions: avx512.union(.avx512bf16), better: "SkylakeX"),
    Machine(
      testDescription: "a new processor without AVX-512 that fell back to Prescott",
      inUse: "Prescott", instructions: avx2, better: "Haswell"),
    Machine(
      testDescription: "Zen 2 or Zen 3", inUse: "Zen", instructions: avx2.union(.sse4a), better: nil
    ),
    Machine(
      testDescription: "Zen 4 or Zen 5 taken for Zen", inUse: "Zen",
      instructions: avx512.union([.sse4a, .avx512bf16]), better: "SkylakeX"),
    Machine(
      testDescription: "Zen 4 or Zen 5 taken for Haswell", inUse: "Haswell",
      instructions: avx512.union([.sse4a, .avx512bf16]), better: "SkylakeX"),
    Machine(
      testDescription: "Zen 5 known as Cooperlake", inUse: "Cooperlake",
      instructions: avx512.union([.sse4a, .avx512bf16]), better: nil),
    Machine(
      testDescription: "Skylake server", inUse: "SkylakeX", instructions: avx512, better: nil),
    Machine(
      testDescription: "Skylake client", inUse: "Haswell", instructions: avx2, better: nil),
    Machine(testDescription: "Alder Lake", inUse: "Haswell", instructions: avx2, better: nil),
    Machine(
      testDescription: "a virtual machine that hides AVX-512", inUse: "Haswell",
      instructions: avx2, better: nil),
    Machine(
      testDescription: "a virtual machine that hides AVX-512 and AVX2", inUse: "Prescott",
      instructions: sse42.union(.avx), better: nil),
    Machine(
      testDescription: "AVX2 without FMA", inUse: "Prescott",
      instructions: sse42.union([.avx, .avx2]), better: nil),
    Machine(
      testDescription: "Sandybridge kernels on a processor with AVX2", inUse: "Sandybridge",
      instructions: avx2, better: "Haswell"),
    Machine(
      testDescription: "Excavator, which has AVX2", inUse: "Excavator",
      instructions: avx2.union([.sse4a, .fma4]), better: nil),
    Machine(
      testDescription: "a build for one core type", inUse: "Prescott", instructions: avx512,
      accepted: [], better: nil),
    Machine(
      testDescription: "a build without SkylakeX", inUse: "Prescott", instructions: avx512,
      accepted: ["Prescott", "Haswell", "Zen"], better: "Haswell"),
    Machine(
      testDescription: "a build without SkylakeX that picked Zen", inUse: "Zen",
      instructions: avx512, accepted: ["Prescott", "Haswell", "Zen"], better: nil),
    Machine(
      testDescription: "a core type that a newer library has", inUse: "SapphireRapids",
      instructions: avx512, better: nil),
    Machine(
      testDescription: "another architecture", inUse: "neoversen1", instructions: [], better: nil),
  ]

  @Test(
    "Better kernels are asked for where the instructions allow it, and only there",
    arguments: machines)
  func choice(_ machine: Machine) {
    #expect(
      CoreType.better(than: machine.inUse, on: machine.instructions, among: machine.accepted)
        == machine.better)
  }

  @Test("The kernels asked for run on the processor and are never a step down")
  func neverAStepDown() {
    // All 2^11 sets of instructions, possible or not.
    for bits in UInt32(0)..<1 << 11 {
      let instructions = Instructions(rawValue: bits)
      for core in CoreType.all {
        let accepted = Set(CoreType.all.map(\.name))
        guard let name = CoreType.better(than: core.name, on: instructions, among: accepted) else {
          continue
        }
        let better = CoreType.all.first { $0.name == name }
        #expect(better?.needs.isSubset(of: instructions) == true)
        #expect(
          core.needs.subtracting([.sse4a, .fma4, .avx512bf16]).isStrictSubset(
            of: better?.needs ?? []))
      }
    }
  }

  @Test("The kernels in use are the user's choice, or not worse than the library's pick")
  func inUse() {
    let expected =
      BLASLibrary.isUsersChoice
      ? nil
      : CoreType.better(
        than: BLASLibrary.picked, on: .ofProcessor, among: Set(BLASLibrary.coreTypes.map(\.name)))
    #expect(BLASLibrary.core == expected ?? BLASLibrary.picked)
  }
}
