#!/usr/bin/env python3
"""Our safetensors reader and writer against Python's, on structure-aware mutants.

    python3 Tools/fuzz/differential.py                    100,000 mutants
    python3 Tools/fuzz/differential.py --count 5000       fewer
    python3 Tools/fuzz/differential.py --seed 7           others

What must hold for every mutant:
- what our reader accepts, Python's accepts, with the same names, types, shapes, bytes and metadata;
- what our writer makes of it, Python opens, with the same content again;
- where Python writes the same content, its file and ours are the same bytes.
The converse need not hold: ours is stricter on purpose, and files that only ours refuses are counted by
reason. Needs the package safetensors (requirements.txt beside this). The Swift half
is SafetensorsAnswers.swift, built into .build/fuzz. Exits with 1 if something does not hold; the failing
mutants are left in .build/fuzz/differential-*.safetensors.
"""

import argparse
import ctypes
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import safetensors

from build import WORKSHOP, build_answers
from mutants import mutant

# The types that Python's package writes, by the names its writer takes.
WRITTEN = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "F16": "float16",
    "BF16": "bfloat16", "I32": "int32", "U32": "uint32", "F32": "float32", "C64": "complex64",
    "F64": "float64", "I64": "int64", "U64": "uint64",
}


class Answers:
    """Our reader, as one long-running process."""

    def __init__(self, executable: Path) -> None:
        self.process = subprocess.Popen([executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, file: bytes) -> tuple[bytes, bytes] | str:
        """The content and the rewritten file, or the error's text."""
        self.process.stdin.write(struct.pack("<I", len(file)) + file)
        self.process.stdin.flush()
        answer = self.read(int.from_bytes(self.read(4), "little"))
        if answer[0] == 0:
            return answer[1:].decode()
        end = 9 + int.from_bytes(answer[1:9], "little")
        return answer[9:end], answer[end + 8 :]

    def read(self, count: int) -> bytes:
        received = self.process.stdout.read(count)
        if len(received) != count:
            raise SystemExit(f"our reader ended with {self.process.wait()}")
        return received


def sized(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def content(tensors: list, metadata: dict[str, str]) -> bytes:
    """Content in the form of SafetensorsAnswers.swift."""
    pieces = [struct.pack("<Q", len(metadata))]
    for key, value in sorted((key.encode(), value.encode()) for key, value in metadata.items()):
        pieces += [sized(key), sized(value)]
    pieces.append(struct.pack("<Q", len(tensors)))
    for name, tensor in sorted((name.encode(), tensor) for name, tensor in tensors):
        shape = tensor["shape"]
        pieces += [sized(name), sized(tensor["dtype"].encode())]
        pieces.append(struct.pack(f"<{len(shape) + 1}Q", len(shape), *shape))
        pieces.append(sized(bytes(tensor["data"])))
    return b"".join(pieces)


def read_by_python(file: bytes, path: Path) -> tuple[list, dict[str, str]]:
    """What Python finds in a file: its tensors from memory, its metadata from the disk."""
    tensors = safetensors.deserialize(file)
    path.write_bytes(file)
    with safetensors.safe_open(path, framework="numpy") as opened:
        return tensors, opened.metadata() or {}


def written_by_python(tensors: list, metadata: dict[str, str]) -> bytes | None:
    """Python's own file with some content, if its package can write it.

    The order of several metadata keys is left to chance there, so files with more than one are left out.
    """
    if len(metadata) > 1 or any(tensor["dtype"] not in WRITTEN for _, tensor in tensors):
        return None
    memory = {  # never of length zero, so that there is an address
        name: ctypes.create_string_buffer(bytes(tensor["data"]), len(tensor["data"]) + 1)
        for name, tensor in tensors
    }
    specs = {
        name: safetensors.TensorSpec(
            dtype=WRITTEN[tensor["dtype"]], shape=tensor["shape"],
            data_ptr=ctypes.addressof(memory[name]), data_len=len(tensor["data"]))
        for name, tensor in tensors
    }
    return bytes(safetensors.serialize(specs, metadata or None))


def compare(file: bytes, answers: Answers, path: Path, counts: Counter, strict: Counter) -> str | None:
    """What does not hold for a mutant, if anything."""
    ours = answers.ask(file)
    try:
        tensors, metadata = read_by_python(file, path)
    except (safetensors.SafetensorError, UnicodeError) as error:
        if isinstance(ours, str):
            counts["refused by both"] += 1
            return None
        return f"accepted by us, refused by Python: {error}"
    if isinstance(ours, str):
        counts["refused by us alone"] += 1
        strict[reason(ours)] += 1
        return None
    counts["accepted by both"] += 1
    our_content, our_file = ours
    if our_content != content(tensors, metadata):
        return "accepted by both, with different content"
    try:
        if content(*read_by_python(our_file, path)) != our_content:
            return "our file has another content in Python"
    except safetensors.SafetensorError as error:
        return f"our file is refused by Python: {error}"
    their_file = written_by_python(tensors, metadata)
    if their_file is not None:
        counts["written by both"] += 1
        if their_file != our_file:
            return "our file and Python's differ"
    return None


def reason(error: str) -> str:
    """An error's kind: what it says without places, names and numbers."""
    error = re.sub(r'"(?:[^"\\]|\\.)*"…?', "…", error)
    error = re.sub(r"^byte \d+: |tensor …: ", "", error)
    return re.sub(r"\[[\d, ]*\]|'.'|byte 0x\w+|\b[A-Z]\w*\d+\w*\b|\d+", "…", error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20261123)
    arguments = parser.parse_args()
    answers = Answers(build_answers())
    counts, strict, failures = Counter(), Counter(), 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        for number in range(arguments.count):
            file = mutant(arguments.seed, number)
            failure = compare(file, answers, Path(directory, "file.safetensors"), counts, strict)
            if failure:
                failures += 1
                Path(WORKSHOP, f"differential-{number}.safetensors").write_bytes(file)
                print(f"mutant {number}: {failure}", file=sys.stderr)
    print(f"{arguments.count:,} mutants, seed {arguments.seed}, Python's safetensors {safetensors.__version__}, "
          f"{time.monotonic() - start:.0f} s")
    for name, count in counts.most_common():
        print(f"{count:9,}  {name}")
    print("refused by us alone:")
    for name, count in strict.most_common(20):
        print(f"{count:9,}  {name}")
    print(f"{failures:,} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
