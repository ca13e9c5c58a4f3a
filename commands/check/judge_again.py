"""Judge the kept answers of a recorded scan again

No host is asked: today's checks and declarations judge the same bytes. A result that differs is shown with both
verdicts: a check or a declaration has changed since. Of a host that did not answer, only the outside scan is judged
again. A group is left out unless all its members answered. A host that is no longer configured has no declarations,
and is left out. The output names what is left out.

Example: portalops check judge-again; portalops check judge-again --record 1204

EXIT STATUS: 0 all the same, 1 a result differs, 2 no such scan, 3 nothing could be judged again, or a host is no
longer configured, 5 an answer is damaged or missing
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Optional

import typer

from checks.servers.catalogue import checks, probes_of
from checks.servers.declared import Declared
from checks.servers.judging import judge_again
from checks.servers.standby import GroupCheck, MemberAnswer, judge_groups, members_of, read_member
from commands.check.steps import newest_scan
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.bodies import decode_part
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.checks import CheckResult, CheckScan
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Recorded
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.words import check_status


@shape
class JudgedResult:
    """What a check made of an answer."""

    verdict: CheckVerdict
    reason: str
    """A code such as `sudo-refused`; empty for pass."""
    seen: str


@shape
class ChangedResult:
    """A result that comes out otherwise when the kept answer is judged again."""

    id: str
    """Host and check, a space between."""
    then: JudgedResult
    now: JudgedResult | None
    """Null where there is no such check any more."""


def judge_again_(
    ctx: typer.Context,
    record: Annotated[
        Optional[int],  # noqa: UP045  # Typer reads it at run time
        typer.Option(
            "--record", metavar="SEQ", help=_("The number of the scan's record; by default the newest"), min=1
        ),
    ] = None,
) -> Result[tuple[ChangedResult, ...]]:
    session = open_session(ctx)
    found = _read_scan(session, record)
    again = _judged_again(session, found.body)
    rows: list[tuple[Cell, ...]] = []
    data: list[ChangedResult] = []
    same = 0
    for then, now in again.pairs:
        if now is not None and _describe(now) == _describe(then):
            same += 1
            continue
        rows.append((then.host, then.check, *_cells(then), *_cells(now)))
        data.append(ChangedResult(f"{then.host} {then.check}", _data(then), _data(now) if now else None))
    headers = (msg("Host"), msg("Check"), msg("Then"), msg("Seen then"), msg("Now"), msg("Seen now"))
    view: list[Block] = [
        Paragraph(msg("Scan of record {seq}, {at}", seq=found.seq, at=found.at)),
        Paragraph(nmsg("{n} result is the same.", "{n} results are the same.", same)),
    ]
    if rows:
        view.append(TableBlock(nmsg("{n} result differs", "{n} results differ", len(rows)), headers, rows))
    code = ExitCode.UNMET if rows else ExitCode.PARTIAL if again.is_gone or not same else ExitCode.OK
    return Result(tuple(data), view, again.left_out, code)


@dataclass
class _Again:
    """What a scan's kept answers come to now."""

    pairs: list[tuple[CheckResult, CheckResult | None]] = field(default_factory=list)
    """Each result that is judged again, and what it comes to; None where there is no such check any more."""
    left_out: list[Message] = field(default_factory=list)
    is_gone: bool = False
    """Something is configured or declared no more."""

    def gone(self, why: Message) -> None:
        self.left_out.append(why)
        self.is_gone = True

    def hold(self, recorded: Iterable[CheckResult], now: Iterable[CheckResult]) -> None:
        by_check = {result.check: result for result in now}
        self.pairs += [(then, by_check.get(then.check)) for then in recorded]


def _judged_again(session: Session, body: CheckScan) -> _Again:
    hosts = {host.id: host for host in session.settings.hosts}
    declared = session.settings.declared.parse(Declared)
    together = [one for one in checks() if isinstance(one, GroupCheck)]
    members, probes = members_of(declared), probes_of(together)
    again = _Again()
    answers: dict[str, MemberAnswer] = {}
    for one in (each for each in body.hosts if not each.standby):
        name, answer = show_text(one.host), one.answer()
        if one.reached and one.host not in hosts:
            again.gone(msg("{host} is no longer configured: its answer is not judged again", host=name))
            continue
        if not one.reached:
            again.left_out.append(
                msg("{host} did not answer in that scan: nothing of it is judged again", host=name)
                if answer is None or one.host not in hosts
                else msg("{host} did not answer in that scan: only its outside scan is judged again", host=name)
            )
        if answer is None or one.host not in hosts:
            continue
        raw = session.ledger.blob(answer)
        known = [then for then in one.results if one.reached or then.evidence]
        again.hold(known, judge_again(raw, hosts[one.host], declared, one.gathered_at))
        if one.reached and one.host in members:
            answers[one.host] = read_member(hosts[one.host], one.gathered_at, raw, probes)
    for one in (each for each in body.hosts if each.standby):
        now = [each for each in judge_groups(answers, declared, one.gathered_at, together) if each.host == one.host]
        if not now:
            again.gone(msg("the declaration of {group} has changed: it is not judged again", group=show_text(one.host)))
        elif not {*one.members, *now[0].members} <= set(answers):
            said = msg("not all members of group {group} answered: it is not judged again", group=show_text(one.host))
            again.left_out.append(said)
        else:
            again.hold(one.results, now[0].results)
    return again


def _read_scan(session: Session, seq: int | None) -> Recorded[CheckScan]:
    """Return the scan of a record, or the newest one.

    Raises:
        UsageError: there is none.
    """
    hint = msg("'portalops ledger show' lists the records; 'portalops check run' makes a scan.")
    if seq is None:
        if (newest := newest_scan(session)) is None:
            raise UsageError(msg("no scan is recorded"), hint)
        return newest
    record = session.ledger.record(seq)
    is_scan = record is not None and record.kind == "check.finished"
    body = decode_part(session.ledger.blob(record.body), "check", CheckScan) if record and is_scan else None
    if record is None or body is None:
        raise UsageError(msg("record {seq} is not of a scan", seq=seq), hint)
    return Recorded(record.seq, record.at, record.run, body)


def _describe(result: CheckResult) -> tuple[str, str, str]:
    return result.verdict.value, result.reason, str(result.message)


def _cells(result: CheckResult | None) -> tuple[Cell, Cell]:
    if result is None:
        gone: Message = msg("the check no longer exists")
        return None, gone
    return check_status(result.verdict), result.message


def _data(result: CheckResult) -> JudgedResult:
    return JudgedResult(result.verdict, result.reason, str(result.message))


VERB = Verb(judge_again_)
