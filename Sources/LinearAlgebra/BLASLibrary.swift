// The BLAS library behind the products: what it is, and how many threads it uses.
//
// A call runs on one thread. The bits of a product depend on the number of threads that made it, and
// whoever wants more of them owns them: OpenBLAS's own threads cost more than they bring below a
// batch of a few hundred.

import CBLAS

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
