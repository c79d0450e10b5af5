"""The forward pass in JAX, differentiated by `value_and_grad`, whole runs of steps in one `scan`.

The strongest peer at small shapes: XLA compiles minibatch, step and update into one loop without
Python in it. The targets are picked by a product with their one-hot form, which is a little faster
here than an index.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from workload import EPSILON, LEARNING_RATE, PARAMETERS, SEED, Arrays, Workload

Parameters = dict[str, Array]


def loss_of(parameters: Parameters, Xb: Array, Yb: Array) -> Array:
    """The forward pass."""
    C, W1, b1, W2, b2, bngain, bnbias = (parameters[name] for name in PARAMETERS)
    embcat = C[Xb].reshape(len(Xb), -1)  # (n, block·embedding)
    hprebn = embcat @ W1 + b1  # (n, hidden)
    bnmean = hprebn.mean(0, keepdims=True)  # (1, hidden)
    bnvar = hprebn.var(0, keepdims=True, ddof=1)  # (1, hidden)
    bnraw = (hprebn - bnmean) * (bnvar + EPSILON) ** -0.5  # (n, hidden)
    h = jnp.tanh(bngain * bnraw + bnbias)  # (n, hidden)
    logprobs = jax.nn.log_softmax(h @ W2 + b2)  # (n, vocabulary)
    return -(logprobs * jax.nn.one_hot(Yb, logprobs.shape[1])).sum() / len(Xb)


def update(
    parameters: Parameters, Xb: Array, Yb: Array
) -> tuple[Parameters, tuple[Array, Parameters]]:
    """One step: the new parameters, and the loss and gradients that led to them."""
    loss, gradients = jax.value_and_grad(loss_of)(parameters, Xb, Yb)
    moved = jax.tree.map(lambda p, gradient: p - LEARNING_RATE * gradient, parameters, gradients)
    return moved, (loss, gradients)


@partial(jax.jit, static_argnames=("steps", "batch"), donate_argnames="parameters")
def scan(
    parameters: Parameters, key: Array, X: Array, Y: Array, steps: int, batch: int
) -> tuple[Parameters, Array, Array]:
    """Many steps: the parameters and the key after them, and every loss."""
    key, own = jax.random.split(key)

    def body(parameters: Parameters, ix: Array) -> tuple[Parameters, Array]:
        parameters, (loss, _) = update(parameters, X[ix], Y[ix])
        return parameters, loss

    parameters, losses = jax.lax.scan(
        body, parameters, jax.random.randint(own, (steps, batch), 0, len(X))
    )
    return parameters, key, losses


class Scan:
    """The state between two calls of the compiled loop."""

    def __init__(self, workload: Workload, threads: int):
        self.X = jnp.asarray(workload.X, jnp.int32)
        self.Y = jnp.asarray(workload.Y, jnp.int32)
        self.parameters = {name: jnp.array(v) for name, v in workload.parameters.items()}
        self.batch = workload.shape.batch
        self.key = jax.random.key(SEED)

    def step(self, ix: np.ndarray) -> tuple[float, Arrays]:
        """One step on the windows `ix`: its loss and gradients."""
        self.parameters, (loss, gradients) = jax.jit(update)(
            self.parameters, self.X[ix], self.Y[ix]
        )
        return float(loss), {name: np.asarray(value) for name, value in gradients.items()}

    def train(self, steps: int) -> float:
        """Take steps on random minibatches and wait for the last loss."""
        self.parameters, self.key, losses = scan(
            self.parameters, self.key, self.X, self.Y, steps, self.batch
        )
        return np.asarray(losses)[-1].item()
