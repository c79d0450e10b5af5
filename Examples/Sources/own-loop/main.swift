// A training loop of one's own on the fast engine: gradients clipped to a norm of 1, plain gradient
// descent.

import CharMLP
import LinearAlgebra

let words = try WordList(contentsOf: "data/names.txt")
var recipe = Recipe()
(recipe.batchSize, recipe.steps) = (64, 4000)

let dataset = try Dataset(words, recipe)
var (parameters, minibatches) = try recipe.start(on: dataset)
let network = try TrainableNetwork(parameters, batchSize: recipe.batchSize)

for step in 1...recipe.steps {
  let loss = try network.differentiate(minibatches.next())
  network.update { parameters, gradients in
    let paths = Parameters<Float>.ordered.map(\.path)
    let squares = paths.reduce(0) { $0 + pow(gradients[keyPath: $1], 2).sum() }
    let rate = 0.3 / max(1, squares.squareRoot())
    for path in paths {
      parameters[keyPath: path] = parameters[keyPath: path] - rate * gradients[keyPath: path]
    }
  }
  if step.isMultiple(of: 1000) { print("step \(step): loss \(loss)") }
}

let model = try network.model(on: dataset)
print("validation loss:", try model.loss(on: dataset.validation))
try model.write(to: ".build/own-loop.safetensors")
