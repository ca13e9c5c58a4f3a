"""Show open findings, each with the day by which it must be fixed

A finding opens when a check fails, and closes when the same check passes on the same host. It stays open while the
check is unknown or the host is not scanned. Claims of other tools are listed apart. --anew recomputes the findings
from all scans and compares them with what the newest scan carries.

Example: portalops check findings --overdue; portalops check findings --nagios

EXIT STATUS: 0 no finding is open without a waiver, 1 one is, 3 the newest scan is missing, too old or incomplete, 5
what a scan carries does not follow from the scans. With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Annotated

import typer

from commands.check.options import Families, Hosts, chooser
from commands.check.steps import KnownFindings, known_findings, newest_scan
from commands.check.views import ShownClaim, ShownFinding, claim_data, claims_table, finding_data
from commands.cli.nagios import CRITICAL, OK, UNKNOWN, WARNING, Option, PluginAnswer, guarded
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from portalops.errors import ExitCode, IntegrityError, worst
from portalops.locale import _
from portalops.model.checks import CheckScan
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.record import Recorded
from portalops.model.verdicts import CheckVerdict
from portalops.registers.claims import ToolClaim
from portalops.registers.findings import FindingStanding, FindingState, ReadFindings, read_findings
from portalops.reports.document import Block, Cell, Notice, Paragraph, TableBlock, Tone
from portalops.reports.words import finding_status, severity_status

OPEN = frozenset({FindingState.DUE, FindingState.REOPENED, FindingState.OPEN, FindingState.WAIVED})


def findings(
    ctx: typer.Context,
    *,
    host: Hosts = None,
    family: Families = None,
    overdue: Annotated[bool, typer.Option("--overdue", help=_("Only overdue findings"))] = False,
    every: Annotated[bool, typer.Option("--all", help=_("Fixed and closed findings too"))] = False,
    anew: Annotated[bool, typer.Option("--anew", help=_("Recompute the findings from all scans, and compare"))] = False,
    as_plugin: Option = False,
) -> Result[tuple[ShownFinding | ShownClaim, ...] | None]:
    session = open_session(ctx)
    if as_plugin:
        return guarded(session, lambda: _plugin(session, host, family))
    newest = newest_scan(session)
    known = known_findings(session, newest, anew=anew)
    if anew:
        _require_same(session, known.read)
    chosen = chooser(session, newest.body if newest else None, known.read.findings, host, family)
    shown = [
        each
        for each in known.standings
        if chosen(each.finding.host, each.finding.check) and (each.is_late if overdue else every or each.state in OPEN)
    ]
    claims = [] if overdue else [each for each in known.claims if _claim_chosen(each, host, every=every)]
    custodians: dict[str, str] = {each.id: each.custodian for each in session.settings.hosts}
    view: list[Block] = [_table(shown, custodians), Paragraph(_summary(known))]
    if claims:
        view.append(claims_table(claims))
    doubts = tuple(doubts_of(session, known.newest))
    view += [Notice(doubt, Tone.UNSURE) for doubt in doubts]
    data: tuple[ShownFinding | ShownClaim, ...] = (
        *(finding_data(each, custodians.get(each.finding.host, "")) for each in shown),
        *map(claim_data, claims),
    )
    unwaived = any(each.state in OPEN - {FindingState.WAIVED} for each in shown)
    code = worst(
        [
            ExitCode.UNMET if unwaived else ExitCode.OK,
            ExitCode.PARTIAL if doubts or known.unreadable else ExitCode.OK,
        ]
    )
    return Result(data, view, tuple(_warnings(known)), code)


def doubts_of(session: Session, newest: Recorded[CheckScan] | None) -> Iterator[Message]:
    """Yield why the newest scan does not show how things stand now."""
    if newest is None:
        yield msg("no scan is recorded yet")
        return
    most = session.rulebook.numbers.check_max_age_hours
    if session.clock.now() - newest.at > timedelta(hours=most):
        yield msg(
            "the newest scan is of {at}: older than {hours} hours, too old for today's state", at=newest.at, hours=most
        )
    reached = {host.host for host in newest.body.hosts if host.reached}
    for host in session.settings.hosts:
        if host.id not in reached:
            yield msg("host {host} was not in the newest scan", host=host.id)


# --- parts --------------------------------------------------------------------------------------
def _plugin(session: Session, hosts: Collection[str] | None, families: Collection[str] | None) -> PluginAnswer:
    newest = newest_scan(session)
    known = known_findings(session, newest)
    chosen = chooser(session, newest.body if newest else None, known.read.findings, hosts, families)
    standings = [each for each in known.standings if chosen(each.finding.host, each.finding.check)]
    late = [each for each in standings if each.is_late]
    open_now = [each for each in standings if each.state in {FindingState.OPEN, FindingState.REOPENED}]
    waived = sum(each.state is FindingState.WAIVED for each in standings)
    counts = {"overdue": len(late), "open": len(open_now), "waived": waived}
    verdicts = [
        result.verdict for result in (newest.body.results() if newest else ()) if chosen(result.host, result.check)
    ]
    counts["unknown"] = sum(verdict in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR} for verdict in verdicts)
    doubts = [*doubts_of(session, newest), *(why for _seq, why in known.unreadable)]
    names = ", ".join(each.finding.id for each in (*late, *open_now))
    if late:
        said = nmsg("{n} finding overdue: {names}", "{n} findings overdue: {names}", len(late), names=names)
        return PluginAnswer(CRITICAL, said, counts)
    if open_now:
        said = nmsg("{n} finding open: {names}", "{n} findings open: {names}", len(open_now), names=names)
        return PluginAnswer(WARNING, said, counts)
    if doubts:
        return PluginAnswer(UNKNOWN, doubts[0], counts if newest else {})  # nobody looked: 0 would be a fact
    if counts["unknown"]:
        said = nmsg("{n} check could not be answered", "{n} checks could not be answered", counts["unknown"])
        return PluginAnswer(UNKNOWN, said, counts)
    if CheckVerdict.PASS not in verdicts:
        return PluginAnswer(UNKNOWN, msg("no check passes in the newest scan: nothing proves a good state"), counts)
    return PluginAnswer(OK, msg("no finding is open without a waiver"), counts)


def _claim_chosen(claim: ToolClaim, hosts: Collection[str] | None, *, every: bool) -> bool:
    return (not hosts or claim.host in hosts) and (every or claim.gone_at is None)


def _require_same(session: Session, anew: ReadFindings) -> None:
    """Compare what scans carry with what they say.

    Raises:
        IntegrityError: they differ.
    """
    carried = {each.id: each for each in read_findings(session.ledger).findings}
    fresh = {each.id: each for each in anew.findings}
    differing = sorted(name for name in carried.keys() | fresh.keys() if carried.get(name) != fresh.get(name))
    if differing:
        raise IntegrityError(
            nmsg(
                "{n} finding of the newest scan does not follow from the scans: {names}",
                "{n} findings of the newest scan do not follow from the scans: {names}",
                len(differing),
                names=", ".join(differing[:5]),
            ),
            msg("Change nothing, and run 'portalops ledger verify'."),
        )


def _summary(known: KnownFindings) -> Message:
    states = [each.state for each in known.standings]
    return msg(
        "{late} overdue, {open} open, {waived} waived, {fixed} fixed or closed",
        late=states.count(FindingState.DUE),
        open=states.count(FindingState.OPEN) + states.count(FindingState.REOPENED),
        waived=states.count(FindingState.WAIVED),
        fixed=states.count(FindingState.FIXED) + states.count(FindingState.CLOSED),
    )


def _warnings(known: KnownFindings) -> Iterator[Message]:
    for seq, why in known.unreadable[:MAX_WARNINGS]:
        yield msg("the details of record {seq} cannot be read: {cause}", seq=str(seq), cause=why)
    for each in known.standings:
        if each.expired is not None:
            yield msg(
                "waiver {id} of {check} on {host} {ended}, and the check still fails",
                id=each.expired.waiver.id,
                check=each.finding.check,
                host=each.finding.host,
                ended=each.expired.describe_end(known.zone),
            )
    for waiver in known.unused:
        yield msg(
            "waiver {id} of {check} on {host} is in force, but the check no longer fails",
            id=waiver.waiver.id,
            check=waiver.waiver.duty,
            host=waiver.waiver.subject or "-",
        )


MAX_WARNINGS = 20


def _table(shown: Sequence[FindingStanding], custodians: dict[str, str]) -> TableBlock:
    headers = (
        msg("Host"),
        msg("Check"),
        msg("Severity"),
        msg("State"),
        msg("First seen"),
        msg("Last seen"),
        msg("Due"),
        msg("In charge"),
        msg("What was seen"),
        msg("Remedy"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            each.finding.host,
            each.finding.check,
            severity_status(each.finding.severity).word,
            finding_status(each),
            each.finding.first_seen_at,
            each.finding.last_seen_at,
            each.due_on,
            verbatim(custodians[each.finding.host]) if custodians.get(each.finding.host) else None,
            each.finding.message,
            each.finding.remedy,
        )
        for each in shown
    ]
    return TableBlock(nmsg("{n} finding", "{n} findings", len(rows)), headers, rows)


VERB = Verb(findings)
