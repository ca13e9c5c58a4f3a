"""Check the servers: patches, firewall, SSH, accounts, disks, services (Article 12)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from commands._check_findings import Families, Hosts, chooser, finding_data, known_findings, newest_round
from commands._check_page import page_blocks
from commands._host_script import By, Facts, brought_of, said_to_be_brought, take
from commands._jobs import Performed, RoundWish, by_hand, check_work, exit_code_of_checks, unreached, waived_of
from commands._outside import outside_of
from commands._own import own_of
from commands._result import JsonValue, Result
from commands._servers import shells_of
from commands._session import Session, open_session
from commands._vulnerabilities import known_vulnerabilities

from commands import _check_again, _check_declare, _check_findings, _check_import, _check_sample, _check_waive
from commands import _nagios as nagios
from portalops.compliance.of_records import RecordCheck, record_checks
from portalops.errors import LedgerMissing, UnknownCheck, UsageError
from portalops.ledger.runs import Work
from portalops.locale import _
from portalops.locale.pages import vietnamese_page
from portalops.model.checks import CheckResult, CheckRound
from portalops.model.message import msg, nmsg, verbatim
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.model.rulebook import Rulebook
from portalops.model.runs import JobKind
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.waivers import RecordedWaiver
from portalops.reports.document import Block, Heading, KeyValues, Notice, Paragraph, Status, Table, Tone
from portalops.reports.hints import next_step, steps_table
from portalops.reports.words import check_status, finding_status, severity_status

if TYPE_CHECKING:
    from checks.servers.check import Check

app = typer.Typer(no_args_is_help=True)

Checks = Annotated[
    list[str] | None, typer.Option("--check", help=_("Only this check, such as ssh.root-login; may be repeated"))
]
Outside = Annotated[
    bool,
    typer.Option("--outside", help=_("Look at the hosts from outside too, as strangers see them")),
]
Anew = Annotated[
    bool, typer.Option("--anew", help=_("Ask the hosts also for what a look of this week still speaks for"))
]


@app.command(
    help=_(
        "Check the servers now\n\nLooks at every host in one trip each, judges what was seen and records the round. With"
        " --host, --check or --family only a part is looked at; a part is shown and not recorded, since it is no evidence"
        " of a whole round. With --outside the hosts are also looked at as a stranger sees them; a recorded look speaks for"
        " seven days, and without one what needs that view is unknown. What costs a host minutes is asked for once a week; with"
        " --anew, now. With --facts a host is not asked: what it answered to"
        " 'host script' is read from a file that somebody brought."
        "\n\nExample: portalops check run; portalops check run --family ssh; portalops check run --facts old1.facts --by NAME"
        "\n\nEXIT STATUS: 0 every check passes or is waived, 1 one fails, 3 one could not be found out and none fails."
        " With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN"
    )
)
def run(
    ctx: typer.Context,
    *,
    host: Hosts = None,
    check: Checks = None,
    family: Families = None,
    outside: Outside = False,
    anew: Anew = False,
    facts: Facts = None,
    by: By = "",
    as_plugin: nagios.Option = False,
) -> Result:
    session = open_session(ctx)
    part = (host, check, family) if host or check or family else None
    if as_plugin:

        def seen() -> nagios.Answer:
            wish = RoundWish(outside, brought_of(session, facts or (), by), anew)
            return _plugin(session, *_seen(session, part, wish))

        return nagios.guarded(session, seen)
    wish = RoundWish(outside, brought_of(session, facts or (), by), anew)
    if part is not None:
        found = _looked(session, *part, wish=wish)
        shown = _shown(session, found.results(), brought_in(found))
        return replace(shown, warnings=(msg("only a part was looked at, so nothing is recorded"),))
    done = _performed(session, wish)
    if not isinstance(done.result, CheckRound):
        notices = [Notice(verbatim(problem)) for problem in done.problems]
        return Result(done.data(), notices, exit_code=done.exit_code)
    shown = _shown(session, done.result.results(), brought_in(done.result))
    unasked = done.said[len(unreached(done.result)) :]  # portals; hosts are told of by their checks
    return replace(shown, warnings=unasked, exit_code=done.exit_code)


@app.command(
    "list",
    help=_(
        "List the checks that there are\n\nExample: portalops check list --family patching"
        "\n\nEXIT STATUS: 0 listed, 2 there is no such family"
    ),
)
def list_(ctx: typer.Context, family: Families = None) -> Result:
    open_session(ctx)
    every: tuple[Check | RecordCheck, ...] = (*_of_hosts(family or ()), *_of_records(family or ()))
    found = sorted(every, key=lambda one: one.id)
    rows = [(one.id, one.clause, severity_status(one.severity), one.title) for one in found]
    headers = (msg("Check"), msg("Clause"), msg("Severity"), msg("Good state"))
    caption = nmsg("{n} check", "{n} checks", len(rows))
    return Result([_check_data(one) for one in found], [Table(caption, headers, rows)])


WHY = msg("Why this is checked, and by which rule")
"""Above the page."""


@app.command(
    help=_(
        "Show a check's page and what it last said\n\nThe page tells what the check looks at, why, and where its rule comes"
        " from.\n\nExample: portalops check show ssh.root-login\n\nEXIT STATUS: 0 shown, 2 there is no such check"
    )
)
def show(ctx: typer.Context, check: Annotated[str, typer.Argument(help=_("The check's id"))]) -> Result:
    from checks.servers.catalogue import chosen  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    for own in record_checks():
        if own.id == check:
            return _page_of_records(session.rulebook, own)
    (one,) = chosen(ids=(check,))
    newest = newest_round(session)
    results = [result for result in newest.body.results() if result.check == one.id] if newest else []
    known = [each for each in known_findings(session, newest).standings if each.finding.check == one.id]
    duties = [duty for duty in session.rulebook.duties if one.id in duty.checks]
    view: list[Block] = [
        Heading(2, msg("{check}: {title}", check=one.id, title=one.title)),
        KeyValues(
            (
                (msg("Clause"), one.clause),
                (msg("Severity"), severity_status(one.severity)),
                (msg("Remedy"), one.remedy),
                *((msg("Duty"), msg("{duty}: {title}", duty=duty.id, title=duty.title)) for duty in duties),
                (msg("What it looks at"), ", ".join(probe.id for probe in (*one.needs, *one.uses))),
                (msg("Does not apply to the roles"), ", ".join(sorted(one.exempt_roles)) or None),
                (msg("Last checked"), newest.at if newest else None),
            )
        ),
        Heading(3, WHY),
        *page_blocks(one.id, one.page, one.numbers),
    ]
    if results:
        view.append(_table(results, waived_of(session, results)))
    if known:
        headers = (msg("Host"), msg("State"), msg("First seen"), msg("Last seen"), msg("Due"))
        rows = [
            (
                each.finding.host,
                finding_status(each),
                each.finding.first_seen_at,
                each.finding.last_seen_at,
                each.due_on,
            )
            for each in known
        ]
        view.append(Table(msg("Findings of this check"), headers, rows))
    custodians: dict[str, str] = {each.id: each.custodian for each in session.settings.hosts}
    data: JsonValue = {
        **_check_data(one),
        "duties": [duty.id for duty in duties],
        "probes": [probe.id for probe in (*one.needs, *one.uses)],
        "page": one.page,
        "page_vi": vietnamese_page(one.id, one.numbers),
        "results": [_result_data(result) for result in results],
        "findings": [finding_data(each, custodians.get(each.finding.host, "")) for each in known],
    }
    return Result(data, view)


@app.command(
    help=_(
        "Show what the last recorded round said\n\nExample: portalops check results"
        "\n\nEXIT STATUS: 0 every check passed or is waived, 1 one failed, 2 there is no such host or family, 3 one could not be"
        " found out and none failed"
    )
)
def results(ctx: typer.Context, host: Hosts = None, family: Families = None) -> Result:
    session = open_session(ctx)
    newest = newest_round(session)
    if newest is None:
        raise LedgerMissing(
            msg("no round of checks is recorded yet"), msg("Run 'portalops check run' to make the first.")
        )
    chosen = chooser(session, newest, (), host, family)
    shown = _shown(session, [result for result in newest.body.results() if chosen(result.host, result.check)])
    head = [Paragraph(msg("Round of {at}", at=newest.at)), *brought_in(newest.body)]
    return Result(shown.data, [*head, *shown.view], exit_code=shown.exit_code)


class _Digester:
    """Digests evidence without keeping it, for a part of a round."""

    def keep(self, data: bytes) -> Digest:
        return Digest(hashlib.sha256(data).hexdigest())


def _looked(
    session: Session,
    hosts: Sequence[str] | None,
    ids: Sequence[str] | None,
    families: Sequence[str] | None,
    *,
    wish: RoundWish,
) -> CheckRound:
    """Look at a part; nothing is recorded."""
    from checks.servers.catalogue import chosen  # noqa: PLC0415  # start-up time
    from checks.servers.declared import Declared  # noqa: PLC0415  # start-up time
    from checks.servers.runner import run_checks  # noqa: PLC0415  # start-up time

    _require_of_hosts(session.rulebook, ids or ())
    some = chosen(ids=ids or (), families=families or ())
    return run_checks(
        _hosts(session.settings.hosts, hosts or ()),
        session.settings.declared.parse(Declared),
        shell_for=shells_of(session),
        at_once=session.settings.servers.at_once,
        keeper=_Digester(),
        clock=session.clock,
        progress=session.progress,
        some=some,
        known=known_vulnerabilities(session),
        outside=outside_of(session, is_asked=wish.from_outside),
        own=own_of(session),
        brought=wish.brought,
        anew=wish.anew,
    )


def _performed(session: Session, wish: RoundWish) -> Performed:
    """Do a whole round and record it."""

    def work(each: Session) -> Work[object]:
        take(each, wish.brought)
        return check_work(each, wish)

    return by_hand(session, JobKind.CHECK, work)


def _seen(
    session: Session,
    part: tuple[Sequence[str] | None, Sequence[str] | None, Sequence[str] | None] | None,
    wish: RoundWish,
) -> tuple[Sequence[CheckResult], Sequence[str]]:
    """Look at a part, or do a whole round; return the results, and why there are none or not of every host."""
    if part is not None:
        found = _looked(session, *part, wish=wish)
        return found.results(), unreached(found)
    done = _performed(session, wish)
    return done.result.results() if isinstance(done.result, CheckRound) else (), done.problems


def _plugin(session: Session, found: Sequence[CheckResult], problems: Sequence[str]) -> nagios.Answer:
    """Say how the checks came out: fails without a waiver first, then what is unknown. OK takes at least one pass."""
    waived = waived_of(session, found)
    fails = [one for one in found if one.verdict is CheckVerdict.FAIL and (one.host, one.check) not in waived]
    unsure = [one for one in found if one.verdict in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}]
    counts = {
        "pass": sum(one.verdict is CheckVerdict.PASS for one in found),
        "fail": len(fails),
        "waived": len(waived),
        "unknown": len(unsure),
    }
    severities = tuple(Severity)
    fails.sort(key=lambda one: (severities.index(one.severity), one.host, one.check))
    if fails:
        is_grave = fails[0].severity in {Severity.CRITICAL, Severity.HIGH}
        names = ", ".join(f"{one.host}:{one.check}" for one in fails)
        said = nmsg("{n} check fails: {names}", "{n} checks fail: {names}", len(fails), names=names)
        return nagios.Answer(nagios.CRITICAL if is_grave else nagios.WARNING, said, counts)
    if problems:
        return nagios.Answer(nagios.UNKNOWN, verbatim("; ".join(problems)), counts)
    if unsure:
        said = nmsg(
            "{n} check could not be answered: {names}",
            "{n} checks could not be answered: {names}",
            len(unsure),
            names=", ".join(f"{one.host}:{one.check}" for one in unsure),
        )
        return nagios.Answer(nagios.UNKNOWN, said, counts)
    if not counts["pass"]:
        return nagios.Answer(nagios.UNKNOWN, msg("no check passes, and none fails without a waiver"), counts)
    return nagios.Answer(nagios.OK, nmsg("{n} check passes", "{n} checks pass", counts["pass"]), counts)


def _of_hosts(families: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks that hosts answer, of these families or all; a family of which own records answer all has none."""
    from checks.servers.catalogue import checks, chosen  # noqa: PLC0415  # start-up time

    there = {_family(one.id) for one in checks()}
    elsewhere = {_family(one.id) for one in record_checks()} - there
    wanted = [each for each in families if each not in elsewhere]
    return () if families and not wanted else chosen(families=wanted)


