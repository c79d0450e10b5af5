#!/usr/bin/env python3
"""Make the golden files that the tests hold the Swift derivation and the training loop against.

A wrong gradient trains too, only worse; so the tests need the truth from elsewhere. This script
asks PyTorch, in float32 and float64: for every intermediate of a forward pass, for the gradient of
each of the 26 tensors by autograd, and for the losses of the first hundred steps of training, by
gradient descent and by AdamW. It is not a second implementation to grow beside the Swift one, and
not a benchmark.

    python -m pip install -r Tools/requirements.txt
    python Tools/make_fixtures.py

It runs on one thread with fixed seeds, so a second run writes the same bytes. On another processor
the last bits may differ, because PyTorch picks its kernels by processor.
"""

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

Tensors = dict[str, Tensor]
Windows = tuple[Tensor, Tensor]  # X (windows, block) and Y (windows), I64

REPOSITORY = Path(__file__).resolve().parents[1]
SIZE_LIMIT = 2_000_000  # bytes, all files together: they are committed

SPLIT_SEED = 42
SEED = 2147483647
STEPS = 100
LEARNING_RATE = 0.1
ADAMW_LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.5  # far more than anybody trains with, so that it shows
EPSILON = 1e-5  # batch norm's, PyTorch's default
FIRST_WORDS = 20
TERMINATOR = 0  # the id that pads a window and ends a word; characters start at 1

PARAMETERS = ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")
INTERMEDIATES = (
    "emb", "embcat", "hprebn", "bnmeani", "bndiff", "bndiff2", "bnvar", "bnvar_inv", "bnraw",
    "hpreact", "h", "logits", "logit_maxes", "norm_logits", "counts", "counts_sum",
    "counts_sum_inv", "probs", "logprobs", "loss",
)  # fmt: skip
# The exercise's own order: from the loss down to the embedding.
GRADIENTS = (
    "logprobs", "probs", "counts_sum_inv", "counts_sum", "counts", "norm_logits", "logit_maxes",
    "logits", "h", "W2", "b2", "hpreact", "bngain", "bnbias", "bnraw", "bnvar_inv", "bnvar",
    "bndiff2", "bndiff", "bnmeani", "hprebn", "embcat", "W1", "b1", "emb", "C",
)  # fmt: skip
SCALARS = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Shape:
    """The sizes of a model and of its minibatch."""

    block: int
    embedding: int
    hidden: int
    batch: int
    vocabulary: int

    def __str__(self) -> str:
        return ", ".join(f"{name} {size}" for name, size in asdict(self).items())


# The lecture's exercise, and two shapes in which no two sizes can be mistaken for each other.
EXERCISE = Shape(block=3, embedding=10, hidden=64, batch=32, vocabulary=27)
BLOCK_5 = Shape(block=5, embedding=7, hidden=33, batch=47, vocabulary=13)
BLOCK_1 = Shape(block=1, embedding=4, hidden=9, batch=64, vocabulary=31)
NOTEBOOK_RUN = replace(EXERCISE, hidden=200)


# Data


def read_words(path: Path) -> list[str]:
    """The words of a list, one per line."""
    return path.read_text(encoding="utf-8").splitlines()


def split(words: list[str]) -> dict[str, list[str]]:
    """Shuffle with Python's generator, then cut at 80 % and 90 %."""
    shuffled = list(words)
    random.seed(SPLIT_SEED)
    random.shuffle(shuffled)
    first, second = int(0.8 * len(words)), int(0.9 * len(words))
    return {
        "train": shuffled[:first],
        "validation": shuffled[first:second],
        "test": shuffled[second:],
    }


def characters(words: list[str]) -> list[str]:
    """The distinct characters by code point; the id of a character is its position plus one."""
    return sorted(set("".join(words)))


def encode(words: list[str], alphabet: list[str]) -> list[list[int]]:
    """Words as lists of ids."""
    ids = {character: index for index, character in enumerate(alphabet, start=1)}
    return [[ids[character] for character in word] for word in words]


def made_up_words(vocabulary: int) -> list[list[int]]:
    """200 words of 3 to 8 random ids, for a vocabulary that no list of names has."""
    source = random.Random(vocabulary)
    return [
        [source.randrange(1, vocabulary) for _ in range(source.randint(3, 8))] for _ in range(200)
    ]


