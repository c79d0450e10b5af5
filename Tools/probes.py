"""Probes that need root, or much memory: what the test suites cannot ask for.

- Without /proc no command knows its arguments: every one refuses to start (69), and makes nothing.
- In a control group with too little memory, sizes are refused (71) before the kernel kills the process.
- The search of `sample --most-likely` keeps to its bound, and ends with 71 and the words found by then.

What this machine does not allow is left out, and the result says so.
"""

import os
import resource
import subprocess
import tempfile
from pathlib import Path

from runs import ENVIRONMENT, Failure, main, train, train_command

COMMANDS = ["train", "sample", "report", "gradcheck", "bench"]


def command(name):
    return str(Path(train_command()).with_name(name))


def run(arguments, directory, **options):
    return subprocess.run(arguments, cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, **options)


def without_proc(directory):
    """Every command in a namespace of mounts without /proc."""
    unmount = ["unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$0" "$@"']
    if run([*unmount, "true"], directory).returncode:
        return "no /proc can be taken away here"
    for name in COMMANDS:
        for flags in (["--version"], []):
            outcome = run([*unmount, command(name), *flags], directory)
            if outcome.returncode != 69 or outcome.stdout or not 1 <= len(outcome.stderr.splitlines()) <= 2:
                raise Failure(f"{name} {flags} without /proc: {outcome.returncode}, {outcome.stderr}")
    if list(directory.iterdir()):
        raise Failure("something was made without /proc")
    return f"{len(COMMANDS)} commands refuse to start without /proc"


def in_group(directory):
    """A run that takes a gigabyte, in a control group with half of that."""
    for group, limit in [(Path("/sys/fs/cgroup/charmlp-probe"), "memory.max"),
                         (Path("/sys/fs/cgroup/memory/charmlp-probe"), "memory.limit_in_bytes")]:
        try:
            group.mkdir()
            (group / limit).write_text(str(512 << 20))
        except OSError:
            continue
        try:
            enter = ["sh", "-c", f'echo $$ >{group}/cgroup.procs && exec "$0" "$@"']
            for flags in (["--hidden", "2000000"], ["--block-size", "2000"]):
                outcome = run([*enter, train_command(), "--steps", "10", *flags], directory)
                if outcome.returncode != 71:
                    raise Failure(f"{flags} in 512 MiB: {outcome.returncode}, {outcome.stderr}")
            outcome = run([*enter, train_command(), "--steps", "10", "--quiet"], directory)
            if outcome.returncode:
                raise Failure(f"a small run in 512 MiB: {outcome.returncode}, {outcome.stderr}")
        finally:
            group.rmdir()
        return "512 MiB in a control group are respected"
    return "no control group can be made here"


def search(directory):
    """The most probable words, more than there is memory for, of few symbols and of many."""
    peaks = []
    words = ["".join(chr(0x4E00 + (37 * i + 101 * j) % 600) for j in range(4)) for i in range(2000)]
    (directory / "many.txt").write_text("\n".join(words) + "\n")
    for name, flags in [("few", []), ("many", ["--data", directory / "many.txt", "--hidden", 20])]:
        model = directory / name
        train("--steps", 50, "--quiet", "--samples", 0, "--out", model, *flags, expect=(0,))
        for count in (3, 1_000_000):
            process = subprocess.Popen(
                [command("sample"), "--model", model, "--most-likely", str(count), "--format", "tsv"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
            output, errors = process.communicate()
            peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
            logs = [float(line.split("\t")[1]) for line in output.splitlines()]
            if logs != sorted(logs, reverse=True) or process.returncode not in (0, 71):
                raise Failure(f"{name}, {count}: status {process.returncode}, {errors}")
            if (len(logs) == count) != (process.returncode == 0) or not logs:
                raise Failure(f"{name}, {count}: {len(logs)} words, status {process.returncode}")
            print(f"{name} symbols, {count}: {len(logs)} words, {peaks[-1]} MiB at most until now")
    # 512 MiB for the search; the rest is the program, OpenBLAS and the model.
    if max(peaks) > 512 + 200:
        raise Failure(f"the search took {max(peaks)} MiB")
    return f"--most-likely took {max(peaks)} MiB at most"


def check(_, directory):
    found = []
    for probe in (without_proc, in_group, search):
        with tempfile.TemporaryDirectory(dir=directory) as place:
            found.append(probe(Path(place)))
    return "; ".join(found)


main(__doc__.splitlines()[0], "has no meaning here", 0, check)
