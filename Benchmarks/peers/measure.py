"""Measure one peer in a process of its own: that it is right first, then how fast it is.

    python measure.py --peer numpy-manual --threads 1 --batch 32 --hidden 200

prints one JSON object on one line. Where torch.compile does not work it says so under "skipped".
Many measurements side by side are run.py's.
"""

import argparse
import importlib
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from timing import limit_threads, per_second

if TYPE_CHECKING:  # imported where they are used, after the threads are set
    import numpy as np
    from workload import Arrays, Workload

# What `--peer` calls it, its module, and its class there.
PEERS = {
    "pytorch-as-written": ("pytorch_manual", "AsWritten"),
    "pytorch-index-add": ("pytorch_manual", "IndexAdd"),
    "pytorch-index-add-compiled": ("pytorch_manual", "Compiled"),
    "pytorch-autograd": ("pytorch_autograd", "Autograd"),
    "pytorch-autograd-compiled": ("pytorch_autograd", "Compiled"),
    "jax-scan": ("jax_scan", "Scan"),
    "numpy-manual": ("numpy_manual", "Manual"),
}


class Peer(Protocol):
    """What a peer's class offers, beside `__init__(workload, threads)`."""

    def step(self, ix: "np.ndarray") -> "tuple[float, Arrays]":
        """One step on the windows `ix`: its loss and gradients."""

    def train(self, steps: int) -> float:
        """So many steps on random minibatches: the last loss."""


def disagreement(workload: "Workload", loss: float, gradients: "Arrays") -> str | None:
    """What is wrong with the first step on the fixed minibatch, or nothing.

    The truth is the step by hand in float64. A tensor's error is taken relative to its largest
    entry; db1, which batch norm makes zero, relative to dW1's. A sum of k terms in float32 drifts
    by about 2⁻²⁴·√k, the longest sums run over the minibatch or the hidden layer, and eight of them
    follow one another from the logits to dC. (Measured: a quarter of that and less.)
    """
    import numpy as np
    from numpy_manual import loss_and_gradients

    double = {name: value.astype(np.float64) for name, value in workload.parameters.items()}
    Xb, Yb = workload.X[workload.ix], workload.Y[workload.ix]
    expected_loss, expected = loss_and_gradients(double, Xb, Yb)
    shape = workload.shape
    tolerance = 8 * 2**-24 * math.sqrt(max(shape.batch, shape.hidden))
    if not abs(loss - expected_loss) <= tolerance * expected_loss:  # written so that NaN fails
        return f"loss {loss}, expected {expected_loss}"
    for name, truth in expected.items():
        if gradients[name].shape != truth.shape:
            return f"d{name} has shape {gradients[name].shape}, expected {truth.shape}"
        scale = np.abs(expected["W1" if name == "b1" else name]).max()
        error = np.abs(gradients[name] - truth).max() / scale
        if not error <= tolerance:
            return f"d{name} is off by {error:.1e}, more than {tolerance:.1e}"
    return None


def steps_per_second(name: str, workload: "Workload", threads: int, seconds: float) -> dict:
    """Check the peer, warm it up and time it."""
    module, kind = PEERS[name]
    peer: Peer = getattr(importlib.import_module(module), kind)(workload, threads)
    try:
        loss, gradients = peer.step(workload.ix)
    except Exception as error:
        if getattr(peer, "compiled", False):
            return {"skipped": f"torch.compile failed: {str(error).strip().splitlines()[0]}"}
        raise
    if found := disagreement(workload, loss, gradients):
        sys.exit(f"{name}: {found}")

    def run() -> int:
        nonlocal loss
        loss = peer.train(workload.chunk)
        return workload.chunk

    for _ in range(2):  # to compile, and to fill caches and pools
        run()
    rate, cores = per_second(run, seconds)
    if not math.isfinite(loss):
        sys.exit(f"{name}: the loss is {loss} after training")
    return {"steps_per_second": rate, "cores": cores, "loss": loss}


def arguments() -> argparse.Namespace:
    """The command line; the sizes default to the notebook's."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", required=True, choices=PEERS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--block", type=int, default=3)
    parser.add_argument("--embedding", type=int, default=10)
    parser.add_argument("--hidden", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--data", type=Path, help="words, one per line (default: data/names.txt)")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = arguments()
    limit_threads(options.threads)
    import workload

    work = workload.load(
        options.data or workload.DATA,
        options.batch, options.block, options.embedding, options.hidden,
    )  # fmt: skip
    measured = steps_per_second(options.peer, work, options.threads, options.seconds)
    about = {"peer": options.peer, "threads": options.threads, "shape": asdict(work.shape)}
    print(json.dumps(about | measured))


if __name__ == "__main__":
    main()
