"""Notebooks of the exercise as safetensors files: right ones, ones with mistakes, and hostile ones.

A pass in plain Python, rounded to the file's precision after every line. Standard library only.
"""

import json
import math
import random
import struct

PARAMETERS = "C W1 b1 W2 b2 bngain bnbias".split()


# Matrices are lists of rows. A row or a column is repeated to fit.

def zip_with(f, a, b):
    rows, columns = max(len(a), len(b)), max(len(a[0]), len(b[0]))
    return [[f(a[i if len(a) > 1 else 0][j if len(a[0]) > 1 else 0],
               b[i if len(b) > 1 else 0][j if len(b[0]) > 1 else 0])
             for j in range(columns)] for i in range(rows)]


def add(a, b):
    return zip_with(lambda x, y: x + y, a, b)


def subtract(a, b):
    return zip_with(lambda x, y: x - y, a, b)


def times(a, b):
    return zip_with(lambda x, y: x * y, a, b) if isinstance(b, list) else [[x * b for x in row] for row in a]


def each(f, a):
    return [[f(x) for x in row] for row in a]


def down(a):
    return [[math.fsum(column) for column in zip(*a)]]


def across(a):
    return [[math.fsum(row)] for row in a]


def transposed(a):
    return [list(column) for column in zip(*a)]


def matmul(a, b):
    columns = transposed(b)
    return [[sum(map(lambda x, y: x * y, row, column)) for column in columns] for row in a]


def one_hot(ids, columns):
    return [[float(j == i) for j in range(columns)] for i in ids]


def scattered(t, last=False, order=None):
    rows = [[0.0] * len(t["C"][0]) for _ in t["C"]]
    for place in range(len(t["ids"])) if order is None else order:
        i, row = t["ids"][place], t["demb"][place]
        rows[i] = list(row) if last else [x + y for x, y in zip(rows[i], row)]
    return rows


def largest(row):
    return row.index(max(row))