def _of_records(families: Sequence[str]) -> tuple[RecordCheck, ...]:
    """Return the checks that own records answer, of these families or all."""
    return tuple(one for one in record_checks() if not families or _family(one.id) in families)


def _family(check: str) -> str:
    return check.partition(".")[0]


def _page_of_records(rulebook: Rulebook, one: RecordCheck) -> Result:
    """Show the page of a check that own records answer; how it stands is the duty's standing."""
    duties = [duty for duty in rulebook.duties if one.id in duty.checks]
    view: list[Block] = [
        Heading(2, msg("{check}: {title}", check=one.id, title=one.title)),
        KeyValues(
            (
                (msg("Clause"), one.clause),
                (msg("Severity"), severity_status(one.severity)),
                (msg("Remedy"), one.remedy),
                *((msg("Duty"), msg("{duty}: {title}", duty=duty.id, title=duty.title)) for duty in duties),
            )
        ),
        Heading(3, WHY),
        *page_blocks(one.id, one.page, {}),
        *(Paragraph(msg("Run 'portalops status {duty}' to see how it stands.", duty=duty.id)) for duty in duties),
    ]
    data: JsonValue = {
        **_check_data(one),
        "duties": [duty.id for duty in duties],
        "probes": [],
        "page": one.page,
        "page_vi": vietnamese_page(one.id, {}),
        "results": [],
        "findings": [],
    }
    return Result(data, view)


