// The fuzz target of the safetensors reader and writer. libFuzzer calls it with inputs of its own
// making.
//
// Besides not crashing, every input must be refused with one line of text, or be read into a file
// that is written and read back to the same content, and whose second writing gives the same bytes.
//
// An input is tried twice. As it stands it tests the frame; but most mutations change the length,
// and so break the frame, so it is tried again with the length that its last brace implies.

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe [UInt8](UnsafeBufferPointer(start: data, count: count))
  withinOneSecond { check(bytes) }
  if let framed = framed(bytes), framed != bytes { withinOneSecond { check(framed) } }
  return 0
}

/// The input with a header that ends at its last brace, and the spaces after it.
private func framed(_ bytes: [UInt8]) -> [UInt8]? {
  guard let brace = bytes.lastIndex(of: UInt8(ascii: "}")), brace >= 8 else { return nil }
  let end = bytes[(brace + 1)...].firstIndex { $0 != UInt8(ascii: " ") } ?? bytes.count
  return (0..<8).map { UInt8(truncatingIfNeeded: (end - 8) >> (8 * $0)) } + bytes[8...]
}

private func check(_ bytes: [UInt8]) {
  let file: SafetensorsFile
  do throws(SafetensorsError) {
    file = try SafetensorsFile(decoding: bytes)
  } catch {
    let text = error.description.utf8
    precondition(!text.isEmpty && text.count < 4096, "an error of \(text.count) bytes")
    precondition(text.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "an error that is not one line")
    return
  }
  checkDataIsCovered(file, of: bytes)
  let written = encoded(file)
  guard let again = try? SafetensorsFile(decoding: written) else {
    preconditionFailure("what was written cannot be read")
  }
  precondition(again.metadata == file.metadata, "the metadata changed")
  precondition(again.tensors.count == file.tensors.count, "the number of tensors changed")
  for entry in file.tensors {
    precondition(again[entry.name] == entry.tensor, "\(entry.name) changed")
  }
  precondition(encoded(again) == written, "the second writing differs")
}

/// Every byte of the data is in exactly one tensor, in the tensors' order.
private func checkDataIsCovered(_ file: SafetensorsFile, of bytes: [UInt8]) {
  let headerEnd = 8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
  let covered = file.tensors.flatMap(\.tensor.bytes)
  precondition(covered.elementsEqual(bytes[headerEnd...]), "the tensors are not the data")
}

/// The bytes of a file that was read, which must be writable.
private func encoded(_ file: SafetensorsFile) -> [UInt8] {
  do throws(SafetensorsError) {
    return try file.encoded()
  } catch {
    preconditionFailure("what was read cannot be written: \(error)")
  }
}
