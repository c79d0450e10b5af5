"""Ours: the `train` and `sample` commands, run as anyone would run them.

`train` reports the steps per second of its training alone; the number of steps follows from a short
first run and then from the latest rate. `sample` is timed as a whole process.
"""

import json
import math
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

FIRST_STEPS = 50


class Configuration(NamedTuple):
    """The sizes of a network and of its minibatch."""

    batch: int
    hidden: int
    block: int = 3
    embedding: int = 10

    @property
    def flags(self) -> list[str]:
        """The sizes as measure.py takes them."""
        return [text for name, size in self._asdict().items() for text in (f"--{name}", str(size))]


class CharMLP:
    """One configuration of the built command."""

    def __init__(self, command: Path, data: Path, sizes: Configuration):
        self.command = [str(command), "--data", str(data), "--recipe", "notebook"]
        self.command += ["--batch-size", str(sizes.batch), "--hidden", str(sizes.hidden)]
        self.command += ["--block-size", str(sizes.block), "--embedding", str(sizes.embedding)]
        self.steps: dict[int | None, int] = {}  # by threads

    @staticmethod
    def takes_threads(command: Path) -> bool:
        """Whether the command knows `--threads`."""
        shown = subprocess.run([command, "--help"], capture_output=True, text=True, check=False)
        return "--threads" in shown.stdout

    def steps_per_second(self, threads: int | None, seconds: float) -> float:
        """Train for about so many seconds; without `threads` the command decides itself."""
        steps = self.steps.get(threads, FIRST_STEPS)
        while True:
            rate = self.train(steps, threads)
            self.steps[threads] = math.ceil(rate * seconds)
            if steps >= self.steps[threads] / 2:
                return rate
            steps = self.steps[threads]

    def train(self, steps: int, threads: int | None) -> float:
        """One run of so many steps."""
        command = [*self.command, "--steps", str(steps), "--json", "--quiet"]
        if threads is not None:
            command += ["--threads", str(threads)]
        with tempfile.TemporaryDirectory() as directory:
            command += ["--out", str(Path(directory) / "run")]
            shown = subprocess.run(command, capture_output=True, text=True, check=False)
        if shown.returncode != 0:
            raise RuntimeError(shown.stderr.strip() or f"exit code {shown.returncode}")
        return json.loads(shown.stdout.splitlines()[-1])["steps_per_second"]


class Words:
    """The built `sample` command on a model of the notebook's shape."""

    TRAINING_STEPS = 5_000  # as many as in pytorch_sampling.py
    COUNT = 1_000_000

    def __init__(self, train: Path, data: Path):
        self.command = str(train.with_name("sample"))
        self.directory = tempfile.TemporaryDirectory()
        self.model = str(Path(self.directory.name) / "run")
        run = [str(train), "--data", str(data), "--recipe", "notebook"]
        run += ["--steps", str(self.TRAINING_STEPS)]
        run += ["--samples", "0", "--quiet", "--out", self.model]
        subprocess.run(run, check=True, capture_output=True)

    def per_second(self, threads: int) -> float:
        """Draw a million words: so many a second, the start of the process included."""
        command = [self.command, "--model", self.model, "--count", str(self.COUNT)]
        command += ["--threads", str(threads)]
        start = time.perf_counter()
        shown = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        seconds = time.perf_counter() - start
        if shown.returncode != 0:
            raise RuntimeError(shown.stderr.strip() or f"exit code {shown.returncode}")
        return self.COUNT / seconds
