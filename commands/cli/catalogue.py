"""Finds nouns and verbs by their folders and files, and reads what they are for without importing them.

`commands/<noun>/<verb>.py` is `portalops NOUN VERB`. A noun's folder may hold nouns in turn, as `vuln/bundle` does. A folder with
a file of its own name is a command that stands alone: `commands/status/status.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from commands.cli.renamed import RENAMED, rename_warning, renamed_options
from commands.cli.usage import no_such_verb
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.text import paragraphs_of

COMMANDS = Path(__file__).parent.parent
FIRST_COMMANDS = ("init", "status", "run", "doctor", "explain")
"""The commands that stand alone and come first in the help; the others follow by name."""

_ROOMS = frozenset({"cli", "jobs"})
"""Folders of `commands` that are no nouns."""
_SHARED = frozenset({"options", "steps", "views"})
"""Files of a noun's folder that are no verbs: what its verbs share."""


@cache
def names() -> tuple[str, ...]:
    """Return every command's name, in the order in which the help shows them: the folder `watch_remote` is `watch-remote`."""
    found = _nouns_in(COMMANDS)
    first = [name for name in FIRST_COMMANDS if name in found]
    return (*first, *sorted(found.keys() - set(first)))


def file_of(called: str) -> Path | None:
    """Return the file of a command by how it is called, such as `backup run` or `status`; None for a noun that has verbs.

    The words must be those of `names` and `verbs_of`.
    """
    *nouns, last = called.replace("-", "_").split(" ")
    folder = COMMANDS.joinpath(*nouns)
    for file in (folder / f"{last}.py", folder / f"{last}_.py", folder / last / f"{last}.py"):
        if (nouns and file.is_file()) or (file.parent.name == last and file.is_file()):
            return file
    return None


def named(arguments: Sequence[str]) -> tuple[str, tuple[str, ...], tuple[Message, ...]]:
    """Split a call into the command, such as `backup run`, what is left for it, and a warning of each old name in it.

    A noun without a verb is returned as it is: its help may be asked for.

    Raises:
        UsageError: there is no such command or verb.
    """
    called, *rest = arguments
    warnings: list[Message] = []
    if called not in names():
        close = get_close_matches(called, names(), 1)
        raise UsageError(
            msg("there is no option {option}", option=called[:40])
            if called.startswith("-")
            else msg("there is no command {name}", name=called[:40]),
            msg("Did you mean 'portalops {close}'?", close=close[0])
            if close
            else msg("Run 'portalops --help' to see the commands."),
        )
    while file_of(called) is None:
        verb = next((argument for argument in rest if not argument.startswith("-")), None)
        if verb is None:
            break
        chosen = f"{called} {verb}"
        if (new := RENAMED.get(chosen)) is not None:
            warnings.append(rename_warning(chosen, new))
        elif verb not in (verbs := verbs_of(called)):
            raise no_such_verb(f"portalops {called}", verb, verbs)
        rest.remove(verb)
        called = new or chosen
    options, of_options = renamed_options(called, rest)
    return called, options, (*warnings, *of_options)


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Say whether a call asks for its help page; what stands behind `--` is for the verb."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--help" in before or "-h" in before


def verbs_of(called: str) -> Mapping[str, str]:
    """Return a noun's verbs and nouns, by name, each with its summary in the reader's language."""
    folder = COMMANDS.joinpath(*called.replace("-", "_").split(" "))
    verbs = {file.stem.rstrip("_") for file in folder.glob("*.py")} - _SHARED - {""}
    found = {verb.replace("_", "-") for verb in verbs if not verb.startswith("_")} | _nouns_in(folder).keys()
    return {verb: summary(f"{called} {verb}") for verb in sorted(found)}


def summary(called: str) -> str:
    """Return what a command or a noun is for, in the reader's language and without a full stop."""
    return help_of(called).partition("\n")[0]


def help_of(called: str) -> str:
    """Return a verb's help, or what a noun is for, in the reader's language: a line a paragraph, with a blank one between."""
    file = file_of(called)
    if file is not None:
        return _(_docstring(file))
    noun = COMMANDS.joinpath(*called.replace("-", "_").split(" "), "__init__.py")
    return _(_docstring(noun).partition("\n")[0].removesuffix("."))


def _nouns_in(folder: Path) -> Mapping[str, Path]:
    return {
        file.parent.name.replace("_", "-"): file.parent
        for file in folder.glob("*/__init__.py")
        if file.parent.name not in _ROOMS
    }


def _docstring(file: Path) -> str:
    """Return what stands at a file's beginning in three quotes, each paragraph on a line of its own."""
    return "\n\n".join(paragraphs_of(file.read_text(encoding="utf-8").split('"""', 2)[1].strip()))
