// Draws words that meet conditions from the network that `names` saved, and the most probable ones
// in order.

import CharMLP

let checkpoint = try Checkpoint(contentsOf: ".build/names.safetensors")
let predictor = try checkpoint.predictor()
let vocabulary = predictor.model.vocabulary

var request = Sampler.Request(seed: 7)
request.constraints.prefix = "ka"
request.constraints.maxLength = 6
request.chain.temperature = 0.8
request.isUnique = true
if let words = try checkpoint.wordList() { request.forbidden.add(words, vocabulary) }

var sampler = try Sampler(predictor, request)
for _ in 0..<5 {
  let word = try sampler.next()
  print(word, try predictor.logProbability(of: word))
}

var likeliest = try MostLikelyWords(predictor, request, count: 3)
var word = DrawnWord()
for _ in 0..<3 {
  try likeliest.next(into: &word)
  print("likely:", vocabulary.decode(word.ids), word.logProbability)
}
