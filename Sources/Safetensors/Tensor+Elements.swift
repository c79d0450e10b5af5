// A tensor made of Swift numbers, and the way back.
//
// A tensor is read only as the type it was written with. Converting would be convenient and would
// hide that a file is not the one the caller thinks it is.

extension Tensor {
  /// Makes a tensor of Swift numbers, in row-major order.
  ///
  /// - Precondition: the number of elements is the product of `shape`.
  @inlinable
  public init<Element: TensorElement>(_ elements: [Element], shape: [Int]) {
    self.init(
      dataType: Element.tensorDataType, shape: shape,
      bytes: Element.littleEndianBytes(of: elements))
  }

  /// The elements in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  @inlinable
  public func elements<Element: TensorElement>(
    as type: Element.Type = Element.self
  ) throws(SafetensorsError) -> [Element] {
    guard dataType == Element.tensorDataType else {
      throw .dataTypeMismatch(
        tensor: nil, expected: Element.tensorDataType, found: dataType)
    }
    return Element.elements(littleEndianBytes: bytes)
  }

  /// The elements of an F32 tensor in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  public func floats() throws(SafetensorsError) -> [Float] { try elements() }

  /// The elements of an F64 tensor in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  public func doubles() throws(SafetensorsError) -> [Double] { try elements() }

  /// The elements of an I64 tensor in row-major order.
  ///
  /// - Throws: `SafetensorsError.dataTypeMismatch` if the tensor holds another type.
  public func integers() throws(SafetensorsError) -> [Int64] { try elements() }
}

extension SafetensorsFile {
  /// The elements of the tensor with a name, in row-major order.
  ///
  /// - Throws: `SafetensorsError.tensorNotFound`, or `dataTypeMismatch` with the tensor's name.
  @inlinable
  public func elements<Element: TensorElement>(
    named name: String, as type: Element.Type = Element.self
  ) throws(SafetensorsError) -> [Element] {
    let tensor = try tensor(named: name)
    guard tensor.dataType == Element.tensorDataType else {
      throw .dataTypeMismatch(
        tensor: name, expected: Element.tensorDataType, found: tensor.dataType)
    }
    return try tensor.elements()
  }
}
