// The two ways through a slice: from the contexts to its share of the logits, and from dlogits back to
// its gradients and its share of dC.
//
// Each way is one product, some walks over the activations, and the products that follow. The walks go
// over a few vectors of units at a time, so that a column of a minibatch is still in the first-level
// cache at the second walk, and each walk over several, so that one unit's sums need not wait for
// another's. Only hprebn and h are kept for the way back: bnraw costs less to compute again.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import LinearAlgebra

extension HiddenSlice {
  /// logits = tanh(batchnorm(embcat @ W1 + b1)) @ W2, with some units dropped if there is a mask.
  func forward(_ dropout: RandomMask?, _ clock: StepClock?) {
    firstLayer.forward(into: hprebn, clock)
    forEachColumnBlock { vectors in
      for v in vectors { addRows(unitsOf: v) }
      for v in vectors { addSquares(unitsOf: v) }
      activate(vectors, dropout)
    }
    clock?.mark(.normalization)
    multiplyForward(clock)
  }

  private func multiplyForward(_ clock: StepClock?) {
    multiply(h.padded, W2.padded, into: logits.padded)
    clock?.mark(.logits)
  }

  private func activate(_ vectors: Range<Int>, _ dropout: RandomMask?) {
    for v in vectors { measureVariance(unitsOf: v) }
    for v in vectors { activate(unitsOf: v) }
    if let dropout { for v in vectors { drop(unitsOf: v, dropout) } }
  }

  /// dW1, db1, dbngain, dbnbias, dW2 and a share of dC from dlogits.
  func backward(dlogits: PaddedMatrix, _ dropout: RandomMask?, _ clock: StepClock?) {
    multiplyBackward(dlogits, clock)
    forEachColumnBlock { vectors in
      differentiateActivation(vectors, dropout)
      for v in vectors { differentiateNormalization(unitsOf: v) }
    }
    clock?.mark(.elementwiseBackward)
    firstLayer.backward(dhprebn, clock)
  }

  private func multiplyBackward(_ dlogits: PaddedMatrix, _ clock: StepClock?) {
    multiply(dlogits.padded, W2T.padded, into: dh.padded)
    clock?.mark(.dh)
    multiply(dlogits.padded.T, h.padded, into: dW2T.padded)
    clock?.mark(.dW2)
  }

  private func differentiateActivation(_ vectors: Range<Int>, _ dropout: RandomMask?) {
    if let dropout { for v in vectors { differentiateDropout(unitsOf: v, dropout) } }
    for v in vectors { differentiateActivation(unitsOf: v) }
  }

  @inline(always)
  private func forEachColumnBlock(_ body: (Range<Int>) -> Void) {
    let blockVectors = 4
    var first = 0
    while first < hprebn.vectors {
      let last = min(first + blockVectors, hprebn.vectors)
      body(first..<last)
      first = last
    }
  }
}

// MARK: What is walked over: as many rows as the step has windows here

extension HiddenSlice {
  var hprebn: PaddedMatrix { activations.hprebn[rows: 0..<input.rows] }  // (rows, units)
  var h: PaddedMatrix { activations.h[rows: 0..<input.rows] }  // (rows, units), hdrop with dropout
  var logits: PaddedMatrix { activations.logits[rows: 0..<input.rows] }  // (rows, vocabulary)
  var dh: PaddedMatrix { activations.dh[rows: 0..<input.rows] }  // (rows, units)
  var dhpreact: PaddedMatrix { activations.dhpreact[rows: 0..<input.rows] }  // (rows, units)
  var dhprebn: PaddedMatrix { activations.dhprebn[rows: 0..<input.rows] }  // (rows, units)
}

// MARK: The same ways, cut where the sums of other ranks come in

extension HiddenSlice {
  /// The way forward to this rank's share of Σ hprebn, in bnmeani.
  func forwardToSums(_ clock: StepClock?) {
    firstLayer.forward(into: hprebn, clock)
    forEachColumnBlock { vectors in for v in vectors { addRows(unitsOf: v) } }
    clock?.mark(.normalization)
  }

  /// On from all ranks' Σ hprebn, to this rank's share of Σ (hprebn − bnmeani)², in bnvar_inv.
  func forwardToSquares(_ clock: StepClock?) {
    forEachColumnBlock { vectors in for v in vectors { addSquares(unitsOf: v) } }
    clock?.mark(.normalization)
  }

  /// On from all ranks' squares, to the share of the logits.
  func forwardToLogits(_ dropout: RandomMask?, _ clock: StepClock?) {
    forEachColumnBlock { vectors in activate(vectors, dropout) }
    clock?.mark(.normalization)
    multiplyForward(clock)
  }

  /// The way back to this rank's shares of dbngain and dbnbias.
  func backwardToSums(dlogits: PaddedMatrix, _ dropout: RandomMask?, _ clock: StepClock?) {
    multiplyBackward(dlogits, clock)
    forEachColumnBlock { vectors in differentiateActivation(vectors, dropout) }
    clock?.mark(.elementwiseBackward)
  }

