"""Kills a run at every system call of a save, and makes every one of them fail.

The calls are read from a trace and compared with the order that makes them safe: after the first state
the run's description; then, twice, a line of metrics, the best model and the last state; at the end the
description again, now complete. The line is one write. The bytes of every other file go into a temporary
beside it, of a name that nobody else has, which is synchronized and renamed over the file; then the
directory is synchronized. For every one of these calls the run is repeated
- with SIGKILL at that call: every file is as the last rename left it, and no line of metrics is missing;
- with the call failing (EIO, ENOSPC; a write that takes nothing): the same, status 74, and no temporary left;
- with the call interrupted (EINTR): nothing happens.
After each, the run is resumed, and must end with the files of an uninterrupted run.
"""

import json
import re

from runs import Failure, digest, leftovers, main, resume, strace, train

CALLS = "openat,write,fsync,rename,close"
# Step 0 is the first save, of the model alone; step 15 and step 30 are evaluated, and the best so far.
EVALUATED = ["--evaluate-every", 15]
RUN = ["--steps", 30, "--hidden", 24, "--quiet", "--samples", 0, *EVALUATED, "--checkpoint-every", 15]
STEPS = [15, 30]
MODELS = ["best.safetensors", "model.safetensors"]
FAULTS = ["signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"]


def calls_in(log, run):
    """The calls on a run's directory and its files, from its description on.

    Each has its target, and its number among the calls of its kind and thread, as strace counts them.
    """
    counts, descriptors, calls = {}, {}, []
    for line in log.read_text().splitlines():
        match = re.match(r"(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)", line)
        if not match:
            continue
        thread, call, arguments, outcome = match.groups()
        counts[thread, call] = counts.get((thread, call), 0) + 1
        paths = re.findall(r'"([^"]*)"', arguments) if call in ("openat", "rename") else []
        if call == "openat":
            descriptors[outcome] = paths[0]
        targets = paths or [descriptors.get(arguments.split(",")[0], "")]
        if call == "close":
            descriptors.pop(arguments, None)
        if not all(target == str(run) or target.startswith(f"{run}/") for target in targets):
            continue
        targets = [target.removeprefix(str(run)).lstrip("/") for target in targets]
        calls.append((call, targets, counts[thread, call]))
    # A temporary is named after the file that it becomes.
    names = {targets[0]: targets[1] + ".new" for call, targets, _ in calls if call == "rename"}
    calls = [(call, " -> ".join(names.get(target, target) for target in targets), count)
             for call, targets, count in calls]
    first = next((i for i, (_, target, _) in enumerate(calls) if target == "run.json.new"), 0)
    return calls[first:]


def replacement(file):
    """The calls that put a file into its place; one call writes all of it here."""
    temporary = file + ".new"
    return [("openat", temporary), ("write", temporary), ("fsync", temporary), ("close", temporary),
            ("rename", f"{temporary} -> {file}"), ("openat", ""), ("fsync", ""), ("close", "")]


def assert_order(calls):
    """The calls of the beginning, of two saves and of the end, in the order that makes them safe."""
    line = [(call, "metrics.jsonl") for call in ("openat", "write", "close")]
    save = [*line, *replacement(MODELS[0]), *replacement(MODELS[1])]
    found = [(call, target) for call, target, _ in calls if target != ".lock"]
    description = replacement("run.json")
    if found != [*description, *save, *save, *description]:
        raise Failure(f"the saves make other calls: {found}")


def files(run):
    """The contents of the models, and what the description, a whole object, knows of the run's last part."""
    path = run / "run.json"
    part = json.loads(path.read_text())["parts"][-1] if path.exists() else None
    described = part and ("ended" if part["last_step"] is not None else "begun")
    return [digest(run / file) if (run / file).exists() else None for file in MODELS] + [described]


def steps(run):
    """The steps in the metrics; a last line without its end was torn off."""
    path = run / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line)["step"] for line in lines]


def states(directory, renames):
    """A run's files after its first rename, its second, and so on."""
    found = []
    for count in range(1, renames):
        run = directory / f"state-{count}"
        # A process that is killed as it enters a call does not make it.
        inject = f"inject=rename:signal=KILL:when={count + 1}"
        train(*RUN, "--out", run, expect=(-9, 137),
              wrapper=strace(directory / "log", "-e", "trace=rename", "-e", inject))
        found.append(files(run))
    train(*RUN, "--out", directory / "whole", expect=(0,))
    found.append(files(directory / "whole"))
    if any(before == after for before, after in zip(found, found[1:])):
        raise Failure("a rename that changes nothing")
    return found


def cases_of(calls):
    """Every call with every fault, with the renames and the steps of metrics before it."""
    renames, lines = 1, []
    for call, target, when in calls:
        for fault in FAULTS + ["retval=0"] * (call == "write"):
            yield call, target, when, fault, renames, lines
        renames += call == "rename"
        if (call, target) == ("write", "metrics.jsonl"):
            lines = STEPS[: len(lines) + 1]


def check_fault(case, run, states, log):
    """Repeats the run with a fault, and resumes it."""
    call, target, when, fault, renames, lines = case
    name = f"{fault} at {call} of {target or 'the directory'}: "
    inject = ["-e", f"trace={CALLS}", "-e", f"inject={call}:{fault}:when={when}"]
    outcome = train(*RUN, "--out", run, wrapper=strace(log, *inject))
    # Closing what was only read cannot lose anything.
    if fault == "error=EINTR" or (call, target) == ("close", ""):
        expected, statuses = (states[-1], STEPS), (0,)
    else:
        expected, statuses = (states[renames - 1], lines), (74,)
    if fault == "signal=KILL":
        expected, statuses = (states[renames - 1], lines), (-9, 137)
    elif leftovers(run):
        raise Failure(f"{name}files were left behind: {leftovers(run)}")
    if outcome.returncode not in statuses or len(outcome.stderr.splitlines()) > 2:
        raise Failure(f"{name}status {outcome.returncode}, {outcome.stderr}")
    if (files(run), steps(run)) != expected:
        raise Failure(f"{name}the files are not those of the save before or after")
    resume(run)
    if (files(run), steps(run)) != (states[-1], STEPS) or leftovers(run):
        raise Failure(f"{name}after resuming the files differ, or files were left behind: {leftovers(run)}")


def check(size, directory):
    log = directory / "log"
    train(*RUN, "--out", directory / "traced", expect=(0,),
          wrapper=strace(log, "-e", f"trace={CALLS}"))
    calls = calls_in(log, directory / "traced")
    assert_order(calls)
    calls = [each for each in calls if each[1] != ".lock"]
    after_renames = states(directory, 1 + sum(call == "rename" for call, _, _ in calls))
    cases = list(cases_of(calls))
    # An odd step takes all four kinds of faults in turn.
    cases = cases[:: max(1, len(cases) // size) | 1] if size else cases
    for number, case in enumerate(cases):
        check_fault(case, directory / f"run-{number}", after_renames, log)
    order = ", ".join(call for call, _ in replacement(""))
    return (f"{len(cases)} faults in {len(calls)} calls, always the files of the save before or after; "
            f"a file is replaced by {order}")


main(__doc__.splitlines()[0], "how many faults (default: all)", 0, check)
