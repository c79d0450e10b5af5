"""Trains on 1 to 4 ranks under mpirun, and compares, stops, kills and resumes them.

CHARMLP_TRAIN names a build with the trait MPI. The losses must match those of one process; the same
number of ranks must give the same bytes twice; a signal to mpirun or to one rank must save and end them
all; a rank that is killed or fails must end the job and leave a checkpoint that loads; and a run must
resume with another number of ranks. Everything is tried with both splits: shuffled, where every rank
holds the whole list, and by hash, where each reads a part. The size is the number of steps whose losses
are compared.
"""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import runs
from runs import ENVIRONMENT, TIME_LIMIT, Failure, completed, main, model, result, train_command

# What Open MPI asks for on a machine with fewer cores than ranks, and for root; and the seconds that a
# rank has to save itself after a signal to mpirun.
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "--mca", "odls_base_sigkill_timeout", "5"]
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
OPTIONS = ["--quiet", "--samples", 0]
BATCHES = (32, 61)
HASH = ["--split", "hash"]
FULL_STEPS = 100
# The bound for the first 100 losses: another order of adding, in Float.
TOLERANCE = 5e-6


def start(ranks, *arguments):
    return subprocess.Popen(
        [*MPIRUN, "-n", str(ranks), train_command(), *completed(arguments)],
        env={**ENVIRONMENT, **ROOT}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait(process, expect):
    output, errors = process.communicate(timeout=TIME_LIMIT)
    if process.returncode not in expect:
        raise Failure(f"status {process.returncode}, expected {expect}: "
                      f"{' '.join(process.args)}\n{errors}")
    return output, errors


def train(ranks, *arguments, expect=(0,)):
    return wait(start(ranks, *arguments), expect)


def losses(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["minibatch_loss"] for line in lines]


def check_losses(steps, directory):
    largest = 0
    adamw = ["--optimizer", "adamw", "--learning-rate", 1e-3, "--dropout", 0.2]
    for recipe in ([], HASH, adamw, [*HASH, *adamw]):
        for batch in BATCHES:
            flags = [*recipe, "--batch-size", batch, "--hidden", 64, "--steps", steps,
                     "--evaluate-every", 1, *OPTIONS]
            is_exact = "adamw" not in recipe
            place = directory / f"{batch}-{len(recipe)}"
            place.mkdir()
            runs.train(*flags, "--out", place / "alone", expect=(0,))
            for ranks in (1, 2, 3, 4):
                out = place / f"ranks-{ranks}"
                train(ranks, *flags, "--out", out)
                difference = max(
                    abs(a - b) for a, b in zip(losses(out), losses(place / "alone"), strict=True))
                # Adam moves what has a gradient of rounding alone by its rate, whichever way.
                if not difference <= (TOLERANCE if is_exact else 10 * TOLERANCE):
                    raise Failure(f"{ranks} ranks, batch {batch} {recipe}: losses differ by {difference}")
                largest = max(largest, difference if is_exact else 0)
            train(3, *flags, "--out", place / "again")
            if result(place / "again") != result(place / "ranks-3"):
                raise Failure(f"3 ranks, batch {batch} {recipe}: different bytes the second time")
    return largest


def ranks_of(process):
    """The processes that mpirun started, by their ids."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children
            if Path(f"/proc/{pid}/exe").resolve() == Path(train_command()).resolve()]


def started(run, ranks, *arguments):
    """A run that has saved something after its start."""
    process = start(ranks, "--hidden", 64, "--steps", 10_000_000, "--checkpoint-every", 100,
                    *OPTIONS, "--out", run, *arguments)
    begin = time.monotonic()
    while not (model(run).exists() and step_of(run) > 0):
        if process.poll() is not None or time.monotonic() - begin > TIME_LIMIT:
            process.kill()
            raise Failure(f"did not start: {process.communicate()[1]}")
        time.sleep(0.05)
    return process


def step_of(run):
    data = model(run).read_bytes()
    length = int.from_bytes(data[:8], "little")
    begin, end = json.loads(data[8 : 8 + length])["training.step"]["data_offsets"]
    return int.from_bytes(data[8 + length + begin : 8 + length + end], "little")


def check_signals(directory):
    for number, (name, target) in enumerate(
            [("TERM", "mpirun"), ("INT", "mpirun"), ("TERM", 0), ("TERM", 1), ("INT", 2)]):
        run = directory / f"signal-{number}"
        process = started(run, 3, *(HASH if number % 2 else []))
        pid = process.pid if target == "mpirun" else ranks_of(process)[target]
        os.kill(pid, getattr(signal, f"SIG{name}"))
        _, errors = wait(process, (130, 143, 1))
        stopped = re.search(r"train: interrupted at step ([\d,]+) of", errors)
        if not stopped or errors.count("train: interrupted") != 1:
            raise Failure(f"SIG{name} to {target}: {errors}")
        if step_of(run) != int(stopped[1].replace(",", "")):
            raise Failure(f"SIG{name} to {target}: stopped at {stopped[1]}, saved {step_of(run)}")
    return number + 1


def check_kills(directory):
    for victim in range(3):
        run = directory / f"kill-{victim}"
        process = started(run, 3, *(HASH if victim == 1 else []))
        os.kill(ranks_of(process)[victim], signal.SIGKILL)
        _, errors = wait(process, range(1, 256))
        if "signal 9" not in errors:
            raise Failure(f"rank {victim} killed: no message: {errors}")
        # Another network is refused for what the file holds: so it was read, and is sound.
        refused = runs.train("--resume", run, "--hidden", 65, expect=(76,))
        if "the run has 64" not in refused.stderr:
            raise Failure(f"rank {victim} killed: the checkpoint does not load: {refused.stderr}")
    return 3


def check_resuming(directory, split):
    flags = ["--hidden", 64, "--steps", 400, "--evaluate-every", 100, "--batch-size", 61,
             "--split", split, *OPTIONS]
    runs.train(*flags, "--out", directory / f"alone-{split}", expect=(0,))
    expected = losses(directory / f"alone-{split}")
    run = directory / f"resumed-{split}"
    process = start(2, *flags, "--checkpoint-every", 1, "--out", run)
    while not (model(run).exists() and step_of(run) > 0):
        time.sleep(0.02)
    os.kill(ranks_of(process)[1], signal.SIGTERM)
    wait(process, (143,))
    train(3, "--resume", run, *OPTIONS)
    found = losses(run)
    # What rounding becomes after hundreds of steps.
    difference = max(abs(a - b) for a, b in zip(found, expected, strict=True))
    if not difference <= 100 * TOLERANCE:
        raise Failure(f"resumed with 3 ranks instead of 2: {found}, alone {expected}")


def check_failures(directory):
    _, errors = train(3, "--data", directory / "nothing.txt", *OPTIONS, expect=(66,))
    if errors.count("train: ") != 1:
        raise Failure(f"a list that is not there is reported {errors.count('train: ')} times: {errors}")
    _, errors = train(2, "--learning-rate", 1e30, "--out", directory / "diverged", *OPTIONS,
                      expect=(70,))
    if errors.count("no longer a finite number") != 1:
        raise Failure(f"a divergence: {errors}")
    bad = directory / "bad.txt"
    bad.write_text("".join(f"word{i}\n" for i in range(3000)) + "b\x07d\n" + "more\n" * 500)
    _, errors = train(3, "--data", bad, *HASH, *OPTIONS, expect=(65,))
    if errors.count("bad.txt:3001: U+0007") != 1:
        raise Failure(f"a bad line of the last rank: {errors}")
    _, errors = train(2, "--data", "-", *HASH, *OPTIONS, expect=(69,))
    if errors.count("train: ") != 1:
        raise Failure(f"standard input for two ranks: {errors}")
    return 4


def check(steps, directory):
    if steps < FULL_STEPS:
        check_resuming(directory, "shuffle")
        check_resuming(directory, "hash")
        return f"losses at most {check_losses(steps, directory):.1e} from one process's; resumed"
    failures = check_failures(directory)
    signals, kills = check_signals(directory), check_kills(directory)
    check_resuming(directory, "shuffle")
    check_resuming(directory, "hash")
    difference = check_losses(steps, directory)
    return (f"1 to 4 ranks: first {steps} losses within {difference:.1e} of one process, the same "
            f"bytes twice; {signals} signals saved, {kills} kills and {failures} failures ended all")


SIZE = "how many steps are compared; fewer than 100 leave signals and kills out (default: 100)"
main(__doc__.splitlines()[0], SIZE, FULL_STEPS, check)
