"""What verbs and options were called before: the old call still works, is in no help, and is answered with a warning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portalops.model.message import Message, msg

RENAMED: Mapping[str, str] = {
    "backup copy": "backup replicate",
    "backup take-in": "backup import",
    "change drift --from-round": "change drift --from-scan",
    "change drift --to-round": "change drift --to-scan",
    "credential look": "credential poll",
}
"""By the old call: a noun and its verb, or these and an option."""


def renamed_options(called: str, arguments: Sequence[str]) -> tuple[tuple[str, ...], list[Message]]:
    """Return a verb's arguments with its options as they are called now, and a warning of each that was called otherwise."""
    found, warnings = list(arguments), []
    for number, argument in enumerate(arguments):
        if argument == "--":  # what follows is no option
            break
        name, equals, value = argument.partition("=")
        new = RENAMED.get(f"{called} {name}")
        if new is not None:
            found[number] = f"{new.rpartition(' ')[2]}{equals}{value}"
            warnings.append(rename_warning(f"{called} {name}", new))
    return tuple(found), warnings


def rename_warning(old: str, new: str) -> Message:
    """Return what a person is told who used an old name."""
    return msg("'portalops {old}' is now 'portalops {new}': use the new name", old=old, new=new)
