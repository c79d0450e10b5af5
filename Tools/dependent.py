"""Builds and runs somebody else's package, which depends on this one by version, in debug and in release.

What is committed is cloned and tagged, and a package of ten lines asks for it `from:` that version. SwiftPM treats a
version more strictly than a path: flags that it thinks unsafe may be refused, and submodules or files that are not
committed are missing. The program trains, draws a word, and breaks a precondition: its message must appear in both
builds.

Usage: python3 Tools/dependent.py [--keep]
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VERSION = "0.2.0"
MANIFEST = """// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "Dependent",
  dependencies: [.package(url: "file://{clone}", from: "{version}")],
  targets: [
    .executableTarget(name: "Dependent", dependencies: [.product(name: "CharMLP", package: "CharMLP")])
  ]
)
"""
SPOKEN = "Minibatch: 1 ids for 1 contexts of 3"


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", "-c", "advice.detachedHead=false", *arguments], check=True)


def check(package: Path, configuration: str) -> None:
    """Builds and runs the program in one configuration."""
    subprocess.run(["swift", "build", "-c", configuration, "--package-path", package], check=True)
    program = package / ".build" / configuration / "Dependent"
    run = subprocess.run([program], capture_output=True, text=True, check=True)
    if "a word: " not in run.stdout:
        sys.exit(f"dependent: {configuration}: {run.stdout!r}")
    print(f"{configuration}: {run.stdout.strip()}")
    broken = subprocess.run(
        [program, "break"], capture_output=True, text=True, env={"SWIFT_BACKTRACE": "enable=no"})
    if broken.returncode == 0 or SPOKEN not in broken.stderr:
        sys.exit(f"dependent: {configuration}: a broken precondition said {broken.stderr!r}")
    print(f"{configuration}: {broken.stderr.strip()}")


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="charmlp-dependent-"))
    try:
        clone, package = directory / "CharMLP", directory / "Dependent"
        git("clone", "--quiet", REPOSITORY, clone)
        git("-C", clone, "tag", VERSION)
        source = package / "Sources" / "Dependent" / "main.swift"
        source.parent.mkdir(parents=True)
        shutil.copy(REPOSITORY / "Tools" / "dependent" / "main.swift", source)
        (package / "Package.swift").write_text(MANIFEST.format(clone=clone, version=VERSION))
        for configuration in ("debug", "release"):
            check(package, configuration)
    finally:
        if "--keep" in sys.argv:
            print(directory)
        else:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
