// The BLAS library behind the products: what it is, and how many threads it uses.
//
// A call runs on one thread. The bits of a product depend on the number of threads that made it, and
// whoever wants more of them owns them: OpenBLAS's own threads cost more than they bring below a
// batch of a few hundred.

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
    return beginning.core
  }

  /// Whether `OPENBLAS_CORETYPE` in the environment made the choice.
  public static var isUsersChoice: Bool { beginning.isUsers }

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

// MARK: Better kernels

extension BLASLibrary {
  /// What was in use before anything was asked for, and who chose it.
  private static let beginning = (
    core: coreName, isUsers: environment("OPENBLAS_CORETYPE") != nil
  )

  /// Makes the library choose again where its kernels fall short of the processor; see `CoreType`.
  ///
  /// Called before the first product, when no other thread can be inside the library. A user's
  /// `OPENBLAS_CORETYPE` is left alone; so may an application decide that calls OpenBLAS from threads of
  /// its own while this happens.
  private static func chooseKernels() {
    guard !beginning.isUsers,
      let better = CoreType.better(
        than: beginning.core, on: .ofProcessor, among: Set(coreTypes.map(\.name)))
    else { return }
    restart(core: better)
  }

  /// The core types that the library can be asked for by name, the oldest first; none where it was built
  /// for one alone.
  ///
  /// A library of several has a table of functions for each, `gotoblas_HASWELL` and so on; those that
  /// were left out of the build are missing or zero.
  public static let coreTypes: [CoreType] = {
    guard unsafe dlsym(nil, "gotoblas_dynamic_init") != nil else { return [] }
    return CoreType.all.filter { core in
      guard let table = unsafe dlsym(nil, "gotoblas_" + core.name.uppercased()) else {
        return false
      }
      return unsafe table.load(as: CInt.self) != 0
    }
  }()

  /// Lets the library choose its kernels once more.
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
