"""Builds the Swift halves of the fuzzers from the sources of the modules, into .build/fuzz.

They are not products of the package: a target that is linked with libFuzzer has its own `main`, and
everybody would have to build one more executable. A build that is newer than its sources is kept.
"""

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WORKSHOP = REPOSITORY / ".build" / "fuzz"
HERE = Path(__file__).resolve().parent
SOURCES = REPOSITORY / "Sources"

SAFETENSORS = sorted((SOURCES / "Safetensors").glob("*.swift"))
POSIX = sorted((SOURCES / "Posix").glob("*.swift"))
C_LINUX = SOURCES / "CLinux"
# Of the data folder, what needs nothing but Posix: no split, no generator.
WORD_LISTS = [
    path
    for path in sorted((SOURCES / "CharMLP" / "Data").glob("*.swift"))
    if path.name.startswith(
        ("WordList", "Vocabulary", "ContextWindows", "Encoding", "FileFormat"))
]

# lld, because the linker that Swift uses otherwise warns about every symbol of the sanitizer.
FUZZER = ["-sanitize=fuzzer,address", "-use-ld=lld"]


class ToolchainWithoutFuzzer(Exception):
    """The Swift toolchain cannot link a fuzzer."""


def has_fuzzer() -> bool:
    """Whether libFuzzer comes with the toolchain; those of Linux have it, Apple's Xcode does not."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    probe = WORKSHOP / "probe.swift"
    probe.write_text(
        '@_cdecl("LLVMFuzzerTestOneInput")\n'
        "public func test(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt { 0 }\n")
    command = ["swiftc", *FUZZER, "-parse-as-library", probe, "-o", probe.with_suffix("")]
    return subprocess.run(command, cwd=WORKSHOP, capture_output=True).returncode == 0


def build_posix() -> list[str | Path]:
    """Builds the module that word lists are read with; returns the flags that a program needs for it."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    module = WORKSHOP / "Posix.swiftmodule"
    object_file = WORKSHOP / "Posix.o"
    if not is_newer(object_file, POSIX):
        subprocess.run(
            ["swiftc", "-O", "-wmo", "-swift-version", "6", "-strict-memory-safety", "-parse-as-library",
             "-module-name", "Posix", "-I", C_LINUX, "-emit-module", "-emit-module-path", module,
             "-emit-object", *POSIX, "-o", object_file],
            cwd=WORKSHOP, check=True)
    return ["-I", WORKSHOP, "-I", C_LINUX, object_file]


def is_newer(product: Path, sources: list[Path]) -> bool:
    return product.exists() and all(path.stat().st_mtime < product.stat().st_mtime for path in sources)


def build(name: str, sources: list[Path], flags: list[str | Path]) -> Path:
    """The executable of Tools/fuzz/<name>.swift and the sources it is about."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    executable = WORKSHOP / name
    sources = [*sources, HERE / f"{name}.swift"]
    if is_newer(executable, sources):
        return executable
    subprocess.run(
        ["swiftc", "-O", "-swift-version", "6", "-strict-memory-safety", "-package-name", "fuzz",
         "-module-name", name, *flags,
         "-parse-as-library", *sources, "-o", executable],
        cwd=WORKSHOP, check=True)
    return executable


def build_answers() -> Path:
    return build("SafetensorsAnswers", SAFETENSORS, [])


def build_target(name: str) -> Path:
    """A fuzz target. Throws `ToolchainWithoutFuzzer` where none can be linked."""
    sources = {"SafetensorsTarget": SAFETENSORS, "WordListTarget": WORD_LISTS}[name]
    sources = [*sources, HERE / "ProcessorTime.swift"]
    if not (WORKSHOP / name).exists() and not has_fuzzer():
        raise ToolchainWithoutFuzzer
    uses_posix = build_posix() if name == "WordListTarget" else []
    return build(name, sources, [*FUZZER, *uses_posix])