LINES = {
    "emb": lambda t: [t["C"][i] for i in t["ids"]],
    "embcat": lambda t: reshaped(t["emb"], len(t["Yb"])),
    "hprebn": lambda t: add(matmul(t["embcat"], t["W1"]), t["b1"]),
    "bnmeani": lambda t: times(down(t["hprebn"]), 1 / t["n"]),
    "bndiff": lambda t: subtract(t["hprebn"], t["bnmeani"]),
    "bndiff2": lambda t: times(t["bndiff"], t["bndiff"]),
    "bnvar": lambda t: times(down(t["bndiff2"]), 1 / (t["n"] - 1)),
    "bnvar_inv": lambda t: each(lambda x: (x + 1e-5) ** -0.5, t["bnvar"]),
    "bnraw": lambda t: times(t["bndiff"], t["bnvar_inv"]),
    "hpreact": lambda t: add(times(t["bngain"], t["bnraw"]), t["bnbias"]),
    "h": lambda t: each(math.tanh, t["hpreact"]),
    "logits": lambda t: add(matmul(t["h"], t["W2"]), t["b2"]),
    "logit_maxes": lambda t: [[max(row)] for row in t["logits"]],
    "norm_logits": lambda t: subtract(t["logits"], t["logit_maxes"]),
    "counts": lambda t: each(math.exp, t["norm_logits"]),
    "counts_sum": lambda t: across(t["counts"]),
    "counts_sum_inv": lambda t: each(lambda x: 1 / x, t["counts_sum"]),
    "probs": lambda t: times(t["counts"], t["counts_sum_inv"]),
    "logprobs": lambda t: each(math.log, t["probs"]),
    "loss": lambda t: [[-math.fsum(row[y] for row, y in zip(t["logprobs"], t["Yb"])) / t["n"]]],
    "dlogprobs": lambda t: times(one_hot(t["Yb"], len(t["W2"][0])), -1 / t["n"]),
    "dprobs": lambda t: times(each(lambda x: 1 / x, t["probs"]), t["dlogprobs"]),
    "dcounts_sum_inv": lambda t: across(times(t["counts"], t["dprobs"])),
    "dcounts_sum": lambda t: times(each(lambda x: -x ** -2, t["counts_sum"]), t["dcounts_sum_inv"]),
    "dcounts": lambda t: add(times(t["counts_sum_inv"], t["dprobs"]), t["dcounts_sum"]),
    "dnorm_logits": lambda t: times(t["counts"], t["dcounts"]),
    "dlogit_maxes": lambda t: each(lambda x: -x, across(t["dnorm_logits"])),
    "dlogits": lambda t: add(t["dnorm_logits"], times(
        one_hot([largest(row) for row in t["logits"]], len(t["W2"][0])), t["dlogit_maxes"])),
    "dh": lambda t: matmul(t["dlogits"], transposed(t["W2"])),
    "dW2": lambda t: matmul(transposed(t["h"]), t["dlogits"]),
    "db2": lambda t: down(t["dlogits"]),
    "dhpreact": lambda t: times(each(lambda x: 1 - x * x, t["h"]), t["dh"]),
    "dbngain": lambda t: down(times(t["bnraw"], t["dhpreact"])),
    "dbnbias": lambda t: down(t["dhpreact"]),
    "dbnraw": lambda t: times(t["bngain"], t["dhpreact"]),
    "dbnvar_inv": lambda t: down(times(t["bndiff"], t["dbnraw"])),
    "dbnvar": lambda t: times(each(lambda x: -0.5 * (x + 1e-5) ** -1.5, t["bnvar"]), t["dbnvar_inv"]),
    "dbndiff2": lambda t: [times(t["dbnvar"], 1 / (t["n"] - 1))[0]] * t["n"],
    "dbndiff": lambda t: add(
        times(t["bnvar_inv"], t["dbnraw"]), times(times(t["bndiff"], 2), t["dbndiff2"])),
    "dbnmeani": lambda t: each(lambda x: -x, down(t["dbndiff"])),
    "dhprebn": lambda t: add(t["dbndiff"], times(t["dbnmeani"], 1 / t["n"])),
    "dembcat": lambda t: matmul(t["dhprebn"], transposed(t["W1"])),
    "dW1": lambda t: matmul(transposed(t["embcat"]), t["dhprebn"]),
    "db1": lambda t: down(t["dhprebn"]),
    "demb": lambda t: reshaped(t["dembcat"], len(t["ids"])),
    "dC": scattered,
}


def reshaped(a, rows):
    flat = [x for row in a for x in row]
    width = len(flat) // rows
    return [flat[i:i + width] for i in range(0, len(flat), width)]


def dhprebn_in_one_go(t):
    n, g, x = t["n"], t["dhpreact"], t["bnraw"]
    part = times(x, times(down(times(g, x)), n / (n - 1)))
    return times(times(t["bngain"], times(t["bnvar_inv"], 1 / n)),
                 subtract(subtract(times(g, n), down(g)), part))


def dlogits_in_one_go(t):
    return times(subtract(t["probs"], one_hot(t["Yb"], len(t["W2"][0]))), 1 / t["n"])


