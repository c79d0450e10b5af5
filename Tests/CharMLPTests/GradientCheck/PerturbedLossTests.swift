// The loss with one tensor changed is the loss of a pass in which that tensor was changed.

import LinearAlgebra
import Testing

@testable import CharMLP

@Suite("The loss with one tensor changed")
struct PerturbedLossTests {
  let problem = GradientProblem.random(batchSize: 5, seed: 3)
  var steps: Derivation<Double> { Derivation(problem.parameters, problem.minibatch) }

  @Test("An intermediate is taken as it is set, and only what follows is computed again")
  func intermediates() {
    let base = steps
    let loss = PerturbedLoss(problem, steps: base)
    for tensor in PassTensor.forward {
      let changed = 1.01 * base[tensor]
      let pass = steps
      pass[tensor] = changed
      #expect(loss(tensor, base[tensor]) == base.loss[0, 0], "\(tensor)")
      #expect(loss(tensor, changed) == pass.loss[0, 0], "\(tensor)")
    }
  }

  @Test("A parameter changes all that depends on it")
  func parameters() {
    let loss = PerturbedLoss(problem, steps: steps)
    for parameter in PassTensor.parameters {
      var changed = problem.parameters
      changed[parameter] = 1.01 * changed[parameter]
      let expected = Derivation(changed, problem.minibatch).loss[0, 0]
      #expect(loss(parameter, changed[parameter]) == expected, "\(parameter)")
    }
  }

  @Test("Probabilities are not normalized again")
  func probabilities() {
    let base = steps
    let doubled = PerturbedLoss(problem, steps: base)(.probs, 2 * base.probs)
    // Twice every probability is ln 2 off the loss; the sums of both are of a handful of terms.
    #expect(abs(doubled - (base.loss[0, 0] - Double.log(2))) < 1e-14)
  }
}
