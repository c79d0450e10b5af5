// Trains a small network on the bundled names and samples ten new ones.

import CharMLP

let words = try WordList(contentsOf: "data/names.txt")
let dataset = try Dataset(words, splitSeed: 42, blockSize: 3)
var recipe = Recipe()
recipe.steps = 20_000

let trainer = Trainer(recipe, dataset)
try trainer.advance(to: recipe.steps)
let model = trainer.model()
print("validation loss:", model.loss(over: dataset.validation.distinct()))

var sampler = try Sampler(model, seed: 1)
for _ in 0..<10 { print(try sampler.next()) }
