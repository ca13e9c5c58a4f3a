"""Writes the manual pages of portalops, in English and Vietnamese, out of what its commands and its configuration declare.

    .venv/bin/python scripts/build_manuals.py [FOLDER]

`build/manuals` without a folder: `man1/portalops.1`, one page for each command, `man5/portalops.toml.5`, and `vi/man1/` in
Vietnamese. What a page says is what `--help` says; the same commands give the same bytes. The pages bear the day of
SOURCE_DATE_EPOCH where that is set, else that of the commit, and none where this is no clone: never that of the build.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from portalops import __version__  # noqa: E402
from portalops.locale import LANGUAGES, process_language, render, set_language  # noqa: E402
from portalops.model.message import Message, msg  # noqa: E402

if __name__ == "__main__" and sys.argv[2:3] and sys.argv[2] in LANGUAGES:
    set_language(sys.argv[2])  # help texts take the language that there is when commands are imported

from commands.cli.configuration_schema import configuration_schema  # noqa: E402
from commands.cli.declared import DeclaredCommand, DeclaredParameter, declared_commands, global_options  # noqa: E402
from commands.explain.explain import error_classes  # noqa: E402
from portalops.errors import ExitCode  # noqa: E402

FOLDER = ROOT / "build" / "manuals"
_WIDTH = 76
"""Of a line of the source, so that mandoc does not call it too long."""
_MAX_CHOICES = 12
"""Longer lists, such as all checks', are shown by a command of their own."""

ENVIRONMENT: Sequence[tuple[str, Message]] = (
    ("PORTALOPS_CONFIG", msg("The configuration file, where --config names none.")),
    (
        "PORTALOPS_SECTION_KEY",
        msg("One value of the configuration, such as PORTALOPS_STATE_FOLDER: see portalops.toml(5)."),
    ),
    (
        "PORTALOPS_LANG, LC_ALL, LC_MESSAGES, LANG",
        msg("The language of what is printed; the first that is set decides."),
    ),
    ("NO_COLOR, TERM", msg("With NO_COLOR, or with the terminal 'dumb', nothing is coloured.")),
    ("CREDENTIALS_DIRECTORY", msg("Where systemd puts the credentials that the configuration refers to.")),
)
FILES: Sequence[tuple[str, Message]] = (
    ("portalops.toml", msg("The configuration, in the working folder.")),
    (
        "~/.config/portalops/portalops.toml",
        msg("The configuration of a user other than root, where the working folder has none."),
    ),
    ("/etc/portalops/portalops.toml", msg("The configuration of the machine, where neither is there.")),
    ("conf.d/*.toml", msg("Beside the configuration: laid over it, by name.")),
    ("/var/lib/portalops", msg("The ledger, its evidence and the locks, unless state.folder says otherwise.")),
)


def english_pages() -> Mapping[str, str]:
    """Return each page's text by its place."""
    return {**command_pages("en"), "man5/portalops.toml.5": configuration_page(configuration_schema())}


def command_pages(language: str) -> Mapping[str, str]:
    """Return the pages of the commands by their places; the process must have this language."""
    assert process_language() == language
    commands = declared_commands()
    under = "" if language == "en" else f"{language}/"
    pages = {f"{under}man1/portalops.1": _main_page(commands, language)}
    return pages | {f"{under}man1/portalops-{each.called}.1": _command_page(each, language) for each in commands}


# --- roff --------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """Return text that roff shows letter by letter: hyphens that can be copied, no control lines, no escapes."""
    for letter, shown in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("`", "\\(ga"), ("^", "\\(ha"), ("~", "\\(ti")):
        text = text.replace(letter, shown)
    return f"\\&{text}" if text.startswith(".") else text


def _flowing(text: str) -> Iterator[str]:
    """Yield the lines of a paragraph: a new one for each sentence, none too long, none that roff takes for a request."""
    for sentence in re.split(r"(?<=[.!?:]) +(?=\S)", " ".join(text.split())):
        for line in textwrap.wrap(sentence, _WIDTH, break_long_words=False, break_on_hyphens=False):
            yield escaped(line)


def _quoted(text: str) -> str:
    """Return one argument of a request."""
    return '"' + escaped(text).replace('"', "\\(dq") + '"'


