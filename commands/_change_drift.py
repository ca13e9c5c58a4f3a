"""`portalops change drift`: what changed at the hosts between looks, and which approved change each falls under."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

from commands._own import own_of
from commands._registers import moment
from commands._result import JsonValue, Result
from commands._servers import known_host
from commands._session import Session, open_session
from portalops.errors import ExitCode, LedgerMissing, UsageError
from portalops.ledger.bodies import decode_part
from portalops.locale import _
from portalops.model.checks import CheckRound
from portalops.model.host_drift import Attribution
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Host, HostId
from portalops.model.text import show_text
from portalops.registers.changes import Change
from portalops.reports.document import Block, Cell, Paragraph, Table
from portalops.reports.section_drift import ATTRIBUTIONS

if TYPE_CHECKING:
    from checks.servers.attribution import Placed
    from checks.servers.baseline import Changes
    from checks.servers.carried import Original
    from checks.servers.declared import Declared
    from checks.servers.drifting import Drift
    from checks.servers.gather import Answer
    from portalops.ports import LedgerReader

HELP = _(
    "List what changed at the hosts and falls under no approved change\n\nCompares the newest look at each host with the one before,"
    " and shows what earlier looks found and nobody approved or undid since. With --since or --from-round, all looks of that time"
    " are compared, each with the one before it. Shown is when a thing happened, by the host's own clock and how far that was"
    " off, and when the change was approved, by the record of the approval. What a look lacks is told, and never taken for"
    " unchanged.\n\nExample: portalops change drift --host web1 --all; portalops change drift --since 2026-11-01T00:00"
    "\n\nEXIT STATUS: 0 nothing is outside of an approved change, 1 something is, 2 there is no such host or round, or the time is"
    " wrong, 3 whether something is could not be found out"
)
BACK: Final = timedelta(days=92)
"""How long before the first moment a look is searched for to compare with."""
SHOWN_LETTERS: Final = 48
Round = Annotated[
    Optional[int],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--from-round", metavar="SEQ", help=_("From the round of this record on"), min=1),
]
LastRound = Annotated[
    Optional[int],  # noqa: UP045  # see above
    typer.Option("--to-round", metavar="SEQ", help=_("Up to the round of this record"), min=1),
]


@dataclass(frozen=True, slots=True)
class HostDrift:
    """What is known of one host's drift."""

    host: HostId
    drifts: tuple[Drift, ...]
    placed: tuple[Placed, ...]
    why_none: Message | None = None
    """Why there is nothing to compare."""

    @property
    def looked_at(self) -> datetime | None:
        """Return when the newest look was made."""
        return max((each.before_at for each in self.drifts), default=None)


@dataclass(frozen=True, slots=True)
class Span:
    """Which looks are compared; without a beginning, the newest two."""

    since: datetime | None = None
    until: datetime | None = None


def drift(
    ctx: typer.Context,
    *,
    host: Annotated[list[str] | None, typer.Option("--host", metavar="ID", help=_("Only of this host"))] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="MOMENT", help=_("All looks from then on, such as 2026-11-01T00:00")),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="MOMENT", help=_("Up to then; now by default"))
    ] = None,
    from_round: Round = None,
    to_round: LastRound = None,
    every: Annotated[bool, typer.Option("--all", help=_("Also what falls under an approved change"))] = False,
) -> Result:
    session = open_session(ctx)
    span = _span(session, since, until, from_round, to_round)
    names = [known_host(session, name).id for name in host or ()]
    hosts = [each for each in session.settings.hosts if not names or each.id in names]
    return _shown(drift_of(session, hosts, span), every=every)


def drift_of(session: Session, hosts: Sequence[Host], span: Span = Span()) -> tuple[HostDrift, ...]:
    """Return what changed at hosts, and what each change falls under by the registers as they are now."""
    try:
        ledger = session.ledger
    except LedgerMissing:
        ledger = None
    return tuple(drift_in(session, ledger, hosts, span))


def drift_in(
    session: Session, ledger: LedgerReader | None, hosts: Sequence[Host], span: Span = Span()
) -> Iterator[HostDrift]:
    """Yield the same, host by host, by what a ledger holds."""
    from checks.servers.declared import Declared  # noqa: PLC0415  # start-up time
    from checks.servers.own import own_sections  # noqa: PLC0415
    from checks.servers.probes import own_changes, own_incidents  # noqa: PLC0415

    declared = session.settings.declared.parse(Declared)
    own = replace(own_of(session), ledger=ledger)
    sections = own_sections(own, {own_changes.PROBE.id, own_incidents.PROBE.id})
    answers = _Answers(ledger, span, (span.since or session.clock.now()) - BACK)
    for host in hosts:
        yield _of_host(host, declared, answers, sections[host.id], span)


