#!/usr/bin/env python3
"""Make the reference files that the tests of the gradient check read, from PyTorch's autograd.

The golden files of make_fixtures.py have batches of 32 and more. Here are shapes that none of them
has, and what they leave out: small batches in float32, in which batch norm amplifies rounding. Fifty
seeds of each stand in one file, one below the other, because a header is larger than such a pass.

    python -m pip install -r Tools/requirements.txt
    python Tools/make_reference_fixtures.py

A second run writes the same bytes, on the same kind of processor.
"""

import sys

import torch
from make_fixtures import (
    INTERMEDIATES,
    REPOSITORY,
    SCALARS,
    Shape,
    Tensors,
    cast,
    differentiate,
    save,
)
from torch import Tensor

OUT = REPOSITORY / "Tests" / "CharMLPTests" / "Fixtures"
SIZE_LIMIT = 200_000  # bytes, all files together: they are committed

SINGLE = {
    "reference-block-1-float32": Shape(block=1, embedding=4, hidden=9, batch=32, vocabulary=5),
    "reference-block-5-float64": Shape(block=5, embedding=2, hidden=9, batch=3, vocabulary=64),
}
SEEDS = 50
PACKED = {
    "references-batch-2-float32": Shape(block=2, embedding=2, hidden=4, batch=2, vocabulary=5),
    "references-batch-3-float32": Shape(block=2, embedding=2, hidden=4, batch=3, vocabulary=5),
}


def random_problem(shape: Shape, seed: int) -> tuple[Tensors, Tensor, Tensor]:
    """The notebook's initialization and a minibatch of ids without any rule, from one seed."""
    inputs = shape.block * shape.embedding
    g = torch.Generator().manual_seed(seed)
    parameters = {
        "C": torch.randn((shape.vocabulary, shape.embedding), generator=g),
        "W1": torch.randn((inputs, shape.hidden), generator=g) * (5 / 3) / inputs**0.5,
        "b1": torch.randn(shape.hidden, generator=g) * 0.1,
        "W2": torch.randn((shape.hidden, shape.vocabulary), generator=g) * 0.1,
        "b2": torch.randn(shape.vocabulary, generator=g) * 0.1,
        "bngain": torch.randn((1, shape.hidden), generator=g) * 0.1 + 1.0,
        "bnbias": torch.randn((1, shape.hidden), generator=g) * 0.1,
    }
    Xb = torch.randint(0, shape.vocabulary, (shape.batch, shape.block), generator=g)
    Yb = torch.randint(0, shape.vocabulary, (shape.batch,), generator=g)
    return parameters, Xb, Yb


def reference(shape: Shape, seed: int, scalar: str) -> Tensors:
    """A reference file's content: minibatch, parameters, intermediates and gradients."""
    parameters, Xb, Yb = random_problem(shape, seed)
    parameters = cast(parameters, SCALARS[scalar])
    intermediates, gradients = differentiate(parameters, Xb, Yb)
    tensors = {"Xb": Xb, "Yb": Yb} | parameters | intermediates
    return tensors | {"d" + name: gradient for name, gradient in gradients.items()}


def packed(shape: Shape) -> Tensors:
    """What must be known and the gradients, of all seeds, along a first dimension of their number."""
    passes = [reference(shape, seed, "float32") for seed in range(SEEDS)]
    return {
        name: torch.stack([tensors[name].detach() for tensors in passes])
        for name in passes[0]
        if name not in INTERMEDIATES
    }


def main() -> None:
    """Write the files and say how large they are."""
    torch.set_num_threads(1)
    total = 0
    for name, shape in (SINGLE | PACKED).items():
        scalar = name.rpartition("-")[2]
        tensors = packed(shape) if name in PACKED else reference(shape, 1, scalar)
        path = save(OUT / f"{name}.safetensors", tensors, f"PyTorch, {scalar}: {shape}")
        size = path.stat().st_size
        total += size
        print(f"{size:>9,}  {path.name}")
    if total > SIZE_LIMIT:
        sys.exit(f"make_reference_fixtures: {total:,} bytes together, more than {SIZE_LIMIT:,}")


if __name__ == "__main__":
    main()
