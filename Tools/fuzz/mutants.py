"""Safetensors files and what can be wrong with them: the structure-aware mutants.

A file starts well-formed: tensors of any type and shape that follow each other without a gap, a header in
one of the many ways JSON can write it, data. Then it is damaged in up to three ways, as by a hex editor, a
careless writer or an attacker. Everything comes from a seeded generator, so that
mutant k is the same on every machine. Nothing here knows how a reader should answer.
"""

import random
import struct
from dataclasses import dataclass, field

BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}

# JSON texts, so that one name can be written in several ways; the last are not valid JSON.
NAMES = [
    '"a"', '"b"', '"W1"', '"layer.0.weight"', '""', '" "', '"\\u0061"', '"é"', '"e\u0301"', '"\\u00e9"',
    '"\\"\\\\\\/"', '"\\b\\f\\n\\r\\t"', '"\\u0000"', '"\x7f"', '"模型"', '"😀"', '"\\ud83d\\ude00"',
    '"\\uffff"', '"\\u2028"', '"dtype"', '"shape"', '"__metadata_"', '"' + "n" * 1024 + '"',
]
BAD_STRINGS = [
    '"\\ud800"', '"\\udc00"', '"\\ud83d\\u0061"', '"\\u12"', '"\\x41"', '"\n"', '"\t"', '"\x00"', '"a', "a",
    "'a'", '"\\', '"__metadata__"', '"' + "n" * 1025 + '"', "null", "1",
]
NUMBERS = [
    "0", "1", "2", "3", "4", "8", "16", "255", "65536", "-1", "-0", "+1", "01", "00", "1.0", "1e0", "1E2",
    "0x1", "4294967296", "2147483648", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "18446744073709551616", "1" + "0" * 40, "null", "true", '"1"', "[]", "{}",
    "[1]", "NaN", "Infinity", "",
]
VALUES = ["null", "true", "0", '""', "[]", "{}", "[[]]", '{"a":1}', "", "[" * 200 + "]" * 200]
SPACES = ["", "", "", " ", "\n", "\t", "\r", "  \r\n\t"]
BAD_SPACES = ["\f", "\v", "\0", "\u00a0", "\ufeff", "//\n", "/**/", ","]


@dataclass
class Entry:
    """A tensor in the header: its name as JSON text, and fields as JSON texts in their order."""

    name: str
    dtype: str
    shape: list[str]
    offsets: list[str]
    fields: list[str] = field(default_factory=lambda: ["dtype", "shape", "data_offsets"])
    extra: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Draft:
    """A file before it is written down."""

    entries: list[Entry]
    metadata: list[tuple[str, str]] | None
    data: bytes
    metadata_place: int = 0
    space: str = ""
    padding: str = " "
    junk: list[tuple[int, str]] = field(default_factory=list)


def well_formed(rng: random.Random) -> Draft:
    """A file that every reader should accept."""
    names = rng.sample(NAMES[:7] + NAMES[9:11] + NAMES[11:16] + NAMES[17:], rng.choice([0, 1, 1, 2, 2, 3, 5]))
    names = [name for name in names if not (name == '"\\u0061"' and '"a"' in names)]
    entries, offset = [], 0
    for name in names:
        dtype = rng.choice(list(BITS))
        shape = [rng.choice([0, 1, 1, 2, 2, 3, 4]) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4]))]
        bits = BITS[dtype]
        for dimension in shape:
            bits *= dimension
        if bits % 8:
            shape.append(4)
            bits *= 4
        if bits > 8 * 256:
            shape, bits = [0], 0
        end = offset + bits // 8
        entries.append(Entry(name, dtype, list(map(str, shape)), [str(offset), str(end)]))
        offset = end
    if rng.random() < 0.3:
        rng.shuffle(entries)
    metadata = None
    if rng.random() < 0.4:
        metadata = [(key, rng.choice(NAMES)) for key in rng.sample(NAMES[:6], rng.choice([0, 1, 1, 2, 3]))]
    draft = Draft(entries, metadata, rng.randbytes(offset))
    draft.metadata_place = rng.choice([0, 0, len(entries)])
    draft.space = rng.choice(SPACES)
    for entry in entries:
        if rng.random() < 0.2:
            rng.shuffle(entry.fields)
    return draft


