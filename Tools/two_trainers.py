"""Starts two trainers in one new directory: one trains, the other is refused and changes nothing.

In every other pair they start together. In the rest, the first is held between its check of the
directory and its lock until the second has trained there from start to finish.
"""

import time

from runs import Failure, leftovers, main, model, result, start, strace, train

RECIPE = ["--steps", 2000, "--hidden", 24, "--quiet", "--samples", 0]


def pair(run, log, is_held):
    """How two trainers ended: status and message."""
    # A held trainer makes the directory, and takes a second for every attempt to lock it.
    wrapper = strace(log, "-e", "trace=flock", "-e", "inject=flock:delay_enter=1000000")
    first = start(*RECIPE, "--out", run, wrapper=wrapper if is_held else ())
    while is_held and not run.exists() and first.poll() is None:
        time.sleep(0.001)
    second = train(*RECIPE, "--out", run)
    errors = first.communicate()[1]
    return [(first.returncode, errors), (second.returncode, second.stderr)]


def check(count, directory):
    train(*RECIPE, "--out", directory / "whole", expect=(0,))
    expected, refusals = result(directory / "whole"), {73: 0, 75: 0}
    for number in range(count):
        run = directory / f"run-{number}"
        (trained, _), (refused, message) = sorted(pair(run, directory / "log", number % 2 == 0))
        if trained != 0 or refused not in refusals or len(message.splitlines()) > 2:
            raise Failure(f"status {trained} and {refused}: {message}")
        refusals[refused] += 1
        if not model(run).exists() or result(run) != expected or leftovers(run):
            raise Failure(f"after {refused}: the file differs, or files were left behind: {leftovers(run)}")
    return (f"{count} pairs, one trainer each; the others refused, {refusals[73]} with 73 and "
            f"{refusals[75]} with 75")


main(__doc__.splitlines()[0], "how many pairs (default: 40)", 40, check)
