"""`portalops check findings` and `check close`: what server checks saw to be wrong, until it is fixed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from commands import _nagios as nagios
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.compliance.article_12_findings import checks_of
from portalops.errors import ExitCode, IntegrityError, LedgerMissing, UsageError, worst
from portalops.ledger import bodies
from portalops.ledger.record import NO_RUN
from portalops.locale import _
from portalops.model.checks import CheckRound
from portalops.model.findings import Finding, FindingClosed
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict
from portalops.registers.claims import ToolClaim, read_tool_claims
from portalops.registers.evidence import Recorded
from portalops.registers.findings import (
    CLOSED,
    FindingStanding,
    FindingState,
    ReadFindings,
    read_findings,
    stand,
    unused_waivers,
)
from portalops.registers.waivers import RecordedWaiver, read_waivers
from portalops.reports.document import Block, Cell, Notice, Paragraph, Table, Tone
from portalops.reports.words import finding_status, severity_status

DUTY = "12.4-remedy"
OPEN = frozenset({FindingState.DUE, FindingState.REOPENED, FindingState.OPEN, FindingState.WAIVED})

HELP = _(
    "Show what is open, and until when it must be fixed\n\nA finding opens when a check fails and closes when the same check"
    " passes on the same host. What could not be found out, or was not looked at, leaves it open. What other tools claim"
    " stands apart. With --anew, every round is folded from the first one on and compared with what the rounds carry."
    "\n\nExample: portalops check findings --overdue; portalops check findings --nagios"
    "\n\nEXIT STATUS: 0 nothing is open without a waiver, 1 something is, 3 the newest round does not show it, 5 what"
    " a round carries does not follow from the rounds. With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN"
)
HELP_CLOSE = _(
    "Close a finding that no check can judge any more\n\nOnly of a host that is configured no more, or to which the check no"
    " longer applies. Everything else closes when the check passes; what is to stay as it is gets a waiver."
    "\n\nExample: portalops check close ssh.root-login --host web0 --reason 'taken out of service' --approver 'Nguyễn Văn An'"
    " --reference '12/QĐ-STTTT, 20/11/2026'\n\nEXIT STATUS: 0 closed, 2 there is no such open finding, or a check can still"
    " judge it"
)

Hosts = Annotated[list[str] | None, typer.Option("--host", help=_("Only this host; may be given more than once"))]
Families = Annotated[
    list[str] | None, typer.Option("--family", help=_("Only this family of checks, such as ssh; may be repeated"))
]
CheckArgument = Annotated[str, typer.Argument(metavar="CHECK", help=_("A check's id, such as ssh.root-login"))]
HostOption = Annotated[str, typer.Option("--host", metavar="ID", help=_("The host"))]
Approver = Annotated[str, typer.Option("--approver", metavar="NAME", help=_("Who decided it"))]
Reference = Annotated[
    str, typer.Option("--reference", metavar="DOCUMENT", help=_("Number and date of the written decision"))
]


@dataclass(frozen=True, slots=True)
class Known:
    """All that the ledger tells of findings, on a day."""

    read: ReadFindings
    standings: tuple[FindingStanding, ...]
    waivers: tuple[RecordedWaiver, ...]
    unused: tuple[RecordedWaiver, ...]
    claims: tuple[ToolClaim, ...]
    newest: Recorded[CheckRound] | None
    today: date
    zone: ZoneInfo
    unreadable: tuple[tuple[int, Message], ...] = ()
    """Records of rounds, findings, waivers and claims whose details cannot be read, with why."""


def known_findings(session: Session, newest: Recorded[CheckRound] | None, *, anew: bool = False) -> Known:
    """Return what is known of findings today; nothing before there is a ledger."""
    today = session.clock.now().astimezone(session.zone_of_portal).date()
    try:
        ledger = session.ledger
    except LedgerMissing:
        return Known(ReadFindings(), (), (), (), (), None, today, session.zone_of_portal)
    numbers, zone = session.rulebook.numbers, session.zone_of_portal
    read, waivers = read_findings(ledger, anew=anew), read_waivers(ledger)
    standings = stand(read.findings, waivers.waivers, numbers, today, zone)
    checks = checks_of(session.rulebook) | {finding.check for finding in read.findings}
    unused = unused_waivers(standings, waivers.waivers, checks, today, zone)
    claims = read_tool_claims(ledger)
    unreadable = {
        **dict(read.unreadable),
        **{seq: error.message for seq, error in (*waivers.unreadable, *claims.unreadable)},
    }
    return Known(
        read, standings, waivers.waivers, unused, claims.claims, newest, today, zone, tuple(sorted(unreadable.items()))
    )


def findings(
    ctx: typer.Context,
    *,
    host: Hosts = None,
    family: Families = None,
    overdue: Annotated[bool, typer.Option("--overdue", help=_("Only what is past its due day"))] = False,
    every: Annotated[bool, typer.Option("--all", help=_("Also what was fixed or closed"))] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help=_("Fold every round anew, and compare with what is carried"))
    ] = False,
    as_plugin: nagios.Option = False,
) -> Result:
    session = open_session(ctx)
    if as_plugin:
        return nagios.guarded(session, lambda: _plugin(session, host, family))
    newest = newest_round(session)
    known = known_findings(session, newest, anew=anew)
    if anew:
        _require_same(session, known.read)
    chosen = chooser(session, newest, known.read.findings, host, family)
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
    data: JsonValue = [
        *(finding_data(each, custodians.get(each.finding.host, "")) for each in shown),
        *map(claim_data, claims),
    ]
    unwaived = any(each.state in OPEN - {FindingState.WAIVED} for each in shown)
    code = worst(
        [
            ExitCode.UNMET if unwaived else ExitCode.OK,
            ExitCode.PARTIAL if doubts or known.unreadable else ExitCode.OK,
        ]
    )
    return Result(data, view, tuple(_warnings(known)), code)


def close(
    ctx: typer.Context,
    check: CheckArgument,
    *,
    host: HostOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why no check can judge it any more"))],
    approver: Approver,
    reference: Reference,
) -> Result:
    session = open_session(ctx)
    texts = required_texts({"--reason": reason, "--approver": approver, "--reference": reference})
    newest = newest_round(session)
    standing = next(
        (
            each
            for each in known_findings(session, newest).standings
            if (each.finding.check, each.finding.host) == (check, host) and each.finding.is_open
        ),
        None,
    )
    if standing is None:
        raise UsageError(
            msg("no finding of {check} on {host} is open", check=check[:60], host=host[:60]),
            msg("Run 'portalops check findings' to see what is."),
        )
    if _can_be_judged(session, newest, check, host):
        raise UsageError(
            msg("{check} on {host} is still checked, so it closes when the check passes", check=check, host=host),
            msg("Fix it, or record by 'portalops check waive' that somebody in charge goes without."),
        )
    closed = FindingClosed(check, standing.finding.host, *texts)
    body = bodies.write({"circumstances": session.circumstances, "closed": closed})
    record = session.writable_ledger.append(CLOSED, run=NO_RUN, subject=f"{host} {check}", duty=DUTY, body=body)
    said = msg("{check} on {host} is closed, in record {seq}", check=check, host=host, seq=record.seq)
    return Result({"id": standing.finding.id, "record": record.seq}, [Paragraph(said)])


# --- what other commands use ------------------------------------------------------------------


def newest_round(session: Session) -> Recorded[CheckRound] | None:
    """Return the newest whole round, or None where there is no ledger or no round in it."""
    try:
        ledger = session.ledger
    except LedgerMissing:
        return None
    for record in ledger.records(kinds=("check.finished",), newest_first=True, limit=50):
        body = bodies.decode_part(ledger.blob(record.body), "check", CheckRound)
        if body is not None:
            return Recorded(record.seq, record.at, record.run, body)
    return None


def chooser(
    session: Session,
    newest: Recorded[CheckRound] | None,
    findings: Sequence[Finding],
    hosts: Collection[str] | None,
    families: Collection[str] | None,
) -> Callable[[str, str], bool]:
    """Return what says of a host and a check whether they were asked for.

    Args:
        session: has the configuration.
        newest: the newest round; groups of hosts have their names there.
        findings: a host or a family of one may be there no more.
        hosts: those asked for; all by default.
        families: as `hosts`.

    Raises:
        UsageError: there is no such host.
        UnknownCheck: there is no such family of checks.
    """
    from checks.servers.catalogue import chosen  # noqa: PLC0415  # start-up time

    configured = {host.id for host in session.settings.hosts}
    known = {*configured, *(one.host for one in (newest.body.hosts if newest else ())), *(one.host for one in findings)}
    for name in hosts or ():
        if name not in known:
            raise UsageError(
                msg("there is no host {host}", host=show_text(name, 60)),
                msg("The hosts are: {hosts}.", hosts=", ".join(sorted(configured)) or "-"),
            )
    found = {one.check.partition(".")[0] for one in findings}
    for family in families or ():
        if family not in found:
            chosen(families=(family,))
    return lambda host, check: (not hosts or host in hosts) and (not families or check.partition(".")[0] in families)


def required_texts(given: dict[str, str]) -> tuple[str, ...]:
    """Return what a person wrote for the reader of the ledger, within bounds.

    Raises:
        UsageError: an option is empty or too long.
    """
    for option, text in given.items():
        if not text.strip():
            raise UsageError(
                msg("{option} is empty", option=option), msg("Say why, who decided it, and by which document.")
            )
        if len(text) > MAX_TEXT:
            raise UsageError(
                msg(
                    "{option} has {n} characters, and {most} at most are kept",
                    option=option,
                    n=len(text),
                    most=MAX_TEXT,
                ),
                msg("Put the rest into the document, and name it by --reference."),
            )
    return tuple(text.strip() for text in given.values())


MAX_TEXT = 1000


def doubts_of(session: Session, newest: Recorded[CheckRound] | None) -> Iterator[Message]:
    """Yield why the newest round does not show how things stand now."""
    if newest is None:
        yield msg("no round of checks is recorded yet")
        return
    if session.clock.now() - newest.at > timedelta(hours=session.rulebook.numbers.check_max_age_hours):
        yield msg("the newest round of checks is of {at}, too old to speak for today", at=newest.at)
    reached = {host.host for host in newest.body.hosts if host.reached}
    for host in session.settings.hosts:
        if host.id not in reached:
            yield msg("host {host} was not in the newest scan", host=host.id)


def claims_table(claims: Sequence[ToolClaim]) -> Table:
    """Return what other tools claim, apart from what portalops saw itself."""
    headers = (msg("Host"), msg("Tool"), msg("Rule"), msg("Severity"), msg("What it says"), msg("First"), msg("State"))
    rows = [
        (
            each.host,
            each.tool,
            each.claim.rule,
            severity_status(each.claim.severity).word,
            verbatim(f"{each.claim.message} {each.claim.place}".strip()),
            each.first_at,
            _claim_state(each),
        )
        for each in claims
    ]
    return Table(msg("What other tools claim; portalops checked nothing of it"), headers, rows)


def _claim_state(claim: ToolClaim) -> Message:
    if claim.gone_at is not None:
        return msg("claimed to be fixed, by its report of {at}", at=claim.gone_at)
    if claim.silent_at is not None:
        return msg("claimed; its report of {at} has no answer", at=claim.silent_at)
    return msg("claimed")


def claim_data(claim: ToolClaim) -> JsonValue:
    """Return a claim as `--json` shows it."""
    return {
        "id": claim.id,
        "claimed_by": claim.tool,
        "host": claim.host,
        "rule": claim.claim.rule,
        "severity": claim.claim.severity.value,
        "state": "claimed-fixed" if claim.gone_at else "not-answered" if claim.silent_at else "claimed",
        "message": claim.claim.message,
        "place": claim.claim.place,
        "first_seen_at": claim.first_at.isoformat(),
        "last_seen_at": claim.last_at.isoformat(),
        "gone_at": claim.gone_at.isoformat() if claim.gone_at else None,
        "silent_at": claim.silent_at.isoformat() if claim.silent_at else None,
        "records": [claim.first_seq, claim.last_seq, *(seq for seq in (claim.gone_seq, claim.silent_seq) if seq)],
    }


def finding_data(each: FindingStanding, owner: str) -> JsonValue:
    """Return a finding as `--json` shows it."""
    finding = each.finding
    return {
        "id": finding.id,
        "host": finding.host,
        "check": finding.check,
        "clause": finding.clause,
        "severity": finding.severity.value,
        "state": each.state.value,
        "verdict": "fail" if finding.is_open else "pass" if each.state is FindingState.FIXED else None,
        "first_seen_at": finding.first_seen_at.isoformat(),
        "opened_at": finding.opened_at.isoformat(),
        "last_seen_at": finding.last_seen_at.isoformat(),
        "last_judged_at": finding.last_judged_at.isoformat(),
        "due_on": each.due_on.isoformat(),
        "reopened": finding.reopened,
        "owner": owner or None,
        "message": str(finding.message),
        "remedy": str(finding.remedy) if finding.remedy else None,
        "waiver": each.waiver.waiver.id if each.waiver else None,
        "waived_until": each.waiver.waiver.valid_to.isoformat() if each.waiver else None,
        "events": [
            {"turn": event.turn.value, "record": event.seq, "at": event.at.isoformat()} for event in finding.events
        ],
    }


# --- parts --------------------------------------------------------------------------------------


def _plugin(session: Session, hosts: Collection[str] | None, families: Collection[str] | None) -> nagios.Answer:
    newest = newest_round(session)
    known = known_findings(session, newest)
    chosen = chooser(session, newest, known.read.findings, hosts, families)
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
        return nagios.Answer(nagios.CRITICAL, said, counts)
    if open_now:
        said = nmsg("{n} finding open: {names}", "{n} findings open: {names}", len(open_now), names=names)
        return nagios.Answer(nagios.WARNING, said, counts)
    if doubts:
        return nagios.Answer(nagios.UNKNOWN, doubts[0], counts)
    if counts["unknown"]:
        said = nmsg("{n} check could not be answered", "{n} checks could not be answered", counts["unknown"])
        return nagios.Answer(nagios.UNKNOWN, said, counts)
    if CheckVerdict.PASS not in verdicts:
        return nagios.Answer(
            nagios.UNKNOWN, msg("no check passes in the newest round, so nothing is shown to be well"), counts
        )
    return nagios.Answer(nagios.OK, msg("no finding is open without a waiver"), counts)


def _claim_chosen(claim: ToolClaim, hosts: Collection[str] | None, *, every: bool) -> bool:
    return (not hosts or claim.host in hosts) and (every or claim.gone_at is None)


def _can_be_judged(session: Session, newest: Recorded[CheckRound] | None, check: str, host: str) -> bool:
    """Say whether a check will judge this again: it did in the newest round, or its host is configured."""
    verdicts = {
        result.verdict
        for result in (newest.body.results() if newest else ())
        if (result.check, result.host) == (check, host)
    }
    if verdicts:
        return verdicts != {CheckVerdict.NOT_APPLICABLE}
    return host in {each.id for each in session.settings.hosts}


def _require_same(session: Session, anew: ReadFindings) -> None:
    """Compare what rounds carry with what they say.

    Raises:
        IntegrityError: they differ.
    """
    carried = {each.id: each for each in read_findings(session.ledger).findings}
    fresh = {each.id: each for each in anew.findings}
    differing = sorted(name for name in carried.keys() | fresh.keys() if carried.get(name) != fresh.get(name))
    if differing:
        raise IntegrityError(
            nmsg(
                "{n} finding that the newest round carries does not follow from the rounds: {names}",
                "{n} findings that the newest round carries do not follow from the rounds: {names}",
                len(differing),
                names=", ".join(differing[:5]),
            ),
            msg("Keep everything as it is, and run 'portalops ledger verify'."),
        )


def _summary(known: Known) -> Message:
    states = [each.state for each in known.standings]
    return msg(
        "{late} overdue, {open} open, {waived} waived, {fixed} fixed or closed",
        late=states.count(FindingState.DUE),
        open=states.count(FindingState.OPEN) + states.count(FindingState.REOPENED),
        waived=states.count(FindingState.WAIVED),
        fixed=states.count(FindingState.FIXED) + states.count(FindingState.CLOSED),
    )


def _warnings(known: Known) -> Iterator[Message]:
    for seq, why in known.unreadable[:MAX_WARNINGS]:
        yield msg("the details of record {seq} cannot be read: {cause}", seq=str(seq), cause=why)
    for each in known.standings:
        if each.expired is not None:
            yield msg(
                "the waiver {id} of {check} on {host} {ended}, and the check still fails",
                id=each.expired.waiver.id,
                check=each.finding.check,
                host=each.finding.host,
                ended=each.expired.how_it_ended(known.zone),
            )
    for waiver in known.unused:
        yield msg(
            "the waiver {id} of {check} on {host} is in force, and nothing needs it",
            id=waiver.waiver.id,
            check=waiver.waiver.duty,
            host=waiver.waiver.subject or "-",
        )


MAX_WARNINGS = 20


def _table(shown: Sequence[FindingStanding], custodians: dict[str, str]) -> Table:
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
    return Table(nmsg("{n} finding", "{n} findings", len(rows)), headers, rows)