@functools.cache
def _epoch_of_commit() -> str:
    """Return when the source was committed, in seconds since 1970; empty where this is no clone, or there is no git."""
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _head(name: str, section: int, language: str) -> Iterator[str]:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "") or _epoch_of_commit()
    day = datetime.fromtimestamp(int(epoch), UTC).date().isoformat() if epoch.isdigit() else ""
    manual = render(msg("portalops manual"), language)
    yield '.\\" Made of what the commands declare; see scripts/build_manuals.py.'
    yield f'.TH {_quoted(name.upper())} {section} "{day}" {_quoted(f"portalops {__version__}")} {_quoted(manual)}'
    # names of options and paths stay whole, and Vietnamese words too; lines end where they end
    yield from (".nr HY 0", ".ds AD l", ".nh", ".ad l")


def _section(title: Message, language: str) -> str:
    return f".SH {_quoted(render(title, language).upper())}"


def _rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for shape, text in rows:
        yield ".TP"
        yield f".B {escaped(shape)}"
        yield from _flowing(text) if text else [".br"]


def _parameters(parameters: Iterable[DeclaredParameter], language: str) -> Iterator[str]:
    for each in parameters:
        text = render(each.meaning, language)
        if "|" not in each.value and 0 < len(each.choices) <= _MAX_CHOICES:
            text = f"{text}: {', '.join(each.choices)}"
        yield from _rows([(each.shape, text)])


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


# --- pages of commands -------------------------------------------------------------------------


def _main_page(commands: Sequence[DeclaredCommand], language: str) -> str:
    def lines() -> Iterator[str]:
        yield from _head("portalops", 1, language)
        yield from _name(
            "portalops",
            render(msg("do, prove and report the duties of a public portal's managing unit"), language),
            language,
        )
        yield _section(msg("Synopsis"), language)
        usage = render(msg("Usage: portalops COMMAND [ARGUMENTS] [OPTIONS]"), language).partition(": ")[2]
        yield f".B {escaped(usage)}"
        yield _section(msg("Description"), language)
        yield from _flowing(
            render(msg("portalops does, proves and reports the duties of a public portal's managing unit."), language)
        )
        yield from _flowing(
            render(
                msg(
                    "No duty is called met without evidence that a stranger can verify; what could not be found out is unknown, never a pass."
                ),
                language,
            )
        )
        yield ".PP"
        yield from _flowing(
            render(
                msg("'portalops COMMAND --help' says more; 'portalops explain CODE' explains an error or a check."),
                language,
            )
        )
        yield _section(msg("Commands"), language)
        for each in commands:
            yield ".TP"
            yield f".BR {escaped(f'portalops-{each.called}')} (1)"
            yield from _flowing(f"{each.summary}.")
        yield _section(msg("Options of every command"), language)
        yield from _parameters(global_options(), language)
        yield from _rows([("--version", render(msg("show which version this is"), language))])
        yield from _exit_status(language)
        yield from _surroundings(language)
        yield _section(msg("Diagnostics"), language)
        yield from _flowing(
            render(
                msg(
                    "An error is two lines on standard error: what is wrong, with a code, and what to do next. The codes:"
                ),
                language,
            )
        )
        yield from _rows((error.code, render(error.explanation, language)) for error in error_classes())
        yield _section(msg("See also"), language)
        yield from _references([*(f"portalops-{each.called}(1)" for each in commands), "portalops.toml(5)"])

    return _page(lines())


def _command_page(command: DeclaredCommand, language: str) -> str:
    name = f"portalops-{command.called}"

    def lines() -> Iterator[str]:
        yield from _head(name, 1, language)
        yield from _name(name, command.summary, language)
        yield _section(msg("Synopsis"), language)
        for number, leaf in enumerate(command.leaves()):
            if number:
                yield ".br"
            options = f" [\\fI{escaped(render(msg('OPTIONS'), language))}\\fR]" if leaf.options else ""
            yield f".B {escaped(leaf.usage)}{options}"
        if command.verbs:
            yield _section(msg("Verbs"), language)
            for leaf in command.leaves():
                yield f".SS {_quoted(leaf.called.partition(' ')[2])}"
                yield from _flowing(f"{leaf.summary}.")
                yield from _told(leaf, language, inside=True)
        else:
            yield _section(msg("Description"), language)
            yield from _flowing(f"{command.summary}.")
            yield from _told(command, language, inside=False)
        yield _section(msg("Options of every command"), language)
        yield from _parameters(global_options(), language)
        yield from _exit_status(language)
        yield from _surroundings(language)
        yield _section(msg("See also"), language)
        yield from _references(["portalops(1)", "portalops.toml(5)"])

    return _page(lines())


