"""Writes Tests/CharMLPTests/Fixtures/randomness.json: what Python and PyTorch draw from known seeds.

Run with CPython 3.11 and PyTorch 2.13 on a processor with AVX2:

    python Tools/make_randomness_fixtures.py

Every record is one generator's stream in order, so a draw that takes a word too many or too few
spoils all that follow it. Single-precision values are written with the fewest digits that read back
to the same value.
"""

import json
import pathlib
import random
import struct

import torch

PYTHON_SEEDS = [0, 42, -42, 2147483647, 2**32 + 5, 2**64 - 1, 2**100 + 7]
TORCH_SEEDS = [2147483647, 42, 0, 2**32 + 5]
RANGES = [
    (0, 1), (0, 27), (-5, 5), (0, 182625), (0, 2**28 - 1), (0, 2**28), (0, 2**31), (0, 2**32 - 1),
    (0, 2**40), (-(2**63), 2**63 - 1),
]  # fmt: skip
SIZES = [0, 1, 2, 3, 7, 8, 15, 16, 17, 20, 31, 32, 33, 48, 100]


def floats(tensor):
    return [float(str(value)) for value in tensor.numpy().ravel()]


def python_stream(seed):
    source = random.Random(seed)
    uniforms = [source.random() for _ in range(4)]
    bits = [[k, source.getrandbits(k)] for k in (0, 1, 7, 31, 32, 33, 53, 64)]
    bounds = (1, 2, 3, 27, 1000, 2**31, 2**40 + 1, 2**62 + 1)
    below = [[bound, source._randbelow(bound)] for bound in bounds]
    shuffles = []
    for count in (0, 1, 2, 10, 64):
        items = list(range(count))
        source.shuffle(items)
        shuffles.append(items)
    return {
        "seed": str(seed), "uniforms": uniforms, "bits": bits, "below": below,
        "shuffles": shuffles, "next": source.getrandbits(32),
    }  # fmt: skip


def python_long_shuffle(seed, count):
    items = list(range(count))
    random.Random(seed).shuffle(items)
    return {"seed": seed, "count": count, "first": items[:16], "last": items[-16:]}


def python_state(seed, draws):
    source = random.Random(seed)
    for _ in range(draws):
        source.getrandbits(32)
    words = list(source.getstate()[1])
    return {"seed": seed, "draws": draws, "words": words[:-1], "position": words[-1]}


def torch_generator(seed):
    return torch.Generator().manual_seed(seed)


def following(generator):
    """One 32-bit draw, to show how much of the stream has gone."""
    return torch.randint(0, 2**28 - 1, (1,), generator=generator).item()


def torch_draw(generator, kind, *arguments):
    """One call of a stream, as a record that says what was asked and what came."""
    if kind == "randn":
        values = torch.randn(arguments[0], generator=generator)
        return {"kind": kind, "count": arguments[0], "normals": floats(values)}
    if kind == "randint":
        low, high, count = arguments
        values = torch.randint(low, high, (count,), generator=generator)
        return {"kind": kind, "low": low, "high": high, "integers": values.tolist()}
    if kind == "double":
        values = torch.rand(arguments[0], dtype=torch.float64, generator=generator)
        return {"kind": kind, "doubles": values.tolist()}
    values = torch.rand(arguments[0], generator=generator)
    return {"kind": kind, "floats": floats(values)}


def torch_stream(name, seed, calls):
    generator = torch_generator(seed)
    draws = [torch_draw(generator, *call) for call in calls]
    return {"name": name, "seed": seed, "draws": draws, "next": following(generator)}


def torch_streams():
    integers = [("randint", low, high, 6) for low, high in RANGES] + [("randint", 0, 182625, 32)]
    for seed in TORCH_SEEDS:
        yield torch_stream("integers", seed, integers)
        yield torch_stream("uniforms", seed, [("double", 5), ("float", 5), ("double", 1)])
    # A waiting deviate outlives larger tensors, whole numbers and uniforms.
    between = [("randn", 16), ("randint", 0, 27, 3), ("randn", 21), ("float", 1), ("double", 1)]
    for seed in TORCH_SEEDS:
        yield torch_stream("a deviate waits", seed, [("randn", 3), *between, ("randn", 2)])
        yield torch_stream("no deviate waits", seed, [("randn", 4), *between, ("randn", 1)])
    # The parameters of a small model, then its first minibatches.
    shapes = [("randn", 27 * 2), ("randn", 6 * 8), ("randn", 8), ("randn", 8 * 5), ("randn", 5)]
    batches = [("randint", 0, 1000, 32)] * 2
    yield torch_stream("parameters", 2147483647, shapes + batches)


def torch_sizes(seed):
    """randn of one size from a fresh generator."""
    for size in SIZES:
        yield torch_stream(f"randn({size})", seed, [("randn", size)])


def torch_ends():
    """randn of every size from 1 to 100, one after another: its ends and the draw that follows."""
    generator = torch_generator(7)
    for size in range(1, 101):
        values = floats(torch.randn(size, generator=generator))
        yield {"count": size, "first": values[0], "last": values[-1], "next": following(generator)}


def torch_state(seed, count):
    """The generator's own state: ATen/CPUGeneratorImpl.cpp lays it out as read here."""
    generator = torch_generator(seed)
    torch.randn(count, generator=generator)
    data = generator.get_state().numpy().tobytes()
    _, left, _, position = struct.unpack_from("<QiiQ", data, 0)
    words = list(struct.unpack_from("<624Q", data, 24))
    _, cached, _, is_cached = struct.unpack_from("<dddi", data, 24 + 624 * 8)
    assert position == 625 - left
    return {
        "seed": seed, "count": count, "words": words, "position": position,
        "cachedNormal": cached if is_cached else None,
    }  # fmt: skip


def main():
    fixture = {
        "python": [python_stream(seed) for seed in PYTHON_SEEDS],
        "pythonLongShuffle": python_long_shuffle(42, 32033),
        "pythonState": python_state(42, 1000),
        "torch": [*torch_streams(), *torch_sizes(2147483647), *torch_sizes(42)],
        "torchEnds": list(torch_ends()),
        "torchState": torch_state(42, 3),
    }
    root = pathlib.Path(__file__).resolve().parent.parent
    path = root / "Tests" / "CharMLPTests" / "Fixtures" / "randomness.json"
    lines = [f'"{k}":{json.dumps(v, separators=(",", ":"))}' for k, v in fixture.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