class Notebook:
    """A pass with some of its lines changed."""

    def __init__(self, seed, n=32, hidden=64, embedding=10, vocabulary=27, dtype="F32", changes=None, scale=1.0,
                 has_one_window=False):
        self.dtype, self.n, block = dtype, n, 3
        draw = random.Random(seed)
        normal = lambda rows, columns, scale=1.0, mean=0.0: self.rounded(
            [[draw.gauss(mean, scale) for _ in range(columns)] for _ in range(rows)])
        width = embedding * block
        t = self.tensors = {
            "n": n, "C": normal(vocabulary, embedding), "W1": normal(width, hidden, scale * 5 / 3 / width ** 0.5),
            "b1": normal(1, hidden, 0.1), "W2": normal(hidden, vocabulary, 0.1),
            "b2": normal(1, vocabulary, 0.1), "bngain": normal(1, hidden, 0.1, 1.0),
            "bnbias": normal(1, hidden, 0.1),
            "ids": [draw.randrange(vocabulary) for _ in range(n * block)],
            "Yb": [draw.randrange(vocabulary) for _ in range(n)],
        }
        if has_one_window:
            t["ids"], t["Yb"] = t["ids"][:block] * n, t["Yb"][:1] * n
        for name, line in LINES.items():
            t[name] = self.rounded((changes or {}).get(name, line)(t))
        n, v, e = self.n, vocabulary, embedding
        self.shapes = {
            "Xb": [n, block], "Yb": [n], "C": [v, e], "dC": [v, e], "b1": [hidden], "db1": [hidden],
            "b2": [v], "db2": [v], "loss": [], "emb": [n, block, e], "demb": [n, block, e]}
        self.left_out, self.types = set(), {}

    def rounded(self, a):
        if self.dtype == "F64":
            return a
        limit = 3.4028234663852886e38
        single = lambda x: x if x != x or abs(x) > limit else struct.unpack("<f", struct.pack("<f", x))[0]
        return each(single, a)

    def shape(self, name):
        return self.shapes.get(name) or ([] if name == "loss" else
                                         [len(self.tensors[name]), len(self.tensors[name][0])])

    def encoded(self):
        entries = [("Xb", "I64", self.tensors["ids"]), ("Yb", "I64", self.tensors["Yb"])]
        entries += [(name, self.dtype, [x for row in self.tensors[name] for x in row])
                    for name in [*PARAMETERS, *LINES] if name not in self.left_out]
        entries = [(name, self.types.get(name, dtype), numbers) for name, dtype, numbers in entries]
        return encode([(name, dtype, self.shape(name), numbers) for name, dtype, numbers in entries])


def encode(tensors):
    """The bytes of a file with these (name, dtype, shape, numbers)."""
    header, data = {}, b""
    for name, dtype, shape, numbers in tensors:
        code = dict(F16="e", F32="f", F64="d", I64="q", I32="i", U8="B")[dtype]
        packed = struct.pack(f"<{len(numbers)}{code}", *(numbers if code in "efd" else map(int, numbers)))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    return with_header(json.dumps(header, ensure_ascii=False), data)


def with_header(header, data=b""):
    text = header.encode("utf-8", "surrogatepass") if isinstance(header, str) else header
    return struct.pack("<Q", len(text)) + text + data


def cases():
    """The exercise fifteen times: a name, what is to blame, and the notebook."""
    half = lambda name: {name: lambda t: [[x * (t["n"] - 1) / t["n"] for x in row] for row in LINES[name](t)]}
    scaled = lambda name, factor: {name: lambda t: times(LINES[name](t), factor)}
    assigned = {"dC": lambda t: scattered(t, last=True)}
    made = lambda changes=None: Notebook(2147483647, changes=changes)
    flat, square, updated, shared = made(), made(), made(), made()
    flat.shapes["dbngain"] = [64]
    column = [row[0] for row in square.tensors["dcounts_sum"]]
    square.tensors["dcounts_sum"] = [column] * 32
    for name in PARAMETERS:
        updated.tensors[name] = updated.rounded(
            subtract(updated.tensors[name], times(updated.tensors["d" + name], 0.1)))
    shared.tensors["dbndiff"] = shared.tensors["dhprebn"]
    return [
        ("right", [], made()),
        ("one-go", [], made({"dlogits": dlogits_in_one_go, "dhprebn": dhprebn_in_one_go})),
        ("counts-once", ["dcounts"], made({"dcounts": lambda t: times(t["counts_sum_inv"], t["dprobs"])})),
        ("bessel", ["dbndiff2"], made(half("dbndiff2"))),
        ("flat-gain", [], flat),
        ("keepdim", ["dcounts_sum"], square),
        ("assigned", ["dC"], made(assigned)),
        ("sign", ["dbnvar"], made(scaled("dbnvar", -1))),
        ("mean-once", ["dhprebn"], made({"dhprebn": lambda t: t["dbndiff"]})),
        ("biased", ["bnvar"], made({**half("bnvar"), **half("dbndiff2")})),
        ("not-averaged", ["dlogprobs"], made(scaled("dlogprobs", 32))),
        ("no-gain", ["dbnraw"], made({"dbnraw": lambda t: t["dhpreact"]})),
        ("two", ["dhpreact", "dC"], made(
            {"dhpreact": lambda t: each(lambda x: 1 - x * x, t["h"]), **assigned})),
        ("updated", ["parameters"], updated),
        ("alias", ["dbndiff"], shared),
    ]


