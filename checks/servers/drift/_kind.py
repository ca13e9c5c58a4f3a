"""What a kind of drift is: what it looks at in two looks at one host, and what it says differs.

How to add one: a file `drift/NAME.py` with `KIND`. Most hold one text by name, and are compared by `by_state`:

    KIND = Kind("unit", msg("unit"), (enabled_units.PROBE,), by_state(state, times), state)

What a look lacks is unknown, and never "nothing changed".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias, cast

from checks.servers.probe import COMMAND_MISSING, FactT, Missing, Probe
from checks.servers.probes import file_times
from checks.servers.probes.file_times import FileTime
from portalops.model.message import Message


class KnownBy(StrEnum):
    """How the time of a change is known."""

    LOG = "log"
    """The package manager wrote it down."""
    FILE = "file"
    """The kernel's own time of the file's last change (ctime)."""
    BOOT = "boot"
    """The journal, or the kernel's own word on its start."""
    BETWEEN = "between"
    """It is not known but that it lies between the two looks."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a host found."""

    at: datetime
    """When its answer was received, UTC: the portal's clock."""
    found: Mapping[str, object]
    """By probe id: the parsed value, or `Missing`."""

    def get(self, probe: Probe[FactT]) -> FactT | Missing:
        """Return a fact, or why it is missing."""
        return cast("FactT | Missing", self.found[probe.id])

    def either(self, first: Probe[Any], second: Probe[Any]) -> tuple[Probe[Any], Any]:
        """Return the first of two probes and its fact, or the second's where the host lacks the first's program."""
        fact = self.get(first)
        if isinstance(fact, Missing) and fact.reason == COMMAND_MISSING:
            other = self.get(second)
            if not (isinstance(other, Missing) and other.reason == COMMAND_MISSING):
                return second, other
        return first, fact


@dataclass(frozen=True, slots=True)
class Step:
    """One change, as a host tells it."""

    name: str
    before: str | None
    """Empty where it was not there; None where it is not known."""
    after: str | None
    at: datetime | None = None
    """By the host's clock."""
    known_by: KnownBy = KnownBy.BETWEEN
    by: str = ""
    """Who, where something says so."""
    written_at: datetime | None = None
    """Of a file: the time of its content, by the host's clock, where that is before `at`; it may have been written then."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a kind says of two looks."""

    steps: tuple[Step, ...] = ()
    unknown: tuple[Missing, ...] = ()


State: TypeAlias = "Callable[[Look], Mapping[str, str] | Missing]"
Times: TypeAlias = "Callable[[Look, str], FileTime | None]"
Compare: TypeAlias = "Callable[[Look, Look], Compared]"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of drift."""

    id: str
    word: Message
    probes: tuple[Probe[Any], ...]
    compare: Compare
    state: State | None = None
    """By name what is there; None for what only happens, and cannot be reverted."""


def by_state(state: State, times: Times = lambda _look, _name: None) -> Compare:
    """Return what compares two looks by what each held; `times` says when a name changed, by the second look."""

    def compare(before: Look, after: Look) -> Compared:
        old, new = state(before), state(after)
        lacking = [each for each in (old, new) if isinstance(each, Missing)]
        if isinstance(old, Missing) or isinstance(new, Missing):
            return Compared(unknown=tuple(lacking[:1]))
        return Compared(
            tuple(
                _timed(Step(name, old.get(name, ""), new.get(name, "")), times(after, name))
                for name in sorted({*old, *new})
                if old.get(name, "") != new.get(name, "")
            )
        )

    return compare


def _timed(step: Step, time: FileTime | None) -> Step:
    if time is None:
        return step
    written = time.written_at
    # NOTE: a content of after the file's last change bears a time that somebody set, and says nothing.
    earlier = written if written is not None and written < time.changed_at else None
    return replace(step, at=time.changed_at, known_by=KnownBy.FILE, written_at=earlier)


def changed_at(look: Look, path: str) -> FileTime | None:
    """Return when a file was changed last; None where that is not seen."""
    found = look.get(file_times.PROBE)
    return None if isinstance(found, Missing) else found.get(path)


def unless_there_is_none(look: Look, probe: Probe[FactT]) -> FactT | Missing | None:
    """Return a fact; None where the host has no such program, and so nothing of the kind."""
    fact = look.get(probe)
    return None if isinstance(fact, Missing) and fact.reason == COMMAND_MISSING else fact
