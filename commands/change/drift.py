"""List drift at the hosts that falls under no approved change

Compares the newest scan of each host with the one before, and lists earlier drift that is still open: neither
approved nor undone. With --since or --from-scan, every scan of that time is compared with the one before it. Times
are by the host's own clock, with its error; an approval counts by its record. What a scan did not see is listed as
unknown, never as unchanged.

Example: portalops change drift --host web1 --all; portalops change drift --since 2026-11-01T00:00

EXIT STATUS: 0 nothing is outside of an approved change, 1 something is, 2 there is no such host or scan, or the time
is wrong, 3 unknown for a part
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

from checks.servers.attribution import ChangePlace
from checks.servers.drifted import KnownBy
from checks.servers.drifting import word_of
from commands.cli.entries import moment
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.drift import ComparedSpan, HostDriftHistory, describe_time, drift_in, unseen_of
from commands.jobs.own import records_of
from commands.jobs.servers import known_host
from portalops.bodies import decode_part
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.checks import CheckScan
from portalops.model.host_drift import Attribution
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import HostId
from portalops.model.text import show_text
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.section_drift import ATTRIBUTIONS

if TYPE_CHECKING:
    from checks.servers.attribution import Placed

SHOWN_LETTERS: Final = 48
FromScan = Annotated[
    Optional[int],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--from-scan", metavar="SEQ", help=_("From the scan of this record on"), min=1),
]
ToScan = Annotated[
    Optional[int],  # noqa: UP045  # see above
    typer.Option("--to-scan", metavar="SEQ", help=_("Up to the scan of this record"), min=1),
]


@shape
class DriftShape:
    """One change that was seen at a host."""

    id: str
    host: HostId
    kind: str
    name: str
    before: str | None
    """Null if it was not seen."""
    after: str | None
    happened_at: datetime | None
    """By the host's own clock; null if only known to be between `earliest_at` and `latest_at`."""
    written_at: datetime | None
    """Of a file last changed at `happened_at`: the earliest moment of its present content, by the host's clock."""
    known_by: KnownBy
    clock_ahead_seconds: int
    """How far the host's clock was ahead."""
    clock_unsure_seconds: int
    earliest_at: datetime
    latest_at: datetime
    not_yet_at: datetime
    """The last scan without it."""
    seen_at: datetime
    """The first scan with it."""
    by: str | None
    """Who made it, by the host's records."""
    state: ChangePlace
    change: str | None
    """The id that it falls under; of one outside, the nearest."""
    approved_at: datetime | None
    """When the approval was recorded."""
    decision_kept: bool
    approved_afterwards: bool
    why: str
    """Why `state` is what it is, in English."""


def drift(
    ctx: typer.Context,
    *,
    host: Annotated[list[str] | None, typer.Option("--host", metavar="ID", help=_("Only of this host"))] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="MOMENT", help=_("All scans from then on, such as 2026-11-01T00:00")),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="MOMENT", help=_("Up to then; now by default"))
    ] = None,
    from_scan: FromScan = None,
    to_scan: ToScan = None,
    every: Annotated[bool, typer.Option("--all", help=_("Also what falls under an approved change"))] = False,
) -> Result[tuple[DriftShape, ...]]:
    session = open_session(ctx)
    span = _span(session, since, until, from_scan, to_scan)
    names = [known_host(session.settings.hosts, name).id for name in host or ()]
    hosts = [each for each in session.settings.hosts if not names or each.id in names]
    records = records_of(session.settings, session.reader, session.clock.now())
    return _shown(tuple(drift_in(records, hosts, span)), every=every)