def _told(command: DeclaredCommand, language: str, *, inside: bool) -> Iterator[str]:
    """Say what a verb does, takes and ends with."""
    for text in command.paragraphs:
        yield ".PP"
        yield from _flowing(text)
    for title, parameters in ((msg("Arguments"), command.arguments), (msg("Options"), command.options)):
        if parameters:
            yield from _titled(title, language, inside=inside)
            yield from _parameters(parameters, language)
    yield from _titled(msg("It ends with"), language, inside=inside)
    yield from _rows((code, text) for code, text in command.exit_codes if code)
    for code, text in command.exit_codes:
        if not code:
            yield ".PP"
            yield from _flowing(f"{text}.")
    yield from _titled(msg("Examples"), language, inside=inside)
    for number, example in enumerate(command.examples):
        if number or inside:
            yield ".PP"
        yield ".nf"
        yield f".RS 4\n{escaped(example)}\n.RE"
        yield ".fi"


def _titled(title: Message, language: str, *, inside: bool) -> Iterator[str]:
    """Yield a heading one level below: in a verb's part a line in italics."""
    if inside:
        yield ".PP"
        yield f".I {escaped(render(title, language))}:"
    else:
        yield f".SS {_quoted(render(title, language))}"


def _name(name: str, summary: str, language: str) -> Iterator[str]:
    yield _section(msg("Name"), language)
    yield f"{escaped(name)} \\- {escaped(summary)}"


def _exit_status(language: str) -> Iterator[str]:
    yield _section(msg("Exit status"), language)
    yield from _rows((str(int(code)), render(code.meaning, language)) for code in ExitCode)


def _surroundings(language: str) -> Iterator[str]:
    yield _section(msg("Environment"), language)
    yield from _rows((name, render(text, language)) for name, text in ENVIRONMENT)
    yield _section(msg("Files"), language)
    yield from _rows((name, render(text, language)) for name, text in FILES)


def _references(pages: Sequence[str]) -> Iterator[str]:
    for number, page in enumerate(pages, 1):
        name, _parenthesis, section = page.partition("(")
        yield f".BR {escaped(name)} ({section}{',' if number < len(pages) else ''}"


# --- the configuration's page ------------------------------------------------------------------


Node = Mapping[str, object]


def configuration_page(schema: Mapping[str, object]) -> str:
    """Return the page of the configuration's tables and keys, out of its JSON Schema."""

    def lines() -> Iterator[str]:
        yield from _head("portalops.toml", 5, "en")
        yield from _name("portalops.toml", "configuration of portalops", "en")
        yield _section(msg("Description"), "en")
        yield from _flowing(
            "One TOML file holds what portalops does and where; 'portalops init' writes a first one, 'portalops config check' "
            "names every mistake with file and line, and 'portalops config show --origin' shows each value in force and where it "
            "comes from. An unknown key is refused."
        )
        yield ".PP"
        yield from _flowing(
            "The file is the one named by --config, else by PORTALOPS_CONFIG; else ./portalops.toml, "
            "~/.config/portalops/portalops.toml (not for root), or /etc/portalops/portalops.toml. Files named by 'include', files "
            "in conf.d beside it, and variables PORTALOPS_SECTION_KEY are laid over it in this order. Relative paths start in "
            "the folder of the file that holds them."
        )
        yield ".PP"
        yield from _flowing(
            'A secret is given by reference alone: { file = "..." }, { env = "..." }, { credential = "..." } or '
            '{ keyring = "..." }.'
        )
        yield '.SH "TABLES"'
        for title, said, rows in Tables(schema).sections():
            yield f".SS {_quoted(title)}"
            if said:
                yield from _flowing(said)
            yield from _rows(rows)
        yield from _surroundings("en")
        yield _section(msg("See also"), "en")
        yield from _references(["portalops(1)", "portalops-config(1)", "portalops-init(1)"])

    return _page(lines())


