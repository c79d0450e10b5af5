"""The notebook's sampling loop in PyTorch: words per second.

    python pytorch_sampling.py --threads 1

One word at a time, a forward pass for each character. As written, autograd records them all, since
the parameters require gradients; `--no-grad` turns that off. The model is trained first for a few
seconds, because words of an untrained one are longer. Prints one JSON object on one line.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from timing import limit_threads, per_second

STEPS = 5_000


def sampler(data: Path | None, threads: int, no_grad: bool) -> Callable[[], list[int]]:
    """Train a model of the notebook's shape and return what draws one word from it, as ids."""
    import torch
    import torch.nn.functional as F
    from pytorch_manual import IndexAdd
    from workload import DATA, EPSILON, PARAMETERS, SEED, TERMINATOR, load

    workload = load(data or DATA, batch=32, block=3, embedding=10, hidden=200)
    trained = IndexAdd(workload, threads)
    trained.train(STEPS)
    C, W1, b1, W2, b2, bngain, bnbias = (trained.parameters[name] for name in PARAMETERS)
    hprebn = C[trained.X].flatten(1) @ W1 + b1  # of every training window
    bnmean, bnvar = hprebn.mean(0, keepdim=True), hprebn.var(0, keepdim=True, unbiased=True)
    for parameter in trained.parameters.values():
        parameter.requires_grad = not no_grad
    generator = torch.Generator().manual_seed(SEED)

    def draw(context: list[int]) -> int:
        emb = C[torch.tensor([context])]  # (1, block, embedding)
        hprebn = emb.view(1, -1) @ W1 + b1  # (1, hidden)
        hpreact = bngain * (hprebn - bnmean) * (bnvar + EPSILON) ** -0.5 + bnbias  # (1, hidden)
        logits = torch.tanh(hpreact) @ W2 + b2  # (1, vocabulary)
        probs = F.softmax(logits, dim=1)  # (1, vocabulary)
        return torch.multinomial(probs, num_samples=1, generator=generator).item()

    def word() -> list[int]:
        ids: list[int] = []
        context = [TERMINATOR] * workload.shape.block
        while (drawn := draw(context)) != TERMINATOR:
            ids.append(drawn)
            context = [*context[1:], drawn]
        return ids

    return word


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--data", type=Path, help="words, one per line (default: data/names.txt)")
    parser.add_argument("--no-grad", action="store_true", help="without autograd's records")
    options = parser.parse_args()
    limit_threads(options.threads)
    word = sampler(options.data, options.threads, options.no_grad)
    lengths: list[int] = []

    def run() -> int:
        lengths.append(len(word()))
        return 1

    rate, cores = per_second(run, options.seconds)
    figures = {"words_per_second": rate, "cores": cores, "mean_length": sum(lengths) / len(lengths)}
    about = {"peer": "pytorch-sampling", "threads": options.threads, "no_grad": options.no_grad}
    print(json.dumps(about | figures))


if __name__ == "__main__":
    main()
