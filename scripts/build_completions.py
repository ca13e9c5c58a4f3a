"""Writes the files that complete portalops in bash, zsh and fish, out of what its commands declare.

    .venv/bin/python scripts/build_completions.py [FOLDER]

`build/completions` without a folder. The shells read the files alone; Python is not started to complete a command. The
same commands give the same bytes. What a shell does with the tables is in scripts/completions/.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from commands.cli.declared import DeclaredCommand, DeclaredParameter, Takes, declared_commands, global_options  # noqa: E402
from portalops.locale import render  # noqa: E402

HERE = ROOT / "scripts" / "completions"
FOLDER = ROOT / "build" / "completions"
NAMES = {"bash": "portalops", "zsh": "_portalops", "fish": "portalops.fish"}
"""What each shell looks for."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What a shell must know, by the words that were typed: `portalops backup run`; `any` is behind all of them."""

    verbs: Mapping[str, tuple[tuple[str, str], ...]]
    """What may follow, each with what it does."""
    options: Mapping[str, tuple[tuple[str, str], ...]]
    values: Mapping[str, str]
    """By the words and an option: the kind of its value."""
    places: Mapping[str, tuple[str, ...]]
    """The kind of each argument in order; the last begins with `*` if it may be repeated."""


def tables(commands: Iterable[DeclaredCommand]) -> Tables:
    """Return the tables of these commands."""
    top = tuple(commands)
    every = [each for command in top for each in command.all()]
    first = [
        *((each.called, each.summary) for each in top),
        ("help", "Show how a command is called"),
    ]
    verbs = {"portalops": tuple(first)}
    verbs |= {
        f"portalops {each.called}": tuple((verb.called.rpartition(" ")[2], verb.summary) for verb in each.verbs)
        for each in every
        if each.verbs
    }
    options = {
        f"portalops {each.called}": tuple((name, _said(option)) for option in each.options for name in option.names)
        for each in every
        if each.options
    }
    everywhere = global_options()
    options["any"] = tuple((name, _said(option)) for option in everywhere for name in option.names)
    options["portalops"] = (("--version", "show which version this is"),)
    values = {
        f"any {name}": _kind(option)
        for option in everywhere
        if option.takes is not Takes.NOTHING
        for name in option.names
    }
    values |= {
        f"portalops {each.called} {name}": _kind(option)
        for each in every
        for option in each.options
        if option.takes is not Takes.NOTHING
        for name in option.names
    }
    places = {
        f"portalops {each.called}": tuple(f"{'*' if one.is_repeated else ''}{_kind(one)}" for one in each.arguments)
        for each in every
        if each.arguments
    }
    return Tables(verbs, options, values, places)


def _said(option: DeclaredParameter) -> str:
    return " ".join(render(option.meaning, "en").split())


def _kind(parameter: DeclaredParameter) -> str:
    match parameter.takes:
        case Takes.CHOICE:
            return f"words {' '.join(parameter.choices)}"
        case Takes.CONFIGURED_ID:
            return f"ids {parameter.section}"
        case _:
            return str(parameter.takes.value)


def in_bash(known: Tables) -> str:
    """Return bash's file."""
    words = [
        _bash_array("verbs", {path: " ".join(name for name, _text in rows) for path, rows in known.verbs.items()}),
        _bash_array("options", {path: " ".join(name for name, _text in rows) for path, rows in known.options.items()}),
        _bash_array("values", known.values),
        _bash_array("places", {path: "\n".join(kinds) for path, kinds in known.places.items()}),
    ]
    return _filled("bash", "\n".join(words), _quoted)


def _bash_array(name: str, rows: Mapping[str, str]) -> str:
    lines = "\n".join(f"    [{_quoted(key)}]={_quoted(value)}" for key, value in rows.items())
    return f"declare -gA _portalops_{name}=(\n{lines}\n)"


def in_zsh(known: Tables) -> str:
    """Return zsh's file."""
    described = {
        "verbs": {path: _described(rows) for path, rows in known.verbs.items()},
        "options": {path: _described(rows) for path, rows in known.options.items()},
        "values": known.values,
        "places": {path: "\n".join(kinds) for path, kinds in known.places.items()},
    }
    arrays = [
        f"typeset -gA _portalops_{name}\n_portalops_{name}=(\n"
        + "\n".join(f"    {_quoted(key)} {_quoted(value)}" for key, value in rows.items())
        + "\n)"
        for name, rows in described.items()
    ]
    return _filled("zsh", "\n".join(arrays), _quoted)


def _described(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{name}:{text}" for name, text in rows)


def in_fish(known: Tables) -> str:
    """Return fish's file."""
    functions = [
        _fish_function(
            "verbs", {path: [f"{name}\t{text}" for name, text in rows] for path, rows in known.verbs.items()}
        ),
        _fish_function(
            "options", {path: [f"{name}\t{text}" for name, text in rows] for path, rows in known.options.items()}
        ),
        _fish_function("values", {path: [kind] for path, kind in known.values.items()}),
        _fish_function("places", known.places),
    ]
    return _filled("fish", "\n".join(functions), _fish_quoted)


def _fish_function(name: str, rows: Mapping[str, Iterable[str]]) -> str:
    cases = "\n".join(
        f"        case {_fish_quoted(path)}\n            printf '%s\\n' {' '.join(map(_fish_quoted, lines))}"
        for path, lines in rows.items()
    )
    return f'function __portalops_{name}\n    switch "$argv[1]"\n{cases}\n    end\nend\n'


def _quoted(text: str) -> str:
    """Return a word for bash, zsh and sh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _filled(shell: str, words: str, quote: Callable[[str], str]) -> str:
    ids = "".join(
        line
        for line in (HERE / "ids.sh").read_text(encoding="utf-8").splitlines(keepends=True)
        if not line.startswith("#")
    )
    frame = (HERE / f"{shell}.sh").read_text(encoding="utf-8")
    return frame.replace("@TABLES@", words).replace("'@IDS@'", quote(ids.rstrip("\n")))


SHELLS: Mapping[str, Callable[[Tables], str]] = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}


def main(arguments: list[str]) -> int:
    """Write the files into `FOLDER/bash`, `FOLDER/zsh` and `FOLDER/fish`, each under the name that its shell looks for."""
    parser = argparse.ArgumentParser(
        prog="build_completions.py", description="Write the files that complete portalops in shells."
    )
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="where they go (build/completions)")
    folder = parser.parse_args(arguments).folder
    known = tables(declared_commands())
    for shell, build in SHELLS.items():
        path = folder / shell / NAMES[shell]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(build(known), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
