"""Check the servers: patches, firewall, SSH, accounts, disks, services (Article 12)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from commands._result import JsonValue, Result
from commands._servers import shells_of
from commands._session import Session, open_session
from commands._vulnerabilities import known_vulnerabilities
from portalops.errors import ExitCode, LedgerMissing, UsageError
from portalops.ledger.bodies import decode_part
from portalops.locale import _
from portalops.model.checks import CheckResult, CheckRound
from portalops.model.message import msg, nmsg, verbatim
from portalops.model.organisation import Host
from portalops.model.record import Digest
from portalops.model.runs import JobKind
from portalops.model.verdicts import CheckVerdict
from portalops.registers.evidence import Recorded
from portalops.reports.document import Block, Heading, KeyValues, Notice, Paragraph, Table
from portalops.reports.words import check_status, severity_status

if TYPE_CHECKING:
    from checks.servers.check import Check

app = typer.Typer(no_args_is_help=True)

Hosts = Annotated[list[str] | None, typer.Option("--host", help=_("Only this host; may be given more than once"))]
Checks = Annotated[
    list[str] | None, typer.Option("--check", help=_("Only this check, such as ssh.root-login; may be repeated"))
]
Families = Annotated[
    list[str] | None, typer.Option("--family", help=_("Only this family of checks, such as ssh; may be repeated"))
]


@app.command(
    help=_(
        "Check the servers now\n\nLooks at every host in one trip each, judges what was seen and records the round. With"
        " --host, --check or --family only a part is looked at; a part is shown and not recorded, since it is no evidence"
        " of a whole round.\n\nExample: portalops check run; portalops check run --family ssh"
        "\n\nEXIT STATUS: 0 every check passes, 1 one fails, 3 one could not be found out and none fails"
    )
)
def run(ctx: typer.Context, host: Hosts = None, check: Checks = None, family: Families = None) -> Result:
    session = open_session(ctx)
    if host or check or family:
        return _part(session, host or (), check or (), family or ())
    from commands._jobs import by_hand  # noqa: PLC0415  # start-up time

    done = by_hand(session, JobKind.CHECK)
    if not isinstance(done.result, CheckRound):
        notices = [Notice(verbatim(problem)) for problem in done.problems]
        return Result(done.data(), notices, exit_code=done.exit_code)
    shown = _shown(done.result.results())
    return Result(shown.data, shown.view, exit_code=done.exit_code)


@app.command(
    "list",
    help=_(
        "List the checks that there are\n\nExample: portalops check list --family patching"
        "\n\nEXIT STATUS: 0 listed, 2 there is no such family"
    ),
)
def list_(ctx: typer.Context, family: Families = None) -> Result:
    from checks.servers.catalogue import chosen  # noqa: PLC0415  # start-up time

    open_session(ctx)
    found = chosen(families=family or ())
    rows = [(one.id, one.clause, severity_status(one.severity), one.title) for one in found]
    headers = (msg("Check"), msg("Clause"), msg("Severity"), msg("Good state"))
    caption = nmsg("{n} check", "{n} checks", len(rows))
    return Result([_check_data(one) for one in found], [Table(caption, headers, rows)])


@app.command(
    help=_(
        "Show a check's page and what it last said\n\nThe page tells what the check looks at, why, and where its rule comes"
        " from.\n\nExample: portalops check show ssh.root-login\n\nEXIT STATUS: 0 shown, 2 there is no such check"
    )
)
def show(ctx: typer.Context, check: Annotated[str, typer.Argument(help=_("The check's id"))]) -> Result:
    from checks.servers.catalogue import chosen  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    (one,) = chosen(ids=(check,))
    newest = _newest(session)
    results = [result for result in newest.body.results() if result.check == one.id] if newest else []
    view: list[Block] = [
        Heading(2, msg("{check}: {title}", check=one.id, title=one.title)),
        KeyValues(
            (
                (msg("Clause"), one.clause),
                (msg("Severity"), severity_status(one.severity)),
                (msg("Remedy"), one.remedy),
                (msg("Last checked"), newest.at if newest else None),
            )
        ),
        *(Paragraph(verbatim(part)) for part in one.paragraphs()),
    ]
    if results:
        view.append(_table(results))
    data: JsonValue = {**_check_data(one), "page": one.page, "results": [_result_data(result) for result in results]}
    return Result(data, view)


@app.command(
    help=_(
        "Show what the last recorded round said\n\nExample: portalops check results"
        "\n\nEXIT STATUS: 0 every check passed, 1 one failed, 3 one could not be found out and none failed"
    )
)
def results(ctx: typer.Context, host: Hosts = None, family: Families = None) -> Result:
    session = open_session(ctx)
    newest = _newest(session)
    if newest is None:
        raise LedgerMissing(
            msg("no round of checks is recorded yet"), msg("Run 'portalops check run' to make the first.")
        )
    wanted = [
        result
        for result in newest.body.results()
        if (not host or result.host in host) and (not family or result.check.partition(".")[0] in family)
    ]
    shown = _shown(wanted)
    return Result(shown.data, [Paragraph(msg("Round of {at}", at=newest.at)), *shown.view], exit_code=shown.exit_code)


class _Digester:
    """Digests evidence without keeping it, for a part of a round."""

    def keep(self, data: bytes) -> Digest:
        return Digest(hashlib.sha256(data).hexdigest())


def _part(session: Session, hosts: Sequence[str], ids: Sequence[str], families: Sequence[str]) -> Result:
    from checks.servers.catalogue import chosen  # noqa: PLC0415  # start-up time
    from checks.servers.declared import Declared  # noqa: PLC0415  # start-up time
    from checks.servers.runner import run_checks  # noqa: PLC0415  # start-up time

    some = chosen(ids=ids, families=families)
    done = run_checks(
        _hosts(session.settings.hosts, hosts),
        session.settings.declared.parse(Declared),
        shell_for=shells_of(session),
        at_once=session.settings.servers.at_once,
        keeper=_Digester(),
        clock=session.clock,
        progress=session.progress,
        some=some,
        known=known_vulnerabilities(session),
    )
    shown = _shown(done.results())
    return Result(
        shown.data, shown.view, (msg("only a part was looked at, so nothing is recorded"),), exit_code=shown.exit_code
    )


def _hosts(known: Sequence[Host], names: Sequence[str]) -> tuple[Host, ...]:
    for name in names:
        if name not in {host.id for host in known}:
            raise UsageError(
                msg("there is no host {host}", host=name[:60]),
                msg("The hosts are: {hosts}.", hosts=", ".join(host.id for host in known) or "-"),
            )
    return tuple(host for host in known if not names or host.id in names)


def _newest(session: Session) -> Recorded[CheckRound] | None:
    """Return the newest whole round, or None where there is no ledger or no round in it."""
    try:
        ledger = session.ledger
    except LedgerMissing:
        return None
    for record in ledger.records(kinds=("check.finished",), newest_first=True, limit=50):
        body = decode_part(ledger.blob(record.body), "check", CheckRound)
        if body is not None:
            return Recorded(record.seq, record.at, record.run, body)
    return None


def _shown(found: Sequence[CheckResult]) -> Result:
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
    view: list[Block] = [_table(found), Paragraph(summary)]
    return Result([_result_data(result) for result in found], view, exit_code=_exit_code(found))


def _exit_code(found: Iterable[CheckResult]) -> ExitCode:
    """Return 70 for a crashed check, 1 for a fail, 3 for an unknown without a fail, else 0; none at all is 3."""
    verdicts = {result.verdict for result in found}
    if CheckVerdict.ERROR in verdicts:
        return ExitCode.FAULT
    if CheckVerdict.FAIL in verdicts:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if CheckVerdict.UNKNOWN in verdicts or not verdicts else ExitCode.OK


def _table(found: Sequence[CheckResult]) -> Table:
    rows = [
        (result.host, result.check, severity_status(result.severity), check_status(result.verdict), result.message)
        for result in found
    ]
    headers = (msg("Host"), msg("Check"), msg("Severity"), msg("Verdict"), msg("What was seen"))
    return Table(msg("Checks of the servers"), headers, rows)


def _check_data(one: Check) -> dict[str, JsonValue]:
    return {
        "id": one.id,
        "clause": one.clause,
        "severity": one.severity.value,
        "title": str(one.title),
        "remedy": str(one.remedy),
    }


def _result_data(result: CheckResult) -> dict[str, JsonValue]:
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
        "evidence": list(result.evidence),
    }
