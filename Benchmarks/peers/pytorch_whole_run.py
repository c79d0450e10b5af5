"""The notebook's whole run in PyTorch: steps, calibration, three losses, twenty words; seconds in all.

    python pytorch_whole_run.py --threads 1 --data ../../data/makemore-names.txt

The steps are those of `pytorch-index-add`, and reading each loss is part of them. It is a run from the
import of torch to the last word, to set beside `train --json`'s seconds. Prints one JSON object.
"""

import argparse
import json
import random
import time
from pathlib import Path

STARTED = time.perf_counter()

from timing import limit_threads  # noqa: E402

STEPS = 200_000


def run(data: Path | None, threads: int, steps: int) -> dict:
    """Train, calibrate, evaluate and sample."""
    import torch
    import torch.nn.functional as F
    from pytorch_manual import IndexAdd
    from workload import DATA, EPSILON, PARAMETERS, SEED, SPLIT_SEED, TERMINATOR, load, windows

    path = data or DATA
    workload = load(path, batch=32, block=3, embedding=10, hidden=200)
    trained = IndexAdd(workload, threads)
    trained.train(steps)
    C, W1, b1, W2, b2, bngain, bnbias = (trained.parameters[name] for name in PARAMETERS)
    hprebn = C[trained.X].flatten(1) @ W1 + b1  # of every training window
    bnmean, bnvar = hprebn.mean(0, keepdim=True), hprebn.var(0, keepdim=True, unbiased=True)

    def logits(X: torch.Tensor) -> torch.Tensor:
        hprebn = C[X].flatten(1) @ W1 + b1
        hpreact = bngain * (hprebn - bnmean) * (bnvar + EPSILON) ** -0.5 + bnbias
        return torch.tanh(hpreact) @ W2 + b2

    words = path.read_text(encoding="utf-8").splitlines()
    random.Random(SPLIT_SEED).shuffle(words)
    ids = {c: index for index, c in enumerate(sorted(set("".join(words))), start=1)}
    cuts = (0, int(0.8 * len(words)), int(0.9 * len(words)), len(words))
    losses = []
    for first, last in zip(cuts, cuts[1:]):
        part = [[ids[character] for character in word] for word in words[first:last]]
        X, Y = (torch.from_numpy(array) for array in windows(part, 3))
        losses.append(F.cross_entropy(logits(X), Y).item())

    generator = torch.Generator().manual_seed(SEED + 10)
    characters = {index: character for character, index in ids.items()}
    samples = []
    for _ in range(20):
        drawn, context = "", [TERMINATOR] * 3
        while True:
            probs = F.softmax(logits(torch.tensor([context])), dim=1)
            ix = torch.multinomial(probs, num_samples=1, generator=generator).item()
            if ix == TERMINATOR:
                break
            drawn += characters[ix]
            context = [*context[1:], ix]
        samples.append(drawn)
    return {"steps": steps, "losses": losses, "samples": samples}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--data", type=Path, help="words, one per line (default: data/names.txt)")
    options = parser.parse_args()
    limit_threads(options.threads)
    result = run(options.data, options.threads, options.steps)
    print(json.dumps(result | {"seconds": time.perf_counter() - STARTED}))


if __name__ == "__main__":
    main()
