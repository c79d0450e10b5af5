// The SIMD functions on whole matrices, where speed counts and 5 ulp do not.

/// tanh of every element, sixteen at a time, within 5 ulp; `tanh` is the reference.
public func vectorizedTanh(_ x: Matrix<Float>) -> Matrix<Float> {
  var result = x
  let count = result.elements.count
  unsafe result.elements.withUnsafeMutableBytes { bytes in
    let whole = count / vectorWidth * vectorWidth
    for first in stride(from: 0, to: whole, by: vectorWidth) {
      let offset = first * MemoryLayout<Float>.stride
      let vector = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: FloatVector.self)
      unsafe bytes.storeBytes(of: tanh(vector), toByteOffset: offset, as: FloatVector.self)
    }
    // The rest goes through the same function, so that an element's place does not change its bits.
    for index in whole..<count {
      let offset = index * MemoryLayout<Float>.stride
      let element = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)
      let value = tanh(FloatVector(repeating: element))[0]
      unsafe bytes.storeBytes(of: value, toByteOffset: offset, as: Float.self)
    }
  }
  return result
}