def written(draft: Draft, rng: random.Random) -> bytes:
    """The file's bytes, header length and padding included."""

    def joined(items: list[str]) -> str:
        return ",".join(draft.space + item + draft.space for item in items)

    def text(entry: Entry) -> str:
        values = {
            "dtype": f'"{entry.dtype}"' if entry.dtype in BITS else entry.dtype,
            "shape": "[" + joined(entry.shape) + "]",
            "data_offsets": "[" + joined(entry.offsets) + "]",
        }
        pairs = [(f'"{name}"', values[name]) for name in entry.fields] + entry.extra
        return f"{entry.name}:{draft.space}{{" + joined([f"{key}:{value}" for key, value in pairs]) + "}"

    members = [text(entry) for entry in draft.entries]
    if draft.metadata is not None:
        pairs = joined([f"{key}:{value}" for key, value in draft.metadata])
        members.insert(draft.metadata_place, '"__metadata__":{' + pairs + "}")
    header = "{" + joined(members) + "}"
    for place, junk in draft.junk:
        place %= len(header) + 1
        header = header[:place] + junk + header[place:]
    encoded = header.encode("utf-8", "surrogatepass")
    encoded += draft.padding.encode() * (-len(encoded) % 8 if rng.random() < 0.8 else rng.randrange(9))
    return struct.pack("<Q", len(encoded)) + encoded + draft.data


# What is done to a draft


def change_offsets(draft: Draft, rng: random.Random) -> None:
    if not draft.entries:
        return
    entry = rng.choice(draft.entries)
    choice = rng.randrange(7) if entry.offsets else 4
    if choice == 0:
        entry.offsets[rng.randrange(len(entry.offsets))] = rng.choice(NUMBERS)
    elif choice == 1:
        entry.offsets.reverse()
    elif choice == 2:
        entry.offsets = list(rng.choice(draft.entries).offsets)
    elif choice == 3:
        entry.offsets = entry.offsets[: rng.randrange(2)]
    elif choice == 4:
        entry.offsets.append(rng.choice(NUMBERS))
    else:
        step = rng.choice([-2, -1, 1, 2, 8])
        for index in range(len(entry.offsets)) if choice == 5 else [rng.randrange(len(entry.offsets))]:
            try:
                entry.offsets[index] = str(int(entry.offsets[index]) + step)
            except ValueError:
                pass


def change_shape(draft: Draft, rng: random.Random) -> None:
    if not draft.entries:
        return
    entry = rng.choice(draft.entries)
    choice = rng.randrange(7)
    if choice == 0 and entry.shape:
        entry.shape[rng.randrange(len(entry.shape))] = rng.choice(NUMBERS)
    elif choice == 1:
        entry.shape.insert(rng.randint(0, len(entry.shape)), rng.choice(["0", "1", "1", "1", "2"]))
    elif choice == 2 and entry.shape:
        del entry.shape[rng.randrange(len(entry.shape))]
    elif choice == 3:
        rng.shuffle(entry.shape)
    elif choice == 4:
        entry.shape += ["1"] * rng.choice([40, 63, 64, 65, 500])
    elif choice == 5:
        entry.shape = rng.choice([["0", "4294967296", "4294967296"], ["4294967296", "4294967296", "0"],
                                  ["9223372036854775807", "2"], ["2305843009213693952"], ["1099511627776", "0"]])
    else:
        entry.dtype, other = rng.choice(draft.entries).dtype, entry.dtype
        draft.entries[0].dtype = other


def change_dtype(draft: Draft, rng: random.Random) -> None:
    if not draft.entries:
        return
    entry = rng.choice(draft.entries)
    same = [name for name, bits in BITS.items() if bits == BITS.get(entry.dtype)]
    other = rng.choice(list(BITS))
    unusual = ['"f32"', '"F128"', '"\\u0046\\u00332"', '"F32 "', '""', "null", "32", '{"F32":null}', '["F32"]']
    entry.dtype = rng.choice([rng.choice(same or [other]), other, rng.choice(unusual)])


def change_fields(draft: Draft, rng: random.Random) -> None:
    if not draft.entries:
        return
    entry = rng.choice(draft.entries)
    choice = rng.randrange(5)
    if choice == 0 and entry.fields:
        entry.fields.remove(rng.choice(entry.fields))
    elif choice == 1 and entry.fields:
        entry.fields.append(rng.choice(entry.fields))
    elif choice == 2:
        entry.extra.append((rng.choice(NAMES + BAD_STRINGS), rng.choice(VALUES + NUMBERS)))
    elif choice == 3 and "dtype" in entry.fields:
        entry.fields.remove("dtype")
        entry.extra.append(('"\\u0064type"', f'"{entry.dtype}"'))
    else:
        rng.shuffle(entry.fields)


