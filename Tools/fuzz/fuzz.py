#!/usr/bin/env python3
"""Fuzzes the safetensors reader and the word-list parser under AddressSanitizer.

    python3 Tools/fuzz/fuzz.py                        60 seconds in all, as `make fuzz` does
    python3 Tools/fuzz/fuzz.py --seconds 600          longer
    python3 Tools/fuzz/fuzz.py --full                 10 million safetensors inputs, 5 million word lists
    python3 Tools/fuzz/fuzz.py --only WordListTarget  one of the two

Every input may take 1 second of processor time and the process 512 MB; a crash, a leak, a trap, a broken promise
(see the two targets) or one of these limits is a finding, and ends the run with 1. The input is left in
.build/fuzz/<target>.findings and runs again with `.build/fuzz/<target> FILE`. What libFuzzer learns is kept
in .build/fuzz/<target>.corpus, beside the seeds, which come from mutants.py and from here.

libFuzzer comes with Swift's toolchains for Linux. Where it is missing (Xcode's), this says so and exits with 69.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from build import WORKSHOP, ToolchainWithoutFuzzer, build_target
from mutants import BAD_STRINGS, BITS, NAMES, NUMBERS, mutant

MEMORY_LIMIT = 512  # MB
ENDLESS = 120  # seconds; the limit of one second of processor time is in ProcessorTime.swift
FULL_RUNS = {"SafetensorsTarget": 10_000_000, "WordListTarget": 5_000_000}
UNAVAILABLE = 69


def safetensors_seeds() -> list[bytes]:
    return [mutant(0, number) for number in range(500)]


def word_list_seeds() -> list[bytes]:
    texts = [
        "emma\nolivia\nava\n", "emma\r\nolivia\r\n", "\ufeffemma\nava", " emma \n\t\n\u3000ava\u00a0\n",
        "São Paulo\nNew York\nZürich\n", "e\u0301\né\n", "漢字\n😀\n\U0010ffff\n", "a\rb\n", "a\0b\n",
        "\x7f\n", "a\u0085b\n", "a\u2028b\n", "a\ufeffb\n", "x" * 10_000 + "\n", "é" * 10_001 + "\n",
        " " * 10_000 + "\nemma\n", "".join(map(chr, range(0x4E00, 0x5200))) + "\n",
    ]
    encoded = [text.encode() for text in texts]
    encoded += [texts[0].encode(name) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be")]
    encoded += [b"", b"\n", b"\r\n", b"\xe9\n", b"a\xc0\xaf\n", b"a\xed\xa0\x80\n", b"a\xf4\x90\x80\x80\n", b"a\xe6\xbc"]
    return encoded


def dictionary(words: list[bytes]) -> str:
    """Tokens as libFuzzer reads them."""
    return "".join('"' + "".join(f"\\x{byte:02X}" for byte in word) + '"\n' for word in words)


def safetensors_words() -> list[bytes]:
    entry = '"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    texts = [f'"{name}"' for name in BITS] + NAMES + BAD_STRINGS + NUMBERS
    texts += ['"dtype":', '"shape":', '"data_offsets":', '"__metadata__":{', entry, "," + entry, "[]", "{}"]
    return [text.encode("utf-8", "surrogatepass") for text in texts if 0 < len(text) < 100]


def word_list_words() -> list[bytes]:
    characters = "\n \t\r\u0085\u00a0\u00ad\u1680\u2003\u2028\u2029\u202f\u205f\u3000\ufeff\u0301é漢😀\U0010ffff"
    lines = [b"\r\n", b"\r", b"\0", b"\xff\xfe", b"\xc2", b"\xe2\x80", b"\xed\xa0\x80", b"x" * 99]
    return [character.encode() for character in characters] + lines


# Seeds, dictionary, and the shares of a run with the most bytes of their inputs: only long inputs have a line
# over the limit of 10,000 characters, and they are slow.
MATERIAL = {
    "SafetensorsTarget": (safetensors_seeds, safetensors_words, [(1.0, 4096)]),
    "WordListTarget": (word_list_seeds, word_list_words, [(0.96, 256), (0.04, 12_000)]),
}


def prepare(name: str) -> tuple[Path, Path, Path]:
    """Folders of the corpus and the findings, and the dictionary."""
    corpus, findings = WORKSHOP / f"{name}.corpus", WORKSHOP / f"{name}.findings"
    shutil.rmtree(findings, ignore_errors=True)
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    seeds, words, _ = MATERIAL[name]
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    tokens = WORKSHOP / f"{name}.dictionary"
    tokens.write_text(dictionary(words()))
    return corpus, findings, tokens


ENVIRONMENT = {
    **os.environ,
    "SWIFT_BACKTRACE": "enable=no",
    # Freed memory is kept for a while to catch its use, but no more than the limit allows.
    "ASAN_OPTIONS": "quarantine_size_mb=32:allocator_release_to_os_interval_ms=500",
}


def fuzz(name: str, unit: str, amount: int, seed: int) -> bool:
    """Runs a target for an amount of `runs` or `max_total_time`; whether there was no finding."""
    target = build_target(name)
    corpus, findings, tokens = prepare(name)
    for share, length in MATERIAL[name][2]:
        command = [
            target, f"-{unit}={max(1, round(share * amount))}", f"-seed={seed}", f"-max_len={length}",
            f"-rss_limit_mb={MEMORY_LIMIT}", f"-timeout={ENDLESS}", f"-report_slow_units={ENDLESS}",
            f"-dict={tokens}", f"-artifact_prefix={findings}/", "-print_final_stats=1",
            "-use_value_profile=1", corpus,
        ]
        start = time.monotonic()
        log = WORKSHOP / f"{name}-{length}.log"
        with log.open("wb") as output:
            status = subprocess.run(command, env=ENVIRONMENT, stdout=output, stderr=output).returncode
        if status != 0 or any(findings.iterdir()):
            print("\n".join(log.read_text(errors="replace").splitlines()[-40:]), file=sys.stderr)
            print(f"{name}: ended with {status}; see {log} and {findings}", file=sys.stderr)
            return False
        print(
            f"{name}, up to {length:,} bytes: {figure('number_of_executed_units', log):,} inputs in "
            f"{time.monotonic() - start:.0f} s, {figure('peak_rss_mb', log)} MB at most, no finding",
            flush=True)
    return True


def figure(label: str, log: Path) -> int:
    """One of libFuzzer's final statistics."""
    found = re.search(rf"stat::{label}:\s*(\d+)", log.read_text(errors="replace"))
    return int(found[1]) if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together (60)")
    parser.add_argument("--full", action="store_true", help="by number of inputs, not by time")
    parser.add_argument("--only", choices=list(MATERIAL))
    parser.add_argument("--seed", type=int, default=0, help="of libFuzzer; 0 is another one every time")
    arguments = parser.parse_args()
    names = [arguments.only] if arguments.only else list(MATERIAL)
    good = True
    try:
        for name in names:
            if arguments.full:
                good = fuzz(name, "runs", FULL_RUNS[name], arguments.seed) and good
            else:
                good = fuzz(name, "max_total_time", arguments.seconds // len(names), arguments.seed) and good
    except ToolchainWithoutFuzzer:
        print("fuzz: this Swift toolchain cannot link libFuzzer (swiftc -sanitize=fuzzer); use one for Linux "
              "from swift.org", file=sys.stderr)
        return UNAVAILABLE
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
