"""Checks that the code shown in the library's articles is code that is compiled.

Every block of Swift in the articles and in docs/library.md must stand, line by line, in one of the example
programs, which continuous integration builds and runs.

Usage: python3 Tools/excerpts.py
"""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
ARTICLES = [*sorted((REPOSITORY / "Sources/CharMLP/CharMLP.docc").glob("*.md")),
            REPOSITORY / "docs/library.md"]
PROGRAMS = [*sorted((REPOSITORY / "Examples/Sources").glob("*/main.swift")),
            REPOSITORY / "Tools/dependent/main.swift"]
BLOCK = re.compile(r"^```swift\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def complaints() -> list[str]:
    programs = ["\n" + path.read_text() for path in PROGRAMS]
    wrong = []
    shown = 0
    for article in ARTICLES:
        text = article.read_text()
        for block in BLOCK.finditer(text):
            shown += 1
            if not any("\n" + block[1] in program for program in programs):
                line = text[:block.start()].count("\n") + 1
                wrong.append(f"{article.relative_to(REPOSITORY)}:{line}: stands in none of the example programs")
    if shown < len(ARTICLES):
        wrong.append(f"only {shown} blocks of Swift in {len(ARTICLES)} articles")
    return wrong


if __name__ == "__main__":
    found = complaints()
    print("\n".join(found) or "articles: all code stands in the example programs")
    sys.exit(bool(found))
