"""A sentence for a person, kept as data until the reader's language is known.

Rules and errors say *what* they mean once, in English, with named values; the catalogues in
`portalops/locale/` turn it into the reader's language when it is shown. So one ledger serves a
Vietnamese and an English report, and pure code needs no language. Rendering lives in
`portalops.locale`, not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from typing import TypeAlias

from portalops.model.organisation import Name
from portalops.model.text import format_at, show_text
from portalops.model.values import dataclass

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


class ByteCount(int):
    """A number of bytes in a sentence: shown in binary units, with one decimal from KiB on.

    >>> str(msg("{free} are free", free=ByteCount(1_572_864)))
    '1.5 MiB are free'
    """

    __slots__ = ()

    def __str__(self) -> str:
        size_bytes = int(self)
        power = next(
            (power for power in range(1, len(_UNITS)) if abs(size_bytes) < 1024 ** (power + 1)), len(_UNITS) - 1
        )
        if abs(size_bytes) < 1024:
            return f"{size_bytes} B"
        tenths = (abs(size_bytes) * 10 + 1024**power // 2) // 1024**power
        return f"{'-' if size_bytes < 0 else ''}{tenths // 10:,}.{tenths % 10} {_UNITS[power]}"


Value: TypeAlias = "str | int | date | datetime | Name | Message"
"""What a placeholder may hold: text as it is, numbers, days and moments shown the local way, a name, or a sentence."""


@dataclass(frozen=True, slots=True)
class Message:
    """One translatable sentence: an English template with `{name}` placeholders, and their values."""

    text: str
    """The English template; it is also the key into the catalogues."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """A value for each placeholder of `text`."""
    plural: str | None = None
    """The English template for any count but one; the count is the value named `n`."""

    def __str__(self) -> str:
        """Render in English, with ISO dates and with moments as JSON has them: what logs, JSON and tests show."""
        template = self.text if self.plural is None or self.values.get("n") == 1 else self.plural
        if not self.values:
            return template
        return template.format_map(
            {
                name: format_at(held) if isinstance(held, datetime) and held.tzinfo else held
                for name, held in self.values.items()
            }
        )


def msg(text: str, /, **values: Value) -> Message:
    """Return the message of a template literal; `msg("...")` calls are what the catalogues are extracted from."""
    return Message(text, values)


def nmsg(singular: str, plural: str, n: int, /, **values: Value) -> Message:
    """Return a message whose English differs for one and many; both templates may use `{n}`."""
    return Message(singular, {"n": n, **values}, plural)


def verbatim(text: str) -> Message:
    """Return text that is the same in every language: a name, a path, a program's own words."""
    return Message("{text}", {"text": text})


def together(messages: Sequence[Message], most: int | None = None) -> Message:
    """Return sentences as one, with semicolons between them; behind the most that are named, how many more there are."""
    named = [*messages[:most]]
    if len(named) < len(messages):
        named.append(msg("and {n} more", n=len(messages) - len(named)))
    values = {f"p{at}": each for at, each in enumerate(named)}
    return Message("; ".join(f"{{{name}}}" for name in values), values)


def kept(said: Message | str, limit: int) -> Message:
    """Return a sentence as a record keeps it; one whose English does not print on one line of the limit as that text alone."""
    shown = show_text(str(said), limit)
    return said if isinstance(said, Message) and str(said) == shown else verbatim(shown)
