#!/usr/bin/env python3
"""Show that the checks of the mathematics can fail: plant faults one at a time and see them caught.

Each fault of mutations.py is written into a copy of the tree, and the copy is built. The judges are
gradcheck and the suites that check the mathematics. A fault is caught when its build succeeds and a
judge turns red; one that does not compile proves nothing and is an error of the list. The suite that
compares docs/derivation.md with the code is not a judge: it turns red for every change of the text.

    python3 Tools/mutate.py             all faults; some 15 seconds each, after a first full build
    python3 Tools/mutate.py --only 7 9  some of them
    python3 Tools/mutate.py --from 90   that one and all after it
    python3 Tools/mutate.py --list      what they are
    python3 Tools/mutate.py --check     whether each finds its place in the sources; builds nothing

What became of each fault is kept in docs/mutations.txt: a row is replaced when its fault is planted
again, and goes when the list no longer has it.

The copy and its build live in .build/mutate and are kept, so that the next run builds less. It exits
with 1 if a fault is not caught, and with 2 if the list does not fit the sources or the copy is not
green without a fault.
"""

import argparse
import datetime
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutations import FAULTS, Fault

REPOSITORY = Path(__file__).resolve().parents[1]
WORKSHOP = REPOSITORY / ".build" / "mutate"
TREE = WORKSHOP / "tree"
BUILD = WORKSHOP / "build"
REPORT = WORKSHOP / "tests.xml"
RESULTS = REPOSITORY / "docs" / "mutations.txt"

SUITES = (
    "AveragingTests",
    "ChainOptionsTests",
    "DerivationAgainstPyTorchTests",
    "DrawingTests",
    "EvaluationTests",
    "FusedEngineTests",
    "MixtureTests",
    "MostLikelyWordsTests",
    "NextCharacterNetworkTests",
    "NotebookRunTests",
    "RanksTests",
    "RejectionEstimateTests",
    "ReductionTests",
    "SamplerTeamTests",
    "SamplerTests",
    "TrainedModelTests",
    "WordConstraintsTests",
    "WordSpaceTests",
)

# All that the judges need of the package. The rest would be built again for every fault.
TARGETS = (
    "CBLAS", "CLinux", "CMPI", "CZlib", "Posix", "LinearAlgebra", "Safetensors", "OrderedJSON", "CharMLP",
    "CEmbeddedFiles", "CommandSupport", "GradcheckCommand", "gradcheck", "CharMLPTests",
)  # fmt: skip

# Sound suites take a minute, or some minutes beside other work.
TIMEOUT = 600

# Warnings must not stop a fault from compiling, and a trap need not explain itself.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "CI"}
ENVIRONMENT["SWIFT_BACKTRACE"] = "enable=no"


class Trouble(Exception):
    """Why the faults cannot be judged."""


# The list


def misfits(faults: list[Fault]) -> list[str]:
    """Where the list does not fit: every original text must occur exactly once in its file."""
    findings = []
    for number, fault in enumerate(faults, 1):
        path = REPOSITORY / fault.file
        count = path.read_text().count(fault.original) if path.is_file() else 0
        if count != 1:
            findings.append(
                f"fault {number} ({fault.description}): {fault.file} "
                f"has {count} of {fault.original!r}, not one"
            )
    return findings


def table_row(number: int, fault: Fault) -> str:
    """The columns that are known before a fault is planted."""
    file_width = max(len(Path(each.file).stem) for each in FAULTS)
    fault_width = max(len(each.description) for each in FAULTS)
    stem = Path(fault.file).stem
    return f"{number:>3}  {stem:<{file_width}}  {fault.description:<{fault_width}}"


# The copy


