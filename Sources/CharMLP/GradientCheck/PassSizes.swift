// The sizes of a pass and the precision of its numbers: shapes, terms in a sum, the last place.
//
// In the derivation every tensor is a matrix; in the notebook, emb has three dimensions, b1 and b2
// have one and the loss has none. Tables and files use the notebook's shapes. Every comparison is
// computed in Double, which holds the numbers of both precisions exactly; the precision only says
// how much of a difference rounding may explain.

internal import LinearAlgebra
package import Safetensors

/// The sizes of a pass.
struct PassSizes: Equatable, Sendable {
  let n: Int
  let model: ModelShape

  init(_ model: ModelShape, batchSize: Int) {
    n = batchSize
    self.model = model
  }

  init(_ problem: GradientProblem) {
    self.init(problem.parameters.shape, batchSize: problem.minibatch.count)
  }

  private func size<Scalar>(_ dimension: TensorRow<Scalar>.Dimension) -> Int {
    switch dimension {
    case .one: 1
    case .n: n
    case .block: model.blockSize
    case .embedding: model.embedding
    case .context: model.contextWidth
    case .hidden: model.hidden
    case .vocabulary: model.vocabulary
    }
  }

  /// The shape in the notebook.
  func shape(of tensor: PassTensor) -> [Int] {
    TensorRow<Double>(tensor).dimensions.map(size)
  }

  /// Other shapes of the same elements in the same order that a notebook may well give a tensor:
  /// vectors without the dimension of 1 or with it, emb with its windows one below the other.
  func alternatives(of tensor: PassTensor) -> [[Int]] {
    let dimensions = TensorRow<Double>(tensor).dimensions
    let shape = dimensions.map(size)
    switch dimensions.count {
    case 0: return [[1], [1, 1]]
    case 1: return [[1] + shape]
    case 3: return [[shape[0] * shape[1], shape[2]]]
    default: break
    }
    return dimensions.contains(.one)
      ? [zip(dimensions, shape).filter { $0.0 != .one }.map(\.1)] : []
  }

  /// Whether a shape is the tensor's, or one of its alternatives.
  func accepts(_ shape: [Int], for tensor: PassTensor) -> Bool {
    ([self.shape(of: tensor)] + alternatives(of: tensor)).contains(shape)
  }

  /// Another number of windows or hidden units that explains the shapes of two tensors or more, and
  /// of as many as possible.
  func others(explaining shapes: [PassTensor: [Int]], atLeast least: Int = 2) -> PassSizes? {
    var (windows, units): (Set<Int>, Set<Int>) = ([n], [model.hidden])
    for (tensor, shape) in shapes {
      for (dimension, size) in zip(TensorRow<Double>(tensor).dimensions, shape) where size > 1 {
        if dimension == .n { windows.insert(size) }
        if dimension == .hidden { units.insert(size) }
      }
    }
    var best: (sizes: PassSizes, count: Int)?
    for n in windows.sorted() {
      for hidden in units.sorted() {
        // All transposed is a mistake, and no other size.
        if (n, hidden) == (self.n, model.hidden) || (n, hidden) == (model.hidden, self.n) {
          continue
        }
        let other = ModelShape(
          vocabulary: model.vocabulary, blockSize: model.blockSize, embedding: model.embedding,
          hidden: hidden)
        let sizes = PassSizes(other, batchSize: n)
        let count = shapes.count { sizes.accepts($0.value, for: $0.key) }
        if count >= least, count > best?.count ?? 0 { best = (sizes, count) }
      }
    }
    return best?.sizes
  }

  /// Rows and columns of a tensor as a matrix of the derivation.
  func matrixShape(of tensor: PassTensor) -> (rows: Int, columns: Int) {
    let shape = shape(of: tensor)
    let columns = shape.last ?? 1
    return (shape.reduce(1, *) / columns, columns)
  }

  /// The roundings of an element in its own line: one for each term that is added up, but at least
  /// four.
  ///
  /// A line that adds up m terms may be off by m units in the last place, whatever the order of the
  /// sum. What the lines before it have lost already is not counted.
  ///
  /// - Parameter occurrences: How often the most frequent id of the contexts occurs.
  func terms(of tensor: PassTensor, occurrences: Int) -> Int {
    let few = 4
    switch TensorRow<Double>(tensor).terms {
    case .few: return few
    case .sum(let dimension, let others): return max(size(dimension) + others, few)
    case .occurrences: return max(occurrences, few)
    }
  }
}

extension Minibatch {
  /// How often the most frequent id of the contexts occurs: the longest sum in dC.
  var mostOccurrences: Int {
    contexts.reduce(into: [:]) { counts, id in counts[id, default: 0] += 1 }.values.max() ?? 0
  }
}

// MARK: - Element types

extension DataType {
  /// The name in PyTorch; the format's where that has none.
  package var pythonName: String {
    switch self {
    case .bool: "bool"
    case .bfloat16: "bfloat16"
    case .float16, .float32, .float64: "float\(bitWidth)"
    case .int8, .int16, .int32, .int64: "int\(bitWidth)"
    case .uint8, .uint16, .uint32, .uint64: "uint\(bitWidth)"
    default: rawValue
    }
  }
}

// MARK: - Precision

/// The precision that numbers were computed in.
package enum Precision: String, CaseIterable, Sendable {
  case float32
  case float64

  /// The distance of neighbouring numbers at 1: 2⁻²³ or 2⁻⁵².
  package var ulpOfOne: Double {
    switch self {
    case .float32: Double(Float.ulpOfOne)
    case .float64: Double.ulpOfOne
    }
  }

  /// The smallest number with all its digits: 2⁻¹²⁶ or 2⁻¹⁰²².
  var leastNormalMagnitude: Double {
    switch self {
    case .float32: Double(Float.leastNormalMagnitude)
    case .float64: Double.leastNormalMagnitude
    }
  }

  /// The largest number.
  var greatestFiniteMagnitude: Double {
    switch self {
    case .float32: Double(Float.greatestFiniteMagnitude)
    case .float64: Double.greatestFiniteMagnitude
    }
  }

  /// The element type of a safetensors file.
  package var dataType: DataType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    }
  }

  /// Python that gives a tensor this type.
  func conversion(of name: String) -> String {
    "\(name) = \(name).\(self == .float32 ? "float" : "double")()"
  }

  /// The distance of neighbouring numbers at `x`.
  func ulp(of x: Double) -> Double { self == .float64 ? x.ulp : Double(Float(x).ulp) }

  /// Each element as a number of this precision.
  func rounded(_ x: Matrix<Double>) -> Matrix<Double> {
    self == .float64 ? x : x.converted(to: Float.self).converted()
  }
}
