"""Trains with one seed in different surroundings; all files must have one SHA-256.

Working directory, locale, time zone, Swift's hash seeds, the number of processors, OpenBLAS's thread
counts, the umask and the save interval change from run to run.
"""

import os
import random
import shutil

from runs import ENVIRONMENT, Failure, main, result, train

RECIPE = ["--steps", 3000, "--hidden", 64, "--quiet", "--samples", 0]


def check(count, directory):
    generator = random.Random(11)
    processors = sorted(os.sched_getaffinity(0))
    digests = set()
    for number in range(count):
        place = directory / f"a place {number}" / ("ä" * (number % 7 + 1))
        place.mkdir(parents=True)
        environment = {
            **ENVIRONMENT,
            "LC_ALL": generator.choice(["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "nowhere"]),
            "TZ": generator.choice(["UTC", "Asia/Kathmandu", "America/St_Johns", "nowhere/at/all"]),
            "OPENBLAS_NUM_THREADS": str(generator.randint(1, 4)),
            "HOME": str(place),
        }
        if number % 3 == 0:
            environment["SWIFT_DETERMINISTIC_HASHING"] = "1"
        wrapper = []
        if shutil.which("taskset"):
            chosen = generator.sample(processors, generator.randint(1, len(processors)))
            wrapper = ["taskset", "-c", ",".join(map(str, chosen))]
        arguments = ["--checkpoint-every", generator.randint(100, 4000)]
        train(*RECIPE, *arguments, "--out", "run", cwd=place, wrapper=wrapper, expect=(0,),
              environment=environment)
        digests.add(" ".join(result(place / "run")))
    if len(digests) != 1:
        raise Failure(f"{len(digests)} different files")
    return f"one SHA-256 in {count} runs, {digests.pop()[:16]}…"


main(__doc__.splitlines()[0], "how many runs (default: 50)", 50, check)