def windows(words: Iterable[list[int]], block: int) -> Windows:
    """Every context of `block` ids and the id that follows it, word by word."""
    contexts, targets = [], []
    for word in words:
        context = [TERMINATOR] * block
        for target in [*word, TERMINATOR]:
            contexts.append(context)
            targets.append(target)
            context = [*context[1:], target]
    return torch.tensor(contexts), torch.tensor(targets)


# Parameters and minibatches


def initial_parameters(shape: Shape) -> tuple[Tensors, torch.Generator]:
    """The notebook's initialization, and its generator as it stands before the first minibatch.

    bngain and bnbias come from the global generator, which the notebook leaves unseeded: here it
    starts from the same seed.
    """
    inputs = shape.block * shape.embedding
    g = torch.Generator().manual_seed(SEED)
    parameters = {
        "C": torch.randn((shape.vocabulary, shape.embedding), generator=g),
        "W1": torch.randn((inputs, shape.hidden), generator=g) * (5 / 3) / inputs**0.5,
        "b1": torch.randn(shape.hidden, generator=g) * 0.1,
        "W2": torch.randn((shape.hidden, shape.vocabulary), generator=g) * 0.1,
        "b2": torch.randn(shape.vocabulary, generator=g) * 0.1,
    }
    torch.manual_seed(SEED)
    parameters["bngain"] = torch.randn((1, shape.hidden)) * 0.1 + 1.0
    parameters["bnbias"] = torch.randn((1, shape.hidden)) * 0.1
    return parameters, g


def draw_minibatch(count: int, shape: Shape, g: torch.Generator) -> Tensor:
    """The indices of a minibatch among `count` windows.  # (batch)"""
    return torch.randint(0, count, (shape.batch,), generator=g)


def cast(parameters: Tensors, scalar: torch.dtype) -> Tensors:
    """A copy in another precision; from float32 to float64 it is the same numbers."""
    return {name: value.to(scalar, copy=True) for name, value in parameters.items()}


# One step, in small pieces and by autograd


def forward(parameters: Tensors, Xb: Tensor, Yb: Tensor) -> Tensors:
    """The forward pass one small step a line, each of them kept under its notebook name."""
    C, W1, b1, W2, b2, bngain, bnbias = (parameters[name] for name in PARAMETERS)
    n = len(Xb)

    emb = C[Xb]  # (n, block, embedding)
    embcat = emb.view(n, -1)  # (n, block·embedding)
    hprebn = embcat @ W1 + b1  # (n, hidden)

    bnmeani = 1 / n * hprebn.sum(0, keepdim=True)  # (1, hidden)
    bndiff = hprebn - bnmeani  # (n, hidden)
    bndiff2 = bndiff**2  # (n, hidden)
    bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdim=True)  # (1, hidden), Bessel's correction
    bnvar_inv = (bnvar + EPSILON) ** -0.5  # (1, hidden)
    bnraw = bndiff * bnvar_inv  # (n, hidden)
    hpreact = bngain * bnraw + bnbias  # (n, hidden)
    h = torch.tanh(hpreact)  # (n, hidden)

    logits = h @ W2 + b2  # (n, vocabulary)
    logit_maxes = logits.max(1, keepdim=True).values  # (n, 1)
    norm_logits = logits - logit_maxes  # (n, vocabulary)
    counts = norm_logits.exp()  # (n, vocabulary)
    counts_sum = counts.sum(1, keepdim=True)  # (n, 1)
    counts_sum_inv = counts_sum**-1  # (n, 1)
    probs = counts * counts_sum_inv  # (n, vocabulary)
    logprobs = probs.log()  # (n, vocabulary)
    loss = -logprobs[range(n), Yb].mean()  # ()

    kept = locals()
    return {name: kept[name] for name in INTERMEDIATES}


def differentiate(parameters: Tensors, Xb: Tensor, Yb: Tensor) -> tuple[Tensors, Tensors]:
    """Every intermediate, and the gradient of the loss in each of the 26 tensors by autograd."""
    leaves = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    intermediates = forward(leaves, Xb, Yb)
    tensors = leaves | intermediates
    for name in GRADIENTS:
        tensors[name].retain_grad()
    intermediates["loss"].backward()
    return intermediates, {name: tensors[name].grad for name in GRADIENTS}


