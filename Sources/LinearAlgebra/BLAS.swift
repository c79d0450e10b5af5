// The BLAS library behind the products: what it is, which of its kernels it uses, on how many
// threads.
//
// A call runs on one thread, because the bits of a product depend on the number of threads. Callers
// that want more threads start their own: below batches of a few hundred, OpenBLAS's threads cost
// more than they gain.

import CBLAS
import Glibc

/// The BLAS library that the products call.
public enum BLASLibrary {
  /// Version and build options, as the library describes itself.
  public static var configuration: String {
    unsafe String(cString: openblas_get_config()).trimmingSuffix(while: \.isWhitespace)
  }

  /// The core type whose kernels are in use.
  public static var core: String {
    _ = isReady
    return coreName
  }

  /// The core type that the library picked by itself, or that the user chose: see `isUsersChoice`.
  public static var picked: String {
    _ = isReady
    return initialChoice.core
  }

  /// Whether `OPENBLAS_CORETYPE` in the environment made the choice.
  public static var isUsersChoice: Bool { initialChoice.isUsers }

  static var coreName: String { unsafe String(cString: openblas_get_corename()) }

  /// The number of threads that one product may use.
  ///
  /// An OpenMP build of the library takes it from `OMP_NUM_THREADS` alone and ignores what is set.
  public static var threads: Int {
    get {
      _ = isReady
      return Int(openblas_get_num_threads())
    }
    set {
      _ = isReady
      openblas_set_num_threads(CInt(clamping: newValue))
    }
  }

  /// Whether leaving out the zeros at the end of a product's sums changes no bit, for rows of whole
  /// vectors. The kernels for AVX-512 add term after term, whatever the sizes; the order of those
  /// for AVX2 depends on the sizes.
  static let mayLeaveOutZeros: Bool = hasSmallProducts

  /// Whether BLAS clears the result in a separate pass, slower than our own, before adding to it.
  /// The AVX-512 core types have kernels for small products, which write the result directly.
  static let shouldClearFirst: Bool = !hasSmallProducts

  private static let hasSmallProducts = ["SkylakeX", "Cooperlake"].contains(core)

  /// Prepares the library when first read: its best kernels, one thread a call.
  ///
  /// Every product reads it, and so do the descriptions of the library.
  static let isReady: Bool = {
    chooseKernels()
    openblas_set_num_threads(1)
    return true
  }()
}

extension String {
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
    var trimmed = self
    while let last = trimmed.last, predicate(last) { trimmed.removeLast() }
    return trimmed
  }
}

// MARK: Choosing kernels

extension BLASLibrary {
  /// The core type in use before we ask for another, and whether the user chose it.
  private static let initialChoice = (
    core: coreName, isUsers: environment("OPENBLAS_CORETYPE") != nil
  )

  /// Makes the library choose again where its kernels fall short of the processor; see `CoreType`.
  ///
  /// Called before the first product, when no other thread can be inside the library. Does nothing
  /// if OPENBLAS_CORETYPE is set. An application that already calls OpenBLAS from other threads
  /// should set it.
  private static func chooseKernels() {
    guard !initialChoice.isUsers,
      let better = CoreType.better(
        than: initialChoice.core, on: .ofProcessor, among: Set(coreTypes.map(\.name)))
    else { return }
    restart(core: better)
  }

  /// The core types that the library can be asked for by name, the oldest first; empty if it was
  /// built for a single one.
  ///
  /// A library with several has a table of functions for each, `gotoblas_HASWELL` and so on; those
  /// left out of the build are missing or zero.
  public static let coreTypes: [CoreType] = {
    guard unsafe dlsym(nil, "gotoblas_dynamic_init") != nil else { return [] }
    return CoreType.all.filter { core in
      guard let table = unsafe dlsym(nil, "gotoblas_" + core.name.uppercased()) else {
        return false
      }
      return unsafe table.load(as: CInt.self) != 0
    }
  }()

  /// Makes the library choose its kernels again.
  private static func restart(core: String) {
    typealias Function = @convention(c) () -> Void
    guard let quit = unsafe dlsym(nil, "gotoblas_dynamic_quit"),
      let start = unsafe dlsym(nil, "gotoblas_dynamic_init")
    else { return }
    unsafe setenv("OPENBLAS_CORETYPE", core, 1)
    defer { unsafe unsetenv("OPENBLAS_CORETYPE") }
    unsafe unsafeBitCast(quit, to: Function.self)()
    unsafe unsafeBitCast(start, to: Function.self)()
  }

  private static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}

// MARK: Optimization

/// Whether this module was compiled with optimization, whatever the build's configuration is
/// called.
public let isOptimized: Bool = {
  var isOptimized = true
  // An assertion is evaluated only without optimization.
  assert(
    {
      isOptimized = false
      return true
    }())
  return isOptimized
}()