def _require_of_hosts(rulebook: Rulebook, checks: Sequence[str]) -> None:
    """Tell of a check that no host answers, since portalops's own records do.

    Raises:
        UnknownCheck: one of them is such a check.
    """
    for one in record_checks():
        if one.id in checks:
            duty = next((duty.id for duty in rulebook.duties if one.id in duty.checks), "12.4")
            raise UnknownCheck(
                msg("{check} is judged from portalops's own records, and no host answers it", check=one.id),
                msg("Run 'portalops status {duty}' to see how it stands.", duty=duty),
            )


def _hosts(known: Sequence[Host], names: Sequence[str]) -> tuple[Host, ...]:
    for name in names:
        if name not in {host.id for host in known}:
            raise UsageError(
                msg("there is no host {host}", host=name[:60]),
                msg("The hosts are: {hosts}.", hosts=", ".join(host.id for host in known) or "-"),
            )
    return tuple(host for host in known if not names or host.id in names)


def brought_in(round_: CheckRound) -> list[Block]:
    """Return what to say of hosts whose answers a person brought."""
    return [Notice(said_to_be_brought(host), Tone.UNSURE) for host in round_.hosts if host.brought_by]


def _shown(session: Session, found: Sequence[CheckResult], more: Sequence[Block] = ()) -> Result:
    waived = waived_of(session, found)
    counts = {verdict: sum(result.verdict is verdict for result in found) for verdict in CheckVerdict}
    summary = msg(
        "{total}: {passed} pass, {failed} fail, {unknown} unknown, {other} not applicable, {errors} in error",
        total=nmsg("{n} check", "{n} checks", len(found)),
        passed=counts[CheckVerdict.PASS],
        failed=counts[CheckVerdict.FAIL],
        unknown=counts[CheckVerdict.UNKNOWN],
        other=counts[CheckVerdict.NOT_APPLICABLE],
        errors=counts[CheckVerdict.ERROR],
    )
    view: list[Block] = [_table(found, waived), *more, Paragraph(summary)]
    if (steps := steps_table(found)) is not None:
        view.append(steps)
    if waived:
        view.append(Paragraph(nmsg("{n} of the fails is waived", "{n} of the fails are waived", len(waived))))
    data = [
        {**_result_data(result), "waived_until": _until(waived.get((result.host, result.check)))} for result in found
    ]
    return Result(data, view, exit_code=exit_code_of_checks(found, waived))