def planted():
    """A fault in each line in turn, in both precisions, some with tensors left out."""
    for index, name in enumerate(LINES):
        dtype = ("F32", "F64")[index % 2]
        factor = (1.1, -1, 2, 8 / 7, 0.01)[index % 5]
        # A root or a logarithm is taken of these.
        if name in ("bnvar", "counts", "counts_sum", "counts_sum_inv", "probs"):
            factor = abs(factor)
        change = {name: lambda t, name=name, factor=factor: times(LINES[name](t), factor)}
        notebook = Notebook(index, n=8, hidden=12, embedding=4, vocabulary=11, dtype=dtype, changes=change)
        if index % 3 == 2:
            notebook.left_out = set(random.Random(index).sample(list(LINES), 6)) - {name}
        yield f"{name} times {factor}", notebook


def odd():
    """What a careless judge misreads: mixed passes, shapes that follow, hints that fit too much."""
    made = lambda changes=None, **others: Notebook(
        7, **{"n": 16, "hidden": 20, "embedding": 4, "vocabulary": 11, "changes": changes, **others})
    scaled = lambda name, factor: {name: lambda t: times(LINES[name](t), factor)}
    alone = set(LINES) - {"d" + name for name in PARAMETERS}
    for dtype in ("F32", "F64"):
        updated = made(dtype=dtype)
        for name in PARAMETERS:
            updated.tensors[name] = updated.rounded(
                subtract(updated.tensors[name], times(updated.tensors["d" + name], 0.1)))
        updated.left_out = alone
        yield f"{dtype}: parameters' gradients, and updated parameters", updated
        for n in (8, 32):
            redrawn, other = made(dtype=dtype), Notebook(8, n=n, hidden=20, embedding=4, vocabulary=11)
            redrawn.tensors.update(ids=other.tensors["ids"], Yb=other.tensors["Yb"])
            redrawn.shapes.update(Xb=other.shapes["Xb"], Yb=other.shapes["Yb"])
            yield f"{dtype}: Xb and Yb of {n} windows", redrawn
        for what, changes in [
                ("a factor", scaled("dW2", 1.01)),
                ("another tensor", {"dW2": lambda t: matmul(transposed(t["hpreact"]), t["dlogits"])})]:
            notebook = made(changes, dtype=dtype)
            notebook.left_out = alone
            yield f"{dtype}: parameters' gradients, and {what} in dW2", notebook
        for name in ("dlogit_maxes", "db1"):
            yield f"{dtype}: one window, -{name}", made(scaled(name, -1), dtype=dtype, n=32, has_one_window=True)
            yield f"{dtype}: -{name}", made(scaled(name, -1), dtype=dtype, n=32)
        for description, changes in [
                ("bndiff the other way round", {
                    "bndiff": lambda t: subtract(t["bnmeani"], t["hprebn"]), "dbnmeani": lambda t: down(t["dbndiff"]),
                    "dhprebn": lambda t: subtract(times(t["dbnmeani"], 1 / t["n"]), t["dbndiff"])}),
                ("log2", {**scaled("logprobs", 1 / math.log(2)), **scaled("dprobs", 1 / math.log(2))}),
                ("emb doubled", {**scaled("emb", 2), **scaled("dC", 2)}),
                ("mean over the vocabulary", scaled("dcounts_sum_inv", 1 / 11)),
                ("db1 of dbndiff", {"db1": lambda t: down(t["dbndiff"])}),
                ("product of sums", {"dbnvar_inv": lambda t: times(down(t["bndiff"]), down(t["dbnraw"]))}),
                ("dembcat of dbndiff", {"dembcat": lambda t: matmul(t["dbndiff"], transposed(t["W1"]))}),
                ("a loss of its own", scaled("loss", 0.98)),
                ("bfloat16", {"dh": lambda t: each(lambda x: math.ldexp(
                    round(math.ldexp(math.frexp(x)[0], 8)), math.frexp(x)[1] - 8), LINES["dh"](t))})]:
            yield f"{dtype}: {description}", made(changes, dtype=dtype)
        for description, changes in [
                ("h for its square", {"dhpreact": lambda t: times(each(lambda x: 1 - x, t["h"]), t["dh"])}),
                ("a product for a quotient", {"dprobs": lambda t: times(t["probs"], t["dlogprobs"])}),
                ("the standard deviation", {"bnvar_inv": lambda t: each(lambda x: (x + 1e-5) ** 0.5, t["bnvar"])}),
                ("bnraw for bndiff", {"dbnvar_inv": lambda t: down(times(t["bnraw"], t["dbnraw"]))}),
                ("without the target", {"dlogits": lambda t: times(t["probs"], 1 / t["n"])}),
                ("backwards", {"embcat": lambda t: [row[::-1] for row in LINES["embcat"](t)]}),
                ("another bias", {"logits": lambda t: add(matmul(t["h"], t["W2"]), times(t["b2"], t["b2"]))})]:
            yield f"{dtype}: {description}", made(changes, dtype=dtype)
        sigmoid = lambda x: 1 / (1 + math.exp(-x))
        for description, changes in [
                ("sigmoid's derivative", {"dhpreact": lambda t: times(each(lambda x: x * (1 - x), t["h"]), t["dh"])}),
                ("that of sigmoid itself", {"dhpreact": lambda t: times(
                    each(lambda x: sigmoid(x) * (1 - sigmoid(x)), t["hpreact"]), t["dh"])}),
                ("ReLU's derivative", {"dhpreact": lambda t: times(each(lambda x: float(x > 0), t["h"]), t["dh"])}),
                ("another epsilon", {"bnvar_inv": lambda t: each(lambda x: (x + 1e-3) ** -0.5, t["bnvar"])}),
                ("first writes", {"dC": lambda t: scattered(t, last=True, order=range(47, -1, -1))}),
                ("writes by place", {"dC": lambda t: scattered(
                    t, last=True, order=sorted(range(48), key=lambda i: (i % 3, i)))}),
                ("one place", {"dC": lambda t: scattered(t, order=range(1, 48, 3))}),
                ("other characters", {"dC": lambda t: scattered(
                    {**t, "ids": [t["ids"][i - i % 3] for i in range(48)]})}),
                ("other gradients", {"dC": lambda t: scattered(
                    {**t, "demb": [t["demb"][i - i % 3 + 2 - i % 3] for i in range(48)]})}),
                ("a place left out", {"dC": lambda t: scattered(t, order=[i for i in range(48) if i % 3])})]:
            yield f"{dtype}: {description}", made(changes, dtype=dtype)
        for name, terms in [("dbnbias", lambda t: t["dhpreact"]), ("bnvar", lambda t: times(t["bndiff2"], 1 / 15)),
                            ("dbngain", lambda t: times(t["bnraw"], t["dhpreact"])),
                            ("dbnvar_inv", lambda t: times(t["bndiff"], t["dbnraw"])),
                            ("dbnmeani", lambda t: times(t["dbndiff"], -1))]:
            other = {name: lambda t, terms=terms: transposed(across(terms(t)))}
            yield f"{dtype}: {name} along the other dimension", made(other, dtype=dtype, hidden=16)
        for name, terms in [("counts_sum", lambda t: t["counts"]),
                            ("dcounts_sum_inv", lambda t: times(t["counts"], t["dprobs"]))]:
            other = {name: lambda t, terms=terms: transposed(down(terms(t)))}
            yield f"{dtype}: {name} along the other dimension", made(other, dtype=dtype, vocabulary=16)
        for name, factor in [("W2", 2), ("W1", -0.5), ("bngain", 1.1)]:
            multiplied = made(dtype=dtype)
            multiplied.tensors[name] = multiplied.rounded(times(multiplied.tensors[name], factor))
            yield f"{dtype}: {name} times {factor} after the pass", multiplied
        for factor in (32, 1 / 32, 2):
            yield f"{dtype}: dlogit_maxes times {factor}", made(scaled("dlogit_maxes", factor), dtype=dtype, n=32)
        for changed in (["C"], ["W1"], ["W2"], ["b2"], ["bngain"], ["bnbias"], ["W1", "W2"]):
            for changes in ({}, scaled("dbndiff", 1.5)):
                updated = made(changes, dtype=dtype)
                for name in changed:
                    updated.tensors[name] = updated.rounded(
                        subtract(updated.tensors[name], times(updated.tensors["d" + name], 0.1)))
                yield f"{dtype}: {changed} updated, {list(changes)}", updated
        precise = made(dtype="F64", n=32)
        precise.dtype = dtype
        for name in [*PARAMETERS, *LINES]:
            precise.tensors[name] = precise.rounded(precise.tensors[name])
        yield f"{dtype}: computed in float64", precise
        another = made(dtype=dtype)
        another.tensors["W2"] = Notebook(8, n=16, hidden=20, embedding=4, vocabulary=11, dtype=dtype).tensors["W2"]
        yield f"{dtype}: another W2", another
        follows = made(dtype=dtype)
        follows.tensors["dcounts_sum_inv"] = times(follows.tensors["counts"], follows.tensors["dprobs"])
        follows.tensors["dcounts_sum"] = [row * 11 for row in follows.tensors["dcounts_sum"]]
        yield f"{dtype}: a shape that follows", follows
        for name, shape in [("dbndiff2", [1, 20]), ("dbnraw", [1, 20]), ("db2", [1]), ("db2", [16, 11]), ("db2", [16]),
                            ("loss", [16]), ("dh", [320]), ("dh", [8, 20]), ("dh", [20, 16]), ("dcounts_sum", [16, 16]),
                            ("dC", [4]), ("dC", [3, 4]), ("dC", [16, 3, 4])]:
            notebook = made(dtype=dtype)
            notebook.tensors[name] = [[1.0] * math.prod(shape)]
            notebook.shapes[name] = shape
            yield f"{dtype}: {name} {shape}", notebook
        left, other = made({"dlogits": dlogits_in_one_go, "dhprebn": dhprebn_in_one_go}, dtype=dtype), Notebook(
            9, n=16, hidden=20, embedding=4, vocabulary=11, dtype=dtype)
        for name in ("bnmeani bndiff bndiff2 dbnraw dbnvar_inv dbnvar dbndiff2 dbndiff dbnmeani logit_maxes norm_logits "
                     "counts counts_sum counts_sum_inv probs logprobs dlogprobs dprobs dcounts_sum_inv dcounts_sum "
                     "dcounts dnorm_logits dlogit_maxes").split():
            left.tensors[name] = other.tensors[name]
        yield f"{dtype}: steps of an earlier exercise", left
        for types in ({"dh": "F16"}, {"loss": "I64", "Xb": "I32", "Yb": "I32"}, {"demb": "U8"}):
            typed = made(dtype=dtype)
            typed.types = types
            yield f"{dtype}: {types}", typed
        yield f"{dtype}: large weights", made(dtype=dtype, scale=1e15)