  /// On from all ranks' dbngain and dbnbias, to this rank's shares of dW1, db1 and dC.
  func backwardToInput(_ clock: StepClock?) {
    forEachColumnBlock { vectors in
      for v in vectors { differentiateNormalization(unitsOf: v) }
    }
    clock?.mark(.elementwiseBackward)
    firstLayer.backward(dhprebn, clock)
  }
}

// MARK: Forward, for sixteen units

extension HiddenSlice {
  /// Σ hprebn, in the place of bnmeani.
  private func addRows(unitsOf v: Int) {
    let hprebn = hprebn
    bnmeani[0, vector: v] = sumOverRows(hprebn.rows) { row, sum in sum + hprebn[row, vector: v] }
  }

  /// bnmeani = Σ hprebn / n, and Σ (hprebn − bnmeani)² in the place of bnvar_inv.
  private func addSquares(unitsOf v: Int) {
    let hprebn = hprebn
    let mean = bnmeani[0, vector: v] / n
    bnmeani[0, vector: v] = mean
    @inline(always) func addSquare(row: Int, sum: FloatVector) -> FloatVector {
      let bndiff = hprebn[row, vector: v] - mean
      return multiplyAdd(bndiff, bndiff, sum)
    }
    bnvar_inv[0, vector: v] = sumOverRows(hprebn.rows, addSquare)
  }

  /// bnvar_inv = (Σ (hprebn − bnmeani)² / (n − 1) + 1e-5)^−½
  private func measureVariance(unitsOf v: Int) {
    let bnvar = bnvar_inv[0, vector: v] / (n - 1)
    bnvar_inv[0, vector: v] = reciprocalSquareRoot(bnvar + 1e-5)
  }

  /// h = tanh(bngain · (hprebn − bnmeani) · bnvar_inv + bnbias)
  private func activate(unitsOf v: Int) {
    let (hprebn, h) = (hprebn, h)
    let (mean, inverse) = (bnmeani[0, vector: v], bnvar_inv[0, vector: v])
    let (gain, bias) = (bngain[0, vector: v], bnbias[0, vector: v])
    for row in 0..<hprebn.rows {
      let bnraw = (hprebn[row, vector: v] - mean) * inverse
      h[row, vector: v] = tanh(multiplyAdd(gain, bnraw, bias))
    }
  }
}

// MARK: Backward, for sixteen units

extension HiddenSlice {
  /// dhpreact = (1 − h²) · dh, dbnbias = dhpreact.sum(.rows), dbngain = (dhpreact · bnraw).sum(.rows)
  private func differentiateActivation(unitsOf v: Int) {
    let (hprebn, h, dh, dhpreact) = (hprebn, h, dh, dhpreact)
    @inline(always) func addGradient(row: Int, sum: FloatVector) -> FloatVector {
      let activation = h[row, vector: v]
      let gradient = (1 - activation * activation) * dh[row, vector: v]
      dhpreact[row, vector: v] = gradient
      return sum + gradient
    }
    dbnbias[0, vector: v] = sumOverRows(hprebn.rows, addGradient)

    let (mean, inverse) = (bnmeani[0, vector: v], bnvar_inv[0, vector: v])
    @inline(always) func addScaled(row: Int, sum: FloatVector) -> FloatVector {
      let bnraw = (hprebn[row, vector: v] - mean) * inverse
      return multiplyAdd(dhpreact[row, vector: v], bnraw, sum)
    }
    dbngain[0, vector: v] = sumOverRows(hprebn.rows, addScaled)
  }

  /// Batch norm in one go:
  /// dhprebn = bngain·bnvar_inv · (dhpreact − dbnbias / n − bnraw · dbngain / (n − 1)).
  private func differentiateNormalization(unitsOf v: Int) {
    let (hprebn, dhpreact, dhprebn) = (hprebn, dhpreact, dhprebn)
    let (mean, inverse) = (bnmeani[0, vector: v], bnvar_inv[0, vector: v])
    let scale = bngain[0, vector: v] * inverse
    let center = dbnbias[0, vector: v] / n
    let slope = dbngain[0, vector: v] / (n - 1)
    for row in 0..<hprebn.rows {
      let bnraw = (hprebn[row, vector: v] - mean) * inverse
      let centered = dhpreact[row, vector: v] - center
      dhprebn[row, vector: v] = scale * multiplyAdd(-slope, bnraw, centered)
    }
  }
}

/// The sum over rows in four interleaved sums: one alone would wait for each addition to finish.
///
/// - Parameter adding: The sum with the term of a row added.
@inline(always)
private func sumOverRows(
  _ rows: Int, _ adding: (_ row: Int, _ sum: FloatVector) -> FloatVector
) -> FloatVector {
  var sums = (FloatVector.zero, FloatVector.zero, FloatVector.zero, FloatVector.zero)
  var row = 0
  while row + 4 <= rows {
    sums.0 = adding(row, sums.0)
    sums.1 = adding(row + 1, sums.1)
    sums.2 = adding(row + 2, sums.2)
    sums.3 = adding(row + 3, sums.3)
    row += 4
  }
  while row < rows {
    sums.0 = adding(row, sums.0)
    row += 1
  }
  return (sums.0 + sums.1) + (sums.2 + sums.3)
}
