import CharMLP

let words = try WordList(["anna", "otto", "emma", "mia", "lea", "ida", "tom", "ben", "eva", "jo"])
var recipe = Recipe()
(recipe.hidden, recipe.batchSize, recipe.steps) = (32, 8, 200)
let trainer = try Trainer(recipe, Dataset(words, recipe))
try trainer.advance(to: recipe.steps)
var sampler = try Sampler(trainer.model(), seed: 1)
print("loss \(trainer.minibatchLoss), a word: \(try sampler.next())")
if CommandLine.arguments.count > 1 { _ = Minibatch(blockSize: 3, contexts: [0], targets: [1]) }
