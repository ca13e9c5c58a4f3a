"""Compares two scans of a host: what changed between them, and under which change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from checks.servers.comparing import (
    drifts_since,
    is_inside_answer,
    list_complete_answers,
    placed_of,
    read_view,
    still_open,
)
from checks.servers.declared import Declared
from checks.servers.drifting import SURE, word_of
from checks.servers.earlier import EarlierAnswers
from checks.servers.own import Own, own_sections
from checks.servers.probe import ProbeResult, fact_of
from checks.servers.probes import own_changes, own_incidents
from portalops.model.message import Message, msg
from portalops.model.organisation import Host, HostId

if TYPE_CHECKING:
    from checks.servers.attribution import Placed
    from checks.servers.baseline import ApprovedChanges
    from checks.servers.carried import Original
    from checks.servers.drifted import Drift
    from checks.servers.gather import HostAnswer
    from portalops.ports import LedgerReader

BACK: Final = timedelta(days=92)
"""How long before the first moment a look is searched for to compare with."""


@dataclass(frozen=True, slots=True)
class HostDriftHistory:
    """What is known of one host's drift."""

    host: HostId
    drifts: tuple[Drift, ...]
    placed: tuple[Placed, ...]
    why_none: Message | None = None
    """Why there is nothing to compare."""

    @property
    def scanned_at(self) -> datetime | None:
        """Return when the newest look was made."""
        return max((each.before_at for each in self.drifts), default=None)


@dataclass(frozen=True, slots=True)
class ComparedSpan:
    """Which looks are compared; without a beginning, the newest two."""

    since: datetime | None = None
    until: datetime | None = None


def drift_in(own: Own, hosts: Sequence[Host], span: ComparedSpan = ComparedSpan()) -> Iterator[HostDriftHistory]:
    """Yield host by host what changed, and what each change falls under by the registers as they are now."""
    sections = own_sections(own, {own_changes.PROBE.id, own_incidents.PROBE.id})
    answers = _Answers(own.ledger, span, (span.since or own.now) - BACK)
    for host in hosts:
        yield _read_history(host, own.declared, answers, sections[host.id], span)


@dataclass
class _Answers:
    """The answers of each host, newest first."""

    ledger: LedgerReader | None
    span: ComparedSpan
    since: datetime
    """So far back they are read."""
    _read: object = field(default=None, init=False)

    def read_host(self, host: HostId) -> Iterator[tuple[Original, HostAnswer]]:
        if self._read is None:
            self._read = EarlierAnswers(self.ledger, self.since)
        assert isinstance(self._read, EarlierAnswers)
        for stood_in, answer in self._read.read_host(host):
            if is_inside_answer(answer) and (self.span.until is None or stood_in.at <= self.span.until):
                yield stood_in, answer


def _read_history(
    host: Host, declared: Declared, answers: _Answers, sections: Iterable[object], span: ComparedSpan
) -> HostDriftHistory:
    by_id = {each.probe: each for each in sections if isinstance(each, ProbeResult)}
    changes = fact_of(own_changes.PROBE, by_id[own_changes.PROBE.id])
    incidents = fact_of(own_incidents.PROBE, by_id[own_incidents.PROBE.id])
    approved = declared.find_host(host.id).changes
    drifts, looked_at = _drifts(host.id, answers, span, approved)
    if not drifts:
        why = (
            msg("{host} was not scanned in this time", host=host.id)
            if looked_at is None
            else msg(
                "{host} was scanned only once, at {at}: there is nothing to compare with", host=host.id, at=looked_at
            )
        )
        return HostDriftHistory(host.id, (), (), why)
    placed = [one for each in drifts for one in placed_of(each, changes, incidents, approved)]
    if approved is not None:
        placed = [one for one in placed if one.drifted.span()[1] >= approved.since]
    return HostDriftHistory(host.id, drifts, tuple(placed))


def _drifts(
    host: HostId, answers: _Answers, span: ComparedSpan, approved: ApprovedChanges | None
) -> tuple[tuple[Drift, ...], datetime | None]:
    """Return what changed at a host, oldest first, and when it was looked at last, if ever."""
    every = answers.read_host(host)
    if span.since is not None:
        newest = next(every, None)
        if newest is None:
            return (), None
        looks = (read_view(answer, stood_in.at) for stood_in, answer in chain((newest,), every))
        return drifts_since(host, looks, span.since), newest[0].at
    whole = list_complete_answers(every)
    newest, before = next(whole, None), next(whole, None)
    if newest is None or before is None:
        return (), newest[0].at if newest else None
    first, second = read_view(before[1], before[0].at), read_view(newest[1], newest[0].at)
    return (still_open(host, first, second, approved, whole),), second.at


def unseen_of(host: HostDriftHistory) -> Iterator[Message]:
    """Yield the kinds of which looks at a host did not tell all, each with why."""
    unseen = {(each.kind, each.why.reason): each for drift in host.drifts for each in drift.unknown}
    for each in unseen.values():
        said = msg(
            "{host}, {kind}: changes are unknown: {why}",
            host=host.host,
            kind=word_of(each.kind),
            why=each.why.seen,
        )
        if each.seen_at is not None and each.gap_to is None:
            said = msg(
                "{unknown}; last seen at {at}, and compared with that once it is seen again",
                unknown=said,
                at=each.seen_at,
            )
        yield said


def describe_time(one: Placed) -> datetime | Message:
    """Say when a change happened, by which clock, or between which looks."""
    found = one.drifted
    if found.happened_at is None:
        return msg("between {after} and {before}", after=found.after_at, before=found.before_at)
    seconds = abs(found.ahead_seconds)
    if found.written_at is not None and seconds <= SURE.total_seconds():
        return msg("between {after} and {before}", after=found.written_at, before=found.happened_at)
    if seconds <= SURE.total_seconds():
        return found.happened_at
    if found.ahead_seconds > 0:
        return msg("{at}, by a clock that was {n} s ahead", at=found.happened_at, n=seconds)
    return msg("{at}, by a clock that was {n} s behind", at=found.happened_at, n=seconds)
