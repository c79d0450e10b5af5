"""Stops a run of 200 steps at every step k, resumes it, and compares the final files.

The run is saved at every step. SIGTERM arrives at the rename that puts the file of step k − 1 into
place, so the trainer takes step k, saves it and exits. With a size below 200, that many steps k are
tried, spread evenly.
"""

from runs import Failure, leftovers, main, model, result, resume, strace, train

STEPS = 200
# One evaluation, at the end: the best state is renamed into its place, too.
RECIPE = ["--steps", STEPS, "--hidden", 24, "--quiet", "--samples", 0, "--evaluate-every", STEPS]


def check(count, directory):
    train(*RECIPE, "--out", directory / "whole", expect=(0,))
    expected = result(directory / "whole")
    stops = sorted({1 + i * (STEPS - 1) // max(1, count - 1) for i in range(count)})
    for k in stops:
        run = directory / f"run-{k}"
        # The file of step 0 is followed by the run's description.
        rename = k if k == 1 else k + 1
        inject = ["-e", "trace=rename", "-e", f"inject=rename:signal=TERM:when={rename}"]
        stopped = train(
            *RECIPE, "--out", run, "--checkpoint-every", 1, expect=(143,),
            wrapper=strace(directory / "log", *inject))
        if f"interrupted at step {k} of {STEPS}" not in stopped.stderr:
            raise Failure(f"not stopped at step {k}: {stopped.stderr}")
        if (result(run) == expected) != (k == STEPS):
            raise Failure(f"step {k}: the file is that of another step")
        resume(run)
        if result(run) != expected:
            raise Failure(f"resumed at step {k}: the final file differs")
        if leftovers(run):
            raise Failure(f"resumed at step {k}: files were left behind: {leftovers(run)}")
    return f"{len(stops)}/{len(stops)} final files identical to the uninterrupted run's"


main(__doc__.splitlines()[0], "how many steps k (default: all 200)", STEPS, check)
