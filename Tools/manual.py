"""Writes a manual page for `charmlp` and for each of its commands, in mdoc, from what the program says of itself.

ArgumentParser has a plugin for this. It builds every product of the package once more, calls the page of
`charmlp train` charmlp.train.1, and leaves the examples out: so the pages are written here, from the same
source, `--experimental-dump-help`, and from the examples of `--help`. The exit codes are those of docs/commands.md.

Usage: python3 Tools/manual.py PROGRAM FOLDER
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def said(program: Path, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def escaped(text: str) -> str:
    """Text without requests of roff: words keep their quotes, hyphens are ASCII's."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return re.sub(r"^(?=[.])", r"\\&", text, flags=re.MULTILINE)


def paragraphs(text: str | None) -> str:
    return "\n.Pp\n".join(escaped(" ".join(part.split())) for part in (text or "").split("\n\n"))


def named(argument: dict) -> str:
    """An argument as its list has it: all names, then what it takes."""
    names = sorted(argument.get("names") or [], key=lambda name: name["kind"] != "short")
    flags = " , ".join(f"Fl {'' if name['kind'] == 'short' else '-'}{escaped(name['name'])}" for name in names)
    value = f"Ar {escaped(argument.get('valueName') or '')}" if argument["kind"] != "flag" else ""
    return f"{flags} {value}".strip()


def synopsis(argument: dict) -> str:
    names = argument.get("names") or []
    one = named({**argument, "names": [argument["preferredName"]] if names else []})
    more = " ..." if argument["isRepeating"] else ""
    return f".Op {one}{more}" if argument["isOptional"] else f".{one}{more}"


def described(argument: dict) -> str:
    text = argument.get("abstract") or ""
    values, default = argument.get("allValues") or [], argument.get("defaultValue")
    if values and "values:" not in text:
        text += f" (values: {', '.join(values)})"
    if default and "default:" not in text:
        text += f" (default: {default})"
    more = argument.get("discussion")
    return paragraphs(f"{text}\n\n{more}" if more else text)


def options(arguments: list[dict]) -> list[str]:
    """The lists of arguments, each group under its title; as in --help, those without one stand last."""
    groups: dict[str, list[dict]] = {}
    for argument in arguments:
        title = "Arguments" if argument["kind"] == "positional" else argument.get("sectionTitle") or "Options"
        groups.setdefault(title, []).append(argument)
    if "Options" in groups:
        groups["Options"] = groups.pop("Options")
    lines = []
    for title, members in groups.items():
        lines += [f".Ss {escaped(title)}"] if len(groups) > 1 else []
        lines += [".Bl -tag -width Ds"]
        for argument in members:
            lines += [f".It {named(argument)}", described(argument)]
        lines += [".El"]
    return lines


def examples(program: Path, words: list[str]) -> list[str]:
    """The examples of --help: the lines of its usage."""
    help_text = said(program, *words, "--help")
    found = re.search(r"^USAGE: (.*?)\n\n", help_text, re.DOTALL | re.MULTILINE)
    lines = re.sub(r"^ {7}", "", found[1], flags=re.MULTILINE) if found else ""
    return [".Bd -literal", escaped(lines), ".Ed"] if "\n" in lines else []


def exit_codes() -> list[str]:
    rows = re.findall(r"^\| ([\d, ]+) \| (.+) \|$", (ROOT / "docs/commands.md").read_text(), re.MULTILINE)
    return [".Bl -tag -width Ds"] + [
        line for code, meaning in rows for line in (f".It {code}", escaped(meaning.replace("`", "")))
    ] + [".El"]


def page(program: Path, command: dict, ancestors: list[str], version: str, related: list[str]) -> str:
    words = [*ancestors, command["commandName"]]
    # Rare flags are hidden in --help and in the synopsis; the list of options has them all.
    everything = [each for each in command.get("arguments") or [] if each.get("abstract")]
    arguments = [each for each in everything if each["shouldDisplay"]]
    subcommands = [each for each in command.get("subcommands") or [] if each["commandName"] != "help"]
    date = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    # A name is not broken at its blanks.
    lines = [
        f".Dd {time.strftime('%B', date)} {date.tm_mday}, {date.tm_year}", f".Dt {'-'.join(words).upper()} 1",
        f".Os CharMLP {version}", ".Sh NAME", f".Nm {'-'.join(words)}", f".Nd {escaped(command['abstract'].rstrip('.'))}",
        ".Sh SYNOPSIS", f".Nm \"{' '.join(words)}\""]
    if subcommands:
        optional = command.get("defaultSubcommand") or arguments
        lines += [".Op Ar subcommand" if optional else ".Ar subcommand"]
    lines += [synopsis(each) for each in arguments]
    lines += [".Sh DESCRIPTION", paragraphs(command.get("discussion") or command["abstract"])]
    if subcommands:
        lines += [".Bl -tag -width Ds"]
        for each in subcommands:
            lines += [f".It Ic {each['commandName']}", paragraphs(each.get("abstract"))]
        lines += [".El"]
    lines += [".Sh OPTIONS", *options(everything)] if everything else []
    shown = examples(program, words[1:])
    lines += [".Sh EXAMPLES", *shown] if shown else []
    if ancestors:
        lines += [".Sh EXIT STATUS", "See", ".Xr charmlp 1 ."]
    else:
        lines += [".Sh EXIT STATUS", *exit_codes()]
    lines += [".Sh SEE ALSO", " ,\n".join(f".Xr {name} 1" for name in sorted(related))]
    return "\n".join(lines) + "\n"


def write(program: Path, folder: Path, command: dict, ancestors: list[str], version: str) -> None:
    words = [*ancestors, command["commandName"]]
    children = [each for each in command.get("subcommands") or [] if each["commandName"] != "help"]
    related = ["-".join(words[:end]) for end in range(1, len(words))]
    related += ["-".join([*words, each["commandName"]]) for each in children]
    (folder / f"{'-'.join(words)}.1").write_text(page(program, command, ancestors, version, related))
    for child in children:
        write(program, folder, child, words, version)


def main() -> None:
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    command = json.loads(said(program, "--experimental-dump-help"))["command"]
    write(program, folder, command, [], said(program, "--version").split()[1])


if __name__ == "__main__":
    main()