def _span(
    session: Session, since: str | None, until: str | None, from_scan: int | None, to_scan: int | None
) -> ComparedSpan:
    if (since or until) and (from_scan or to_scan):
        raise UsageError(
            msg("moments and scans are both given"), msg("Give --since and --until, or --from-scan and --to-scan.")
        )
    first = moment(session, since, "--since") if since else _read_scan_time(session, from_scan, min)
    last = moment(session, until, "--until") if until else _read_scan_time(session, to_scan, max)
    if first is not None and last is not None and last < first:
        raise UsageError(
            msg("the time ends at {last}, before it begins at {first}", last=last, first=first),
            msg("Exchange the two."),
        )
    return ComparedSpan(first, last)


def _read_scan_time(
    session: Session, seq: int | None, chosen: Callable[[Iterable[datetime]], datetime]
) -> datetime | None:
    """Return the first or the last moment at which a round's answers were received."""
    if seq is None:
        return None
    record = session.ledger.record(seq)
    body = None
    if record is not None and record.kind == "check.finished":
        body = decode_part(session.ledger.blob(record.body), "check", CheckScan)
    moments = [each.gathered_at for each in body.hosts if not each.standby] if body else []
    if not moments:
        raise UsageError(
            msg("record {seq} is not of a scan", seq=seq),
            msg("'portalops ledger show' lists the records; 'portalops check run' makes a scan."),
        )
    return chosen(moments)


def _shown(found: Sequence[HostDriftHistory], *, every: bool) -> Result[tuple[DriftShape, ...]]:
    rows: list[tuple[Cell, ...]] = []
    data: list[DriftShape] = []
    warnings: list[Message] = []
    places: set[ChangePlace] = set()
    for host in found:
        places |= {one.place for one in host.placed}
        for one in host.placed:
            if every or one.place is not ChangePlace.UNDER:
                rows.append(_row(host.host, one))
            data += [_data(host.host, one)] if every or one.place is not ChangePlace.UNDER else []
        if host.why_none is not None:
            warnings.append(host.why_none)
        warnings += unseen_of(host)
        left = sum(drift.left_out for drift in host.drifts)
        if left:
            warnings.append(msg("{host}: too many changes; {n} of them are not listed", host=host.host, n=left))
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
        view.append(TableBlock(nmsg("{n} change at the hosts", "{n} changes at the hosts", len(rows)), headers, rows))
    elif any(host.drifts for host in found):
        view.append(Paragraph(msg("Everything that was seen to change falls under an approved change.")))
    code = ExitCode.OK
    if ChangePlace.OUTSIDE in places:
        code = ExitCode.UNMET
    elif ChangePlace.UNKNOWN in places or warnings:
        code = ExitCode.PARTIAL
    return Result(tuple(data), view, warnings, exit_code=code)


def _row(host: HostId, one: Placed) -> tuple[Cell, ...]:
    found = one.drifted
    return (
        host,
        word_of(found.kind),
        show_text(found.name, 2 * SHOWN_LETTERS),
        _content(found.before),
        _content(found.after),
        describe_time(one),
        ATTRIBUTIONS[Attribution(one.place.value)],
        one.reference or None,
        one.approved_at,
        one.why,
    )


def _content(text: str | None) -> Cell:
    if text is None:
        return "?"
    return show_text(text, SHOWN_LETTERS) or None


def _data(host: HostId, one: Placed) -> DriftShape:
    found = one.drifted
    first, last = found.span()
    return DriftShape(
        id=f"{host} {found.id}",
        host=host,
        kind=found.kind,
        name=found.name,
        before=found.before,
        after=found.after,
        happened_at=found.happened_at,
        written_at=found.written_at,
        known_by=found.known_by,
        clock_ahead_seconds=found.ahead_seconds,
        clock_unsure_seconds=found.unsure_seconds,
        earliest_at=first,
        latest_at=last,
        not_yet_at=found.after_at,
        seen_at=found.before_at,
        by=found.by or None,
        state=one.place,
        change=one.reference or None,
        approved_at=one.approved_at,
        decision_kept=one.is_proven,
        approved_afterwards=one.is_regularised,
        why=str(one.why),
    )


VERB = Verb(drift)
