"""Kills a run at every system call of a save, and makes every one of them fail.

What a save does is read from a trace and compared with the order that makes it safe: the bytes go into
a temporary file beside the model, which is synchronized, renamed over the model, and then the
directory is synchronized. Then, for every call of the second save, the run is repeated
- with SIGKILL at that call: the file must be that of the first save or of the second;
- with the call failing (EIO, ENOSPC): status 74, a whole file, and no temporary left;
- with the call interrupted (EINTR): nothing happens.
"""

import re

from runs import Failure, digest, leftovers, main, model, resume, strace, train

CALLS = "openat,write,fsync,rename,close"
RECIPE = ["--steps", 30, "--hidden", 24, "--quiet", "--samples", 0, "--evaluate-every", 1000]
# Step 0 is the first save, step 15 the second, step 30 the last.
RUN = [*RECIPE, "--checkpoint-every", 15]


def save_in(log):
    """The calls of the second save, each with its number among those of its kind and thread.

    That is how strace counts them.
    """
    counts, saves, current = {}, [], None
    descriptors = {}
    for line in log.read_text().splitlines():
        match = re.match(r"(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)", line)
        if not match:
            continue
        thread, call, arguments, result = match.groups()
        counts[thread, call] = counts.get((thread, call), 0) + 1
        if call == "openat":
            descriptors[result] = arguments.split(", ")[1].strip('"')
            if descriptors[result].endswith("model.safetensors.new"):
                current = []
                saves.append(current)
        if current is None:
            continue
        if call == "openat":
            target = descriptors[result]
        elif call == "rename":
            target = " -> ".join(arguments.replace('"', "").split(", "))
        else:
            target = descriptors.get(arguments.split(",")[0], "")
        current.append((call, target, counts[thread, call]))
        if call == "close" and not target.endswith(".new"):
            current = None
    return saves[1]


def assert_order(save, run):
    temporary, final = f"{run}/model.safetensors.new", f"{run}/model.safetensors"
    found = [(call, target) for call, target, _ in save]
    writes = sum(1 for call, _ in found if call == "write")
    expected = [
        ("openat", temporary), *[("write", temporary)] * writes, ("fsync", temporary),
        ("close", temporary), ("rename", f"{temporary} -> {final}"), ("openat", str(run)),
        ("fsync", str(run)), ("close", str(run)),
    ]
    if writes == 0 or found != expected:
        raise Failure(f"the calls of a save are {found}")


def snapshots(directory):
    """The bytes of the model after the first, the second and the last save."""
    result = []
    for save in (1, 2):
        run = directory / f"snapshot-{save}"
        # A process that is killed as it enters a call does not make it.
        inject = f"inject=rename:signal=KILL:when={save + 1}"
        train(*RUN, "--out", run, expect=(-9, 137),
              wrapper=strace(directory / "log", "-e", "trace=rename", "-e", inject))
        result.append(digest(model(run)))
    train(*RUN, "--out", directory / "whole", expect=(0,))
    return [*result, digest(model(directory / "whole"))]


def check(size, directory):
    log = directory / "log"
    train(*RUN, "--out", directory / "traced", expect=(0,),
          wrapper=strace(log, "-e", f"trace={CALLS}"))
    save = save_in(log)
    assert_order(save, directory / "traced")
    old, new, final = snapshots(directory)
    if len({old, new, final}) != 3:
        raise Failure("three saves with fewer than three contents")
    faults = ["signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"]
    cases = [(call, target, when, fault) for call, target, when in save for fault in faults]
    cases = cases[:: max(1, len(cases) // size)] if size else cases
    for number, (call, target, when, fault) in enumerate(cases):
        run = directory / f"run-{number}"
        inject = ["-e", f"trace={CALLS}", "-e", f"inject={call}:{fault}:when={when}"]
        result = train(*RUN, "--out", run, wrapper=strace(log, *inject))
        found, name = digest(model(run)), f"{fault} at {call} of {target}: "
        # Closing what was only read cannot lose anything.
        harmless = fault == "error=EINTR" or (call, target) == ("close", str(directory / "traced"))
        if fault == "signal=KILL":
            allowed, status = (old, new), (-9, 137)
        elif harmless:
            allowed, status = (final,), (0,)
        else:
            allowed, status = (old, new), (74,)
        if found not in allowed or result.returncode not in status:
            raise Failure(f"{name}status {result.returncode}, {result.stderr}")
        if status == (74,) and leftovers(run):
            raise Failure(f"{name}left behind {leftovers(run)}")
        resume(run, "--evaluate-every", 1000)
        if digest(model(run)) != final or leftovers(run):
            raise Failure(f"{name}after resuming, another file, or left behind {leftovers(run)}")
    calls = ", ".join(call for call, _, _ in save)
    return f"{len(cases)} faults, always the old or the new checkpoint; a save is {calls}"


main(__doc__.splitlines()[0], "how many faults (default: all)", 0, check)