def tracked_files() -> list[Path]:
    """The repository's files, with what is not committed yet, relative to it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    names = [name for name in listing.stdout.split("\0") if name]
    # The resolved versions are not tracked, and the copy must not choose others.
    return [Path(name) for name in [*names, "Package.resolved"] if (REPOSITORY / name).is_file()]


def write_if_changed(path: Path, content: bytes) -> None:
    """Writes a file unless it has the content: an untouched file is not built again."""
    if not (path.is_file() and path.read_bytes() == content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def content_in_copy(file: Path) -> bytes:
    """A file's bytes as the copy has them: the manifest is left with the judges' targets."""
    content = (REPOSITORY / file).read_bytes()
    if file == Path("Package.swift"):
        names = ", ".join(f'"{name}"' for name in TARGETS)
        content += f"package.targets.removeAll {{ ![{names}].contains($0.name) }}\n".encode()
        content += b'package.products.removeAll { $0.name == "charmlp" }\n'
    return content


def synchronize() -> None:
    """Makes the copy the same as the repository, whatever an earlier run left there."""
    files = tracked_files()
    for file in files:
        write_if_changed(TREE / file, content_in_copy(file))
    wanted = {TREE / file for file in files}
    for path in TREE.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """The copy with the fault in it; afterwards it is as before."""
    path = TREE / fault.file
    sound = path.read_text()
    path.write_text(sound.replace(fault.original, fault.replacement))
    try:
        yield
    finally:
        path.write_text(sound)


# The judges


def swift(
    command: str, *arguments: str, timeout: float | None = None
) -> subprocess.CompletedProcess:
    """Runs `swift build` or `swift test` on the copy; raises TimeoutExpired after so many seconds."""
    process = subprocess.Popen(
        ["swift", command, "--package-path", TREE, "--scratch-path", BUILD, *arguments],
        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        # What it started has process groups of its own, but the session is the same.
        subprocess.run(["pkill", "-KILL", "--session", str(process.pid)])
        process.wait()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def compile_error(jobs: int | None) -> str | None:
    """Builds the copy with its tests: None, or why it does not compile."""
    limit = [] if jobs is None else ["--jobs", str(jobs)]
    result = swift("build", "--build-tests", *limit)
    if result.returncode == 0:
        return None
    lines = result.stdout.splitlines()
    errors = [line for line in lines if ": error:" in line]
    return "\n".join(errors[:1] or lines[-10:])


def suite_name(case: xml.Element) -> str:
    """The suite of a test case, without its module."""
    return case.get("classname", "").rsplit(".", 1)[-1]


def gradcheck() -> set[str]:
    """Runs gradcheck on the built copy: its name if it is red, which is WRONG (1) or a trap."""
    result = subprocess.run(
        [BUILD / "debug" / "gradcheck"], cwd=TREE, env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if result.returncode > 1:
        raise Trouble(f"gradcheck: exit status {result.returncode}:\n{result.stdout[-2000:]}")
    return {"gradcheck"} if result.returncode != 0 else set()


def tests() -> tuple[set[str], set[str]]:
    """Runs the suites on the built copy: those that ran, and those that are red.

    A trap ends the run before it can report; then all that is known is that there was one. The same
    holds for a run that does not end.
    """
    REPORT.unlink(missing_ok=True)
    try:
        result = swift(
            "test", "--skip-build", "--disable-xctest", "--filter", rf"\.({'|'.join(SUITES)})/",
            "--xunit-output", str(REPORT), timeout=TIMEOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return set(), {"tests (no end)"}
    if re.search(r"unexpected signal code \d+", result.stdout):
        return set(), {"tests (trap)"}
    try:
        cases = list(xml.parse(REPORT).iter("testcase"))
    except (OSError, xml.ParseError) as error:
        raise Trouble(f"the tests left no report ({error}):\n{result.stdout[-2000:]}") from error
    red = {suite_name(case) for case in cases if case.find("failure") is not None}
    if bool(red) != (result.returncode != 0):
        raise Trouble(f"the tests: exit status {result.returncode}, but red are {red or 'none'}")
    return {suite_name(case) for case in cases}, red


def verify_sound(jobs: int | None) -> None:
    """Without a fault the copy compiles, every judge runs, and none is red."""
    if error := compile_error(jobs):
        raise Trouble(f"the tree does not compile without a fault:\n{error}")
    ran, red = tests()
    if red := red | gradcheck():
        raise Trouble(f"red without a fault: {', '.join(sorted(red))}")
    if missing := set(SUITES) - ran:
        raise Trouble(f"there are no such suites: {', '.join(sorted(missing))}")


def outcome(fault: Fault, jobs: int | None) -> tuple[bool, str]:
    """Whether a fault is caught, and by what or why not."""
    with planted(fault):
        if error := compile_error(jobs):
            return False, f"DOES NOT COMPILE\n{error}"
        red = [*gradcheck(), *sorted(tests()[1])]
    return bool(red), ", ".join(name.removesuffix("Tests") for name in red) or "SURVIVES"


# The results


def known_results() -> dict[str, str]:
    """The rows of the file of results, by what they are about: the first two columns."""
    lines = RESULTS.read_text().splitlines()[2:] if RESULTS.is_file() else []
    return {"\t".join(line.split("\t")[:2]): line for line in lines}


def keep_result(fault: Fault, by: str) -> None:
    """Writes a fault's row into the file of results, in the order of the list."""
    rows = known_results()
    key = {each: f"{Path(each.file).stem}\t{each.description}" for each in FAULTS}
    day = datetime.date.today().isoformat()
    rows[key[fault]] = f"{key[fault]}\t{day}\t{by.splitlines()[0]}"
    kept = [rows.get(key[each], f"{key[each]}\t\tnot run yet") for each in FAULTS]
    caught = sum(not row.endswith(("SURVIVES", "NOT COMPILE", "not run yet")) for row in kept)
    head = [f"{caught} of {len(FAULTS)} planted faults are caught.", "file\tfault\tday\tcaught by"]
    RESULTS.write_text("\n".join([*head, *kept]) + "\n")


