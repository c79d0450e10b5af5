"""The notebook's forward pass in PyTorch, differentiated by autograd, eager and compiled.

Batch norm is spelled out as in the notebook: `F.batch_norm` divides by n where the lecture divides
by n − 1, and would be other work. Compiled, the backward pass is Inductor's too; the update is the
same eager one in both.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from workload import EPSILON, LEARNING_RATE, PARAMETERS, SEED, Arrays, Workload


def loss_of(parameters: dict[str, Tensor], Xb: Tensor, Yb: Tensor) -> Tensor:
    """The forward pass."""
    C, W1, b1, W2, b2, bngain, bnbias = (parameters[name] for name in PARAMETERS)
    embcat = C[Xb].view(len(Xb), -1)  # (n, block·embedding)
    hprebn = embcat @ W1 + b1  # (n, hidden)
    bnmean = hprebn.mean(0, keepdim=True)  # (1, hidden)
    bnvar = hprebn.var(0, keepdim=True, unbiased=True)  # (1, hidden)
    bnraw = (hprebn - bnmean) * (bnvar + EPSILON) ** -0.5  # (n, hidden)
    h = torch.tanh(bngain * bnraw + bnbias)  # (n, hidden)
    return F.cross_entropy(h @ W2 + b2, Yb)


class Autograd:
    """Draw a minibatch, `loss.backward()`, update."""

    compiled = False

    def __init__(self, workload: Workload, threads: int):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.X, self.Y = torch.from_numpy(workload.X), torch.from_numpy(workload.Y)
        self.parameters = {
            name: torch.tensor(value, requires_grad=True)
            for name, value in workload.parameters.items()
        }
        self.batch = workload.shape.batch
        self.generator = torch.Generator().manual_seed(SEED)
        self.loss_of = torch.compile(loss_of, dynamic=False) if self.compiled else loss_of

    def step(self, ix: np.ndarray) -> tuple[float, Arrays]:
        """One step on the windows `ix`: its loss and gradients."""
        loss = self.step_on(torch.from_numpy(ix)).item()
        return loss, {name: value.grad.numpy() for name, value in self.parameters.items()}

    def step_on(self, ix: Tensor) -> Tensor:
        """One step on the windows `ix`."""
        loss = self.loss_of(self.parameters, self.X[ix], self.Y[ix])
        for parameter in self.parameters.values():
            parameter.grad = None
        loss.backward()
        for parameter in self.parameters.values():
            parameter.data += -LEARNING_RATE * parameter.grad
        return loss

    def train(self, steps: int) -> float:
        """Take steps on random minibatches, reading each loss, and return the last."""
        for _ in range(steps):
            ix = torch.randint(0, len(self.X), (self.batch,), generator=self.generator)
            last = self.step_on(ix).item()
        return last


class Compiled(Autograd):
    """The same with forward and backward compiled by Inductor."""

    compiled = True
