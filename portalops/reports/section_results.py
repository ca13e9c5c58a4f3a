"""Every check of the newest round over all hosts, so that what passed can be seen as well as what did not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from portalops.model.checks import CheckResult
from portalops.model.message import msg, nmsg
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import MOST_ROWS, bounded
from portalops.reports.document import Block, Cell, TableBlock
from portalops.reports.section_servers import scan_blocks, troubling
from portalops.reports.words import check_status, severity_status

HOSTS_SHOWN: Final = 6
MOST_CHECKS: Final = 400
"""Of the table that has each check once; there are fewer."""


def result_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the newest round by host, what did not pass, and every check with its answers on all hosts.

    Of one host every answer is told; of several, each check once with how many hosts gave which answer.
    """
    newest = evidence.checks
    is_one = newest is not None and sum(not each.standby for each in newest.body.hosts) <= 1
    for block in scan_blocks(evidence):
        if isinstance(block, TableBlock):
            yield from bounded(block, MOST_CHECKS if is_one else MOST_ROWS) if block.rows else ()
        else:
            yield block
    if newest is not None:
        yield from _host_blocks(newest.body.results()) if is_one else _check_blocks(newest.body.results())


def _host_blocks(results: Sequence[CheckResult]) -> Iterator[Block]:
    headers = (
        msg("Check"),
        msg("Host"),
        msg("Clause"),
        msg("Severity"),
        msg("Answer"),
        msg("What was seen"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            result.check,
            show_text(result.host, 60),
            result.clause,
            severity_status(result.severity).word,
            check_status(result.verdict),
            result.message,
        )
        for result in sorted(results, key=lambda each: (each.check, each.host))
        if result not in troubling([result])
    ]
    yield from bounded(TableBlock(msg("Checks that passed or do not apply"), headers, rows), MOST_CHECKS)


def _check_blocks(results: Sequence[CheckResult]) -> Iterator[Block]:
    by_check: dict[str, list[CheckResult]] = {}
    for result in results:
        by_check.setdefault(result.check, []).append(result)
    verdicts = tuple(CheckVerdict)
    headers = (
        msg("Check"), msg("Clause"), msg("Severity"), *(check_status(verdict).word for verdict in verdicts),
        msg("Fails on"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            check,
            own[0].clause,
            severity_status(own[0].severity).word,
            *(sum(result.verdict is verdict for result in own) for verdict in verdicts),
            _failing(own),
        )
        for check, own in sorted(by_check.items())
    ]
    yield from bounded(
        TableBlock(msg("Every check of the newest scan, and its answers by number of hosts"), headers, rows),
        MOST_CHECKS,
    )


def _failing(results: Sequence[CheckResult]) -> Cell:
    hosts = sorted(show_text(result.host, 60) for result in results if result.verdict is CheckVerdict.FAIL)
    if not hosts:
        return None
    shown, more = ", ".join(hosts[:HOSTS_SHOWN]), len(hosts) - HOSTS_SHOWN
    return nmsg("{names} and {n} more", "{names} and {n} more", more, names=shown) if more > 0 else shown
