// A layer's parameters, their gradients, and what an optimizer remembers of them: blocks of memory with
// one layout.
//
// Because the layouts agree, an update rule is one loop over the blocks, whatever tensors they hold.

import LinearAlgebra

/// The memory of the parameters that one layer, or one slice of it, owns.
///
/// `Tensors` are the windows that a layer cuts from a block, the same from each.
final class ParameterMemory<Tensors> {
  let parameters: Tensors
  let gradients: Tensors
  /// Adam's running averages, of the gradients and of their squares.
  let moments: (first: Tensors, second: Tensors)?

  private let blocks: [Block]
  private let whole: [PaddedMatrix]  // (1, capacity) each
  private let decaying: [PaddedMatrix]

  /// One allocation.
  private final class Block {
    var memory: PaddedMemory
    init(capacity: Int) { memory = PaddedMemory(capacity: capacity) }
  }

  /// Allocates blocks of `capacity` floats, all zero, and cuts them.
  ///
  /// - Parameters:
  ///   - cut: Cuts one block.
  ///   - decaying: The tensors that weight decay shrinks.
  init(
    capacity: Int, hasMoments: Bool, cut: (inout PaddedMemory) -> Tensors,
    decaying: (Tensors) -> [PaddedMatrix] = { _ in [] }
  ) {
    blocks = (0..<(hasMoments ? 4 : 2)).map { _ in Block(capacity: capacity) }
    let tensors = blocks.map { cut(&$0.memory) }
    whole = blocks.map { $0.memory.whole() }
    (parameters, gradients) = (tensors[0], tensors[1])
    moments = hasMoments ? (tensors[2], tensors[3]) : nil
    self.decaying = decaying(tensors[0])
  }

  /// Moves every parameter by an optimizer's rule.
  func apply(_ update: ParameterUpdate) {
    if update.shrinkage != 1 { for weights in decaying { weights.scale(by: update.shrinkage) } }
    if let adam = update.adam {
      whole[0].adapt(
        whole[1], whole[2], whole[3], adam, learningRate: update.learningRate)
    } else {
      whole[0].descend(whole[1], learningRate: update.learningRate)
    }
  }
}
