"""Trains on a list that is too long to be stored, in one process and then on two ranks.

The size is the number of words, which a small model invents. Both runs must stay below 1 GB of resident
memory, leave the words out of the model's file, and learn the same but for rounding. CHARMLP_TRAIN names
a build with the trait MPI.
"""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import runs
from runs import ENVIRONMENT, ROOT, Failure, main, model, train_command

MEMORY_LIMIT = 1_000_000_000
FLAGS = ["--split", "hash", "--batch-size", 1024, "--hidden", 64, "--steps", 300, "--samples", 0,
         "--threads", 1, "--json"]
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "2"]
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
TIME_LIMIT = 1200


def make_list(words, directory):
    """A file of that many words, drawn from a model of the bundled names."""
    run = directory / "names"
    runs.train("--steps", 3000, "--out", run, "--samples", 0, "--quiet", expect=(0,))
    path = directory / "long.txt"
    sample = next((build for build in (Path(train_command()).with_name("sample"),
                                       ROOT / ".build/release/sample", ROOT / ".build/debug/sample")
                   if build.exists()), None)
    if sample is None:
        raise Failure("there is no build of sample; run swift build first")
    with open(path, "wb") as file:
        subprocess.run([sample, "--model", run, "--count", str(words)], stdout=file,
                       stderr=subprocess.DEVNULL, env=ENVIRONMENT, check=True,
                       timeout=TIME_LIMIT)
    return path


def peak(pid):
    """A process's peak resident memory in bytes; 0 if it has exited."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def trainers(pid):
    """Those of a process and its children that are trainers."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pids = [pid, *map(int, children)]
        return [each for each in pids
                if Path(f"/proc/{each}/exe").resolve() == Path(train_command()).resolve()]
    except OSError:
        return []


def train(command, out):
    """Trains; the result, and the highest peak of memory among its processes."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [*map(str, command), *map(str, FLAGS), "--out", str(out)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, **AS_ROOT})
    peaks = {}

    def watch():
        while process.poll() is None:
            for pid in trainers(process.pid):
                peaks[pid] = max(peaks.get(pid, 0), peak(pid))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, errors = process.communicate(timeout=TIME_LIMIT)
    watcher.join()
    if process.returncode != 0:
        raise Failure(f"status {process.returncode}: {errors}")
    largest = max(peaks.values(), default=0)
    if not 0 < largest < MEMORY_LIMIT:
        raise Failure(f"{largest:,} bytes of memory in {len(peaks)} processes")
    return json.loads(output.splitlines()[-1]), largest, len(peaks), time.monotonic() - begin


def losses(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["minibatch_loss"] for line in lines]


def check(words, directory):
    path = make_list(words, directory)
    size = os.path.getsize(path)
    notebook = ["--recipe", "notebook"]
    ways = {"alone": [train_command(), *notebook], "ranks": [*MPIRUN, train_command(), *notebook]}
    text = []
    for name, command in ways.items():
        out = directory / name
        result, memory, processes, seconds = train([*command, "--data", path], out)
        if processes != (2 if name == "ranks" else 1):
            raise Failure(f"{name}: {processes} processes were seen")
        if b"words_fingerprint" not in model(out).read_bytes()[:100_000]:
            raise Failure(f"{name}: the file has the words, or no fingerprint")
        if result["sample_words"] != 100_000:
            raise Failure(f"{name}: a sample of {result['sample_words']} words")
        text.append(f"{name}: {memory / 1e6:.0f} MB at most, {seconds:.0f} s")
    difference = max(abs(a - b) for a, b in
                     zip(losses(directory / "alone"), losses(directory / "ranks"), strict=True))
    if not difference <= 1e-4:  # rounding, after 300 steps
        raise Failure(f"losses differ by {difference}")
    return f"{size / 1e6:.0f} MB; " + "; ".join(text) + f"; losses within {difference:.0e}"


SIZE = "how many words the list has, above 16 MB of them (default: 50,000,000)"
main(__doc__.splitlines()[0], SIZE, 50_000_000, check)