// MARK: - Core types
//
// OpenBLAS carries kernels for many core types and picks one by the processor's model number. A
// model that is newer than the library gets kernels of an older one, without its widest vectors,
// and products take two to four times as long. So the pick is compared with the processor's
// instructions, and where it falls short a better core type is asked for by name. Nothing is timed:
// the same machine always gets the same kernels, and a seed keeps its bits.

/// Sets of instructions, as far as a core type's kernels need them.
struct Instructions: OptionSet, Sendable {
  let rawValue: UInt32

  static let sse3 = Instructions(rawValue: 1 << 0)
  static let ssse3 = Instructions(rawValue: 1 << 1)
  static let sse41 = Instructions(rawValue: 1 << 2)
  static let sse42 = Instructions(rawValue: 1 << 3)
  static let sse4a = Instructions(rawValue: 1 << 4)
  static let avx = Instructions(rawValue: 1 << 5)
  static let fma4 = Instructions(rawValue: 1 << 6)
  static let avx2 = Instructions(rawValue: 1 << 7)
  static let fma = Instructions(rawValue: 1 << 8)
  /// AVX-512 F, BW, CD, DQ and VL, all five.
  static let avx512 = Instructions(rawValue: 1 << 9)
  static let avx512bf16 = Instructions(rawValue: 1 << 10)

  /// What this processor has and its operating system lets programs use; none on other
  /// architectures.
  static let ofProcessor = Instructions(rawValue: processor_instructions())
}

/// A core type of OpenBLAS for x86-64: the name it goes by, and what its kernels need.
public struct CoreType: Equatable, Sendable {
  /// The name, as `openblas_get_corename` returns it and `OPENBLAS_CORETYPE` takes it.
  public let name: String
  let needs: Instructions

  /// Whether this processor can run its kernels.
  public var runsHere: Bool { needs.isSubset(of: .ofProcessor) }
}

extension CoreType {
  /// The core types of OpenBLAS up to 0.3.21, the oldest first (driver/others/dynamic.c, and the
  /// flags in Makefile.x86_64), without those that need 3DNow!. Newer ones are omitted: a library
  /// that has them recognizes current processors.
  public static let all: [CoreType] = [
    CoreType(name: "Prescott", needs: .sse3),
    CoreType(name: "Core2", needs: [.sse3, .ssse3]),
    CoreType(name: "Penryn", needs: penryn),
    CoreType(name: "Dunnington", needs: penryn),
    CoreType(name: "Nehalem", needs: nehalem),
    CoreType(name: "Atom", needs: [.sse3, .ssse3]),
    CoreType(name: "Nano", needs: [.sse3, .ssse3]),
    CoreType(name: "Barcelona", needs: [.sse3, .sse4a]),
    CoreType(name: "Bobcat", needs: [.sse3, .ssse3, .sse4a]),
    CoreType(name: "Sandybridge", needs: nehalem.union(.avx)),
    CoreType(name: "Bulldozer", needs: nehalem.union([.avx, .fma4])),
    CoreType(name: "Piledriver", needs: nehalem.union([.avx, .fma4, .fma])),
    CoreType(name: "Steamroller", needs: nehalem.union([.avx, .fma4, .fma])),
    CoreType(name: "Excavator", needs: haswell.union(.fma4)),
    CoreType(name: "Haswell", needs: haswell),
    CoreType(name: "Zen", needs: haswell),
    CoreType(name: "SkylakeX", needs: haswell.union(.avx512)),
    CoreType(name: "Cooperlake", needs: haswell.union([.avx512, .avx512bf16])),
  ]

  private static let penryn: Instructions = [.sse3, .ssse3, .sse41]
  private static let nehalem: Instructions = [.sse3, .ssse3, .sse41, .sse42]
  private static let haswell: Instructions = [.sse3, .ssse3, .sse41, .sse42, .avx, .avx2, .fma]

  /// The core type to ask for in place of the one in use, or nil to keep it.
  ///
  /// Asks for SkylakeX if the core type in use ignores AVX-512, for Haswell if it ignores AVX2 and
  /// FMA. It is never a step down, and a name that is not in the table belongs to a newer library
  /// and is kept.
  ///
  /// - Parameters:
  ///   - name: The core type in use.
  ///   - instructions: What processor and operating system offer.
  ///   - accepted: The names that the library accepts.
  static func better(
    than name: String, on instructions: Instructions, among accepted: Set<String>
  ) -> String? {
    guard let inUse = all.first(where: { $0.name == name }) else { return nil }
    return ["SkylakeX", "Haswell"].first { candidate in
      guard accepted.contains(candidate), let core = all.first(where: { $0.name == candidate })
      else { return false }
      return core.needs.isSubset(of: instructions)
        && core.needs.isStrictSuperset(of: inUse.baseline)
    }
  }

  /// What its kernels need, without the instructions that speed up none of our products
  /// (SSE4a, FMA4, BF16).
  private var baseline: Instructions { needs.subtracting([.sse4a, .fma4, .avx512bf16]) }
}
