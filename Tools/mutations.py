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
    "Sources/CharMLP/Engine/EmbeddingLayer.swift": [
        ("gather: a window's characters in reverse",
         "row * blockSize + position])\n        precondition",
         "(row + 1) * blockSize - 1 - position])\n        precondition"),
        ("dC: a character that occurs again replaces the sum",
         "dC[id, column] += dembcat[row, first + column]",
         "dC[id, column] = dembcat[row, first + column]"),
        ("dC: every position takes the first one's gradient",
         "dC[id, column] += dembcat[row, first + column]",
         "dC[id, column] += dembcat[row, column]"),
        ("dC: the step before is left in it",
         "dC.fill(0)", ""),
    ],
    "Sources/CharMLP/Engine/HiddenSlice+Passes.swift": [
        ("variance: n for n − 1",
         "let bnvar = squares / (n - 1)", "let bnvar = squares / n"),
        ("variance: epsilon forgotten",
         "reciprocalSquareRoot(bnvar + 1e-5)", "reciprocalSquareRoot(bnvar)"),
        ("bnraw: the mean not subtracted",
         "(bnraw[row, vector: v] - bnmeani) * inverse", "bnraw[row, vector: v] * inverse"),
        ("h: bnbias forgotten",
         "tanh(multiplyAdd(gain, normalized, bias))", "tanh(gain * normalized)"),
        ("dhpreact: 1 − h for 1 − h²",
         "(1 - activation * activation)", "(1 - activation)"),
        ("dbngain: h for bnraw",
         "multiplyAdd(gradient, bnraw[row, vector: v], gainSum)",
         "multiplyAdd(gradient, activation, gainSum)"),
        ("dhprebn: bngain forgotten",
         "let scale = bngain[0, vector: v] * bnvar_inv[0, vector: v]",
         "let scale = bnvar_inv[0, vector: v]"),
        ("dhprebn: 1/n of the mean lost",
         "let mean = biasSum / n", "let mean = biasSum"),
        ("dhprebn: n for n − 1",
         "let slope = gainSum / (n - 1)", "let slope = gainSum / n"),
        ("dhprebn: sign of the variance's part",
         "multiplyAdd(-slope,", "multiplyAdd(slope,"),
        ("dembcat: from before batch norm's gradient",
         "multiply(dhprebn.padded, W1", "multiply(dhpreact.padded, W1"),
    ],
    "Sources/CharMLP/Engine/OutputLayer.swift": [
        ("logits: b2 forgotten",
         "let biased = logits[row, vector: v] + b2[0, vector: v]",
         "let biased = logits[row, vector: v]"),
        ("loss: sign of log Σ",
         "return norm_logit - .log(sum)", "return norm_logit + .log(sum)"),
        ("dlogits: 1/n of the softmax lost",
         "let scale = 1 / (sum * Float(dlogits.rows))", "let scale = 1 / sum"),
        ("dlogits: 1/n of the one-hot row lost",
         "dlogits[row, target] -= 1 / n", "dlogits[row, target] -= 1"),
        ("dlogits: target one id too high",
         "dlogits[row, target] -= 1 / n", "dlogits[row, (target + 1) % b2.columns] -= 1 / n"),
        ("db2: the step before is left in it",
         "db2.fill(0)", ""),
    ],
    "Sources/CharMLP/Engine/Reduction.swift": [
        ("sums over slices: the last slice forgotten",
         "1..<max(count, 1)", "1..<max(count - 1, 1)"),
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
