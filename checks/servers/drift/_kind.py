"""What a kind of drift is: what it looks at in two looks at one host, and what it says differs.

How to add one: a file `drift/NAME.py` with `KIND`. Most hold one text by name, and are compared by `compare_states`:

    KIND = Kind("unit", msg("unit"), (enabled_units.PROBE,), by_state(state, times), state)

What a look lacks is unknown, and never "nothing changed".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias, cast

from checks.servers.drifted import KnownBy
from checks.servers.probe import COMMAND_MISSING, FactT, MissingFact, Probe
from checks.servers.probes import file_times
from checks.servers.probes.file_times import FileTime
from portalops.model.message import Message


@dataclass(frozen=True, slots=True)
class HostView:
    """What one look at a host found."""

    at: datetime
    """When its answer was received, UTC: the portal's clock."""
    found: Mapping[str, object]
    """By probe id: the parsed value, or `Missing`."""
    seen_at: Mapping[str, datetime] = field(default_factory=dict)
    """By probe id: when the answer was received in which a repeated section stood first, UTC."""

    def oldest_at(self, probes: Iterable[Probe[Any]]) -> datetime:
        """Return when the oldest of some facts was seen: what they show may have changed at any time after that."""
        return min(self.seen_at.get(each.id, self.at) for each in probes)

    def get(self, probe: Probe[FactT]) -> FactT | MissingFact:
        """Return a fact, or why it is missing."""
        return cast("FactT | MissingFact", self.found[probe.id])

    def either(self, first: Probe[Any], second: Probe[Any]) -> tuple[Probe[Any], Any]:
        """Return the first of two probes and its fact, or the second's where the host lacks the first's program."""
        fact = self.get(first)
        if isinstance(fact, MissingFact) and fact.reason == COMMAND_MISSING:
            other = self.get(second)
            if not (isinstance(other, MissingFact) and other.reason == COMMAND_MISSING):
                return second, other
        return first, fact


@dataclass(frozen=True, slots=True)
class DriftStep:
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
class DriftComparison:
    """What a kind says of two looks."""

    steps: tuple[DriftStep, ...] = ()
    unknown: tuple[MissingFact, ...] = ()


State: TypeAlias = "Callable[[HostView], Mapping[str, str] | MissingFact]"
Times: TypeAlias = "Callable[[HostView, str], FileTime | None]"
Compare: TypeAlias = "Callable[[HostView, HostView], DriftComparison]"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of drift."""

    id: str
    word: Message
    probes: tuple[Probe[Any], ...]
    compare: Compare
    state: State | None = None
    """By name what is there; None for what only happens, and cannot be reverted."""


def compare_states(state: State, times: Times = lambda _look, _name: None) -> Compare:
    """Return what compares two looks by what each held; `times` says when a name changed, by the second look."""

    def compare(before: HostView, after: HostView) -> DriftComparison:
        old, new = state(before), state(after)
        lacking = [each for each in (old, new) if isinstance(each, MissingFact)]
        if isinstance(old, MissingFact) or isinstance(new, MissingFact):
            return DriftComparison(unknown=tuple(lacking[:1]))
        return DriftComparison(
            tuple(
                timed(DriftStep(name, old.get(name, ""), new.get(name, "")), times(after, name))
                for name in sorted({*old, *new})
                if old.get(name, "") != new.get(name, "")
            )
        )

    return compare


def timed(step: DriftStep, time: FileTime | None) -> DriftStep:
    """Return a step with the time of its file, where that is seen."""
    if time is None:
        return step
    written = time.written_at
    # NOTE: a content of after the file's last change bears a time that somebody set, and says nothing.
    earlier = written if written is not None and written < time.changed_at else None
    return replace(step, at=time.changed_at, known_by=KnownBy.FILE, written_at=earlier)


def changed_at(look: HostView, path: str) -> FileTime | None:
    """Return when a file was changed last; None where that is not seen."""
    found = look.get(file_times.PROBE)
    return None if isinstance(found, MissingFact) else found.get(path)


def unless_there_is_none(look: HostView, probe: Probe[FactT]) -> FactT | MissingFact | None:
    """Return a fact; None where the host has no such program, and so nothing of the kind."""
    fact = look.get(probe)
    return None if isinstance(fact, MissingFact) and fact.reason == COMMAND_MISSING else fact
