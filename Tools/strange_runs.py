"""Hands every command runs that a stranger has changed, with a checksum that fits all the same.

A small run is made; then one thing in it is changed: a number, type or shape of a tensor, a setting of
the recipe, the vocabulary, the words, a line of metrics, a field of run.json. Whatever it is, a command
must do its work or refuse: with a documented status, in at most two lines, within 20 seconds of processor
time and 3 GB of address space, and never by a trap.
"""

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import zlib
from collections import Counter
from pathlib import Path

from runs import ENVIRONMENT, TIME_LIMIT, Failure, main, model, train, train_command

STATUSES = {0, 65, 66, 69, 70, 71, 74, 76}
READERS_OF_MODELS = (
    "sample --count 3", "sample --unique --novel --count 3 --contains a", "sample --most-likely 3",
    "sample evaluate --count 20", "sample explain em", "sample score emma", "report", "train --resume",
    "train --steps 2 --start-from")
READERS_OF_RUNS = ("report", "report --compare", "train --resume")
SECONDS, ADDRESSES = 20, 3_000_000  # KiB

FLOATS = (float("nan"), float("inf"), -1.0, 0.0, -0.0, 3e38, -3e38, 1e-45)
INTEGERS = (-(2**63), -1, 0, 1, 39, 41, 2**31, 2**32, 2**62, 2**63 - 1)
JSON_VALUES = (
    None, True, 0, -1, 1, 2, 0.5, 1e308, -1e308, 1e-320, 1001, 100_000, 2**31, 2**53, 2**63 - 1, 2**63,
    2**64, 10**30, "", "x", "1", "nan", [], {}, [1] * 5, [None], ["a"])
JSON_TEXTS = (
    "", "\n", "{", "{}", "[]", "null", "1", '"x"', "\0" * 100, "[" * 100_000, '{"a":' * 20_000,
    '{"step":NaN}\n', '{"step":1e999}\n', '{"step":20}\n' * 100_000, "a" * 2_000_000)
METADATA = (
    "", "x", "0", "-1", "1", "2", "4", "99999999999999999999", "3 ", "٣", "{}", "\0", "a" * 100_000,
    "é", "abb", "ba", "ab\n", "ab\u0301", "ab\ufeff", "ab.")
FORMATS = {"I64": "<q", "F64": "<d", "F32": "<f"}


class ModelFile:
    """A model file, parsed independently of the program."""

    def __init__(self, content):
        length = struct.unpack("<Q", content[:8])[0]
        self.header = json.loads(content[8 : 8 + length])
        self.data = content[8 + length :]

    def changed(self, change):
        """The bytes after a change to a copy of the header, with the checksum that fits."""
        header = json.loads(json.dumps(self.header))
        change(header)
        return self.sealed(header, self.data)

    def with_tensor(self, name, content):
        """Header and data with another content of a tensor; the shape of a tensor of bytes follows."""
        header = json.loads(json.dumps(self.header))
        begin, end = header[name]["data_offsets"]
        growth = len(content) - (end - begin)
        for entry in header.values():
            offsets = entry.get("data_offsets")
            if offsets and offsets[1] >= end:
                entry["data_offsets"] = [offset + growth * (offset >= end) for offset in offsets]
        if header[name]["dtype"] == "U8":
            header[name]["shape"] = [len(content)]
        return header, self.data[:begin] + content + self.data[end:]

    def content(self, name):
        begin, end = self.header[name]["data_offsets"]
        return self.data[begin:end]

    @staticmethod
    def sealed(header, data):
        header["__metadata__"]["crc32"] = "00000000"
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        content = struct.pack("<Q", len(text)) + text + data
        digits = content.index(b'"crc32":"00000000"') + len('"crc32":"')
        return content[:digits] + b"%08x" % zlib.crc32(content) + content[digits + 8 :]


# What is changed: each yields a label and the new bytes


