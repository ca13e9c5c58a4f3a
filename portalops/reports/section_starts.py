"""When each host was started in a period, by its own journal, and whether its starts have a record (Article 12.2). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from portalops.model.checks import CheckResult
from portalops.model.message import msg, nmsg
from portalops.model.server_history import HostStarts, ServerHistory
from portalops.model.text import show_text
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import check_status, joined

CHECK: Final = "change.reboots"
MOST_HOSTS: Final = 60
STARTS_SHOWN: Final = 6


def start_blocks(evidence: Evidence, history: ServerHistory) -> Iterator[Block]:
    """Yield each host with its starts, those with most first, and what the check of starts said last."""
    if not history.starts:
        yield Notice(msg("No answer of a host in the period is kept: when hosts were started is unknown."))
        return
    yield Paragraph(
        msg(
            "By the journal of each host, from its kept answers. A start that is not recorded as a change or "
            "an incident fails the check."
        )
    )
    newest = evidence.checks.body.results() if evidence.checks else ()
    checked = {result.host: result for result in newest if result.check == CHECK}
    headers = (
        msg("Host"), msg("Starts"), msg("When"), msg("Known since"), msg("Each has a record"), msg("What was seen"),
    )  # fmt: skip
    start = evidence.period.bounds(evidence.zone)[0]
    rows = [
        _row(each, start, checked.get(each.host))
        for each in sorted(history.starts, key=lambda each: (-len(each.at), each.host))
    ]
    yield from bounded(TableBlock(msg("Starts of the hosts in the period"), headers, rows), MOST_HOSTS)


def _row(each: HostStarts, start: datetime, result: CheckResult | None) -> tuple[Cell, ...]:
    said: tuple[Cell, Cell] = (None, None) if result is None else (check_status(result.verdict), result.message)
    host = show_text(each.host, 60)
    if each.known_since is None:
        why = each.why_not or msg("no answer of the host in the period is kept")
        return host, Status(msg("not known"), Tone.UNSURE), why, None, *said
    is_whole = each.known_since <= start
    count: Cell = len(each.at) if is_whole else msg("{n} or more", n=len(each.at))
    return host, count, _moments(each), each.known_since, *said


def _moments(each: HostStarts) -> Cell:
    if not each.at:
        return None
    shown = joined(each.at[-STARTS_SHOWN:])
    more = len(each.at) - STARTS_SHOWN
    return nmsg("{moments} and {n} earlier", "{moments} and {n} earlier", more, moments=shown) if more > 0 else shown
