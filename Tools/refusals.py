#!/usr/bin/env python3
"""Whether `train` refuses what it must, and how long that takes.

    swift build -c release && python3 Tools/refusals.py
    python3 Tools/refusals.py .build/debug/train       another build

The cases are those of Tests/CommandTests (WordListInputTests, FlagValueTests), which check the messages;
here each runs five times, and the table shows the status and the median and longest wall-clock time,
process start included. Exits with 1 if a status is not the expected one or a run took a second.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RELEASE = Path(__file__).resolve().parents[1] / ".build" / "release" / "train"
TRAIN = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else RELEASE
RUNS = 5
LIMIT = 1.0

LISTS = [
    ("empty", 65, b""), ("blank lines", 65, b" \n\t\n"), ("one word", 65, b"anna\n"),
    ("too few words to split", 65, b"a\nb\nc\nd\ne\n"), ("lone CR", 65, b"anna\rbert\r"),
    ("UTF-16", 65, "anna\nbert\n".encode("utf-16")), ("invalid UTF-8", 65, b"a\nren\xe9e\n"),
    ("NUL", 65, b"an\0na\n"), ("a control character", 65, b"an\x1bna\n"),
    ("a line of 10,001 characters", 65, b"x" * 10_001 + b"\n"),
    ("invalid UTF-8 after 16 MB of words", 65, b"anna\n" * ((16 << 20) // 5) + b"\xff\n"),
]
FLAGS = [
    ("--steps 0", 64), ("--batch-size 1", 64), ("--block-size 0", 64), ("--hidden -1", 64),
    ("--steps 99999999999999999999", 64), ("--learning-rate nan", 64), ("--learning-rate inf", 64),
    ("--learning-rate 1e308", 64), ("--learning-rate 0x1p3", 64),
    ("--hidden 10000000 --embedding 100000", 71), ("--batch-size 10000000 --hidden 10000000", 71),
    ("--data none.txt", 66), ("--data .", 66), ("--data /dev/zero", 65),
]


def measure(arguments: list[str], directory: str) -> tuple[set[int], list[float]]:
    statuses, times = set(), []
    for _ in range(RUNS):
        start = time.perf_counter()
        status = subprocess.run(
            [TRAIN, *arguments], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, timeout=300,
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no"}).returncode
        times.append(time.perf_counter() - start)
        statuses.add(status)
    return statuses, times


def main() -> int:
    if not TRAIN.exists():
        print("refusals: no release build; run: swift build -c release", file=sys.stderr)
        return 66
    good = True
    with tempfile.TemporaryDirectory() as directory:
        words = Path(directory, "words.txt")

        def report(name: str, expected: int, arguments: list[str]) -> None:
            nonlocal good
            statuses, times = measure(arguments, directory)
            fine = statuses == {expected} and max(times) < LIMIT
            good = good and fine
            print(f"{'' if fine else 'WRONG '}{name}: {', '.join(map(str, statuses))}, "
                  f"{1000 * statistics.median(times):.0f} ms, at most {1000 * max(times):.0f} ms", flush=True)

        for name, status, content in LISTS:
            words.write_bytes(content)
            report(name, status, ["--data", "words.txt"])
        os.truncate(words, 2 << 30)
        report("2 GiB without a byte", 65, ["--data", "words.txt"])
        for flags, status in FLAGS:
            report(flags, status, flags.split())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
