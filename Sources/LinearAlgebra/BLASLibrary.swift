// The BLAS library behind the products: what it is, and how many threads it uses.
//
// A call runs on one thread. The bits of a product depend on the number of threads that made it, and
// whoever wants more of them owns them: OpenBLAS's own threads cost more than they bring below a
// batch of a few hundred.

import CBLAS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The BLAS library that the products call.
public enum BLASLibrary {
  /// Version and build options, as the library describes itself.
  public static var configuration: String {
    unsafe String(cString: openblas_get_config()).trimmingSuffix(while: \.isWhitespace)
  }

  /// The processor whose kernels the library chose.
  public static var core: String {
    _ = isReady
    return coreName
  }

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

  /// Prepares the library when first read: its best kernels, one thread a call.
  ///
  /// Every product reads it, and so does whoever describes the library.
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

// MARK: - Kernels for processors that are newer than the library

// OpenBLAS picks its kernels by the processor's model number. A model it has never heard of gets those
// of 2004, without AVX, and products take two to four times as long. So where the library fell back
// that far and the processor has the instructions, it is asked to choose again by name, as
// `OPENBLAS_CORETYPE` in the environment would have done. A user's own choice there is left alone; so
// may an application decide that calls OpenBLAS from threads of its own while this happens.

extension BLASLibrary {
  /// Makes the library choose better kernels, if it chose the oldest ones for want of better knowledge.
  ///
  /// Called before the first product, when no other thread can be inside the library.
  static func chooseKernels() {
    #if arch(x86_64) && os(Linux)
      guard coreName == "Prescott", environment("OPENBLAS_CORETYPE") == nil,
        let core = bestCore(processorFlags())
      else { return }
      restart(core: core)
    #endif
  }

  /// The newest of the library's cores whose instructions the processor has.
  static func bestCore(_ flags: Set<String>) -> String? {
    if flags.isSuperset(of: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]) {
      return "SkylakeX"
    }
    return flags.isSuperset(of: ["avx2", "fma"]) ? "Haswell" : nil
  }

  /// The first processor's instruction sets, as the kernel names them.
  private static func processorFlags() -> Set<String> {
    guard let file = unsafe fopen("/proc/cpuinfo", "r") else { return [] }
    defer { unsafe fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { unsafe free(line) }
    while unsafe getline(&line, &capacity, file) > 0 {
      guard let line = unsafe line else { break }
      let text = unsafe String(cString: line)
      if text.hasPrefix("flags") {
        return Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
      }
    }
    return []
  }

  private static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Lets the library choose its kernels once more; only builds with several sets of them can.
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
}

// MARK: - Whether the numeric modules were compiled with optimization: a figure measured without it says nothing

// All of them share one list of settings, so that one can speak for all.

/// Whether this module was compiled with optimization, whatever the build's configuration is called.
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
