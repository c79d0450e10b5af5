// Which Swift type is which element type. The standard floating-point types already have a
// `bitPattern`; the integers get theirs from the extension beside the protocol.
//
// Bool is left out on purpose: a BOOL byte may hold anything in a hostile file, and a Swift Bool
// may not. BF16, the narrow floats and C64 have no Swift counterpart; their bytes are there.

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  extension Float16: TensorElement {
    public static var tensorDataType: DataType { .float16 }
  }
#endif

extension Float: TensorElement {
  public static var tensorDataType: DataType { .float32 }
}

extension Double: TensorElement {
  public static var tensorDataType: DataType { .float64 }
}

extension Int8: TensorElement {
  public static var tensorDataType: DataType { .int8 }
}

extension Int16: TensorElement {
  public static var tensorDataType: DataType { .int16 }
}

extension Int32: TensorElement {
  public static var tensorDataType: DataType { .int32 }
}

extension Int64: TensorElement {
  public static var tensorDataType: DataType { .int64 }
}

extension UInt8: TensorElement {
  public static var tensorDataType: DataType { .uint8 }
}

extension UInt16: TensorElement {
  public static var tensorDataType: DataType { .uint16 }
}

extension UInt32: TensorElement {
  public static var tensorDataType: DataType { .uint32 }
}

extension UInt64: TensorElement {
  public static var tensorDataType: DataType { .uint64 }
}