def hostile():
    """Files that are refused, each for a reason of its own."""
    good = Notebook(1, n=2, hidden=3, embedding=2, vocabulary=3, dtype="F64")
    whole = good.encoded()
    entry = '"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    markup = "<img src=x onerror=hacked=1>"
    yield from [b"", b"1234567", whole[:-1], whole[:100], whole + b"\0", struct.pack("<Q", 10 ** 9) + b"{}",
                struct.pack("<Q", 2 ** 64 - 1) + b"{}", b"\x89PNG\r\n\x1a\n" * 4, b"PK\x03\x04" * 20]
    yield from map(with_header, [
        "", " {}", "{}x", "[]", "null", "{", '{"a"', '{"a":1}', "{" + entry + "," + entry + "}",
        '{"a":{}}', '{"a":{"dtype":"X8"}}', '{"a":{"dtype":"U8","shape":[01]}}', '{"a":{"shape":[-1]}}',
        '{"a":{"shape":[1.5]}}', '{"a":{"shape":[99999999999999999999]}}', '{"a":{"shape":[9223372036854775808]}}',
        '{"a":{"shape":[' + ",".join("1" * 65) + ']}}', '{"a":{"data_offsets":[0]}}', '{"a":{"data_offsets":[0,1,2]}}',
        '{"a":{"dtype":"U8","dtype":"U8"}}', '{"a":{"color":1}}', '{"' + "k" * 1025 + '":1}', '{"a\\ud800":1}',
        '{"a\\q":1}', '{"a\\u12":1}', '{"a\nb":1}', '{"__metadata__":{"a":1}}', '{"__metadata__":{},"__metadata__":{}}',
        '{"__metadata__":{"\u00e9":"","e\u0301":""}}', b'{"\xff":1}', b'{"\xe2\x82":1}', b'{"\xc0\x80":1}', b'{"\xed\xa0\x80":1}',
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,0]}}', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,9]}}',
        '{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,0]}}',
        '{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,0]}}',
        '{"' + markup + '":{"x":1}}', '{"\u202ea\\u0000":{"dtype":"<b>"}}', '{"' + "😀" * 70 + '":{"dtype":"</script>"}}',
    ])
    yield with_header("{" + entry + ',"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"1")
    yield with_header("{" + entry + ',"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}', b"123")
    yield with_header("{" + entry + "}", b"12")
    tensors = [("Xb", "I64", [2, 3], good.tensors["ids"]), ("Yb", "I64", [2], good.tensors["Yb"])]
    tensors += [(name, "F64", good.shape(name), sum(good.tensors[name], [])) for name in PARAMETERS]
    given = {tensor[0]: tensor for tensor in tensors}
    changed = lambda *others: encode(list({**given, **{tensor[0]: tensor for tensor in others}}.values()))
    for name in given:
        yield encode([tensor for tensor in tensors if tensor[0] != name])
    yield changed()
    yield changed(("W1.grad", "F64", [1], [1.0]), ("C.grad", "F64", [1], [1.0]))
    yield changed(("dlogist", "F64", [1], [1.0]))
    yield changed(("d" + markup, "F64", [1], [1.0]))
    yield changed(("C", "I64", [3, 2], [1] * 6))
    yield changed(("C", "F64", [6], [1.0] * 6))
    yield changed(("b1", "F32", [3], [1.0] * 3))
    yield changed(("b1", "F64", [4], [1.0] * 4))
    yield changed(("b2", "F64", [3], [1.0, math.nan, 0.0]))
    yield changed(("b2", "F64", [3], [1.0, 0.0, -1e300]))
    yield changed(("Yb", "I64", [2], [0, 3]))
    yield changed(("Xb", "I64", [2, 3], [0, 0, 0, 0, -1, 0]))
    yield changed(("Xb", "F64", [2, 3], [0.0] * 6))
    yield changed(("Xb", "I64", [1, 3], [0, 0, 0]), ("Yb", "I64", [1], [0]))
    yield changed(("W1", "F64", [5, 3], [0.0] * 15))
    yield changed(("dW1", "F32", [1], [0.0]))
    yield changed(("Yb", "U8", [2], [0, 1]))


def mutants(count):
    """Small files with a byte or two of their headers changed."""
    whole = Notebook(1, n=2, hidden=3, embedding=2, vocabulary=3, dtype="F64").encoded()
    length = struct.unpack("<Q", whole[:8])[0]
    draw = random.Random(5)
    for _ in range(count):
        bytes_ = bytearray(whole)
        for _ in range(draw.choice([1, 1, 2])):
            bytes_[draw.randrange(8 + length)] = draw.choice([draw.randrange(256), *b'"{}[],:019\\ F64U'])
        yield bytes(bytes_)
