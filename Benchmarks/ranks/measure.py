#!/usr/bin/env python3
"""The time of a training step on one process and on two ranks, by minibatch.

    make build-mpi && python3 Benchmarks/ranks/measure.py

Runs take turns, one process then two ranks, each on one thread; the table has medians over rounds, and
the share of a step that ranks spend in sums, waiting for each other included. Needs the build with the
trait MPI. `--json FILE` keeps what was measured, for model.py.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRAIN = ROOT / ".build" / "mpi" / "release" / "train"
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n"]
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
SHAPES = {
    "notebook": ["--block-size", "3", "--embedding", "10", "--hidden", "200"],
    "large": ["--block-size", "8", "--embedding", "24", "--hidden", "620"],
}
BATCHES = (32, 128, 512, 2048, 8192, 32768)


def train(ranks, shape, batch, steps):
    """Seconds a step, and seconds a step in sums."""
    with tempfile.TemporaryDirectory() as directory:
        command = [str(TRAIN), *SHAPES[shape], "--batch-size", str(batch), "--steps", str(steps),
                   "--threads", "1", "--samples", "0", "--json", "--quiet",
                   "--out", str(Path(directory) / "run")]
        if ranks > 1:
            command = [*MPIRUN, str(ranks), *command]
        shown = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if shown.returncode != 0:
        sys.exit(shown.stderr)
    found = json.loads(shown.stdout.splitlines()[-1])
    in_sums = found["ranks"]["seconds_in_sums"] / steps if found["ranks"] else 0
    return 1 / found["steps_per_second"], in_sums


def measure(shape, batch, rounds, seconds):
    """Medians at one shape and minibatch."""
    steps = max(20, int(seconds / train(1, shape, batch, 20)[0]))
    one, two, sums = [], [], []
    for _ in range(rounds):
        one.append(train(1, shape, batch, steps)[0])
        step, in_sums = train(2, shape, batch, steps)
        two.append(step)
        sums.append(in_sums)
    return {
        "shape": shape, "batch": batch, "one": statistics.median(one), "two": statistics.median(two),
        "sums": statistics.median(sums),
        "ratio": statistics.median(a / b for a, b in zip(one, two)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each run, about")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    arguments = parser.parse_args()
    rows = []
    print("| shape | minibatch | 1 rank, µs | 2 ranks, µs | 1 ÷ 2 | in sums |")
    print("|---|--:|--:|--:|--:|--:|")
    for shape in SHAPES:
        for batch in BATCHES:
            row = measure(shape, batch, arguments.rounds, arguments.seconds)
            rows.append(row)
            print(f"| {shape} | {batch:,} | {row['one'] * 1e6:,.0f} | {row['two'] * 1e6:,.0f} | "
                  f"{row['ratio']:.2f} | {row['sums'] / row['two']:.0%} |", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
