"""Kills runs with SIGKILL at random moments, also while they are resumed.

A run is killed and resumed until it ends; then the next one begins, until there have been as many
kills as the size says. After every kill the checkpoint must load, must not be older than the one
before, and may be at most one interval behind the last line of metrics. The final file must be that
of an uninterrupted run. A run that was killed before it had saved anything is started again in the
same directory. One process in four has two threads, which are slow on busy cores.
"""

import json
import random
import signal
import struct
import time

from runs import Failure, leftovers, main, model, result, start, train

STEPS, INTERVAL = 3000, 50
RECIPE = ["--steps", STEPS, "--hidden", 100]
OPTIONS = ["--checkpoint-every", INTERVAL, "--evaluate-every", 4 * INTERVAL, "--quiet",
           "--samples", 0]


def step_of(path):
    """The step of a checkpoint, read independently of the program that wrote it."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    begin, end = header["training.step"]["data_offsets"]
    return struct.unpack("<q", data[8 + length + begin : 8 + length + end])[0]


def evaluated_step(path):
    """The last step in the metrics, or 0; a torn line does not count."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return json.loads(lines[-1])["step"] if lines else 0


def check(kills, directory):
    generator = random.Random(5)
    begin = time.monotonic()
    train(*RECIPE, *OPTIONS, "--threads", 1, "--out", directory / "whole", expect=(0,))
    duration = time.monotonic() - begin
    expected = result(directory / "whole")
    killed = runs = resumed_kills = 0
    while killed < kills:
        runs += 1
        run, step, is_resumed = directory / f"run-{runs}", 0, False
        while True:
            threads = ["--threads", generator.choice([1, 1, 1, 2])]
            if model(run).exists():
                is_resumed = True
                process = start("--resume", run, *OPTIONS, *threads)
            else:
                is_resumed = False
                process = start(*RECIPE, *OPTIONS, *threads, "--out", run)
            time.sleep(generator.random() * duration)
            if killed < kills and process.poll() is None:
                process.send_signal(signal.SIGKILL)
            _, errors = process.communicate()
            if process.returncode == 0:
                break
            if process.returncode != -signal.SIGKILL:
                raise Failure(f"status {process.returncode} after {killed} kills: {errors}")
            killed += 1
            resumed_kills += is_resumed
            if model(run).exists():
                now = step_of(model(run))
                if now < step:
                    raise Failure(f"went back from step {step} to {now}")
                step, reached = now, evaluated_step(run / "metrics.jsonl")
                if reached > step + INTERVAL:
                    raise Failure(f"step {reached} was reached, but only step {step} is saved")
            elif is_resumed:
                raise Failure("the checkpoint is gone")
        if result(run) != expected:
            raise Failure(f"run {runs}: the final file differs")
        if leftovers(run):
            raise Failure(f"run {runs}: files were left behind: {leftovers(run)}")
    return (f"{killed} kills ({resumed_kills} of resumed runs) in {runs} runs: "
            "0 unloadable, at most one interval lost, every final file identical")


main(__doc__.splitlines()[0], "how many kills (default: 1000)", 1000, check)
