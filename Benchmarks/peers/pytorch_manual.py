"""The notebook's training loop in PyTorch, differentiated by hand.

Three peers, each one change from the one before: the loop as written, where dC is added up in
Python, character by character; the same with dC by `index_add_`; and that compiled as one graph by
`torch.compile`. Nothing else is made faster: the operations are the notebook's, in its order.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from workload import EPSILON, LEARNING_RATE, PARAMETERS, SEED, Arrays, Workload

Tensors = dict[str, Tensor]
EmbeddingGradient = Callable[[Tensor, Tensor, Tensor], Tensor]


def by_loop(C: Tensor, Xb: Tensor, demb: Tensor) -> Tensor:
    """dC as the notebook adds it up: one character of one example at a time."""
    dC = torch.zeros_like(C)
    examples, block = Xb.shape
    for example in range(examples):
        for position in range(block):
            character = Xb[example, position]
            dC[character] += demb[example, position]
    return dC


def by_index_add(C: Tensor, Xb: Tensor, demb: Tensor) -> Tensor:
    """dC in one call."""
    return torch.zeros_like(C).index_add_(0, Xb.flatten(), demb.flatten(0, 1))


def step(
    parameters: Tensors, Xb: Tensor, Yb: Tensor, embedding_gradient: EmbeddingGradient
) -> tuple[Tensor, Tensors]:
    """Forward, backward by hand and update: the loss and the gradients."""
    C, W1, b1, W2, b2, bngain, bnbias = (parameters[name] for name in PARAMETERS)
    n = len(Xb)

    emb = C[Xb]  # (n, block, embedding)
    embcat = emb.view(n, -1)  # (n, block·embedding)
    hprebn = embcat @ W1 + b1  # (n, hidden)
    bnmean = hprebn.mean(0, keepdim=True)  # (1, hidden)
    bnvar = hprebn.var(0, keepdim=True, unbiased=True)  # (1, hidden)
    bnvar_inv = (bnvar + EPSILON) ** -0.5  # (1, hidden)
    bnraw = (hprebn - bnmean) * bnvar_inv  # (n, hidden)
    hpreact = bngain * bnraw + bnbias  # (n, hidden)
    h = torch.tanh(hpreact)  # (n, hidden)
    logits = h @ W2 + b2  # (n, vocabulary)
    loss = F.cross_entropy(logits, Yb)

    dlogits = F.softmax(logits, 1)  # (n, vocabulary)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    dh = dlogits @ W2.T  # (n, hidden)
    dhpreact = (1.0 - h**2) * dh  # (n, hidden)
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)  # (1, hidden)
    dbnbias = dhpreact.sum(0, keepdim=True)  # (1, hidden)
    # Both sums are formed a second time, as in the notebook.
    bias_sum, gain_sum = dhpreact.sum(0), (dhpreact * bnraw).sum(0)  # (hidden)
    centered = n * dhpreact - bias_sum - n / (n - 1) * bnraw * gain_sum  # (n, hidden)
    dhprebn = bngain * bnvar_inv / n * centered  # (n, hidden)
    demb = (dhprebn @ W1.T).view(emb.shape)  # (n, block, embedding)
    gradients = {
        "C": embedding_gradient(C, Xb, demb),
        "W1": embcat.T @ dhprebn,
        "b1": dhprebn.sum(0),
        "W2": h.T @ dlogits,
        "b2": dlogits.sum(0),
        "bngain": dbngain,
        "bnbias": dbnbias,
    }
    for name, gradient in gradients.items():
        parameters[name].data += -LEARNING_RATE * gradient
    return loss, gradients


class IndexAdd:
    """The loop with dC by `index_add_`: what the other two here are made from."""

    compiled = False
    embedding_gradient = staticmethod(by_index_add)

    def __init__(self, workload: Workload, threads: int):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.X, self.Y = torch.from_numpy(workload.X), torch.from_numpy(workload.Y)
        self.parameters = {
            name: torch.tensor(value) for name, value in workload.parameters.items()
        }
        self.batch = workload.shape.batch
        self.generator = torch.Generator().manual_seed(SEED)
        self.step_on_minibatch = torch.compile(step, dynamic=False) if self.compiled else step

    @torch.no_grad()
    def step(self, ix: np.ndarray) -> tuple[float, Arrays]:
        """One step on the windows `ix`: its loss and gradients."""
        loss, gradients = self.step_on(torch.from_numpy(ix))
        return loss.item(), {name: gradient.numpy() for name, gradient in gradients.items()}

    def step_on(self, ix: Tensor) -> tuple[Tensor, Tensors]:
        """One step on the windows `ix`, as tensors."""
        Xb, Yb = self.X[ix], self.Y[ix]
        return self.step_on_minibatch(self.parameters, Xb, Yb, self.embedding_gradient)

    @torch.no_grad()
    def train(self, steps: int) -> float:
        """Take steps on random minibatches, reading each loss, and return the last."""
        for _ in range(steps):
            ix = torch.randint(0, len(self.X), (self.batch,), generator=self.generator)
            last = self.step_on(ix)[0].item()
        return last


class AsWritten(IndexAdd):
    """The notebook's loop as it stands."""

    embedding_gradient = staticmethod(by_loop)


class Compiled(IndexAdd):
    """The whole step, its update included, as one graph of Inductor's."""

    compiled = True
