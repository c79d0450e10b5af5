#!/usr/bin/env python3
"""Make the files that the tests of `import` read: parameters as a notebook saves them, from PyTorch.

One has the running statistics of the lecture's batch norm and float32, the other float64, no statistics and
its rows in the other shape. What a notebook computes with them stands beside them: log-probabilities of
words, with the running statistics and with those of the training windows.

    python -m pip install -r Tools/requirements.txt
    python Tools/make_import_fixtures.py

A second run writes the same bytes, on the same kind of processor.
"""

import json
import sys
from dataclasses import replace

import torch
from make_fixtures import (
    EPSILON,
    EXERCISE,
    LEARNING_RATE,
    PARAMETERS,
    REPOSITORY,
    Tensors,
    cast,
    characters,
    draw_minibatch,
    encode,
    initial_parameters,
    manual_step,
    read_words,
    save,
    split,
    windows,
)
from torch import Tensor

OUT = REPOSITORY / "Tests" / "CharMLPTests" / "Fixtures"
SHAPE = replace(EXERCISE, embedding=4, hidden=24)
STEPS = 300
MOMENTUM = 0.01
ROWS = ("b1", "bngain", "bnbias", "b2")
WORDS = ("emma", "olivia", "zoe", "qqx", "a", "maximilian")


def train(words: list[list[int]]) -> Tensors:
    """The lecture's loop for a while, with its running statistics."""
    X, Y = windows(words, SHAPE.block)
    parameters, g = initial_parameters(SHAPE)
    mean, variance = torch.zeros((1, SHAPE.hidden)), torch.ones((1, SHAPE.hidden))
    for _ in range(STEPS):
        ix = draw_minibatch(len(X), SHAPE, g)
        hprebn = hidden(parameters, X[ix])
        mean = (1 - MOMENTUM) * mean + MOMENTUM * hprebn.mean(0, keepdim=True)
        variance = (1 - MOMENTUM) * variance + MOMENTUM * hprebn.var(0, keepdim=True)
        _, gradients = manual_step(parameters, X[ix], Y[ix])
        for name in PARAMETERS:
            parameters[name] = parameters[name] - LEARNING_RATE * gradients[name]
    return parameters | {"bnmean_running": mean, "bnvar_running": variance}


def hidden(tensors: Tensors, X: Tensor) -> Tensor:
    """The hidden layer before batch norm.  # (n, hidden)"""
    return tensors["C"][X].view(len(X), -1) @ tensors["W1"] + tensors["b1"]


def log_probability(tensors: Tensors, mean: Tensor, variance: Tensor, word: list[int]) -> float:
    """The log-probability of a word and its end."""
    X, Y = windows([word], SHAPE.block)
    bnraw = (hidden(tensors, X) - mean) * (variance + EPSILON) ** -0.5
    h = torch.tanh(tensors["bngain"] * bnraw + tensors["bnbias"])
    logprobs = torch.log_softmax(h @ tensors["W2"] + tensors["b2"], 1)
    return logprobs[range(len(Y)), Y].sum().item()


def main() -> None:
    torch.set_num_threads(1)
    names = read_words(REPOSITORY / "data" / "names.txt")[::14]
    alphabet = characters(names)
    if len(alphabet) + 1 != SHAPE.vocabulary:
        sys.exit(f"make_import_fixtures: the words have {len(alphabet)} characters")
    ids = encode(split(names)["train"], alphabet)
    trained = train(ids)
    double = cast(trained, torch.float64)
    hprebn = hidden(double, windows(ids, SHAPE.block)[0])
    statistics = {
        "running": (double["bnmean_running"], double["bnvar_running"]),
        "calibrated": (hprebn.mean(0, keepdim=True), hprebn.var(0, keepdim=True)),
    }
    expected = {
        key: [log_probability(double, *values, word) for word in encode(list(WORDS), alphabet)]
        for key, values in statistics.items()
    }
    save(OUT / "notebook-network-float32.safetensors", trained, "a notebook's network")
    rows = {name: double[name].view(1, -1) if double[name].dim() == 1 else double[name].view(-1)
            for name in ROWS}
    others = {name: double[name] for name in PARAMETERS} | rows
    save(OUT / "notebook-network-float64.safetensors", others, "without statistics")
    text = json.dumps({"names": names, "words": WORDS} | expected, indent=1)
    (OUT / "notebook-network.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
