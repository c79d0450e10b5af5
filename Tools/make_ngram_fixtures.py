#!/usr/bin/env python3
"""Writes Tests/CharMLPTests/Fixtures/ngrams.json: losses of interpolated Kneser-Ney n-grams.

An implementation of its own, on strings and dictionaries, of what Sources/CharMLP/NGrams computes on
a tree: orders 2 to 6, a fixed discount of 0.75 and discounts estimated from counts of counts (Chen and
Goodman, 1999), on the notebook's split. Run with CPython 3.11, nothing else is needed:

    python3 Tools/make_ngram_fixtures.py                  writes the fixture, from data/names.txt
    python3 Tools/make_ngram_fixtures.py --words FILE     prints the losses on another list
"""

import argparse
import json
import math
import random
from collections import Counter
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FIXTURE = REPOSITORY / "Tests" / "CharMLPTests" / "Fixtures" / "ngrams.json"
END = "\n"  # before and after every word; no word contains it
FIXED = (0.75, 0.75, 0.75)


def split(words):
    """The notebook's: shuffled with seed 42, cut at 80 % and 90 %."""
    words = list(words)
    random.Random(42).shuffle(words)
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return {"train": words[:n1], "val": words[n1:n2], "test": words[n2:]}


def ngrams(word, order):
    """A word's n-grams: as many ends in front as the context is long, one behind."""
    text = END * (order - 1) + word + END
    return [text[start : start + order] for start in range(len(word) + 1)]


def count(words, order):
    """For each length its n-grams' counts: windows at the top, distinct left neighbours below."""
    counts = {order: Counter(gram for word in words for gram in ngrams(word, order))}
    for length in range(order - 1, 0, -1):
        counts[length] = Counter(gram[1:] for gram in counts[length + 1])
    return counts


def discounts_of(counts, discounting):
    """What is taken from counts of one, two, and more; fixed where there is no estimate."""
    n = Counter(counts.values())
    if discounting == "fixed" or not all(n[k] for k in (1, 2, 3, 4)):
        return FIXED
    y = n[1] / (n[1] + 2 * n[2])
    estimate = tuple(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))
    return estimate if min(estimate) > 0 else FIXED


def model(words, order, discounting, vocabulary_size):
    """The discounts by context length, and the function that gives an n-gram's probability."""
    counts = count(words, order)
    discounts = [discounts_of(counts[length + 1], discounting) for length in range(order)]
    totals, taken = Counter(), Counter()
    for length in range(1, order + 1):
        for gram, number in counts[length].items():
            # Contexts of different lengths are different strings, so one dictionary holds all.
            totals[gram[:-1]] += number
            taken[gram[:-1]] += discounts[length - 1][min(number, 3) - 1]

    @cache
    def probability(gram):
        if not gram:
            return 1 / vocabulary_size
        context, shorter = gram[:-1], probability(gram[1:])
        if context not in totals:
            return shorter
        number = counts[len(gram)][gram]
        kept = number - discounts[len(context)][min(number, 3) - 1] if number else 0
        return (kept + taken[context] * shorter) / totals[context]

    return discounts, probability


def loss(words, order, probability):
    """The mean of −log p over all characters and ends."""
    grams = [gram for word in words for gram in ngrams(word, order)]
    return -math.fsum(math.log(probability(gram)) for gram in grams) / len(grams)


def table(words):
    """Discounts and losses of all orders and both ways to discount."""
    parts = split(words)
    vocabulary_size = len(set("".join(words))) + 1
    rows = []
    for order in range(2, 7):
        for discounting in ("fixed", "estimated"):
            discounts, probability = model(parts["train"], order, discounting, vocabulary_size)
            losses = {name: loss(part, order, probability) for name, part in parts.items()}
            row = {"order": order, "discount": discounting, "discounts": discounts}
            rows.append(row | losses)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=Path, metavar="FILE", help="print the losses on this list")
    path = parser.parse_args().words
    lines = (path or REPOSITORY / "data" / "names.txt").read_text().split("\n")
    rows = table([line for line in lines if line])
    if path is None:
        FIXTURE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
        return
    for row in rows:
        losses = "  ".join(f"{part} {row[part]:.4f}" for part in ("train", "val", "test"))
        print(f"{row['order']}-gram, {row['discount']:<9}  {losses}")


if __name__ == "__main__":
    main()
