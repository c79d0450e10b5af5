#!/usr/bin/env python3
"""What a step costs on many nodes: a model, and what it predicts.

    python3 Benchmarks/ranks/model.py --fixed 20e-6 --window 0.9e-6

A step of n windows on N ranks takes

    fixed + window · n/N + Σ over four sums of 2 · (N − 1) · (latency + bytes / (N · bandwidth)):

each sum is two rounds of messages, from everybody to everybody its piece and back, and each message has
a latency and a piece of the buffer. `fixed` (the update and what else does not depend on n) and `window`
are measured on one process; latency and bandwidth are usual figures of networks. What comes out is a
prediction, and says so.
"""

import argparse

VECTOR = 16  # floats in a padded row's unit
NETWORKS = {  # seconds of a small message, bytes a second
    "Ethernet, 10 Gbit/s": (30e-6, 1.1e9),
    "InfiniBand or RoCE, 100 Gbit/s": (2e-6, 11e9),
}
SHAPES = {"notebook": (27, 3, 10, 200), "large": (27, 8, 24, 620)}  # vocabulary, block, embedding, hidden
NODES = (2, 4, 8, 16, 32, 64, 128, 256)


def padded(count):
    """Floats in a row of so many."""
    return -(-count // VECTOR) * VECTOR


def sum_bytes(vocabulary, block, embedding, hidden):
    """The bytes of the four sums of a step; slices pad a little more."""
    units = padded(hidden)
    gradients = (padded(block * embedding + 1) + padded(vocabulary)) * units
    gradients += vocabulary * padded(embedding) + padded(vocabulary) + VECTOR
    return [4 * units, 4 * units, 8 * units, 4 * gradients]


def communication(shape, nodes, latency, bandwidth):
    """Seconds in the sums of a step."""
    return sum(2 * (nodes - 1) * (latency + size / nodes / bandwidth) for size in sum_bytes(*shape))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fixed", type=float, required=True, help="seconds a step, whatever its size")
    parser.add_argument("--window", type=float, required=True, help="seconds a window")
    parser.add_argument("--shape", choices=SHAPES, default="large")
    parser.add_argument("--batches", type=int, nargs="+", default=[4096, 65536, 1048576])
    arguments = parser.parse_args()
    shape = SHAPES[arguments.shape]
    print(f"Predicted, {arguments.shape}: {sum(sum_bytes(*shape)):,} bytes in four sums a step\n")
    names = [f"n = {batch:,}" for batch in arguments.batches]
    for network, (latency, bandwidth) in NETWORKS.items():
        print(f"| {network} | sums | " + " | ".join(names) + " |")
        print("|---|--:|" + "--:|" * len(names))
        for nodes in NODES:
            sums = communication(shape, nodes, latency, bandwidth)
            cells = []
            for batch in arguments.batches:
                alone = arguments.fixed + arguments.window * batch
                together = arguments.fixed + arguments.window * batch / nodes + sums
                cells.append(f"{alone / together:.1f} ×")
            print(f"| {nodes} nodes | {sums * 1e3:.2f} ms | " + " | ".join(cells) + " |")
        print()


if __name__ == "__main__":
    main()
