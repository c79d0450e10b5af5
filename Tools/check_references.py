#!/usr/bin/env python3
"""Check gradcheck against PyTorch in both directions.

Four questions, each asked over many shapes and seeds:
  agreement   Do our gradients agree with autograd's, as closely as two correct programs do?
  verdicts    Is a correct float32 reference never WRONG, even with batches of 2 and 3?
  faults      Is one element off by 1e-3 of its tensor's largest WRONG: in float64, and in float32
              from batches of 32 on?
  ours        Does autograd find in a file of `gradcheck --write` the gradients that are in it?

It takes minutes and needs PyTorch, so it is run by hand; the tests have a small part of it.

    python -m pip install -r Tools/requirements.txt
    swift build -c release --product gradcheck
    python Tools/check_references.py .build/release/gradcheck
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from make_fixtures import GRADIENTS, INTERMEDIATES, PARAMETERS, SCALARS, Shape, Tensors
from make_fixtures import differentiate, save
from make_reference_fixtures import reference
from safetensors.torch import load_file

# No fixture has these: block 1 and 5, hidden 9 and 200, vocabulary 5, 64 and 311.
SHAPES = [
    Shape(block=block, embedding=embedding, hidden=hidden, batch=0, vocabulary=vocabulary)
    for block, embedding in ((1, 4), (5, 7))
    for hidden in (9, 200)
    for vocabulary in (5, 64, 311)
]
NAMES = Shape(block=3, embedding=10, hidden=64, batch=0, vocabulary=27)
CANCELLING = ("logit_maxes", "b1")  # zero in exact arithmetic: they have no largest element
FAULT = 1e-3


class Failures:
    """Counts the checks and reports those that fail."""

    def __init__(self) -> None:
        """Starts without any checks."""
        self.asked = 0
        self.failed = 0

    def check(self, holds: bool, what: str) -> None:
        """Count a check, and report it if it fails."""
        self.asked += 1
        if not holds:
            self.failed += 1
            print(f"FAILED: {what}")


def gradcheck(binary: Path, path: Path) -> tuple[int, dict]:
    """Exit status and report of one run."""
    run = subprocess.run(
        [binary, "--reference", path, "--json"], capture_output=True, text=True, check=False
    )
    return run.returncode, json.loads(run.stdout.splitlines()[-1]) if run.stdout else {}


def with_batch(shape: Shape, batch: int) -> Shape:
    """The same network with another minibatch."""
    return Shape(shape.block, shape.embedding, shape.hidden, batch, shape.vocabulary)


def distance(row: dict, tensors: Tensors) -> float:
    """max|a − b| / max(1, max|b|) of a row of the report."""
    prefix = "d" if row["name"] in GRADIENTS and row["gradient"] else ""
    largest = tensors[prefix + row["name"]].abs().max().item()
    return row["max_abs"] / max(1.0, largest)


def rows(report: dict) -> list[dict]:
    """The rows that concern the reference."""
    gradients = [row | {"gradient": True} for row in report["tensors"]]
    forward = [row | {"gradient": False} for row in report["forward"]]
    return [row for row in gradients + forward if row["against"] == "reference"]


def tolerance(scalar: str, batch: int) -> float:
    """How far two correct programs may differ; nothing is promised for small float32 batches."""
    if scalar == "float64":
        return 1e-12 if batch > 2 else 1e-11
    return 2e-6 if batch >= 32 else float("inf")


def agreement(binary: Path, folder: Path, failures: Failures) -> None:
    """Every shape, precision and batch size: nothing WRONG, and everything within tolerance."""
    worst: dict[tuple[str, str], float] = {}
    for shape in SHAPES:
        for batch in (2, 3, 32, 100):
            for scalar in SCALARS:
                sizes = with_batch(shape, batch)
                tensors = reference(sizes, 1, scalar)
                path = save(folder / "reference.safetensors", tensors, "")
                status, report = gradcheck(binary, path)
                failures.check(status == 0, f"{sizes}, {scalar}: exit {status}")
                compared = rows(report)
                expected = len(GRADIENTS) + len(INTERMEDIATES)
                failures.check(len(compared) == expected, f"{sizes}: {len(compared)} rows")
                for row in compared:
                    error = distance(row, tensors)
                    key = (scalar, "2" if batch == 2 else "3" if batch == 3 else "32 and more")
                    worst[key] = max(worst.get(key, 0), error)
                    what = f"{sizes}, {scalar}: {row['name']} differs by {error:.1e}"
                    failures.check(error <= tolerance(scalar, batch), what)
    for (scalar, batch), error in sorted(worst.items()):
        print(f"agreement: {scalar}, batches of {batch}: at most {error:.1e}")


def verdicts(binary: Path, folder: Path, failures: Failures, seeds: int) -> None:
    """Correct float32 references with batches of 2 and 3 are never WRONG."""
    closest = 0.0
    for shape in (NAMES, SHAPES[0], SHAPES[5]):
        for batch in (2, 3):
            for seed in range(1, seeds + 1):
                sizes = with_batch(shape, batch)
                path = save(folder / "small.safetensors", reference(sizes, seed, "float32"), "")
                status, report = gradcheck(binary, path)
                failures.check(status == 0, f"{sizes}, float32, seed {seed}: exit {status}")
                ratios = [row["max_abs"] / row["bound"] for row in rows(report)]
                closest = max([closest, *ratios])
    print(f"verdicts: {seeds} seeds of three shapes: at most {closest:.2f} of the bound")


def faults(binary: Path, folder: Path, failures: Failures) -> None:
    """One element off by 1e-3 of its tensor's largest is WRONG, in every tensor that has a largest."""
    source = random.Random(1)
    names = [name for name in GRADIENTS if name not in CANCELLING]
    cases = [(with_batch(NAMES, batch), "float64") for batch in (2, 3, 32)]
    cases += [(with_batch(shape, 32), "float32") for shape in (NAMES, *SHAPES)]
    for sizes, scalar in cases:
        for seed in (2, 3, 4):
            tensors = reference(sizes, seed, scalar)
            for name in names:
                gradient = tensors["d" + name].clone().contiguous()
                place = source.randrange(gradient.numel())
                gradient.view(-1)[place] += FAULT * gradient.abs().max()
                tensors["d" + name] = gradient
            status, report = gradcheck(binary, save(folder / "faulty.safetensors", tensors, ""))
            wrong = [row["name"] for row in rows(report) if row["verdict"] == "WRONG"]
            missed = sorted(set(names) - set(wrong))
            failures.check(status == 1 and not missed, f"{sizes}, {scalar}: not WRONG: {missed}")
            failures.check(set(wrong) <= set(names), f"{sizes}, {scalar}: WRONG: {wrong}")
    print(f"faults: {3 * len(cases) * len(names)} elements off by {FAULT}")