# One step by hand, as the notebook trains


def manual_step(parameters: Tensors, Xb: Tensor, Yb: Tensor) -> tuple[Tensor, Tensors]:
    """Loss and gradients of the parameters, with cross-entropy and batch norm in one go.

    dlogits = (softmax(logits) − onehot(Yb)) / n
    dhprebn = bngain·bnvar_inv/n · (n·dhpreact − Σ dhpreact − n/(n−1)·bnraw·Σ dhpreact·bnraw)
    """
    C, W1, b1, W2, b2, bngain, bnbias = (parameters[name] for name in PARAMETERS)
    n = len(Xb)

    emb = C[Xb]
    embcat = emb.view(n, -1)
    hprebn = embcat @ W1 + b1
    bnmean = hprebn.mean(0, keepdim=True)
    bnvar = hprebn.var(0, keepdim=True, unbiased=True)
    bnvar_inv = (bnvar + EPSILON) ** -0.5
    bnraw = (hprebn - bnmean) * bnvar_inv
    h = torch.tanh(bngain * bnraw + bnbias)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)

    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    dhpreact = (1 - h**2) * (dlogits @ W2.T)
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
    dbnbias = dhpreact.sum(0, keepdim=True)
    dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dbnbias - n / (n - 1) * bnraw * dbngain)
    demb = (dhprebn @ W1.T).view(emb.shape)
    return loss, {
        "C": torch.zeros_like(C).index_add_(0, Xb.flatten(), demb.flatten(0, 1)),
        "W1": embcat.T @ dhprebn,
        "b1": dhprebn.sum(0),
        "W2": h.T @ dlogits,
        "b2": dlogits.sum(0),
        "bngain": dbngain,
        "bnbias": dbnbias,
    }


def train(parameters: Tensors, data: Windows, ix: Tensor) -> tuple[Tensor, Tensors]:
    """Gradient descent over the given minibatches: their losses and the last parameters."""
    X, Y = data
    parameters = dict(parameters)
    losses = []
    for minibatch in ix:
        loss, gradients = manual_step(parameters, X[minibatch], Y[minibatch])
        losses.append(loss)
        for name in PARAMETERS:
            parameters[name] = parameters[name] - LEARNING_RATE * gradients[name]
    return torch.stack(losses), parameters


def train_adamw(parameters: Tensors, data: Windows, ix: Tensor) -> tuple[Tensor, Tensors]:
    """The same by PyTorch's AdamW, with weight decay for W1 and W2 only."""
    X, Y = data
    parameters = {name: value.clone() for name, value in parameters.items()}
    decaying = [parameters["W1"], parameters["W2"]]
    others = [value for name, value in parameters.items() if name not in ("W1", "W2")]
    optimizer = torch.optim.AdamW(
        [{"params": decaying, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0}],
        lr=ADAMW_LEARNING_RATE,
    )
    losses = []
    for minibatch in ix:
        loss, gradients = manual_step(parameters, X[minibatch], Y[minibatch])
        losses.append(loss)
        for name in PARAMETERS:
            parameters[name].grad = gradients[name]
        optimizer.step()
    return torch.stack(losses), parameters


def check_by_hand(parameters: Tensors, Xb: Tensor, Yb: Tensor, gradients: Tensors) -> None:
    """Refuse to write anything when the step by hand and autograd disagree in float64."""
    by_hand = manual_step(parameters, Xb, Yb)[1]
    for name in PARAMETERS:
        expected = gradients[name]
        error = (by_hand[name] - expected).abs().max() / expected.abs().max().clamp(min=1)
        if not error <= 1e-12:  # written so that NaN fails
            sys.exit(f"make_fixtures: d{name} by hand is {error:.1e} from autograd's")


# Files


def save(path: Path, tensors: Tensors, description: str) -> Path:
    """Write a safetensors file. One metadata entry: the order of several is not reproducible."""
    owned = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
    save_file(owned, path, metadata={"description": description})
    return path


