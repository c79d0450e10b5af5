"""Sends SIGINT at random moments of training; each run must save, exit soon, and be resumable.

It must exit within a second of processor time (a busy machine takes longer), with status 130 (or 0 if it
had just finished), and leave a file that resumes to the bytes of an uninterrupted run. One process in four
has two threads, which are slow on busy cores.
"""

import os
import random
import resource
import signal
import time
from pathlib import Path

from runs import Failure, leftovers, main, model, result, start, train

RECIPE = ["--steps", 20000, "--hidden", 100, "--samples", 0]


def processor_time(pid):
    """The seconds that a process has worked so far."""
    # After the name, which may contain anything: user and system time in clock ticks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor_time_of_ended():
    """The seconds that all ended children have worked."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def check(count, directory):
    generator = random.Random(7)
    begin = time.monotonic()
    train(*RECIPE, "--threads", 1, "--out", directory / "whole", expect=(0,))
    duration = time.monotonic() - begin
    expected = result(directory / "whole")
    slowest, sent, run_number, late = 0.0, 0, 0, 0
    while sent < count:
        run_number += 1
        run, is_done = directory / f"run-{run_number}", False
        while not is_done:
            threads = ["--threads", generator.choice([1, 1, 1, 2])]
            arguments = ["--resume", run, "--samples", 0] if model(run).exists() else [
                *RECIPE, "--out", run]
            process = start(*arguments, *threads)
            # From the first line of progress on, training has begun, and signals are caught.
            while not process.stderr.readline().startswith("20,000 steps"):
                if process.poll() is not None:
                    raise Failure(f"status {process.returncode} before training")
            while not model(run).exists():
                time.sleep(0.001)
            time.sleep(generator.random() * duration / 2)
            is_sent = sent < count and process.poll() is None
            if is_sent:
                begin = processor_time_of_ended() + processor_time(process.pid)
                process.send_signal(signal.SIGINT)
            errors = process.communicate()[1]
            if process.returncode == 130 and is_sent:
                sent += 1
                slowest = max(slowest, processor_time_of_ended() - begin)
                # After the last save, with nothing left to save, a signal ends the process at once.
                if "To continue:" not in errors and result(run) != expected:
                    raise Failure(f"exited without saving: {errors}")
            elif process.returncode == 0:
                # It had ended before the signal, and that must not be the rule.
                late += is_sent
                is_done = True
            else:
                raise Failure(f"status {process.returncode}: {errors}")
        if result(run) != expected or leftovers(run):
            raise Failure(f"run {run_number}: the final file differs, or files were left behind: {leftovers(run)}")
        if late > 5 + sent:
            raise Failure(f"{late} signals made no difference")
    if slowest > 1:
        raise Failure(f"{slowest:.2f} s of processor time from a signal to the exit")
    return (f"{sent} signals in {run_number} runs, all resumed to the same file; "
            f"at most {slowest:.2f} s of processor time from the signal to the end")


main(__doc__.splitlines()[0], "how many signals (default: 200)", 200, check)