class Tables:
    """Walks a JSON Schema table by table."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._schema = schema
        self._definitions: Mapping[str, Node] = schema["$defs"]  # type: ignore[assignment]

    def sections(self) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
        """Yield each table's title, what it is, and its keys with what they take; the file's own keys first."""
        yield from self._table("", self._schema, is_list=False)

    def _table(
        self, path: str, node: Node, *, is_list: bool, kind: str = ""
    ) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
        title = f"[[{path}]]" if is_list else f"[{path}]" if path else "The file itself"
        required: Sequence[str] = node.get("required", ())  # type: ignore[assignment]
        rows: list[tuple[str, str]] = []
        below: list[tuple[str, Node, bool]] = []
        properties: Mapping[str, Node] = node.get("properties", {})  # type: ignore[assignment]
        for key, value in properties.items():
            inner = f"{path}.{key}" if path else key
            shape = self._resolved(value)
            items = self._resolved(shape.get("items", {}))  # type: ignore[arg-type]
            named = [shape.get("additionalProperties"), *shape.get("patternProperties", {}).values()]  # type: ignore[attr-defined]
            more = next((self._resolved(each) for each in named if isinstance(each, Mapping)), {})
            if "oneOf" in shape or self._is_table(shape):
                below.append((inner, shape, False))
            elif "oneOf" in items or self._is_table(items):
                below.append((inner, items, True))
            elif self._is_table(more):
                below.append((f"{inner}.NAME", more, False))
            else:
                rows.append((key, self._said(value, shape, items, is_required=key in required)))
        if rows or kind:
            yield f"{title} kind = {kind}" if kind else title, self._description(node, kind), rows
        for inner, shape, listed in below:
            alternatives: Sequence[Node] = shape.get("oneOf", (shape,))  # type: ignore[assignment]
            for each in map(self._resolved, alternatives):
                yield from self._table(inner, each, is_list=listed, kind=self._kind(each) if "oneOf" in shape else "")

    def _description(self, node: Node, kind: str) -> str:
        return "" if kind else str(node.get("description", ""))

    def _kind(self, node: Node) -> str:
        properties: Mapping[str, Node] = node.get("properties", {})  # type: ignore[assignment]
        chosen = {key: value["const"] for key, value in properties.items() if "const" in value}
        first = chosen.pop("kind", "")
        return ", ".join([f'"{first}"', *(f'{key} = "{value}"' for key, value in chosen.items())])

    def _resolved(self, node: Node) -> Node:
        for _step in range(4):
            if "$ref" in node:
                own = {key: value for key, value in node.items() if key != "$ref"}
                node = {**self._definitions[str(node["$ref"]).removeprefix("#/$defs/")], **own}
            elif "anyOf" in node:
                alternatives: Sequence[Node] = node["anyOf"]  # type: ignore[assignment]
                node = next(each for each in alternatives if each.get("type") != "null")
        return node

    def _is_table(self, node: Node) -> bool:
        return "properties" in node and node.get("title") not in {"Reference", "NameTable"}

    def _said(self, value: Node, shape: Node, items: Node, *, is_required: bool) -> str:
        said = str(value.get("description") or shape.get("description") or "")
        default = value.get("default", shape.get("default"))
        notes = [self._type(shape, items)]
        if is_required:
            notes.append("required")
        elif default not in (None, [], {}, ""):
            notes.append(f"default {_toml(default)}")
        return f"({', '.join(notes)}) {said}"

    def _type(self, shape: Node, items: Node) -> str:
        if shape.get("title") == "Reference":
            return "reference to a secret"
        if shape.get("title") == "NameTable":
            return "{ vi, en }"
        choices: Sequence[object] = shape.get("enum") or ([shape["const"]] if "const" in shape else ())  # type: ignore[assignment]
        if choices:
            return "one of " + ", ".join(map(_toml, choices)) if len(choices) > 1 else _toml(choices[0])
        if items:
            return f"list of {self._type(items, {})}"
        if shape.get("format") == "path":
            return "path"
        named = {
            "integer": "whole number",
            "number": "number",
            "boolean": "true or false",
            "string": "text",
            "object": "table",
        }
        bounds = [
            f"{word} {shape[key]}"
            for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))
            if key in shape
        ]
        return " ".join([named.get(str(shape.get("type")), "value"), *bounds])


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)


def main(arguments: Sequence[str]) -> int:
    """Write all pages, or with a language those in it: `build_manuals.py FOLDER vi`."""
    parser = argparse.ArgumentParser(prog="build_manuals.py", description="Write the manual pages of portalops.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="where they go (build/manuals)")
    parser.add_argument("language", nargs="?", choices=LANGUAGES, help="of the only pages to write")
    asked = parser.parse_args(arguments)
    folder: Path = asked.folder
    if asked.language is None:
        for language in LANGUAGES:
            subprocess.run([sys.executable, __file__, str(folder), language], check=True)
        return 0
    language = asked.language
    pages = english_pages() if language == "en" else command_pages(language)
    for place, text in pages.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