def left_open(session: Session, change: Change) -> tuple[Message, ...]:
    """Say of a change that is to be closed what its hosts' drift tells against it."""
    done, begun = change.done, change.begun
    if done is None or begun is None:
        return ()
    from checks.servers.attribution import Place  # noqa: PLC0415  # start-up time

    first, last = begun.body.began_at, done.body.ended_at
    hosts = [each for each in session.settings.hosts if each.id in change.request.body.hosts]
    gone = sorted({*change.request.body.hosts} - {each.id for each in hosts})
    found: list[Message] = [
        msg(
            "the configuration names no host {host} any more: what {id} changed there cannot be looked at",
            host=host,
            id=change.id,
        )
        for host in gone
    ]
    for one in drift_of(session, hosts, Span(since=first)):  # what came and went again while it was made, too
        if one.looked_at is None or one.looked_at < last:
            found.append(
                msg(
                    "{host} was not looked at since {id} ended: what it changed there is not known; run 'portalops check run'",
                    host=one.host,
                    id=change.id,
                )
            )
        open_ = [
            each
            for each in one.placed
            if each.place is not Place.UNDER and each.drifted.span()[0] <= last and first <= each.drifted.span()[1]
        ]
        if open_:
            found.append(
                nmsg(
                    "{n} change at {host} while {id} was made falls under no approval or is not clear:"
                    " see 'portalops change drift --host {host} --since {since}'",
                    "{n} changes at {host} while {id} was made fall under no approval or are not clear:"
                    " see 'portalops change drift --host {host} --since {since}'",
                    len(open_),
                    host=one.host,
                    id=change.id,
                    since=first.astimezone(session.zone_of_portal).strftime("%Y-%m-%dT%H:%M"),
                )
            )
    return tuple(found)


@dataclass
class _Answers:
    """The answers of each host, newest first."""

    ledger: LedgerReader | None
    span: Span
    since: datetime
    """So far back they are read."""
    _read: object = field(default=None, init=False)

    def of(self, host: HostId) -> Iterator[tuple[Original, Answer]]:
        from checks.servers.comparing import is_a_look  # noqa: PLC0415  # start-up time
        from checks.servers.earlier import EarlierAnswers  # noqa: PLC0415

        if self._read is None:
            self._read = EarlierAnswers(self.ledger, self.since)
        assert isinstance(self._read, EarlierAnswers)
        for stood_in, answer in self._read.of(host):
            if is_a_look(answer) and (self.span.until is None or stood_in.at <= self.span.until):
                yield stood_in, answer


def _of_host(host: Host, declared: Declared, answers: _Answers, sections: Iterable[object], span: Span) -> HostDrift:
    from checks.servers.comparing import placed_of  # noqa: PLC0415  # start-up time
    from checks.servers.probe import ProbeResult, fact_of  # noqa: PLC0415
    from checks.servers.probes import own_changes, own_incidents  # noqa: PLC0415

    by_id = {each.probe: each for each in sections if isinstance(each, ProbeResult)}
    changes = fact_of(own_changes.PROBE, by_id[own_changes.PROBE.id])
    incidents = fact_of(own_incidents.PROBE, by_id[own_incidents.PROBE.id])
    approved = declared.for_host(host.id).changes
    drifts, looked_at = _drifts(host.id, answers, span, approved)
    if not drifts:
        why = (
            msg("{host} was never looked at in this time", host=host.id)
            if looked_at is None
            else msg("{host} was looked at once, at {at}: there is nothing to compare with", host=host.id, at=looked_at)
        )
        return HostDrift(host.id, (), (), why)
    placed = [one for each in drifts for one in placed_of(each, changes, incidents, approved)]
    if approved is not None:
        placed = [one for one in placed if one.drifted.span()[1] >= approved.since]
    return HostDrift(host.id, drifts, tuple(placed))


def _drifts(
    host: HostId, answers: _Answers, span: Span, approved: Changes | None
) -> tuple[tuple[Drift, ...], datetime | None]:
    """Return what changed at a host, oldest first, and when it was looked at last, if ever."""
    from checks.servers.comparing import drifts_since, look_of, still_open, whole_looks  # noqa: PLC0415  # start-up time

    every = answers.of(host)
    if span.since is not None:
        newest = next(every, None)
        if newest is None:
            return (), None
        looks = (look_of(answer, stood_in.at) for stood_in, answer in chain((newest,), every))
        return drifts_since(host, looks, span.since), newest[0].at
    whole = whole_looks(every)
    newest, before = next(whole, None), next(whole, None)
    if newest is None or before is None:
        return (), newest[0].at if newest else None
    first, second = look_of(before[1], before[0].at), look_of(newest[1], newest[0].at)
    return (still_open(host, first, second, approved, whole),), second.at


def _span(session: Session, since: str | None, until: str | None, from_round: int | None, to_round: int | None) -> Span:
    if (since or until) and (from_round or to_round):
        raise UsageError(
            msg("both moments and rounds are given"), msg("Give --since and --until, or --from-round and --to-round.")
        )
    first = moment(session, since, "--since") if since else _round(session, from_round, min)
    last = moment(session, until, "--until") if until else _round(session, to_round, max)
    if first is not None and last is not None and last < first:
        raise UsageError(
            msg("the time ends at {last}, before it begins at {first}", last=last, first=first),
            msg("Exchange the two."),
        )
    return Span(first, last)


