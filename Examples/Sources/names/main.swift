// Trains a small network on the bundled names, saves it, and draws ten new ones.

import CharMLP

let words = try WordList(contentsOf: "data/names.txt")
var recipe = Recipe()
recipe.steps = 20_000

let dataset = try Dataset(words, recipe)
let trainer = try Trainer(recipe, dataset)
try trainer.advance(to: recipe.steps)
let model = trainer.model()
print("validation loss:", try model.loss(on: dataset.validation))
print("log p(emma):", try model.logProbability(of: "emma"))

// Everything needed to resume; `Checkpoint(contentsOf:)` and `sample` read it.
try Checkpoint(trainer, words: words).write(to: ".build/names.safetensors")

var sampler = try Sampler(model, seed: 1)
for _ in 0..<10 { print(try sampler.next()) }
