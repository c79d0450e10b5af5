"""Trains under a sanitizer: short runs over what threads share and what files and words bring in.

    python3 Tools/sanitize.py thread         or address; --build first builds .build/<sanitizer>

`make sanitize` runs all tests and takes half an hour; this needs a build of `train` alone, two minutes.
ThreadSanitizer sees both forms of the first layer, the derivation, evaluation, and more threads than
processors. AddressSanitizer sees the same, and files and word lists that are truncated, changed or
invented. A report ends the run with a status that nothing else has; otherwise runs must end as they do
without a sanitizer.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from runs import ENVIRONMENT, ROOT, Failure, digest, model, train

REPORT = 99
OPTIONS = {
    # Leaks are not looked for: a command leaves by exit(), which abandons what the frames above it hold.
    "address": ("ASAN_OPTIONS", f"detect_leaks=0:abort_on_error=0:exitcode={REPORT}"),
    "thread": ("TSAN_OPTIONS", f"halt_on_error=1:exitcode={REPORT}"),
}
# A large minibatch takes the form per distinct input, a small one that per example; a hidden layer of less
# than a slice has one thread whatever is asked for.
SHAPES = [
    ["--steps", 120, "--hidden", 200],
    ["--steps", 40, "--hidden", 200, "--batch-size", 200, "--block-size", 4],
    ["--steps", 60, "--hidden", 40, "--embedding", 3, "--block-size", 1],
    ["--steps", 20, "--hidden", 24, "--backward", "derivation"],
]
# Evaluation and counting go over all of the words, so there are few of them.
WORDS = (ROOT / "data" / "names.txt").read_bytes().splitlines(keepends=True)[:400]
QUIET = ["--quiet", "--samples", 2, "--evaluate-every", 25, "--checkpoint-every", 10]
LISTS = [
    b"", b"anna\n", b"\xff\xfea\0", b"a\nren\xe9e\n", b"a\0b\n", b"x" * 10_001 + b"\n", b"\xed\xa0\x80\n",
    b"a\rb\n", b"\xf0\x9f\x98", b"a\nb\nc\nd\ne\n",
]


def build(sanitizer):
    """Builds `train` beside the usual builds."""
    command = ["swift", "build", "--product", "train", f"--sanitize={sanitizer}", "--disable-index-store",
               "--scratch-path", ROOT / ".build" / sanitizer]
    subprocess.run(command, cwd=ROOT, check=True)


def trainings(directory):
    """Every shape with one, two and five threads must give equal files."""
    words = directory / "words.txt"
    words.write_bytes(b"".join(WORDS))
    count = 0
    for number, shape in enumerate(SHAPES):
        digests = set()
        for threads in (1, 2, 5):
            run = directory / f"run-{number}-{threads}"
            train(*shape, *QUIET, "--data", words, "--threads", threads, "--out", run, expect=(0,))
            digests.add(digest(model(run)))
            count += 1
        if len(digests) != 1:
            raise Failure(f"{shape}: {len(digests)} different files")
    return count


def damaged(directory):
    """Truncated, changed and invented checkpoints and word lists; each must be refused."""
    generator = random.Random(3)
    good = model(directory / "run-3-1").read_bytes()
    place = directory / "damaged"
    place.mkdir()
    header = 8 + int.from_bytes(good[:8], "little")
    files = [good[:generator.randrange(len(good))] for _ in range(12)]
    for _ in range(12):
        # Half of them in the header, which is a small part.
        at = generator.randrange(header if len(files) % 2 else len(good))
        files.append(good[:at] + bytes([good[at] ^ 1 << generator.randrange(8)]) + good[at + 1:])
    files += [b"", b"\xff" * 8, b"\x02" + bytes(7) + b"{}", (1 << 40).to_bytes(8, "little") + b"{"]
    for content in files:
        model(place).write_bytes(content)
        train("--resume", place, expect=(65,))
    words = directory / "words.txt"
    for content in LISTS:
        words.write_bytes(content)
        train("--data", words, "--out", directory / "none", expect=(65,))
    return len(files) + len(LISTS)


def check(sanitizer, directory):
    variable, options = OPTIONS[sanitizer]
    ENVIRONMENT[variable] = options
    os.environ["CHARMLP_TRAIN"] = str(ROOT / ".build" / sanitizer / "debug" / "train")
    result = f"{trainings(directory)} trainings"
    if sanitizer == "address":
        result += f", {damaged(directory)} bad files and lists"
    return result + ", 0 reports"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sanitizer", choices=OPTIONS)
    parser.add_argument("--build", action="store_true", help="build it first")
    arguments = parser.parse_args()
    try:
        if arguments.build:
            build(arguments.sanitizer)
        with tempfile.TemporaryDirectory(prefix="charmlp-") as directory:
            print(f"sanitize.py {arguments.sanitizer}: {check(arguments.sanitizer, Path(directory))}")
    except (Failure, subprocess.TimeoutExpired, subprocess.CalledProcessError) as failure:
        sys.exit(f"sanitize.py {arguments.sanitizer}: FAILED: {failure}")


if __name__ == "__main__":
    main()