def change_name(draft: Draft, rng: random.Random) -> None:
    if draft.entries:
        others = [entry.name for entry in draft.entries]
        rng.choice(draft.entries).name = rng.choice([rng.choice(NAMES), rng.choice(BAD_STRINGS), rng.choice(others)])


def change_entries(draft: Draft, rng: random.Random) -> None:
    if not draft.entries:
        return
    choice, index = rng.randrange(4), rng.randrange(len(draft.entries))
    if choice == 0:
        del draft.entries[index]
    elif choice == 1:
        draft.entries.append(draft.entries[index])
    elif choice == 2:
        draft.entries.append(Entry(rng.choice(NAMES), rng.choice(list(BITS)), ["0"], [draft.entries[index].offsets[-1]] * 2
                                   if draft.entries[index].offsets else []))
    else:
        rng.shuffle(draft.entries)


def change_metadata(draft: Draft, rng: random.Random) -> None:
    pairs = draft.metadata or []
    choice = rng.randrange(5)
    if choice == 0:
        pairs.append((rng.choice(NAMES + BAD_STRINGS), rng.choice(NAMES)))
    elif choice == 1:
        pairs.append((rng.choice(NAMES), rng.choice(VALUES + NUMBERS + BAD_STRINGS)))
    elif choice == 2 and pairs:
        pairs.append(rng.choice(pairs))
    elif choice == 3:
        draft.entries.insert(0, Entry('"__metadata__"', "U8", ["0"], ["0", "0"]))
    else:
        draft.metadata = None
        return
    draft.metadata = pairs


def change_syntax(draft: Draft, rng: random.Random) -> None:
    choice = rng.randrange(4)
    if choice == 0:
        draft.junk.append((rng.randrange(1 << 16), rng.choice(SPACES[3:] + BAD_SPACES)))
    elif choice == 1:
        draft.junk.append((rng.choice([0, -1]), rng.choice(SPACES[3:] + BAD_SPACES + VALUES)))
    elif choice == 2:
        draft.padding = rng.choice(["\n", "\t", "\0", "}", "\ufeff", "  "])
    else:
        draft.space = rng.choice(SPACES[3:] + BAD_SPACES)


def change_data(draft: Draft, rng: random.Random) -> None:
    if rng.random() < 0.5:
        draft.data += rng.randbytes(rng.choice([1, 1, 2, 8, 100]))
    else:
        draft.data = draft.data[: -rng.choice([1, 1, 2, 8])]


DRAFT_CHANGES = [
    change_offsets, change_shape, change_dtype, change_fields, change_name, change_entries,
    change_metadata, change_syntax, change_data,
]


# What is done to the bytes


def change_length(file: bytes, rng: random.Random) -> bytes:
    length = int.from_bytes(file[:8], "little")
    huge = [0, 7, 8, 100_000_000, 100_000_001, 100 << 30, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 8]
    length = rng.choice([length + rng.choice([-8, -2, -1, 1, 2, 8]), rng.choice(huge)])
    return struct.pack("<Q", length % (1 << 64)) + file[8:]


def flip_bit(file: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(8 * len(file))
    changed = bytearray(file)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def change_byte(file: bytes, rng: random.Random) -> bytes:
    """Puts in, replaces or takes out one byte of the header, and lets the length follow."""
    length = int.from_bytes(file[:8], "little")
    place = 8 + rng.randrange(length + 1)
    replacement = rng.choice([b"", bytes([rng.randrange(256)]), rng.choice(b'{}[]:,"\\0 1\x80\xc3\xed\xff').to_bytes(1)])
    header = file[8:place] + replacement + file[min(place + rng.randrange(2), 8 + length) : 8 + length]
    return struct.pack("<Q", len(header)) + header + file[8 + length :]


def cut(file: bytes, rng: random.Random) -> bytes:
    return file[: rng.randrange(len(file))]


BYTE_CHANGES = [change_length, flip_bit, change_byte, change_byte, cut]


def mutant(seed: int, number: int) -> bytes:
    """Mutant `number` of a run."""
    rng = random.Random(f"{seed}:{number}")
    draft = well_formed(rng)
    changes = rng.choice([0, 1, 1, 1, 1, 2, 2, 3])
    of_bytes = sum(rng.random() < 0.2 for _ in range(changes))
    for _ in range(changes - of_bytes):
        rng.choice(DRAFT_CHANGES)(draft, rng)
    file = written(draft, rng)
    if of_bytes:  # one is enough: after it, the frame need not be whole
        file = rng.choice(BYTE_CHANGES)(file, rng)
    return file