def tensor_cases(file):
    tensors = {name: entry for name, entry in file.header.items() if name != "__metadata__"}
    for name, entry in tensors.items():
        for shape in ([], [0], [1, 1, 1], entry["shape"][::-1], [*entry["shape"], 1], [2**62, 4]):
            yield f"{name}: shape {shape}", file.changed(lambda h: h[name].update(shape=shape))
        for kind in ("F32", "F64", "I64", "U8", "BF16", "BOOL"):
            yield f"{name}: {kind}", file.changed(lambda h: h[name].update(dtype=kind))
        yield f"without {name}", file.changed(lambda h: h.pop(name))
        yield f"{name} renamed", file.changed(lambda h: h.update(x=h.pop(name)))
        if layout := FORMATS.get(entry["dtype"]):
            yield from number_cases(file, name, layout)


def number_cases(file, name, layout):
    width, content = struct.calcsize(layout), file.content(name)
    for number in INTEGERS if layout == "<q" else FLOATS:
        packed = struct.pack(layout, number)
        for place in {0, len(content) // width // 2 * width, len(content) - width}:
            changed = content[:place] + packed + content[place + width :]
            yield f"{name}: {number} at {place}", file.sealed(*file.with_tensor(name, changed))
        everywhere = packed * (len(content) // width)
        yield f"{name}: {number} everywhere", file.sealed(*file.with_tensor(name, everywhere))


def metadata_cases(file):
    for key in sorted(set(file.header["__metadata__"]) - {"crc32"}):
        for value in METADATA:
            yield (f"{key}: {value[:20]!r}",
                   file.changed(lambda h: h["__metadata__"].update({key: value})))
        yield f"without {key}", file.changed(lambda h: h["__metadata__"].pop(key))
    yield "more metadata", file.changed(lambda h: h["__metadata__"].update(more="1"))


def recipe_cases(file):
    text = file.header["__metadata__"]["recipe"]
    recipe = json.loads(text)
    texts = [*JSON_TEXTS, text * 2, text.replace(",", " , "), text + "\0",
             *(text.replace("40", number) for number in ("4e1", "0x28", "NaN", "040"))]
    texts += [json.dumps({**recipe, key: value}) for key in recipe for value in JSON_VALUES]
    texts += [json.dumps({k: v for k, v in recipe.items() if k != key}) for key in recipe]
    texts += [f"{text[:-1]},{json.dumps(key)}:{json.dumps(recipe[key])}}}" for key in recipe]
    for value in [*texts, json.dumps({**recipe, "more": 1})]:
        yield (f"recipe {value[:400]}",
               file.changed(lambda h: h["__metadata__"].update(recipe=value)))


def word_cases(file):
    words = zlib.decompress(file.content("words"))
    lists = [
        b"", words, words[:-1], words.replace(b"\n", b"\r\n"), b"\n" * len(words), b"\xff\n" * 100,
        b"xyz\n" * 80, b"emma\n", b"emma\n" * 106, b"a" * 10_001 + b"\n", b"a\n" * (8 << 20)]
    pairs = [(zlib.compress(words), len(words)) for words in lists]
    packed = zlib.compress(words)
    pairs += [(packed, len(words) + 1), (packed, 10**15), (packed[:-5], len(words)), (words, len(words)),
              (packed + b"xx", len(words)), (packed * 2, len(words)),
              (zlib.compress(b"\0" * (64 << 20)), len(words)),
              (zlib.compress(b"a\n" * (8 << 20)), 10**9)]
    for number, (content, count) in enumerate(pairs):
        header, data = file.with_tensor("words", content)
        header["__metadata__"]["words_bytes"] = str(count)
        yield f"words {number}", file.sealed(header, data)


def line_cases(text):
    """Changes of the metrics: of a field, of a field of a field, of the lines."""
    lines = [json.loads(line) for line in text.splitlines()]
    for key, old in lines[0].items():
        values = [{**old, inner: value} for inner in old for value in JSON_VALUES] if isinstance(
            old, dict) else []
        for value in [*JSON_VALUES, *values]:
            yield f"metrics {key}: {value}", [{**lines[0], key: value}, *lines[1:]]
        yield f"metrics without {key}", [{k: v for k, v in lines[0].items() if k != key}, *lines[1:]]
    yield "metrics reversed", lines[::-1]
    yield "metrics twice", lines * 2


def description_cases(text):
    fields = json.loads(text)
    markup = "</script><script>alert(1)</script>"
    for key in fields:
        for value in (*JSON_VALUES, markup, "2026-99-99T99:99:99Z", [markup] * 3):
            yield f"run.json {key}: {value}", json.dumps({**fields, key: value})
        yield f"run.json without {key}", json.dumps({k: v for k, v in fields.items() if k != key})
    part = fields["parts"][-1]
    for key in part:
        for value in (*JSON_VALUES, markup):
            changed = {**part, key: value}
            yield f"run.json parts {key}: {value}", json.dumps({**fields, "parts": [changed, changed]})


def cases(run):
    """All changes: a label, the name of the file and its new bytes."""
    file = ModelFile(model(run).read_bytes())
    for make in (tensor_cases, metadata_cases, recipe_cases, word_cases):
        yield from ((label, "model.safetensors", content) for label, content in make(file))
    metrics, description = ((run / name).read_text() for name in ("metrics.jsonl", "run.json"))
    for label, lines in line_cases(metrics):
        yield label, "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode()
    for label, text in description_cases(description):
        yield label, "run.json", text.encode()
    for text in JSON_TEXTS:
        for name in ("metrics.jsonl", "run.json"):
            yield f"{name} {text[:20]!r}", name, text.encode()


# What must hold


def outcome(line, run):
    """A command's status on a run, and its messages, warnings apart."""
    name, *arguments = line.split()
    if name == "sample":
        arguments += ["--model", run]
    else:
        beside = [run.parent / "sound"] if "--compare" in arguments else []
        options = ["--samples", 0, "--quiet"] if name == "train" else ["--out", f"{run}.html"]
        if "--start-from" in arguments:
            shutil.rmtree(f"{run}-2", ignore_errors=True)
            options += ["--data", run.parent / "words.txt", "--out", f"{run}-2"]
        arguments += [run, *beside, *options]
    command = [Path(train_command()).parent / name, *arguments]
    try:
        result = subprocess.run(
            ["sh", "-c", f'ulimit -v {ADDRESSES}; ulimit -t {SECONDS}; exec "$@"', "sh", *map(str, command)],
            env={**ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1"}, capture_output=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL, []
    lines = result.stderr.decode(errors="replace").splitlines()
    return result.returncode, [line for line in lines if "warning: " not in line]


def check(count, directory):
    words = directory / "words.txt"
    words.write_text("emma\nolivia\nava\nisabella\nsophia\nmia\ncharlotte\namelia\n" * 10)
    sound, run = directory / "sound", directory / "run"
    train("--data", words, "--steps", 40, "--evaluate-every", 20, "--hidden", 8, "--samples", 0,
          "--out", sound, expect=(0,))
    found = list(cases(sound))
    if count < len(found):
        found = random.Random(9).sample(found, count)
    statuses = Counter()
    for label, name, content in found:
        is_model = name == "model.safetensors"
        for line in READERS_OF_MODELS if is_model else READERS_OF_RUNS:
            shutil.rmtree(run, ignore_errors=True)
            shutil.copytree(sound, run)
            (run / name).write_bytes(content)
            if is_model:
                os.remove(run / "best.safetensors")
            status, lines = outcome(line, run)
            statuses[status] += 1
            if status not in STATUSES or status != 0 and len(lines) > 2:
                raise Failure(f"{label[:400]}: {line}: status {status}: {lines}")
    refused = sum(statuses.values()) - statuses[0]
    return (f"{len(found)} changes, {sum(statuses.values())} commands: {statuses[0]} did their work, "
            f"{refused} refused; no trap")


main(__doc__.splitlines()[0], "how many changes, chosen at random (default: all)", 10**6, check)
