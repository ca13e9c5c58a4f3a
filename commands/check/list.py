"""List all checks

With --cost it lists what the checks ask of the servers instead, with the time that each question needed in the newest
scan, the longest first. What a server is asked once a week shows the time of that day.

Example: portalops check list --family patching; portalops check list --cost

EXIT STATUS: 0 listed, 1 no scan is recorded, 2 no such family
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from checks.servers.catalogue import checks, chosen, probes_of
from checks.servers.gather import AnswerRejected, parse_answer
from commands.check.options import Families
from commands.check.steps import newest_scan
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.compliance.ledger_checks import RecordCheck, record_checks
from portalops.errors import LedgerMissing
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import HostId
from portalops.model.verdicts import Severity
from portalops.reports.document import TableBlock
from portalops.reports.words import severity_status

if TYPE_CHECKING:
    from checks.servers.check import Check


@shape
class ShownCheck:
    """One check."""

    id: str
    clause: str
    severity: Severity
    title: str
    """The good state."""
    remedy: str


@shape
class ProbeCost:
    """What one question costs the servers."""

    id: str
    """Of the probe."""
    hosts: int
    """How many hosts answered it."""
    milliseconds: int
    """On all hosts together."""
    most: int
    """On the host where it took longest, in milliseconds."""
    slowest: HostId
    is_weekly: bool
    checks: tuple[str, ...]
    """Which checks ask it."""


Cost = Annotated[bool, typer.Option("--cost", help=_("Show how long each question took on the servers"))]


def list_(
    ctx: typer.Context, family: Families = None, *, cost: Cost = False
) -> Result[tuple[ShownCheck, ...] | tuple[ProbeCost, ...]]:
    session = open_session(ctx)
    if cost:
        return _costs(session, _host_checks(family or ()))
    every: tuple[Check | RecordCheck, ...] = (*_host_checks(family or ()), *_judge_ledger_checks(family or ()))
    found = sorted(every, key=lambda one: one.id)
    rows = [(one.id, one.clause, severity_status(one.severity), one.title) for one in found]
    headers = (msg("Check"), msg("Clause"), msg("Severity"), msg("Good state"))
    caption = nmsg("{n} check", "{n} checks", len(rows))
    return Result(tuple(map(_data, found)), [TableBlock(caption, headers, rows)])


def _costs(session: Session, some: Sequence[Check]) -> Result[tuple[ShownCheck, ...] | tuple[ProbeCost, ...]]:
    newest = newest_scan(session)
    if newest is None:
        raise LedgerMissing(msg("no scan is recorded yet"), msg("Run 'portalops check run' to start the first scan."))
    probes = {name: probe for name, probe in probes_of(some).items() if probe.command}
    taken: dict[str, dict[HostId, int]] = {}
    unread: list[Message] = []
    for host in newest.body.hosts:
        answer = host.answer()
        if host.standby or answer is None:
            continue
        try:
            sections = parse_answer(session.reader.blob(answer)).sections
        except AnswerRejected as error:
            unread.append(msg("{host}: {seen}", host=host.host, seen=error.missing.seen))
            continue
        for name in probes.keys() & sections.keys():
            one = sections[name]
            measured = one.seconds * 1000 if one.milliseconds is None else one.milliseconds
            taken.setdefault(name, {})[host.host] = max(0, measured)
    asked = {one.id: probes_of((one,)) for one in some}
    found = []
    for name, by_host in taken.items():
        slowest = max(by_host, key=lambda each: (by_host[each], each))
        asking = tuple(one.id for one in some if name in asked[one.id])
        total, is_weekly = sum(by_host.values()), probes[name].repeated_for is not None
        found.append(ProbeCost(name, len(by_host), total, by_host[slowest], slowest, is_weekly, asking))
    found.sort(key=lambda each: (-each.milliseconds, each.id))
    headers = (
        msg("Probe"),
        msg("Hosts"),
        msg("Seconds in all"),
        msg("Longest"),
        msg("On"),
        msg("Once a week"),
        msg("Checks"),
    )
    rows = [
        (
            each.id,
            each.hosts,
            f"{each.milliseconds / 1000:.2f}",
            f"{each.most / 1000:.2f}",
            each.slowest,
            msg("yes") if each.is_weekly else None,
            ", ".join(each.checks),
        )
        for each in found
    ]
    daily = sum(each.milliseconds for each in found if not each.is_weekly) / 1000
    caption = msg(
        "Scan of {at}: {seconds} s on all hosts, weekly questions apart", at=newest.at, seconds=f"{daily:.2f}"
    )
    return Result(tuple(found), [TableBlock(caption, headers, rows)], unread)


def _data(one: Check | RecordCheck) -> ShownCheck:
    return ShownCheck(one.id, one.clause, one.severity, str(one.title), str(one.remedy))


def _host_checks(families: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks that hosts answer, of these families or all; a family that has only ledger checks has none."""
    there = {_family(one.id) for one in checks()}
    elsewhere = {_family(one.id) for one in record_checks()} - there
    wanted = [each for each in families if each not in elsewhere]
    return () if families and not wanted else chosen(families=wanted)


def _judge_ledger_checks(families: Sequence[str]) -> tuple[RecordCheck, ...]:
    """Return the ledger checks of these families or all."""
    return tuple(one for one in record_checks() if not families or _family(one.id) in families)


def _family(check: str) -> str:
    return check.partition(".")[0]


VERB = Verb(list_)