def _until(waiver: RecordedWaiver | None) -> str | None:
    return waiver.waiver.valid_to.isoformat() if waiver else None


def _table(found: Sequence[CheckResult], waived: Mapping[tuple[HostId, str], RecordedWaiver]) -> Table:
    rows = [
        (
            result.host,
            result.check,
            severity_status(result.severity),
            _verdict(result, waived.get((result.host, result.check))),
            result.message,
        )
        for result in found
    ]
    headers = (msg("Host"), msg("Check"), msg("Severity"), msg("Verdict"), msg("What was seen"))
    return Table(msg("Checks of the servers"), headers, rows)


def _verdict(result: CheckResult, waiver: RecordedWaiver | None) -> Status:
    """Return the verdict's word; a waiver stands beside it and changes nothing."""
    if waiver is None:
        return check_status(result.verdict)
    return Status(msg("fails, waived until {day}", day=waiver.waiver.valid_to), Tone.UNSURE)


def _check_data(one: Check | RecordCheck) -> dict[str, JsonValue]:
    return {
        "id": one.id,
        "clause": one.clause,
        "severity": one.severity.value,
        "title": str(one.title),
        "remedy": str(one.remedy),
    }


def _result_data(result: CheckResult) -> dict[str, JsonValue]:
    is_unsure = result.verdict in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}
    return {
        "id": f"{result.host}:{result.check}",
        "host": result.host,
        "check": result.check,
        "clause": result.clause,
        "severity": result.severity.value,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "message": str(result.message),
        "remedy": str(result.remedy) if result.remedy else None,
        "hint": str(next_step(result)) if is_unsure else None,
        "evidence": list(result.evidence),
    }


app.command("sample", help=_check_sample.HELP)(_check_sample.sample)
app.command("findings", help=_check_findings.HELP)(_check_findings.findings)
app.command("close", help=_check_findings.HELP_CLOSE)(_check_findings.close)
app.command("waive", help=_check_waive.HELP)(_check_waive.waive)
app.command("judge-again", help=_check_again.HELP)(_check_again.judge_again_)
app.command("import", help=_check_import.HELP)(_check_import.import_)
app.command("declare", help=_check_declare.HELP)(_check_declare.declare)
