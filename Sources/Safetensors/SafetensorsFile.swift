// The content of a safetensors file: named tensors in an order, and a dictionary of strings.
//
// A value in memory, nothing more: it opens no file, so it works the same on a download, a test
// fixture or a pipe. Names are compared as Swift compares strings; two names that differ only in
// Unicode normalization are therefore the same name, and a file that has both is refused.

/// The content of a safetensors file.
public struct SafetensorsFile: Equatable, Sendable {
  /// A tensor and its name.
  public struct NamedTensor: Hashable, Sendable {
    /// The name, unique in its file.
    public let name: String
    /// The tensor.
    public let tensor: Tensor
  }

  /// The key the format reserves for metadata; no tensor can have this name.
  public static let metadataKey = "__metadata__"

  /// The tensors: those of a decoded file in the order of their data, then in the order added.
  public private(set) var tensors: [NamedTensor]
  /// Free text about the tensors.
  public var metadata: [String: String]
  /// Where a name is in `tensors`.
  private var positions: [String: Int]

  /// Makes a file without tensors.
  public init(metadata: [String: String] = [:]) {
    self.tensors = []
    self.metadata = metadata
    self.positions = [:]
  }

  /// Makes a file of tensors whose names are known to be unique.
  init(tensors: [NamedTensor], positions: [String: Int], metadata: [String: String]) {
    self.tensors = tensors
    self.metadata = metadata
    self.positions = positions
  }

  /// The tensor with a name, or nil if there is none.
  ///
  /// Setting a new name appends; setting a known one replaces in place; setting nil removes, in
  /// time proportional to the number of tensors.
  public subscript(name: String) -> Tensor? {
    get { positions[name].map { tensors[$0].tensor } }
    set {
      switch (positions[name], newValue) {
      case (let position?, let tensor?):
        tensors[position] = NamedTensor(name: tensors[position].name, tensor: tensor)
      case (nil, let tensor?):
        positions[name] = tensors.count
        tensors.append(NamedTensor(name: name, tensor: tensor))
      case (let position?, nil):
        remove(at: position)
      case (nil, nil):
        break
      }
    }
  }

  /// The tensor with a name.
  ///
  /// - Throws: `SafetensorsError.tensorNotFound` if there is none.
  public func tensor(named name: String) throws(SafetensorsError) -> Tensor {
    guard let tensor = self[name] else { throw .tensorNotFound(name: name) }
    return tensor
  }

  private mutating func remove(at position: Int) {
    positions[tensors[position].name] = nil
    tensors.remove(at: position)
    for later in position..<tensors.count {
      positions[tensors[later].name] = later
    }
  }
}
