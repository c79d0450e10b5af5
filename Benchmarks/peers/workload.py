"""The work that every peer does, and the figures they all start from.

The notebook's list of words, split, windows and initial scales, as NumPy arrays that a peer turns
into its own tensors; the names of the parameters are the derivation's. No peer's arithmetic is
here, and no timing.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]

DATA = Path(__file__).resolve().parents[2] / "data" / "names.txt"
SPLIT_SEED = 42
SEED = 2147483647
LEARNING_RATE = 0.1
EPSILON = 1e-5  # batch norm's, PyTorch's default
TERMINATOR = 0  # the id that pads a window and ends a word; characters start at 1
PARAMETERS = ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")


@dataclass(frozen=True)
class Shape:
    """The sizes of a model and of its minibatch."""

    batch: int
    block: int
    embedding: int
    hidden: int
    vocabulary: int

    @property
    def flop(self) -> int:
        """Floating-point operations of the six matrix products of a step."""
        return 6 * self.batch * self.hidden * (self.block * self.embedding + self.vocabulary)


@dataclass(frozen=True)
class Workload:
    """The training windows, the initial parameters and one fixed minibatch."""

    shape: Shape
    X: np.ndarray  # (windows, block), int64
    Y: np.ndarray  # (windows), int64
    parameters: Arrays  # float32
    ix: np.ndarray  # (batch), the fixed minibatch on which all peers must agree

    @property
    def chunk(self) -> int:
        """How many steps a peer takes between two looks at the clock: about 0.5 GFLOP.

        Enough that a compiled loop's call does not count, few enough to keep to the seconds asked.
        """
        return min(max(500_000_000 // self.shape.flop, 5), 500)


def load(data: Path, batch: int, block: int, embedding: int, hidden: int) -> Workload:
    """Read the words, one per line, and prepare what the peers share."""
    words = data.read_text(encoding="utf-8").splitlines()
    alphabet = sorted(set("".join(words)))
    ids = {character: index for index, character in enumerate(alphabet, start=1)}
    X, Y = windows([[ids[character] for character in word] for word in training(words)], block)
    shape = Shape(batch, block, embedding, hidden, vocabulary=len(alphabet) + 1)
    generator = np.random.default_rng(SEED)
    parameters = initial_parameters(shape, generator)
    return Workload(shape, X, Y, parameters, generator.integers(0, len(X), batch))


def training(words: list[str]) -> list[str]:
    """The notebook's training split: shuffled by Python's generator and cut at 80 %."""
    shuffled = list(words)
    random.Random(SPLIT_SEED).shuffle(shuffled)
    return shuffled[: int(0.8 * len(words))]


def windows(words: list[list[int]], block: int) -> tuple[np.ndarray, np.ndarray]:
    """Every context of `block` ids and the id that follows it, word by word."""
    contexts, targets = [], []
    for word in words:
        context = [TERMINATOR] * block
        for target in [*word, TERMINATOR]:
            contexts.append(context)
            targets.append(target)
            context = [*context[1:], target]
    return np.array(contexts), np.array(targets)


def initial_parameters(shape: Shape, generator: np.random.Generator) -> Arrays:
    """Parameters at the notebook's scales, from NumPy's generator: only the speed is compared."""
    inputs = shape.block * shape.embedding

    def randn(*sizes: int) -> np.ndarray:
        return generator.standard_normal(sizes, dtype=np.float32)

    return {
        "C": randn(shape.vocabulary, shape.embedding),
        "W1": randn(inputs, shape.hidden) * (5 / 3) / inputs**0.5,
        "b1": randn(shape.hidden) * 0.1,
        "W2": randn(shape.hidden, shape.vocabulary) * 0.1,
        "b2": randn(shape.vocabulary) * 0.1,
        "bngain": randn(1, shape.hidden) * 0.1 + 1.0,
        "bnbias": randn(1, shape.hidden) * 0.1,
    }
