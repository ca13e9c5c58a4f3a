"""What the newest round of server checks shows: counts by host, and all that did not pass. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from portalops.model.checks import CheckResult, HostRound
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.evidence import Evidence
from portalops.reports.document import Bars, Block, Cell, Notice, Paragraph, Table, Tone
from portalops.reports.words import check_status, severity_status

_ORDER = (CheckVerdict.FAIL, CheckVerdict.ERROR, CheckVerdict.UNKNOWN)
_SEVERITIES = tuple(Severity)


def server_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the newest round: how many checks said what on each host, then every one that did not pass."""
    newest = evidence.checks
    if newest is None:
        yield Notice(msg("No round of server checks is recorded: nothing is known of the servers' state."))
        return
    hosts = newest.body.hosts
    yield Paragraph(
        nmsg(
            "The newest round of checks that speaks for the period is record {seq} of {at}. It looked at one host.",
            "The newest round of checks that speaks for the period is record {seq} of {at}. It looked at {n} hosts.",
            len(hosts),
            seq=newest.seq,
            at=newest.at,
        )
    )
    for host in hosts:
        if not host.reached:
            yield Notice(
                msg(
                    "Host {host} was not reached: {problem}. All its checks are unknown.",
                    host=host.host,
                    problem=host.problem,
                ),
                Tone.BAD,
            )
    yield Bars(msg("Answers of the checks by host"), [_bar(host) for host in hosts])
    yield Table(
        msg("Checks that failed or could not be answered, worst first"),
        (msg("Check"), msg("Host"), msg("Clause"), msg("Severity"), msg("Answer"), msg("What was seen"), msg("Remedy")),
        [_row(result) for result in troubling(newest.body.results())],
    )
    yield _earlier_failures(evidence)


def _earlier_failures(evidence: Evidence) -> Table:
    """List what failed in rounds of the period and no longer fails in the newest: the verdicts do not speak of it."""
    failed: dict[tuple[str, str], list[datetime]] = {}
    for one in evidence.rounds:
        for result in one.body.results():
            if result.verdict is CheckVerdict.FAIL:
                failed.setdefault((result.check, result.host), []).append(one.at)
    newest = evidence.checks.body.results() if evidence.checks else ()
    now_failing = {(result.check, result.host) for result in newest if result.verdict is CheckVerdict.FAIL}
    return Table(
        msg("Checks that failed earlier in the period, and do not fail in the newest round"),
        (msg("Check"), msg("Host"), msg("Rounds in which it failed"), msg("Rounds"), msg("First"), msg("Last")),
        [
            (check, host, len(moments), len(evidence.rounds), moments[0], moments[-1])
            for (check, host), moments in sorted(failed.items())
            if (check, host) not in now_failing
        ],
    )


def troubling(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Return the results that are neither a pass nor not applicable: fails first, then by severity."""
    found = (result for result in results if result.verdict in _ORDER)
    return tuple(
        sorted(
            found,
            key=lambda result: (
                _ORDER.index(result.verdict),
                _SEVERITIES.index(result.severity),
                result.check,
                result.host,
            ),
        )
    )


def _bar(host: HostRound) -> tuple[Message, Sequence[tuple[Tone, Message, int]]]:
    parts = []
    for verdict in CheckVerdict:
        status = check_status(verdict)
        count = sum(result.verdict is verdict for result in host.results)
        parts.append((status.tone, status.word, count))
    return verbatim(host.host), parts


def _row(result: CheckResult) -> tuple[Cell, ...]:
    return (
        result.check,
        result.host,
        result.clause,
        severity_status(result.severity).word,  # how much it would matter, not what was found
        check_status(result.verdict),
        result.message,
        result.remedy,
    )