def run(faults: dict[int, Fault], jobs: int | None) -> bool:
    """Plants the faults in turn and prints the table; whether all were caught."""
    caught_count = 0
    for number, fault in faults.items():
        start = time.monotonic()
        caught, by = outcome(fault, jobs)
        caught_count += caught
        keep_result(fault, by)
        seconds = time.monotonic() - start
        print(f"{table_row(number, fault)}  {seconds:4.0f} s  {by}", flush=True)
    print(f"{caught_count} of {len(faults)} caught")
    return caught_count == len(faults)


# The command


def parse_arguments() -> argparse.Namespace:
    """The command line; what is wrong with it ends the program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="plant faults N alone")
    parser.add_argument("--from", type=int, metavar="N", dest="first", help="plant N and all after")
    parser.add_argument("--jobs", type=int, metavar="N", help="compile N files at a time")
    parser.add_argument("--list", action="store_true", help="print the faults and build nothing")
    parser.add_argument("--check", action="store_true", help="check the list and build nothing")
    arguments = parser.parse_args()
    if arguments.only is not None and arguments.first is not None:
        parser.error("--only and --from exclude each other")
    for number in [*(arguments.only or []), arguments.first]:
        if number is not None and not 1 <= number <= len(FAULTS):
            parser.error(f"{number}: the faults are 1 to {len(FAULTS)}")
    return arguments


def main() -> int:
    """Checks the list, then lists or plants the faults; the exit status."""
    arguments = parse_arguments()
    numbers = arguments.only or range(arguments.first or 1, len(FAULTS) + 1)
    faults = {number: FAULTS[number - 1] for number in numbers}
    try:
        if findings := misfits(FAULTS):
            raise Trouble("\n".join(findings))
        if arguments.list:
            print("\n".join(table_row(*item).rstrip() for item in faults.items()))
        if arguments.check:
            print(f"{len(FAULTS)} faults, each found exactly once")
        if arguments.list or arguments.check:
            return 0
        synchronize()
        verify_sound(arguments.jobs)
        return 0 if run(faults, arguments.jobs) else 1
    except Trouble as trouble:
        print(f"mutate: {trouble}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