def _round(session: Session, seq: int | None, chosen: Callable[[Iterable[datetime]], datetime]) -> datetime | None:
    """Return the first or the last moment at which a round's answers were received."""
    if seq is None:
        return None
    record = session.ledger.record(seq)
    body = None
    if record is not None and record.kind == "check.finished":
        body = decode_part(session.ledger.blob(record.body), "check", CheckRound)
    moments = [each.gathered_at for each in body.hosts if not each.standby] if body else []
    if not moments:
        raise UsageError(
            msg("record {seq} is no round of checks", seq=seq),
            msg("Run 'portalops check run', or 'portalops ledger show' to see the rounds."),
        )
    return chosen(moments)


def _shown(found: Sequence[HostDrift], *, every: bool) -> Result:
    from checks.servers.attribution import Place  # noqa: PLC0415  # start-up time

    rows: list[tuple[Cell, ...]] = []
    data: list[JsonValue] = []
    warnings: list[Message] = []
    places: set[Place] = set()
    for host in found:
        places |= {one.place for one in host.placed}
        for one in host.placed:
            if every or one.place is not Place.UNDER:
                rows.append(_row(host.host, one))
            data += [_data(host.host, one)] if every or one.place is not Place.UNDER else []
        if host.why_none is not None:
            warnings.append(host.why_none)
        warnings += unseen_of(host)
        left = sum(drift.left_out for drift in host.drifts)
        if left:
            warnings.append(msg("{host}: {n} changes are not listed, since there are too many", host=host.host, n=left))
    headers = (
        msg("Host"),
        msg("Kind"),
        msg("Name"),
        msg("Before"),
        msg("After"),
        msg("Happened at"),
        msg("State"),
        msg("Change"),
        msg("Approved at"),
        msg("Why"),
    )
    view: list[Block] = []
    if rows:
        view.append(Table(nmsg("{n} change at the hosts", "{n} changes at the hosts", len(rows)), headers, rows))
    elif any(host.drifts for host in found):
        view.append(Paragraph(msg("Nothing that was seen to change is outside of an approved change.")))
    code = ExitCode.OK
    if Place.OUTSIDE in places:
        code = ExitCode.UNMET
    elif Place.UNKNOWN in places or warnings:
        code = ExitCode.PARTIAL
    return Result(data, view, warnings, exit_code=code)


def unseen_of(host: HostDrift) -> Iterator[Message]:
    """Yield the kinds of which looks at a host did not tell all, each with why."""
    from checks.servers.drifting import word_of  # noqa: PLC0415  # start-up time

    unseen = {(each.kind, each.why.reason): each for drift in host.drifts for each in drift.unknown}
    for each in unseen.values():
        said = msg(
            "{host}, {kind}: whether one changed is not known: {why}",
            host=host.host,
            kind=word_of(each.kind),
            why=each.why.seen,
        )
        if each.seen_at is not None and each.gap_to is None:
            said = msg(
                "{unknown}; it was last seen at {at}, and is held against that when it is seen again",
                unknown=said,
                at=each.seen_at,
            )
        yield said


def _row(host: HostId, one: Placed) -> tuple[Cell, ...]:
    from checks.servers.drifting import word_of  # noqa: PLC0415  # start-up time

    found = one.drifted
    return (
        host,
        word_of(found.kind),
        show_text(found.name, 2 * SHOWN_LETTERS),
        _content(found.before),
        _content(found.after),
        when(one),
        ATTRIBUTIONS[Attribution(one.place.value)],
        one.reference or None,
        one.approved_at,
        one.why,
    )


def when(one: Placed) -> datetime | Message:
    """Say when a change happened, by which clock, or between which looks."""
    from checks.servers.drifting import SURE  # noqa: PLC0415  # start-up time

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


def _content(text: str | None) -> Cell:
    if text is None:
        return "?"
    return show_text(text, SHOWN_LETTERS) or None


def _data(host: HostId, one: Placed) -> JsonValue:
    found = one.drifted
    first, last = found.span()
    return {
        "id": f"{host} {found.id}",
        "host": host,
        "kind": found.kind,
        "name": found.name,
        "before": found.before,
        "after": found.after,
        "happened_at": found.happened_at.isoformat() if found.happened_at else None,
        "written_at": found.written_at.isoformat() if found.written_at else None,
        "known_by": found.known_by.value,
        "clock_ahead_seconds": found.ahead_seconds,
        "clock_unsure_seconds": found.unsure_seconds,
        "earliest_at": first.isoformat(),
        "latest_at": last.isoformat(),
        "not_yet_at": found.after_at.isoformat(),
        "seen_at": found.before_at.isoformat(),
        "by": found.by or None,
        "state": one.place.value,
        "change": one.reference or None,
        "approved_at": one.approved_at.isoformat() if one.approved_at else None,
        "decision_kept": one.is_proven,
        "approved_afterwards": one.is_regularised,
        "why": str(one.why),
    }