def ours(binary: Path, folder: Path, failures: Failures) -> None:
    """PyTorch, given our minibatch and parameters, finds our gradients; reading back is exact."""
    path = folder / "ours.safetensors"
    for scalar in SCALARS:
        for sizes in ([], ["--batch-size", "3"], ["--block-size", "1", "--hidden", "9"]):
            subprocess.run(
                [binary, "--write", path, "--scalar", scalar, *sizes],
                capture_output=True,
                check=True,
            )
            file = load_file(path)
            parameters = {name: file[name] for name in PARAMETERS}
            intermediates, gradients = differentiate(parameters, file["Xb"], file["Yb"])
            gradients = {"d" + name: gradient for name, gradient in gradients.items()}
            for name, tensor in (intermediates | gradients).items():
                same = file[name].shape == tensor.shape and file[name].dtype == tensor.dtype
                failures.check(same, f"--write {sizes}: {name} is {file[name].shape}")
                error = (file[name] - tensor).abs().max() / tensor.abs().max().clamp(min=1)
                what = f"--write {sizes}, {scalar}: {name} differs by {error:.1e}"
                failures.check(bool(error <= tolerance(scalar, len(file["Yb"]))), what)
            status, report = gradcheck(binary, path)
            exact = status == 0 and len(rows(report)) == len(GRADIENTS) + len(INTERMEDIATES)
            failures.check(exact and all(row["exact"] for row in rows(report)), f"{sizes}: not exact")
    print("ours: PyTorch's gradients are those in our files, and reading them back is exact")


def main() -> None:
    """Run all checks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("binary", type=Path, metavar="GRADCHECK", help="the built command")
    parser.add_argument("--seeds", type=int, default=50, help="seeds of small batches (default: 50)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    failures = Failures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        binary = options.binary.resolve()
        agreement(binary, folder, failures)
        verdicts(binary, folder, failures, options.seeds)
        faults(binary, folder, failures)
        ours(binary, folder, failures)
    print(f"{failures.asked:,} checks, {failures.failed} failed")
    sys.exit(1 if failures.failed else 0)


if __name__ == "__main__":
    main()
