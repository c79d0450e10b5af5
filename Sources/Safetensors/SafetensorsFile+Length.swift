// How long a file is, read off its beginning: for whoever reads from a stranger and wants to stop in time.
//
// A pipe does not tell its length and a sparse file lies about it; the header does not, or decoding would
// refuse it. Nothing is promised about the data here.

extension SafetensorsFile {
  /// What the beginning of a file says about the length of all of it, in bytes.
  public enum Length: Hashable, Sendable {
    /// The header is not there yet: it, or the eight bytes before it, end here.
    case atLeast(Int)
    /// The data ends here, unless decoding refuses the file.
    case exactly(Int)
  }

  /// The length of a file that begins with these bytes, whether its data is there or not.
  ///
  /// - Throws: `SafetensorsError` if no file begins like this.
  public static func length(
    ofFileBeginning bytes: [UInt8], limits: Limits = Limits()
  ) throws(SafetensorsError) -> Length {
    do throws(SafetensorsError) {
      let (header, headerEnd) = try header(of: bytes, limits: limits)
      let dataEnd = header.records.reduce(0) { max($0, $1.end) }
      // An end that no file can reach stays one.
      let (end, overflow) = headerEnd.addingReportingOverflow(dataEnd)
      return .exactly(overflow ? .max : end)
    } catch {
      switch error {
      case .fileTooShort: return .atLeast(lengthByteCount)
      // At most the limit, or the error would be another.
      case .headerTruncated(let length, _): return .atLeast(lengthByteCount + Int(length))
      default: throw error
      }
    }
  }
}
