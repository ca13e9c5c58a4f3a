"""`portalops check judge-again`: the answers kept of a round, judged once more and held against what was recorded then."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from commands._result import JsonValue, Result
from commands._session import open_session
from portalops.errors import ExitCode, UsageError
from portalops.ledger.bodies import decode_part
from portalops.locale import _
from portalops.model.checks import CheckResult, CheckRound
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Host
from portalops.model.record import Record
from portalops.reports.document import Block, Cell, Paragraph, Table
from portalops.reports.words import check_status

HELP = _(
    "Judge the kept answers of a recorded round once more\n\nNothing is looked at: the same bytes are judged by the checks and the"
    " declarations of now. What comes out the same was judged so then; what differs is shown with both, since a check or what is"
    " declared has changed since. Groups of hosts are not judged again here."
    "\n\nExample: portalops check judge-again; portalops check judge-again --record 1204"
    "\n\nEXIT STATUS: 0 all the same, 1 something differs, 2 there is no such round, 5 an answer is damaged or missing"
)


def judge_again_(
    ctx: typer.Context,
    record: Annotated[
        Optional[int],  # noqa: UP045  # Typer reads it at run time
        typer.Option(
            "--record", metavar="SEQ", help=_("The number of the round's record; the newest without it"), min=1
        ),
    ] = None,
) -> Result:
    from checks.servers.catalogue import checks  # noqa: PLC0415  # start-up time
    from checks.servers.declared import Declared  # noqa: PLC0415
    from checks.servers.judging import judge_again  # noqa: PLC0415

    session = open_session(ctx)
    found = _record(list(session.ledger.records(kinds=("check.finished",))), record)
    whole = decode_part(session.ledger.blob(found.body), "check", CheckRound)
    if whole is None:
        raise UsageError(
            msg("record {seq} holds no round", seq=found.seq), msg("Run 'portalops ledger show' to see the rounds.")
        )
    hosts = {host.id: host for host in session.settings.hosts}
    declared = session.settings.declared.parse(Declared)
    known = {one.id for one in checks()}
    rows: list[tuple[Cell, ...]] = []
    data: list[JsonValue] = []
    same = 0
    for one in whole.hosts:
        answers = [result.evidence[0] for result in one.results if result.evidence]
        if not one.reached or one.standby or not answers:
            continue
        raw = session.ledger.blob(answers[0])
        host = hosts.get(one.host, Host(one.host, "-"))
        now = {result.check: result for result in judge_again(raw, host, declared, one.gathered_at)}
        for then in one.results:
            again = now.get(then.check)
            if then.check in known and again is not None and _said(again) == _said(then):
                same += 1
                continue
            rows.append((one.host, then.check, *_cells(then), *_cells(again)))
            data.append({"id": f"{one.host} {then.check}", "then": _data(then), "now": _data(again)})
    headers = (msg("Host"), msg("Check"), msg("Then"), msg("Seen then"), msg("Now"), msg("Seen now"))
    view: list[Block] = [
        Paragraph(msg("Round of record {seq}, {at}", seq=found.seq, at=found.at)),
        Paragraph(nmsg("{n} result comes out the same.", "{n} results come out the same.", same)),
    ]
    if rows:
        view.append(Table(nmsg("{n} result differs", "{n} results differ", len(rows)), headers, rows))
    return Result(data, view, exit_code=ExitCode.UNMET if rows else ExitCode.OK)


def _record(records: list[Record], seq: int | None) -> Record:
    chosen = [one for one in records if seq is None or one.seq == seq]
    if not chosen:
        raise UsageError(
            msg("there is no recorded round of checks")
            if seq is None
            else msg("record {seq} is no round of checks", seq=seq),
            msg("Run 'portalops check run', or 'portalops ledger show' to see the rounds."),
        )
    return chosen[-1]


def _said(result: CheckResult) -> tuple[str, str, str]:
    return result.verdict.value, result.reason, str(result.message)


def _cells(result: CheckResult | None) -> tuple[Cell, Cell]:
    if result is None:
        gone: Message = msg("no such check any more")
        return None, gone
    return check_status(result.verdict), result.message


def _data(result: CheckResult | None) -> JsonValue:
    if result is None:
        return None
    return {"verdict": result.verdict.value, "reason": result.reason, "seen": str(result.message)}