def write_gradients(out: Path, name: str, shape: Shape, data: Windows) -> list[Path]:
    """One minibatch, its forward pass and its gradients: a file for each precision."""
    parameters, g = initial_parameters(shape)
    X, Y = data
    ix = draw_minibatch(len(X), shape, g)
    Xb, Yb = X[ix], Y[ix]
    paths = []
    for scalar, dtype in SCALARS.items():
        own = cast(parameters, dtype)
        intermediates, gradients = differentiate(own, Xb, Yb)
        if scalar == "float64":
            check_by_hand(own, Xb, Yb, gradients)
        tensors = {"Xb": Xb, "Yb": Yb} | own | intermediates
        tensors |= {"d" + name: gradient for name, gradient in gradients.items()}
        description = f"one step in PyTorch, {scalar}: {shape}"
        paths.append(save(out / f"{name}-{scalar}.safetensors", tensors, description))
    return paths


def write_run(out: Path, shape: Shape, data: Windows) -> Path:
    """Initial parameters, the minibatches of the first steps, and their losses."""
    parameters, g = initial_parameters(shape)
    ix = torch.stack([draw_minibatch(len(data[0]), shape, g) for _ in range(STEPS)])
    tensors = {"ix": ix} | parameters
    for scalar, dtype in SCALARS.items():
        losses, last = train(cast(parameters, dtype), data, ix)
        tensors[f"losses_{scalar}"] = losses
        tensors[f"adamw_losses_{scalar}"] = train_adamw(cast(parameters, dtype), data, ix)[0]
    tensors |= {f"final_{name}": value for name, value in last.items()}  # the float64 run's
    description = f"the first {STEPS} steps in PyTorch: {shape}"
    return save(out / "notebook-run.safetensors", tensors, description)


def write_summary(out: Path, data: Path, parts: dict[str, list[str]], shape: Shape) -> Path:
    """What the run was made from: list, seeds, recipe, vocabulary and the first words of a part."""
    words = [word for part in parts.values() for word in part]
    summary = {
        "data": {"file": data.name, "sha256": hashlib.sha256(data.read_bytes()).hexdigest()},
        "split_seed": SPLIT_SEED,
        "seed": SEED,
        "shape": asdict(shape),
        "steps": STEPS,
        "learning_rate": LEARNING_RATE,
        "adamw_learning_rate": ADAMW_LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "characters": characters(words),
    }
    for name, part in parts.items():
        summary[name] = {
            "words": len(part),
            "windows": sum(len(word) + 1 for word in part),
            "first_words": part[:FIRST_WORDS],
        }
    path = out / "notebook-run.json"
    path.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def make(data: Path, out: Path) -> list[Path]:
    """Write every fixture for the given list of words."""
    words = read_words(data)
    alphabet = characters(words)
    if len(alphabet) + 1 != EXERCISE.vocabulary:
        sys.exit(
            f"make_fixtures: {data}: expected {EXERCISE.vocabulary - 1} different characters, "
            f"found {len(alphabet)}"
        )
    parts = split(words)
    names = windows(encode(parts["train"], alphabet), EXERCISE.block)
    out.mkdir(parents=True, exist_ok=True)
    paths = write_gradients(out, "exercise", EXERCISE, names)
    for shape in (BLOCK_5, BLOCK_1):
        made_up = windows(made_up_words(shape.vocabulary), shape.block)
        paths += write_gradients(out, f"block-{shape.block}", shape, made_up)
    paths.append(write_run(out, NOTEBOOK_RUN, names))
    paths.append(write_summary(out, data, parts, NOTEBOOK_RUN))
    return paths


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, metavar="FILE", default=REPOSITORY / "data" / "names.txt",
        help="the list of words, one per line (default: data/names.txt of the repository)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        default=REPOSITORY / "Tests" / "CharMLPTests" / "Fixtures",
        help="where the files go (default: Tests/CharMLPTests/Fixtures of the repository)",
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    """Write the fixtures and say how large they are."""
    options = arguments()
    if not options.data.is_file():
        sys.exit(f"make_fixtures: {options.data}: no such file; name a list of words with --data")
    torch.set_num_threads(1)
    total = 0
    for path in make(options.data, options.out):
        size = path.stat().st_size
        total += size
        print(f"{size:>9,}  {path.name}")
    if total > SIZE_LIMIT:
        sys.exit(f"make_fixtures: {total:,} bytes together, more than {SIZE_LIMIT:,}")


if __name__ == "__main__":
    main()
