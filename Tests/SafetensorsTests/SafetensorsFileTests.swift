// A file as a collection of named tensors.

import Safetensors
import Testing

@Suite("A file in memory")
struct SafetensorsFileTests {
  private func tensor(_ value: Float) -> Tensor { Tensor([value], shape: []) }

  private var abc: SafetensorsFile {
    var file = SafetensorsFile()
    file["b"] = tensor(1)
    file["a"] = tensor(2)
    file["c"] = tensor(3)
    return file
  }

  @Test("keeps the order in which tensors were added")
  func order() {
    #expect(abc.tensors.map(\.name) == ["b", "a", "c"])
  }

  @Test("replaces a tensor in place")
  func replacement() {
    var file = abc
    file["a"] = tensor(9)
    #expect(file.tensors.map(\.name) == ["b", "a", "c"])
    #expect(file["a"] == tensor(9))
  }

  @Test("forgets a tensor that is set to nil, and no other")
  func removal() {
    var file = abc
    file["b"] = nil
    file["nobody"] = nil
    #expect(file.tensors.map(\.name) == ["a", "c"])
    #expect(file["b"] == nil)
    #expect(file["a"] == tensor(2))
    #expect(file["c"] == tensor(3))
    file["b"] = tensor(4)
    #expect(file.tensors.map(\.name) == ["a", "c", "b"])
  }

  @Test("says which tensor is missing or of another type")
  func requests() throws {
    #expect(try abc.tensor(named: "a") == tensor(2))
    #expect(try abc.elements(named: "a", as: Float.self) == [2])
    #expect(throws: SafetensorsError.tensorNotFound(name: "d")) { try abc.tensor(named: "d") }
    #expect(throws: SafetensorsError.tensorNotFound(name: "d")) {
      try abc.elements(named: "d", as: Float.self)
    }
    let mismatch = SafetensorsError.dataTypeMismatch(
      tensor: "a", expected: .float64, found: .float32)
    #expect(throws: mismatch) { try abc.elements(named: "a", as: Double.self) }
  }

  @Test("treats names that differ only in Unicode normalization as one")
  func normalization() {
    var file = SafetensorsFile()
    file["\u{e9}"] = tensor(1)
    file["e\u{301}"] = tensor(2)
    #expect(file.tensors.count == 1)
    #expect(file["\u{e9}"] == tensor(2))
  }

  @Test("is not written with a name the format reserves")
  func reservedName() {
    var file = abc
    file[SafetensorsFile.metadataKey] = tensor(0)
    #expect(throws: SafetensorsError.reservedName) { try file.encoded() }
  }
}
