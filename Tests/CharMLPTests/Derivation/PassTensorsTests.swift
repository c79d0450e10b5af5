// The table of the pass's tensors against the derivation that it describes.

import Foundation
import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The table of the pass's tensors")
struct PassTensorsTests {
  private let problem = GradientProblem.random(batchSize: 5, seed: 3)

  private static func lines(of path: String) throws -> [Substring] {
    try String(contentsOf: projectRoot.appending(path: path), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test("There are 7 parameters, 20 forward tensors and 26 gradients, each after what it reads")
  func order() {
    #expect(PassTensor.parameters.map(\.name) == Parameters<Double>.ordered.map(\.name))
    #expect(PassTensor.forward.count == 20)
    #expect(PassTensor.gradients.count == 26)
    var known = Set(PassTensor.parameters)
    for tensor in PassTensor.computed {
      #expect(known.isSuperset(of: tensor.inputs), "\(tensor)")
      known.insert(tensor)
    }
    for gradient in PassTensor.gradients {
      #expect(gradient.owner?.gradient == gradient)
      #expect("d" + (gradient.owner?.name ?? "") == gradient.name)
    }
    #expect(PassTensor.loss.gradient == nil)
  }

  // dh's line is that of dhdrop: without dropout they are one.
  @Test("Every line is the one in Derivation.swift")
  func sources() throws {
    let source = try Self.lines(of: "Sources/CharMLP/Derivation/Derivation.swift")
    for tensor in PassTensor.computed {
      let name = tensor == .dh ? "dhdrop" : tensor.name
      let declaration = "  public lazy var \(name) = \(tensor.line)  // "
      #expect(source.contains { $0.hasPrefix(declaration) }, "\(declaration)")
    }
  }

  @Test("Every line is derived under the heading that the table gives")
  func sections() throws {
    var heading = ""
    var headings: [String: Set<String>] = [:]
    for line in try Self.lines(of: "docs/derivation.md") {
      if line.hasPrefix("#") { heading = line.drop { "# ".contains($0) }.description }
      headings[String(line.prefix { $0 != " " }), default: []].insert(heading)
    }
    for tensor in PassTensor.computed {
      let name = tensor == .dh ? "dhdrop" : tensor.name
      #expect(headings[name]?.contains(tensor.section) == true, "\(tensor): \(tensor.section)")
    }
  }

  @Test(
    "A misspelt name has a near one: letters that changed places, PyTorch's names, another case",
    arguments: [
      ("dlogist", .dlogits), ("hd", .h), ("W1.grad", .dW1), ("grad_C", .dC), ("d_h", .dh),
      ("dhpreac", .dhpreact), ("DB1", .db1), ("cuonts", .counts), ("dloss", nil), ("Xtr", nil),
      ("device", nil), ("", nil), ("x", nil),
    ] as [(String, PassTensor?)])
  func nearNames(name: String, near: PassTensor?) {
    #expect(PassTensor.nearest(to: name) == near)
  }

  @Test("Shapes are those that the pass computes")
  func shapes() {
    let steps = problem.steps
    for tensor in PassTensor.allCases {
      let (rows, columns) = PassSizes(problem).matrixShape(of: tensor)
      #expect((rows, columns) == (steps[tensor].rows, steps[tensor].columns), "\(tensor)")
    }
  }

  /// What a line makes of random numbers in its inputs, all other tensors being NaN.
  private func value(
    of tensor: PassTensor, inputs: [PassTensor], changing changed: PassTensor? = nil,
    _ minibatch: Minibatch? = nil
  ) -> Matrix<Double> {
    let sizes = PassSizes(problem)
    var random = Philox(seed: 7, stream: 0)
    let values = PassTensor.allCases.map { other in
      let (rows, columns) = sizes.matrixShape(of: other)
      let elements = (0..<rows * columns).map { _ in
        // Two numbers for each element, so that a changed tensor leaves the others as they are.
        let numbers = (1 + random.uniform(), 1 + random.uniform())
        return inputs.contains(other) ? other == changed ? numbers.1 : numbers.0 : .nan
      }
      return (tensor: other, value: Matrix(rows: rows, columns: columns, elements: elements))
    }
    var parameters = problem.parameters
    for (parameter, value) in values where PassTensor.parameters.contains(parameter) {
      parameters[parameter] = value
    }
    let pass = Derivation(parameters, minibatch ?? problem.minibatch)
    for (other, value) in values where PassTensor.computed.contains(other) && other != tensor {
      pass[other] = value
    }
    return pass[tensor]
  }

  @Test("A line reads its inputs, all of them and no others", arguments: PassTensor.computed)
  func inputs(tensor: PassTensor) {
    let whole = value(of: tensor, inputs: tensor.inputs)
    #expect(whole.elements.allSatisfy { $0.isFinite })
    for input in tensor.inputs {
      let changed = value(of: tensor, inputs: tensor.inputs, changing: input)
      #expect(changed != whole, "\(tensor) does not read \(input)")
    }
  }

  @Test("A line reads the ids that the table gives, and no others", arguments: PassTensor.computed)
  func ids(tensor: PassTensor) {
    let given = problem.minibatch
    let reversed = Minibatch(
      blockSize: given.blockSize, contexts: given.contexts, targets: given.targets.reversed())
    let moved = Minibatch(
      blockSize: given.blockSize, contexts: given.contexts.reversed(), targets: given.targets)
    let whole = value(of: tensor, inputs: tensor.inputs)
    #expect(
      (value(of: tensor, inputs: tensor.inputs, reversed) != whole) == (tensor.ids == .targets))
    #expect(
      (value(of: tensor, inputs: tensor.inputs, moved) != whole) == (tensor.ids == .contexts))
  }
}
