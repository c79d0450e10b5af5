"""What many rounds of measurements come to: medians, ratios, and the table of both.

`Rates` are the steps (or words) per second of one configuration, by program and number of threads, round by
round. Nothing is run here.
"""

from statistics import median

OURS = "charmlp"

Rates = dict[str, dict[int, list[float]]]


def better(rates: dict[int, list[float]]) -> list[float]:
    """A peer's rounds with the number of threads that suits it better, by the median."""
    return max(rates.values(), key=median)


def ratios(rates: Rates, peer: str) -> dict[int, float]:
    """Ours ÷ the peer's better figure, as the median of the rounds' ratios, by our threads."""
    return {
        threads: median(ours / its for ours, its in zip(rounds, better(rates[peer]), strict=True))
        for threads, rounds in rates.get(OURS, {}).items()
    }


def summary(rates: Rates, unit: str) -> dict[str, dict]:
    """Medians and ratios of one configuration, by program and threads."""
    return {
        program: {
            f"{unit}_per_second": {t: median(rounds) for t, rounds in by_threads.items()},
            "ours_over_peer": {} if program == OURS else ratios(rates, program),
            "rounds": by_threads,
        }
        for program, by_threads in rates.items()
    }


def markdown(
    summaries: dict[str, dict[str, dict]], unit: str, threads: tuple[int, ...]
) -> str:
    """One Markdown table of all configurations."""
    units = [f"{count} thread{'s' if count > 1 else ''}" for count in threads]
    header = ["shape", "program", *units, *(f"ours, {unit} ÷ it" for unit in units)]
    rows = [header, ["---", "---", *["--:"] * (2 * len(threads))]]
    for configuration, programs in summaries.items():
        for program, figures in programs.items():
            rates, over = figures[f"{unit}_per_second"], figures["ours_over_peer"]
            steps = [number(rates[count]) if count in rates else "" for count in threads]
            times = [f"{factor(over[count])} ×" if count in over else "" for count in threads]
            rows.append([configuration, program, *steps, *times])
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join(line(row, widths) for row in rows)


def number(rate: float) -> str:
    """A rate, with a decimal where they are few."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"


def factor(ratio: float) -> str:
    """A ratio; large ones without decimals."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2f}"


def line(row: list[str], widths: list[int]) -> str:
    """One row, its figures flush right."""
    cells = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "| " + " | ".join(cells) + " |"
