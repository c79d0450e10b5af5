"""Runs every line of Python in docs/python.md on a run of the built commands, and checks what it prints.

The blocks run in their order, as a reader would type them. Then the log-probabilities of many words are compared
with those of `sample score --network-only`, the CSV with the metrics, and the sweep's losses with its runs. Without
NumPy nothing can be done (status 1); without tensorboardX its block is left out, and the result says so.

Usage: python3 Tools/python/page.py [folder of the commands, default .build/release]
"""

import contextlib
import csv
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "python.md"
COMMANDS = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / ".build" / "release").resolve()
WORDS = REPOSITORY / "data" / "names.txt"
# The network's floats are summed in another order.
TOLERANCE = 2e-4


def run(*words: str, stdin: str = "") -> str:
    return subprocess.run(words, input=stdin, check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def blocks() -> list[tuple[str, int]]:
    """The blocks of Python and the line that each begins at."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(match[1], text[:match.start(1)].count("\n")) for match in found]


def check(condition: bool, message: str) -> None:
    if not condition:
        sys.exit(f"docs/python.md: {message}")


def main() -> None:
    os.environ["PATH"] = f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"
    scope: dict = {"__name__": "page"}
    said, left_out = [], 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        run("train", "--data", str(WORDS), "--steps", "600", "--hidden", "64", "--quiet")
        for code, line in blocks():
            if "tensorboardX" in code and not importlib.util.find_spec("tensorboardX"):
                left_out += 1
                continue
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile("\n" * line + code, str(PAGE), "exec"), scope)
            said.append(output.getvalue().strip())
        check(len(said) + left_out == 5, "the page has another number of blocks than is checked here")
        check_scores(scope, said[0])
        check(said[1] == "64 hidden units, 8423 words", f"the words: {said[1]}")
        check_metrics()
        check(left_out == 1 or any(Path("board/names-1").iterdir()), "TensorBoard has no run")
        check_sweep(scope, said[-1])
    print(f"docs/python.md: {len(said)} blocks say what the commands say"
          + ("; TensorBoard's was left out, without tensorboardX" if left_out else ""))


def check_scores(scope: dict, said: str) -> None:
    words = WORDS.read_text(encoding="utf-8").splitlines()[::40]
    table = run("sample", "score", "--network-only", "--model", "runs/names-1", "--format", "tsv", "-",
                stdin="\n".join(["emma", *words]) + "\n")
    scores = {row.split("\t")[0]: float(row.split("\t")[1]) for row in table.splitlines()}
    check(len(scores) > 200 and abs(scores["emma"] - float(said)) <= TOLERANCE, f"emma: {said}")
    for word, score in scores.items():
        ours = scope["log_probability"](scope["metadata"], scope["tensors"], word)
        check(abs(ours - score) <= TOLERANCE, f"{word}: {ours}, and sample score says {score}")
    reader = blocks()[0][0].split("metadata, tensors =")[0]
    check(sum(bool(line.strip()) for line in reader.splitlines()) < 20, "the reader has 20 lines")


def check_metrics() -> None:
    lines = Path("runs/names-1/metrics.jsonl").read_text().splitlines()
    with open("metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    check(len(rows) == len(lines) > 10, f"{len(rows)} rows for {len(lines)} lines")
    for row, line in zip(rows, map(json.loads, lines)):
        check(float(row["validation_loss"]) == line["validation_loss"] and int(row["step"]) == line["step"],
              f"metrics.csv: {row}")


def check_sweep(scope: dict, said: str) -> None:
    runs = sorted(Path("runs").iterdir())
    check(len(runs) == 5 and len(scope["losses"]) == 4, f"{len(runs)} runs")
    check(said == f"{min(scope['losses'], key=scope['losses'].get)} {min(scope['losses'].values())}", said)


if __name__ == "__main__":
    main()
