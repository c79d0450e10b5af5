"""The step by hand in NumPy.

Generic in its precision: in float32 it is a peer, and in float64 it is what every peer's loss and
gradients are checked against. That it is right itself is shown by the peers that differentiate
automatically and agree with it.
"""

import numpy as np
from workload import EPSILON, LEARNING_RATE, PARAMETERS, SEED, Arrays, Workload


def loss_and_gradients(parameters: Arrays, Xb: np.ndarray, Yb: np.ndarray) -> tuple[float, Arrays]:
    """Forward and backward, with cross-entropy and batch norm in one go."""
    C, W1, b1, W2, b2, bngain, bnbias = (parameters[name] for name in PARAMETERS)
    n, rows = len(Xb), np.arange(len(Xb))

    embcat = C[Xb].reshape(n, -1)  # (n, block·embedding)
    hprebn = embcat @ W1 + b1  # (n, hidden)
    bndiff = hprebn - hprebn.mean(0, keepdims=True)  # (n, hidden)
    bnvar = (bndiff * bndiff).sum(0, keepdims=True) / (n - 1)  # (1, hidden)
    bnvar_inv = 1 / np.sqrt(bnvar + EPSILON)  # (1, hidden)
    bnraw = bndiff * bnvar_inv  # (n, hidden)
    h = np.tanh(bngain * bnraw + bnbias)  # (n, hidden)
    logits = h @ W2 + b2  # (n, vocabulary)
    counts = np.exp(logits - logits.max(1, keepdims=True))  # (n, vocabulary)
    probs = counts / counts.sum(1, keepdims=True)  # (n, vocabulary)
    loss = -np.log(probs[rows, Yb]).mean()

    dlogits = probs  # (n, vocabulary), in place: probs is not needed again
    dlogits[rows, Yb] -= 1
    dlogits /= n
    dhpreact = (1 - h * h) * (dlogits @ W2.T)  # (n, hidden)
    dbngain = (bnraw * dhpreact).sum(0, keepdims=True)  # (1, hidden)
    dbnbias = dhpreact.sum(0, keepdims=True)  # (1, hidden)
    dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dbnbias - n / (n - 1) * bnraw * dbngain)
    return loss, {
        "C": embedding_gradient(C, Xb, dhprebn @ W1.T),
        "W1": embcat.T @ dhprebn,
        "b1": dhprebn.sum(0),
        "W2": h.T @ dlogits,
        "b2": dlogits.sum(0),
        "bngain": dbngain,
        "bnbias": dbnbias,
    }


def embedding_gradient(C: np.ndarray, Xb: np.ndarray, dembcat: np.ndarray) -> np.ndarray:
    """dC as a product with the one-hot inputs, which is faster than `np.add.at` over rows."""
    onehot = np.zeros((Xb.size, len(C)), C.dtype)  # (n·block, vocabulary)
    onehot[np.arange(Xb.size), Xb.ravel()] = 1
    return onehot.T @ dembcat.reshape(Xb.size, -1)


class Manual:
    """The loop: draw a minibatch, differentiate by hand, update in place."""

    def __init__(self, workload: Workload, threads: int):
        self.workload = workload
        self.parameters = {name: value.copy() for name, value in workload.parameters.items()}
        self.generator = np.random.default_rng(SEED)

    def step(self, ix: np.ndarray) -> tuple[float, Arrays]:
        """One step on the windows `ix`: its loss and gradients."""
        Xb, Yb = self.workload.X[ix], self.workload.Y[ix]
        loss, gradients = loss_and_gradients(self.parameters, Xb, Yb)
        for name, gradient in gradients.items():
            self.parameters[name] -= LEARNING_RATE * gradient
        return float(loss), gradients

    def train(self, steps: int) -> float:
        """Take steps on random minibatches and return the last loss."""
        for _ in range(steps):
            ix = self.generator.integers(0, len(self.workload.X), self.workload.shape.batch)
            loss, _ = self.step(ix)
        return loss
