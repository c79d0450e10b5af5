"""The faults that Tools/mutate.py puts into the mathematics, one at a time.

Each is a mistake that people make who derive the gradients or fuse them: n for n − 1, a lost
1/n, a sign, a contribution forgotten. Each changes one place, compiles, and has to turn a check red.

A change that no check can see does not stand here. Nothing depends, but for rounding, on
- dlogit_maxes, its sign, and its use in dlogits: it is zero in exact arithmetic;
- whether a row's largest logit is subtracted before exp: a shift does not change softmax;
- b1 in the fused engine, its column of ones, and db1: batch norm subtracts the mean that b1 moves.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One replacement: `original` occurs exactly once in the file, and becomes `replacement`."""

    file: str
    description: str
    original: str
    replacement: str


# fmt: off
_FAULTS_OF_FILE = {
    "Sources/CharMLP/Derivation/Derivation.swift": [
        ("targets are one id too high",
         "Yb = minibatch.targets.map(Int.init)",
         "Yb = minibatch.targets.map { (Int($0) + 1) % parameters.W2.columns }"),
        ("bnmeani: n − 1 for n",
         "lazy var bnmeani = 1 / n *", "lazy var bnmeani = 1 / (n - 1) *"),
        ("bnvar: n for n − 1",
         "lazy var bnvar = 1 / (n - 1) *", "lazy var bnvar = 1 / n *"),
        ("bnvar_inv: epsilon forgotten",
         "lazy var bnvar_inv = pow(bnvar + 1e-5, -0.5)", "lazy var bnvar_inv = pow(bnvar, -0.5)"),
        ("hpreact: bnbias forgotten",
         "lazy var hpreact = bngain * bnraw + bnbias", "lazy var hpreact = bngain * bnraw"),
        ("logit_maxes: over the wrong axis",
         "lazy var logit_maxes = logits.max(.columns)", "lazy var logit_maxes = logits.max(.rows)"),
        ("loss: 1/n lost",
         "lazy var loss = -1 / n *", "lazy var loss = -1 *"),
        ("dlogprobs: 1/n lost",
         "lazy var dlogprobs = -1 / n *", "lazy var dlogprobs = Scalar(-1) *"),
        ("dprobs: times probs instead of divided by",
         "lazy var dprobs = pow(probs, -1) *", "lazy var dprobs = probs *"),
        ("dcounts_sum_inv: summed over the wrong axis",
         "lazy var dcounts_sum_inv = (dprobs * counts).sum(.columns)",
         "lazy var dcounts_sum_inv = (dprobs * counts).sum(.rows)"),
        ("dcounts_sum: sign",
         "lazy var dcounts_sum = -pow(counts_sum, -2)",
         "lazy var dcounts_sum = pow(counts_sum, -2)"),
        ("dcounts_sum: the power of the forward line",
         "lazy var dcounts_sum = -pow(counts_sum, -2)",
         "lazy var dcounts_sum = -pow(counts_sum, -1)"),
        ("dcounts: the second use of counts forgotten",
         "lazy var dcounts = dprobs * counts_sum_inv + dcounts_sum",
         "lazy var dcounts = dprobs * counts_sum_inv"),
        ("dnorm_logits: times norm_logits instead of counts",
         "lazy var dnorm_logits = counts *", "lazy var dnorm_logits = norm_logits *"),
        ("dh: W2 not transposed",
         "lazy var dh = matmul(dlogits, W2.T)", "lazy var dh = matmul(dlogits, W2)"),
        ("dW2: the transpose of the gradient",
         "lazy var dW2 = matmul(h.T, dlogits)", "lazy var dW2 = matmul(dlogits.T, h)"),
        ("db2: summed over the wrong axis",
         "lazy var db2 = dlogits.sum(.rows)", "lazy var db2 = dlogits.sum(.columns)"),
        ("dhpreact: 1 − h for 1 − h²",
         "lazy var dhpreact = (1 - pow(h, 2))", "lazy var dhpreact = (1 - h)"),
        ("dbngain: bndiff for bnraw",
         "lazy var dbngain = (bnraw *", "lazy var dbngain = (bndiff *"),
        ("dbnraw: bngain forgotten",
         "lazy var dbnraw = bngain * dhpreact", "lazy var dbnraw = dhpreact"),
        ("dbnvar: sign",
         "lazy var dbnvar = -0.5 *", "lazy var dbnvar = 0.5 *"),
        ("dbnvar: epsilon forgotten",
         "pow(bnvar + 1e-5, -1.5)", "pow(bnvar, -1.5)"),
        ("dbndiff2: n for n − 1",
         "lazy var dbndiff2 = 1 / (n - 1) *", "lazy var dbndiff2 = 1 / n *"),
        ("dbndiff: the second use of bndiff forgotten",
         "lazy var dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2",
         "lazy var dbndiff = bnvar_inv * dbnraw"),
        ("dbndiff: the 2 of the square lost",
         "bnvar_inv * dbnraw + 2 * bndiff * dbndiff2", "bnvar_inv * dbnraw + bndiff * dbndiff2"),
        ("dbnmeani: sign",
         "lazy var dbnmeani = -dbndiff.sum(.rows)", "lazy var dbnmeani = dbndiff.sum(.rows)"),
        ("dhprebn: the second use of hprebn forgotten",
         "lazy var dhprebn = dbndiff + 1 / n * dbnmeani", "lazy var dhprebn = dbndiff"),
        ("dhprebn: 1/n lost",
         "lazy var dhprebn = dbndiff + 1 / n * dbnmeani", "lazy var dhprebn = dbndiff + dbnmeani"),
        ("dembcat: from before batch norm's gradient",
         "lazy var dembcat = matmul(dhprebn, W1.T)", "lazy var dembcat = matmul(dhpreact, W1.T)"),
    ],
    "Sources/LinearAlgebra/Matrix+Reductions.swift": [
        ("dC: a character that occurs again replaces the sum",
         "target[index * columns + column] += elements",
         "target[index * columns + column] = elements"),
    ],
    "Sources/CharMLP/Derivation/Derivation+OneGo.swift": [
        ("dlogits: 1/n lost",
         "(softmax(logits) - Matrix.oneHot(Yb, columns: W2.columns)) / n",
         "softmax(logits) - Matrix.oneHot(Yb, columns: W2.columns)"),
        ("softmax: the sum over the wrong axis",
         "return counts * pow(counts.sum(.columns), -1)",
         "return counts * pow(counts.sum(.rows), -1)"),
        ("dhprebn: Bessel's correction forgotten",
         "let variance = n / (n - 1) * bnraw", "let variance = bnraw"),
        ("dhprebn: Σ dhpreact forgotten",
         "(n * dhpreact - dhpreact.sum(.rows) - variance)", "(n * dhpreact - variance)"),
        ("dhprebn: 1/n lost",
         "return bngain * bnvar_inv / n *", "return bngain * bnvar_inv *"),
    ],
    "Sources/CharMLP/Engine/ContextVectors.swift": [
        ("embcat: a window's characters in reverse",
         "let first = position * C.columns",
         "let first = (input.blockSize - 1 - position) * C.columns"),
        ("embcat: the column of ones forgotten",
         "embcat[row, embcat.columns - 1] = 1", "embcat[row, embcat.columns - 1] = 0"),
    ],
    "Sources/CharMLP/Engine/PerExampleLayer.swift": [
        ("dC: a character that occurs again replaces the sum",
         "dC[id, vector: v] += dembcat", "dC[id, vector: v] = dembcat"),
        ("dC: every position takes the first one's gradient",
         "dembcat[row, from: first + v * vectorWidth]", "dembcat[row, from: v * vectorWidth]"),
        ("dC: the step before is left in it",
         "dC.fill(0)", ""),
        ("dembcat: the transposed copy of W1 is that of the start",
         "W1T.assign(transposing: weights.W1)",
         "if W1T[0, 0] == 0 { W1T.assign(transposing: weights.W1) }"),
    ],
    "Sources/CharMLP/Engine/PerDistinctInputLayer.swift": [
        ("hprebn: b1 forgotten",
         "var sum = b1[0, vector: v]", "var sum = FloatVector.zero"),
        ("hprebn: every position reads the first one's rows",
         "sum += rows[position * vocabulary + contexts", "sum += rows[contexts"),
        ("drows: the step before is left in it",
         "drows.fill(0)", ""),
        ("dC: only the last position's share",
         "isAdding: position > 0", "isAdding: false"),
        ("db1: the last row replaces the sum",
         "db1[0, vector: v] += dhprebn", "db1[0, vector: v] = dhprebn"),
    ],
    "Sources/CharMLP/Engine/HiddenSlice+Passes.swift": [
        ("variance: n for n − 1",
         "let bnvar = squares / Float(hprebn.rows - 1)",
         "let bnvar = squares / Float(hprebn.rows)"),
        ("variance: epsilon forgotten",
         "reciprocalSquareRoot(bnvar + 1e-5)", "reciprocalSquareRoot(bnvar)"),
        ("bnraw: the mean not subtracted",
         "      let bnraw = (hprebn[row, vector: v] - mean) * inverse\n      h[",
         "      let bnraw = hprebn[row, vector: v] * inverse\n      h["),
        ("h: bnbias forgotten",
         "tanh(multiplyAdd(gain, bnraw, bias))", "tanh(gain * bnraw)"),
        ("dhpreact: 1 − h for 1 − h²",
         "(1 - activation * activation)", "(1 - activation)"),
        ("dbngain: h for bnraw",
         "multiplyAdd(dhpreact[row, vector: v], bnraw, sum)",
         "multiplyAdd(dhpreact[row, vector: v], h[row, vector: v], sum)"),
        ("dhprebn: bngain forgotten",
         "let scale = bngain[0, vector: v] * inverse", "let scale = inverse"),
        ("dhprebn: 1/n of the mean lost",
         "let center = dbnbias[0, vector: v] / n", "let center = dbnbias[0, vector: v]"),
        ("dhprebn: n for n − 1",
         "let slope = dbngain[0, vector: v] / (n - 1)",
         "let slope = dbngain[0, vector: v] / n"),
        ("dhprebn: sign of the variance's part",
         "multiplyAdd(-slope,", "multiplyAdd(slope,"),
        ("sums over rows: the rows after the last four forgotten",
         "while row < rows {", "while row < 0 {"),
    ],
    "Sources/CharMLP/Engine/HiddenSlice.swift": [
        ("logits: the transposed copy of W2 is that of the start",
         "    memory.descend(learningRate: learningRate)\n    copyWeights()",
         "    memory.descend(learningRate: learningRate)"),
    ],
    "Sources/CharMLP/Engine/OutputLayer.swift": [
        ("logits: b2 forgotten",
         "let biased = dlogits[row, vector: v] + b2[0, vector: v]",
         "let biased = dlogits[row, vector: v]"),
        ("loss: sign of log Σ",
         "norm_logits[0, row] - .log(sum)", "norm_logits[0, row] + .log(sum)"),
        ("dlogits: 1/n of the softmax lost",
         "let scale = 1 / (sum * n)", "let scale = 1 / sum"),
        ("dlogits: 1/n of the one-hot row lost",
         "dlogits[row, input.targets[row]] -= 1 / n", "dlogits[row, input.targets[row]] -= 1"),
        ("dlogits: target one id too high",
         "dlogits[row, input.targets[row]] -= 1 / n",
         "dlogits[row, (input.targets[row] + 1) % b2.columns] -= 1 / n"),
        ("loss: the first block of rows alone",
         "for block in 0..<blockCount", "for block in 0..<1"),
    ],
    "Sources/CharMLP/Engine/FusedStep.swift": [
        ("update: the embedding stays as it is",
         "layers.embedding.memory.descend(learningRate: learningRate)", "_ = learningRate"),
    ],
    "Sources/CharMLP/Engine/Reduction.swift": [
        ("sums over slices: the second slice forgotten",
         "parts.count == 1 ? part : part + second[row, vector: v]", "part"),
        ("sums over slices: all after the second forgotten",
         "for index in 2..<max(parts.count, 2)", "for index in 2..<2"),
    ],
    "Sources/CharMLP/Engine/ParameterMemory.swift": [
        ("update: up the gradient instead of down",
         "repeating: -learningRate", "repeating: learningRate"),
        ("update: the first sixteen parameters left out",
         "for v in 0..<parameter.vectors", "for v in 1..<parameter.vectors"),
    ],
}
# fmt: on

FAULTS = [Fault(file, *fault) for file, faults in _FAULTS_OF_FILE.items() for fault in faults]
