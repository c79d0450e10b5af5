"""Installs a built `charmlp` into a temporary folder, uses what is there, and uninstalls it.

The commands run without an environment, from another folder; man formats every page; bash completes. What is
left in the end must be nothing. It takes seconds, since it builds nothing: `make install` itself is tried by
whoever makes a release.

Usage: python3 Tools/try_install.py PROGRAM
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ["train", "sample", "report", "gradcheck", "bench", "import"]


def run(*words, directory=ROOT, **options):
    outcome = subprocess.run(
        [str(word) for word in words], cwd=directory, capture_output=True, text=True, timeout=600, **options)
    if outcome.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
    return outcome.stdout


def require(condition, message):
    if not condition:
        sys.exit(f"try_install: {message}")


def completed(script, line, directory):
    """What bash completes the line to."""
    shell = f"""
. '{script}'
COMP_LINE='{line}' COMP_POINT={len(line)} COMP_WORDS=({line.rstrip()} {"''" if line.endswith(" ") else ""})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_charmlp charmlp "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}" """
    return run("bash", "-c", shell, directory=directory).split()


def main():
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        prefix, place = Path(folder) / "usr", Path(folder) / "place"
        place.mkdir()
        where = [f"DESTDIR={folder}", "PREFIX=/usr"]
        # Another stage than the developer's own.
        stage = [f"STAGE={folder}/stage", f"PROGRAM={program}"]
        run("make", "stage", *stage)
        run("make", "copy", *stage, *where)
        shutil.rmtree(f"{folder}/stage")

        charmlp = prefix / "bin/charmlp"
        train = ["train", "--recipe", "notebook", "--steps", "100", "--hidden", "8", "--samples", "2"]
        run("env", "-i", charmlp, *train, directory=place)
        words = run("env", "-i", charmlp, "sample", "--count", "3", directory=place).split("\n")
        require(len(words) == 4, f"sample printed {words}")
        version = run("env", "-i", charmlp, "--version", directory=place)
        require(version.startswith("charmlp 0."), version)

        pages = prefix / "share/man/man1"
        for name in ["charmlp", *(f"charmlp-{command}" for command in COMMANDS), "charmlp-sample-score"]:
            if not shutil.which("man"):
                print("no man here: pages are not formatted")
                break
            text = run("man", "--warnings", "-P", "cat", pages / f"{name}.1", env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin"})
            called = name.replace("charmlp-", "charmlp ").replace("sample-", "sample ")
            require(f"\n     {called}" in text, f"{name}.1 does not show how {called} is called:\n{text[:400]}")

        script = prefix / "share/bash-completion/completions/charmlp"
        for line, expected in [("charmlp gr", "gradcheck"), ("charmlp train --resume ", "runs/names-1"),
                               ("charmlp sample --suf", "--suffix"), ("charmlp train --recipe n", "notebook")]:
            require(expected in completed(script, line, place), f"bash does not complete '{line}'")

        run("make", "uninstall", *where)
        left = [path for path in prefix.rglob("*") if not path.is_dir()]
        require(not left, f"uninstall left {left}")
    print("charmlp installs, runs, completes, has its manual, and uninstalls")


if __name__ == "__main__":
    main()
