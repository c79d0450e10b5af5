"""Run all peers and ours side by side and print one table of medians and ratios.

    python Benchmarks/peers/run.py --only notebook --rounds 3

Every measurement is a process of its own. In a round each program has its turn with each number of
threads; every second round goes backwards, so that a machine that becomes slower or faster favours
nobody.
"""

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from charmlp import CharMLP, Configuration, Words
from measure import PEERS
from table import OURS, Rates, markdown, summary

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
THREADS = (1, 2)
SAMPLING = "sampling"
SAMPLING_PEERS = {"pytorch-sampling": [], "pytorch-sampling-no-grad": ["--no-grad"]}
TIME_LIMIT = 900  # seconds for one measurement, a first compilation included


CONFIGURATIONS = {
    "notebook": Configuration(batch=32, hidden=200),
    "batch-256": Configuration(batch=256, hidden=200),
    "batch-1024-hidden-1024": Configuration(batch=1024, hidden=1024),
    "batch-1024-hidden-4096": Configuration(batch=1024, hidden=4096),
    "best": Configuration(batch=1024, hidden=840, block=6, embedding=24),
}


class Skipped(Exception):
    """A program that cannot be measured on this machine, and why."""


class Comparison:
    """The rounds of one configuration."""

    unit = "steps"

    def __init__(self, name: str, peers: list[str], options: argparse.Namespace):
        self.name, self.options = name, options
        self.sizes = CONFIGURATIONS[name]
        self.rates: Rates = {}
        self.skipped: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.turns: list[tuple[str, int]] = []
        if options.charmlp:
            self.charmlp = CharMLP(options.charmlp, options.data, self.sizes)
            self.turns += [(OURS, threads) for threads in (THREADS if options.threaded else (1,))]
        self.turns += [(peer, threads) for peer in peers for threads in THREADS]

    def run(self) -> None:
        """All rounds."""
        for number in range(self.options.rounds):
            for program, threads in self.turns[:: -1 if number % 2 else 1]:
                if program not in self.skipped | self.failed:
                    self.take_turn(number, program, threads)
        for program in self.skipped | self.failed:
            self.rates.pop(program, None)
        self.rates = {p: dict(sorted(self.rates[p].items())) for p in self.order()}

    def order(self) -> list[str]:
        """The measured programs in the order of their turns."""
        return [p for p in dict.fromkeys(program for program, _ in self.turns) if p in self.rates]

    def take_turn(self, number: int, program: str, threads: int) -> None:
        """One measurement; what prevents it is kept and reported."""
        says = f"{self.name}, round {number + 1}, {program}, threads {threads}: "
        try:
            rate = self.rate(program, threads)
        except Skipped as reason:
            self.skipped[program] = str(reason)
            says += f"skipped: {reason}"
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            self.failed[program] = str(error)
            says += f"failed: {error}"
        else:
            self.rates.setdefault(program, {}).setdefault(threads, []).append(rate)
            says += f"{rate:,.1f} {self.unit}/s"
        print(says, file=sys.stderr, flush=True)

    def rate(self, program: str, threads: int) -> float:
        """Steps per second: ours through its command, a peer through measure.py."""
        if program == OURS:
            given = threads if self.options.threaded else None
            return self.charmlp.steps_per_second(given, self.options.seconds)
        command = [sys.executable, str(HERE / "measure.py"), "--peer", program]
        command += ["--threads", str(threads), "--seconds", str(self.options.seconds)]
        command += self.sizes.flags
        command += ["--data", str(self.options.data)]
        return measured(command)["steps_per_second"]


class SamplingComparison(Comparison):
    """The rounds of drawing words: our `sample` beside the notebook's loop in PyTorch."""

    unit = "words"

    def __init__(self, options: argparse.Namespace):
        self.name, self.options = SAMPLING, options
        self.rates, self.skipped, self.failed, self.turns = {}, {}, {}, []
        if options.charmlp and options.charmlp.with_name("sample").is_file():
            self.words = Words(options.charmlp, options.data)
            self.turns += [(OURS, threads) for threads in THREADS]
        self.turns += [(peer, threads) for peer in SAMPLING_PEERS for threads in THREADS]

    def rate(self, program: str, threads: int) -> float:
        """Words per second: ours through its command, a loop through pytorch_sampling.py."""
        if program == OURS:
            return self.words.per_second(threads)
        command = [sys.executable, str(HERE / "pytorch_sampling.py"), *SAMPLING_PEERS[program]]
        command += ["--threads", str(threads), "--seconds", str(self.options.seconds)]
        return measured([*command, "--data", str(self.options.data)])["words_per_second"]


