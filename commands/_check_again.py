"""`portalops check judge-again`: the answers kept of a round, judged once more and held against what was recorded then."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from commands._check_findings import newest_round
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, UsageError
from portalops.ledger.bodies import decode_part
from portalops.locale import _
from portalops.model.checks import CheckResult, CheckRound
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.registers.evidence import Recorded
from portalops.reports.document import Block, Cell, Paragraph, Table
from portalops.reports.words import check_status

HELP = _(
    "Judge the kept answers of a recorded round once more\n\nNothing is looked at: the same bytes are judged by the checks and the"
    " declarations of now. What comes out the same was judged so then; what differs is shown with both, since a check or what is"
    " declared has changed since. Groups of hosts are not judged again here, and of a host that is configured no more nobody"
    " knows the declarations: the answer says which hosts are left out."
    "\n\nExample: portalops check judge-again; portalops check judge-again --record 1204"
    "\n\nEXIT STATUS: 0 all the same, 1 something differs, 2 there is no such round, 3 nothing could be"
    " judged again, or a host is configured no more, 5 an answer is damaged or missing"
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
    from checks.servers.declared import Declared  # noqa: PLC0415  # start-up time
    from checks.servers.judging import judge_again  # noqa: PLC0415

    session = open_session(ctx)
    found = _round(session, record)
    hosts = {host.id: host for host in session.settings.hosts}
    declared = session.settings.declared.parse(Declared)
    rows: list[tuple[Cell, ...]] = []
    data: list[JsonValue] = []
    same = 0
    alone = [one for one in found.body.hosts if not one.standby]
    unanswered = [one.host for one in alone if not one.reached]
    gone = [one.host for one in alone if one.reached and one.host not in hosts]
    for one in alone:
        answer = one.answer()
        if not one.reached or one.host in gone or answer is None:
            continue
        raw = session.ledger.blob(answer)
        now = {result.check: result for result in judge_again(raw, hosts[one.host], declared, one.gathered_at)}
        for then in one.results:
            again = now.get(then.check)
            if again is not None and _said(again) == _said(then):
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
    warnings = [
        *(
            msg("{host} did not answer in that round: nothing of it is judged again", host=show_text(each))
            for each in unanswered
        ),
        *(msg("{host} is configured no more: its answer is not judged again", host=show_text(each)) for each in gone),
    ]
    code = ExitCode.UNMET if rows else ExitCode.PARTIAL if gone or not same else ExitCode.OK
    return Result(data, view, warnings, code)


def _round(session: Session, seq: int | None) -> Recorded[CheckRound]:
    """Return the round of a record, or the newest one.

    Raises:
        UsageError: there is none.
    """
    hint = msg("Run 'portalops check run', or 'portalops ledger show' to see the rounds.")
    if seq is None:
        if (newest := newest_round(session)) is None:
            raise UsageError(msg("there is no recorded round of checks"), hint)
        return newest
    record = session.ledger.record(seq)
    is_round = record is not None and record.kind == "check.finished"
    body = decode_part(session.ledger.blob(record.body), "check", CheckRound) if record and is_round else None
    if record is None or body is None:
        raise UsageError(msg("record {seq} is no round of checks", seq=seq), hint)
    return Recorded(record.seq, record.at, record.run, body)


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
