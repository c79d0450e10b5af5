"""Checks that the folders of Sources/CharMLP use each other in one direction only.

A folder may use what stands above it in ORDER, never what stands below. The compiler cannot see that, as
folders are one module. What a folder declares is read from the beginnings of lines (types, functions
and type aliases outside of any braces); a use is its name in another folder's code. Comments and string
literals are removed first. Members of extensions are not checked: a type's name is usually near them.

Usage: python3 Tools/arrows.py [folder of the library]
"""

import re
import sys
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "Sources" / "CharMLP"

# From what knows nothing of the others to what may know them all.
ORDER = ["Preconditions.swift", "Randomness", "Parallel", "Data", "Model", "Derivation", "Engine", "NGrams", "Training",
         "Checkpoint", "Sampling", "GradientCheck", "LineCheck", "Diagnostics"]

DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))? +)*(?:(?:public|package|internal|final|indirect|nonisolated|mutating) +)*"
    r"(?:struct|enum|class|actor|protocol|typealias|func) +(\w+)", re.MULTILINE)
# A type or a call of a function: a name in lower case alone may be anybody's variable.
USE = re.compile(r"(?<![\w.`])(?<!func )(?:[A-Z]\w*|\w+(?=[(]))")
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|#*"""(?P<long>.*?)"""#*|"(?:[^"\\\n]|\\.)*"', re.DOTALL)


def without_noise(code: str) -> str:
    """The code with comments and string literals replaced by as many line ends as they have."""
    return NOISE.sub(lambda match: "\n" * match.group().count("\n"), code)


def folders(library: Path) -> dict[str, dict[Path, str]]:
    """The code of every file of every folder."""
    found: dict[str, dict[Path, str]] = {}
    for path in sorted(library.rglob("*.swift")):
        folder = path.relative_to(library).parts[0]
        found.setdefault(folder, {})[path] = without_noise(path.read_text())
    return found


def complaints(library: Path) -> list[str]:
    code = folders(library)
    wrong = [f"{folder}: not in the order of Tools/arrows.py" for folder in code if folder not in ORDER]
    if wrong:
        return wrong
    home = {name: folder for folder, files in code.items() for text in files.values()
            for name in DECLARATION.findall(text)}
    for folder, files in code.items():
        below = {name for name, other in home.items() if ORDER.index(other) > ORDER.index(folder)}
        for path, text in files.items():
            for number, line in enumerate(text.split("\n"), 1):
                for name in USE.findall(line):
                    if name in below:
                        wrong.append(f"{path.relative_to(library.parents[1])}:{number}: {folder} uses {name} "
                                     f"of {home[name]}, which stands below it")
    return wrong


if __name__ == "__main__":
    found = complaints(Path(sys.argv[1]) if len(sys.argv) > 1 else LIBRARY)
    sys.exit("\n".join(found) or None)
