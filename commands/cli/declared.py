"""What every command declares, as plain values: manual pages and completion are made of it, as help pages are.

Everything is read off the declarations that Typer parses by and off each command's help text, so that there is nothing
to keep in step. Help texts are in the language that the process had when the commands were imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from checks.servers.catalogue import checks
from commands.cli.calling import command_of
from commands.cli.catalogue import file_of, names, summary, verbs_of
from commands.cli.help import Parameter, meaning_of, name_of, parameters_of, sections_of, shape_of, usage_of, value_of
from commands.cli.invocation import GLOBAL_OPTIONS
from portalops.model.message import Message, msg
from portalops.rulebooks.load import available, load

if TYPE_CHECKING:
    pass

CONFIGURED_IDS: Mapping[str, str] = {
    "host": "host",
    "hosts": "host",
    "unit": "unit",
    "medium": "backup.medium",
    "media": "backup.medium",
    "source": "backup.source",
    "accept_shrink": "backup.source",
    "jobs": "job",
    "anchors": "ledger.anchor",
}
"""Parameters, by their names in the code, that take the id of a table of the configuration, and which table."""

_LABEL = re.compile(r"(Example|Ví dụ|EXIT STATUS|MÃ KẾT THÚC): (.*)", re.DOTALL)
_EXAMPLES = frozenset({"Example", "Ví dụ"})
_NEXT_EXAMPLE = re.compile(r"; (?=(?:sudo )?portalops )")
_NEXT_CODE = re.compile(r"[,;] (?=\d+ )")


def _check_ids() -> set[str]:
    return {each.id for each in checks()}


def _duty_ids() -> set[str]:
    return {duty.id for known in available() for duty in load(known, {}).duties}


_KNOWN: Mapping[str, Callable[[], set[str]]] = {
    "DUTY": _duty_ids,
    "CHECK": _check_ids,
    "FAMILY": lambda: {each.partition(".")[0] for each in _check_ids()},
}
"""What the checks of servers and the duties of all rulebooks are called, by the name of the value."""


class Takes(Enum):
    """What stands behind an option, or in an argument's place."""

    NOTHING = "nothing"
    TEXT = "text"
    FILE = "file"
    FOLDER = "folder"
    CHOICE = "choice"
    CONFIGURED_ID = "id"


@dataclass(frozen=True, slots=True)
class DeclaredParameter:
    """An argument or an option of a command."""

    names: tuple[str, ...]
    """All ways to write it: `("SET",)`, `("--full", "--diff")`."""
    shape: str
    """How it is shown: `SET`, `--full | --diff`, `--to FOLDER`."""
    value: str
    """What the value is called; empty for an option without one."""
    takes: Takes
    choices: tuple[str, ...]
    """With `Takes.CHOICE`: what it takes."""
    section: str
    """With `Takes.CONFIGURED_ID`: the table of the configuration whose ids it takes."""
    is_required: bool
    is_repeated: bool
    meaning: Message


@dataclass(frozen=True, slots=True)
class DeclaredCommand:
    """A command that does something, or a noun with its verbs."""

    called: str
    """As it is called behind `portalops`: `backup run`."""
    summary: str
    usage: str
    """The whole call: `portalops backup restore SET --identity FILE [OPTIONS]` without the last word."""
    paragraphs: tuple[str, ...] = ()
    """What the help says more, in order."""
    examples: tuple[str, ...] = ()
    exit_codes: tuple[tuple[str, str], ...] = ()
    """Each code that it ends with, and what that means here; a code of the empty string is a remark on all."""
    arguments: tuple[DeclaredParameter, ...] = ()
    options: tuple[DeclaredParameter, ...] = ()
    verbs: tuple[DeclaredCommand, ...] = ()

    def leaves(self) -> Iterator[DeclaredCommand]:
        """Yield all that can be called, itself if it has no verbs."""
        if not self.verbs:
            yield self
        for verb in self.verbs:
            yield from verb.leaves()

    def all(self) -> Iterator[DeclaredCommand]:
        """Yield itself and everything below it."""
        yield self
        for verb in self.verbs:
            yield from verb.all()


