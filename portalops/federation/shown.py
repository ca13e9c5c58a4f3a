"""Sentences from another's records, made safe to show: what a site recorded may be a template with anything in it. Pure."""

from __future__ import annotations

from datetime import date, datetime
from string import Formatter

from portalops.model.message import Message, Value, verbatim
from portalops.model.organisation import Name
from portalops.model.text import show_text

MAX_CHARS = 300
"""As much as is shown of one text."""

MAX_DEPTH = 5
"""Sentences in sentences; portalops writes no deeper ones."""

_LARGEST = 10**18
_YEARS = range(1900, 9000)
"""Years whose moments can be shown in any time zone."""


def bounded(message: Message, depth: int = MAX_DEPTH) -> Message:
    """Return a sentence that can be rendered and does no harm to a terminal or a page.

    A template that names a value that it does not have, looks into one, or holds what does not print is shown as it stands.
    """
    templates = [message.text] if message.plural is None else [message.text, message.plural]
    if not depth or not all(_is_plain(each, message) for each in templates):
        return verbatim(show_text(message.text, MAX_CHARS))
    return Message(
        message.text, {name: _bounded(value, depth) for name, value in message.values.items()}, message.plural
    )


def _is_plain(template: str, message: Message) -> bool:
    if len(template) > 4 * MAX_CHARS or not template.isprintable():
        return False
    if not message.values:
        return True  # then nothing is put into it
    try:
        fields = [(name, form, turned) for _text, name, form, turned in Formatter().parse(template) if name is not None]
    except ValueError:
        return False
    return all(name in message.values and not form and turned is None for name, form, turned in fields)


def _bounded(value: Value, depth: int) -> Value:
    match value:
        case Message():
            return bounded(value, depth - 1)
        case Name():
            return Name(show_text(value.vi, MAX_CHARS), show_text(value.en, MAX_CHARS))
        case str():
            return show_text(value, MAX_CHARS)
        case datetime() | date():
            return value if value.year in _YEARS else value.isoformat()
        case int():
            return value if abs(value) < _LARGEST else "..."
