// What stops the process says why, in optimized code too: the modules are optimized in every build.

import CharMLP
import LinearAlgebra
import OrderedJSON
import Posix
import Safetensors
import Testing

@Suite("Preconditions have messages in every build")
struct SpokenPreconditionsTests {
  private func message(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }

  @Test("CharMLP names the operation and both sizes")
  func charMLP() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Minibatch(blockSize: 3, contexts: [0, 0], targets: [1])
    }
    #expect(message(result).contains("Minibatch: 2 ids for 1 contexts of 3"))
  }

  @Test("The derivation says that one window is not enough")
  func derivation() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let shape = ModelShape(vocabulary: 3, blockSize: 1, embedding: 2, hidden: 4)
      _ = Derivation(
        Parameters<Double>(zeros: shape), Minibatch(blockSize: 1, contexts: [0], targets: [1]))
    }
    #expect(message(result).contains("the variance of one window is undefined"))
  }

  @Test("LinearAlgebra shows both shapes, from code that is inlined elsewhere too")
  func linearAlgebra() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Matrix<Float>.zeros(2, 3) + Matrix<Float>.zeros(3, 2)
    }
    #expect(message(result).contains("(2, 3) + (3, 2)"))
    let product = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = MatrixProduct.blas(Matrix<Float>.zeros(2, 3), Matrix<Float>.zeros(2, 3))
    }
    #expect(message(product).contains("(2, 3)"))
  }

  @Test("Posix and OrderedJSON say what they were handed")
  func texts() async {
    let pieces = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = "a".pieces(separatedBy: 0x80)
    }
    #expect(message(pieces).contains("pieces: 128 is not an ASCII character"))
    let object = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = JSONValue.object([("twice", 1), ("twice", 2)]).encoded()
    }
    #expect(message(object).contains("JSON object with a key twice"))
  }

  @Test("Safetensors says which bytes do not fit which shape")
  func safetensors() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Tensor([1 as Float, 2], shape: [3])
    }
    #expect(message(result).contains("Tensor: F32 [3]"))
  }
}
