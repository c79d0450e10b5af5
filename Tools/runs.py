"""What the reliability scripts share: small training runs, started, stopped and compared.

Each script takes a size, so that continuous integration can run a short version, prints one line of
result, and ends non-zero on failure. Standard library only; those that stop a process at an exact
system call need strace.
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A crash is expected here, and a backtrace of it would take longer than the run.
ENVIRONMENT = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
# A shell's background jobs ignore SIGINT, and a command leaves alone what is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A guard against hanging, far above what any command here takes on a machine that has time for it.
TIME_LIMIT = float(os.environ.get("CHARMLP_TIME_LIMIT", 600))


class Failure(Exception):
    """Something that a script found to be wrong."""


def train_command():
    """The newest build of `train`, or CHARMLP_TRAIN."""
    if "CHARMLP_TRAIN" in os.environ:
        return os.environ["CHARMLP_TRAIN"]
    builds = [ROOT / ".build" / mode / "train" for mode in ("release", "debug")]
    found = [build for build in builds if build.exists()]
    if not found:
        raise Failure("there is no build of train; run swift build first")
    return str(max(found, key=lambda build: build.stat().st_mtime))


def completed(arguments):
    """The arguments; unless they name a recipe or a run, with the lecture's, the same for every list."""
    arguments = [str(each) for each in arguments]
    named = {"--recipe", "--resume"} & set(arguments)
    return arguments if named else ["--recipe", "notebook", *arguments]


def train(*arguments, wrapper=(), expect=None, environment=ENVIRONMENT, **options):
    """Runs `train` to its end; `expect` has the statuses that are not a failure."""
    command = [*wrapper, train_command(), *completed(arguments)]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT, **options)
    if expect is not None and result.returncode not in expect:
        raise Failure(f"status {result.returncode}, expected {expect}: {' '.join(command)}\n"
                      f"{result.stderr}")
    return result


def start(*arguments, wrapper=(), **options):
    """Starts `train` without waiting for it."""
    return subprocess.Popen(
        [*wrapper, train_command(), *completed(arguments)], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, **options)


def resume(run, *arguments, expect=(0,), **options):
    return train("--resume", run, "--quiet", "--samples", 0, *arguments, expect=expect, **options)


def strace(log, *arguments):
    """The prefix that runs a command under strace."""
    if not shutil.which("strace"):
        raise Failure("strace is needed: apt-get install strace")
    return ["strace", "-f", "-qq", "-o", str(log), *arguments]


def model(run):
    return Path(run) / "model.safetensors"


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def result(run):
    """What a run has learned: its last state, and its best if there is one."""
    files = [model(run), Path(run) / "best.safetensors"]
    return [digest(file) for file in files if file.exists()]


def leftovers(run):
    """The names of files that a run should not leave after an orderly end."""
    expected = {"best.safetensors", "model.safetensors", "metrics.jsonl", "run.json"}
    return sorted(set(os.listdir(run)) - expected)


def main(description, size_help, default, check):
    """Reads the size, runs `check(size, directory)` and prints the line that it returns."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("size", type=int, nargs="?", default=default, help=size_help)
    size = parser.parse_args().size
    name = Path(sys.argv[0]).name
    try:
        with tempfile.TemporaryDirectory(prefix="charmlp-") as directory:
            print(f"{name} {size}: {check(size, Path(directory))}")
    except (Failure, subprocess.TimeoutExpired) as failure:
        sys.exit(f"{name} {size}: FAILED: {failure}")