def measured(command: list[str]) -> dict:
    """What a measuring process printed last."""
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
    if shown.returncode != 0:
        raise RuntimeError((shown.stderr.strip().splitlines() or ["no message"])[-1])
    figures = json.loads(shown.stdout.splitlines()[-1])
    if "skipped" in figures:
        raise Skipped(figures["skipped"])
    return figures


def installed(package: str) -> str:
    """The version of a package, which some comparisons do without."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine() -> dict[str, str | int]:
    """What the figures were measured with."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [text.partition(":")[2].strip() for text in lines if text.startswith("model name")]
    packages = ("torch", "jax", "jaxlib", "numpy")
    return {
        "cpu": models[0] if models else "unknown",
        "cores": os.cpu_count() or 0,
        "python": sys.version.split()[0],
    } | {name: installed(name) for name in packages}


def arguments() -> argparse.Namespace:
    """The command line, with missing files reported at once."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=float, default=2, help="a measurement (default: 2)")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=[],
        choices=[*CONFIGURATIONS, SAMPLING, *PEERS],
        help="only these: " + ", ".join([*CONFIGURATIONS, SAMPLING, *PEERS]),
    )  # fmt: skip
    parser.add_argument(
        "--charmlp", type=Path, default=REPOSITORY / ".build" / "release" / "train",
        help="our train command (default: .build/release/train of the repository)",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, default=REPOSITORY / "data" / "names.txt",
        help="the list of words, one per line (default: data/names.txt of the repository)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    if options.rounds < 1 or not options.seconds > 0:
        parser.error("--rounds and --seconds have to be positive")
    options.data, options.charmlp = options.data.absolute(), options.charmlp.absolute()
    if not options.data.is_file():
        sys.exit(f"run.py: {options.data}: no such file; name a list of words with --data")
    if not options.charmlp.is_file():
        print(f"run.py: {options.charmlp}: not built; the peers run alone", file=sys.stderr)
        options.charmlp = None
    options.threaded = bool(options.charmlp) and CharMLP.takes_threads(options.charmlp)
    if options.charmlp and not options.threaded:
        print("run.py: ours takes no --threads; its one figure stands under 1", file=sys.stderr)
    return options


def main() -> None:
    """Compare, print, and end with 1 if a program failed or disagreed."""
    options = arguments()
    every = [*CONFIGURATIONS, SAMPLING]
    names = [name for name in every if name in options.only]
    names = names or (list(CONFIGURATIONS) if options.only else every)
    peers = [peer for peer in PEERS if peer in options.only] or list(PEERS)
    comparisons = [
        SamplingComparison(options) if name == SAMPLING else Comparison(name, peers, options)
        for name in names
    ]
    for comparison in comparisons:
        comparison.run()
    about = machine() | {"rounds": options.rounds, "seconds": options.seconds}
    left_out = {c.name: c.skipped | c.failed for c in comparisons if c.skipped or c.failed}
    by_unit = {
        unit: {c.name: summary(c.rates, unit) for c in comparisons if c.unit == unit}
        for unit in ("steps", "words")
    }
    if options.json:
        shapes = by_unit["steps"] | by_unit["words"]
        print(json.dumps({"machine": about, "shapes": shapes, "left_out": left_out}))
    else:
        print(", ".join(f"{name} {value}" for name, value in about.items()))
        for unit, summaries in by_unit.items():
            if not summaries:
                continue
            print(f"\n{unit.capitalize()} per second, medians; ours ÷ the peer's better figure,")
            print("median of rounds.\n")
            print(markdown(summaries, unit, THREADS))
        for name, reasons in left_out.items():
            for program, reason in reasons.items():
                print(f"\n{name}: {program} left out: {reason}")
    if any(comparison.failed for comparison in comparisons):
        sys.exit(1)


if __name__ == "__main__":
    main()