def declared_commands() -> tuple[DeclaredCommand, ...]:
    """Return every command, in the order in which `portalops --help` shows them; imports all of them."""
    return tuple(map(_declared, names()))


def global_options() -> tuple[DeclaredParameter, ...]:
    """Return the options that every command understands, `--help` with them."""
    return tuple(_global(shape, text) for shape, text in (*GLOBAL_OPTIONS, ("--help, -h", msg("show this help"))))


def _global(shape: str, text: Message) -> DeclaredParameter:
    """Read `--config FILE`, `--lang vi|en` or `--quiet, -q` as the help page shows it."""
    option, _blank, value = shape.partition(" ") if ", " not in shape else (shape, "", "")
    choices = tuple(value.split("|")) if "|" in value else ()
    return DeclaredParameter(
        names=tuple(option.split(", ")),
        shape=shape,
        value=value,
        takes=Takes.CHOICE if choices else Takes.FILE if value == "FILE" else Takes.TEXT if value else Takes.NOTHING,
        choices=choices,
        section="",
        is_required=False,
        is_repeated=False,
        meaning=text,
    )


def _declared(called: str) -> DeclaredCommand:
    if file_of(called) is None:
        below = tuple(_declared(f"{called} {verb}") for verb in verbs_of(called))
        return DeclaredCommand(called, summary(called), f"portalops {called}", verbs=below)
    command = command_of(called)
    sections = sections_of(command)
    labelled = [found for found in map(_LABEL.fullmatch, sections) if found]
    arguments, options = parameters_of(command)
    return DeclaredCommand(
        called=called,
        summary=sections[0],
        usage=usage_of(called, command),
        paragraphs=tuple(text for text in sections[1:] if not _LABEL.fullmatch(text)),
        examples=tuple(text for found in labelled if found[1] in _EXAMPLES for text in _NEXT_EXAMPLE.split(found[2])),
        exit_codes=tuple(row for found in labelled if found[1] not in _EXAMPLES for row in _codes(found[2])),
        arguments=tuple(map(_parameter, arguments)),
        options=tuple(map(_parameter, options)),
    )


def _codes(text: str) -> Iterator[tuple[str, str]]:
    """Take `0 listed, 2 no such period. With --nagios: 0 OK` apart: a sentence behind the codes is a remark."""
    codes, stop, remark = text.partition(". ")
    for part in _NEXT_CODE.split(codes):
        code, _blank, meaning = part.partition(" ")
        yield code, meaning
    if stop:
        yield "", remark


def _parameter(parameter: Parameter) -> DeclaredParameter:
    is_argument = parameter.param_type_name == "argument"
    is_flag = bool(getattr(parameter, "is_flag", False))
    value = "" if is_flag else value_of(parameter)
    takes, choices, section = (Takes.NOTHING, (), "") if is_flag else _taken(parameter, value)
    return DeclaredParameter(
        names=(name_of(parameter),) if is_argument else (*parameter.opts, *parameter.secondary_opts),
        shape=shape_of(parameter),
        value=value,
        takes=takes,
        choices=choices,
        section=section,
        is_required=parameter.required,
        is_repeated=parameter.nargs == -1 or parameter.multiple,
        meaning=meaning_of(parameter),
    )


def _taken(parameter: Parameter, value: str) -> tuple[Takes, tuple[str, ...], str]:
    known = parameter.type_descriptor.parameter_info.autocompletion
    if known is not None:
        return Takes.CHOICE, tuple(sorted(known())), ""
    if value in _KNOWN:
        return Takes.CHOICE, tuple(sorted(_KNOWN[value]())), ""
    if "|" in value:
        return Takes.CHOICE, tuple(value.split("|")), ""
    if value in {"FILE", "REPORT_FILE"}:
        return Takes.FILE, (), ""
    if value == "FOLDER" or parameter.name == "bundle":
        return Takes.FOLDER, (), ""
    annotation = parameter.type_descriptor.annotation
    if Path in {annotation, *get_args(annotation)}:
        return Takes.FILE, (), ""
    section = CONFIGURED_IDS.get((parameter.name or "").strip("_"), "")
    return (Takes.CONFIGURED_ID, (), section) if section else (Takes.TEXT, (), "")
