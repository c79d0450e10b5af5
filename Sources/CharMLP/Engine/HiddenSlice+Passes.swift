// The two ways through a slice: embcat to its share of the logits, and dlogits back to its gradients
// and its share of dembcat.
//
// Each way is one product, one walk over the activations sixteen units at a time, and the products
// that follow. Sixteen columns of a batch stay in the first-level cache from the mean to tanh.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

extension HiddenSlice {
  /// logits = tanh(batchnorm(embcat @ W1 + b1)) @ W2.
  func forward(embcat: PaddedMatrix) {
    multiply(embcat.padded, W1.padded, into: bnraw.padded)
    for v in 0..<bnraw.vectors { normalize(unitsOf: v) }
    multiply(h, W2.padded, into: logits.padded)
  }

  /// dW1, db1, dbngain, dbnbias, dW2 and dembcat from dlogits.
  func backward(embcat: PaddedMatrix, dlogits: PaddedMatrix) {
    multiply(dlogits.padded, W2.padded.T, into: dh)
    multiply(h.T, dlogits.padded, into: dW2.padded)
    for v in 0..<bnraw.vectors { differentiateNormalization(unitsOf: v) }
    multiply(embcat.padded.T, dhprebn.padded, into: dW1.padded)
    multiply(dhprebn.padded, W1.padded.T, into: dembcat.padded)
  }

  /// Batch norm and tanh of sixteen units: mean, two-pass variance, bnraw in the place of hprebn, h.
  private func normalize(unitsOf v: Int) {
    let n = Float(bnraw.rows)
    var sum = FloatVector.zero
    for row in 0..<bnraw.rows { sum += bnraw[row, vector: v] }
    let bnmeani = sum / n

    var squares = FloatVector.zero
    for row in 0..<bnraw.rows {
      let bndiff = bnraw[row, vector: v] - bnmeani
      squares = multiplyAdd(bndiff, bndiff, squares)
    }
    let bnvar = squares / (n - 1)
    let inverse = reciprocalSquareRoot(bnvar + 1e-5)
    bnvar_inv[0, vector: v] = inverse

    let (gain, bias) = (bngain[0, vector: v], bnbias[0, vector: v])
    for row in 0..<bnraw.rows {
      let normalized = (bnraw[row, vector: v] - bnmeani) * inverse
      bnraw[row, vector: v] = normalized
      h[row, vector: v] = tanh(multiplyAdd(gain, normalized, bias))
    }
  }

  /// dhprebn from dh for sixteen units, through tanh and batch norm in one go:
  /// bngain·bnvar_inv · (dhpreact − Σ dhpreact / n − bnraw · Σ(dhpreact·bnraw) / (n − 1)).
  private func differentiateNormalization(unitsOf v: Int) {
    let n = Float(bnraw.rows)
    var gainSum = FloatVector.zero
    var biasSum = FloatVector.zero
    for row in 0..<bnraw.rows {
      let activation = h[row, vector: v]
      let gradient = (1 - activation * activation) * dh[row, vector: v]
      dhpreact[row, vector: v] = gradient
      gainSum = multiplyAdd(gradient, bnraw[row, vector: v], gainSum)
      biasSum += gradient
    }
    dbngain[0, vector: v] = gainSum
    dbnbias[0, vector: v] = biasSum

    let scale = bngain[0, vector: v] * bnvar_inv[0, vector: v]
    let mean = biasSum / n
    let slope = gainSum / (n - 1)
    for row in 0..<bnraw.rows {
      let centered = dhpreact[row, vector: v] - mean
      dhprebn[row, vector: v] = scale * multiplyAdd(-slope, bnraw[row, vector: v], centered)
    }
  }
}
