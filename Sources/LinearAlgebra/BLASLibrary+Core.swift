// Kernels for processors that are newer than the library.
//
// OpenBLAS picks its kernels by the processor's model number. A model it has never heard of gets those
// of 2004, without AVX, and products take two to four times as long. So where the library fell back
// that far and the processor has the instructions, it is asked to choose again by name, as
// `OPENBLAS_CORETYPE` in the environment would have done. A user's own choice there is left alone; so
// may an application decide that calls OpenBLAS from threads of its own while this happens.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
