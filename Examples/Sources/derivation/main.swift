// The derivation, step by step: one minibatch in Double, and how far the fast engine's gradients
// are from it.

import CharMLP
import LinearAlgebra

var recipe = Recipe()
recipe.hidden = 64
let dataset = try Dataset(WordList(contentsOf: "data/names.txt"), recipe)
var (parameters, minibatches) = try recipe.start(on: dataset)
let minibatch = minibatches.next()

let steps = Derivation(parameters.converted(to: Double.self), minibatch)
print("loss:", steps.loss[0, 0])
// Every intermediate and every gradient is there under its name in the notebook.
print("dlogits, all in one go:", steps.dlogits.largestDifference(from: steps.dlogitsInOneGo))
print("dhprebn, all in one go:", steps.dhprebn.largestDifference(from: steps.dhprebnInOneGo))

let network = try TrainableNetwork(parameters, batchSize: recipe.batchSize)
_ = try network.differentiate(minibatch)
let exact = steps.gradients.converted(to: Float.self)
for (name, path) in Parameters<Float>.ordered {
  let difference = network.gradients[keyPath: path].largestDifference(from: exact[keyPath: path])
  print("d\(name) of the engine, in Float:", difference)
}
