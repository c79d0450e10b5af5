"""Counts the public symbols of the library without a sentence of documentation; there must be none.

It reads the symbol graphs of the public modules as the compiler built them. What the compiler makes itself, such as `==`
of an Equatable type, needs no sentence. The lines of the derivation are explained under their names in
docs/derivation.md, so that the source reads as the derivation does: there each of them must be found.

Usage: python3 Tools/documented.py BUILD   (a folder with Modules, such as .build/debug)
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MODULES = ["CharMLP", "LinearAlgebra", "Safetensors"]


def symbol_graphs(build: Path, module: str, directory: Path) -> list[dict]:
    """The graph of a module and those of what it adds to other modules."""
    triple = json.loads(subprocess.run(
        ["swiftc", "-print-target-info"], capture_output=True, text=True, check=True).stdout)["target"]["triple"]
    headers = [flag for name in ("CLinux", "CBLAS", "CZlib", "CMPI")
               for flag in ("-I", REPOSITORY / "Sources" / name)]
    # DocC's plugin builds with all traits, MPI among them.
    headers += subprocess.run(
        ["pkg-config", "--cflags-only-I", "ompi-c"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(
        ["swift-symbolgraph-extract", "-module-name", module, "-target", triple, "-I", build / "Modules",
         "-I", build, *headers, *numerics(build), "-minimum-access-level", "public", "-skip-synthesized-members",
         "-output-dir", directory], check=True)
    return [json.loads(path.read_text()) for path in directory.glob(f"{module}*.symbols.json")]


def numerics(build: Path) -> list[str | Path]:
    """Where the C headers of swift-numerics lie."""
    found = sorted(build.resolve().parents[1].glob("checkouts/swift-numerics/Sources/_NumericsShims/include"))
    return [flag for path in found for flag in ("-I", path)]


def main() -> None:
    build = Path(sys.argv[1]).resolve()
    symbols: dict[str, dict] = {}
    for module in MODULES:
        with tempfile.TemporaryDirectory() as directory:
            for graph in symbol_graphs(build, module, Path(directory)):
                for symbol in graph["symbols"]:
                    symbols[symbol["identifier"]["precise"]] = symbol
    # A symbol without a place in the sources has nowhere to be documented.
    written = [symbol for symbol in symbols.values() if "location" in symbol]
    derived = (REPOSITORY / "docs" / "derivation.md").read_text()
    bare = [symbol for symbol in written if not any(
        line["text"].strip() for line in symbol.get("docComment", {}).get("lines", []))
        and not (symbol["location"]["uri"].endswith("/Derivation/Derivation.swift")
                 and f"`{symbol['pathComponents'][-1]}`" in derived)]
    for symbol in sorted(bare, key=lambda symbol: (symbol["location"]["uri"], symbol["location"]["position"]["line"])):
        place = Path(symbol["location"]["uri"].removeprefix("file://")).relative_to(REPOSITORY)
        line = symbol["location"]["position"]["line"] + 1
        print(f"{place}:{line}: {'.'.join(symbol['pathComponents'])} has no documentation")
    print(f"documented: {len(written) - len(bare)} of {len(written)} public symbols")
    sys.exit(bool(bare) or not written)


if __name__ == "__main__":
    main()
