"""The small runs whose pages the browser opens, made by the latest builds of the commands."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from runs import Failure, train, train_command  # noqa: E402

# Users name directories, too. A name cannot hold a slash.
HOSTILE_NAME = "<img src=x onerror=hacked=1>&quot;'\u202e{{words}}"

HOSTILE_WORDS = [
    "<script>hacked=1</script>", "<img src=x onerror=hacked=1>", "</style>", "</script>",
    "<!--", "\"quoted\"", "it's", "&lt;b&gt;", "a\u202eb\u202cc", "\u05e9\u05dc\u05d5\u05dd",
    "\u0645\u0631\u062d\u0628\u0627", "😀🎉", "👩‍👩‍👧", "@1@", "{{title}}", "${hacked=1}", "e\u0301",
    "tab\tbed", "`system('touch hacked')`", "\\u003cscript", "javascript:hacked=1", "' onload='",
]


def report(*arguments, environment=None):
    """Runs `report`, which lies beside `train`."""
    command = [str(Path(train_command()).parent / "report"), *map(str, arguments)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env={**os.environ, **(environment or {})})
    if result.returncode != 0:
        raise Failure(f"status {result.returncode}: {' '.join(command)}\n{result.stderr}")
    return result


def make_names(directory):
    """A short run on the bundled names."""
    run = directory / "names"
    train("--out", run, "--steps", 2000, "--hidden", 50, "--evaluate-every", 200,
          "--threads", 1, "--quiet", "--report", expect=(0,))
    return run


def make_mixed(directory):
    """A short run of the default recipe, which mixes the network with counts and stops early."""
    run = directory / "mixed"
    train("--recipe", "best", "--out", run, "--steps", 600, "--hidden", 40, "--batch-size", 64,
          "--stop-at-validation-loss", 2.9, "--threads", 1, "--quiet", "--report", expect=(0,))
    return run


def make_hostile(directory):
    """A run that learns words by heart that try to be markup."""
    words = directory / "hostile.txt"
    words.write_text("".join(word + "\n" for word in HOSTILE_WORDS * 8), encoding="utf-8")
    run = directory / HOSTILE_NAME
    train("--data", words, "--out", run, "--steps", 4000, "--hidden", 60, "--block-size", 6,
          "--threads", 1, "--quiet", "--report", expect=(0,))
    return run


def make_comparison(directory, runs):
    page = directory / "comparison.html"
    report("--compare", *runs, "--out", page)
    return page


def make_without_gnuplot(directory, run):
    page = directory / "without-gnuplot.html"
    report(run, "--out", page, environment={"PATH": str(directory / "nowhere")})
    return page


def make_damaged(directory, run):
    """The page of a run with one weight of its network changed."""
    text = (run / "report.html").read_text(encoding="utf-8")
    start = text.index('"W2":"') + len('"W2":"')
    # Two characters further on are the exponent and the sign of the first weight.
    damaged = text[:start] + "AACAvw" + text[start + 6:]
    page = directory / "damaged.html"
    page.write_text(damaged, encoding="utf-8")
    return page
