"""The vendors' fixes over a period: what waited on each host by day, how long updates waited, and what the checks said. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, TypeAlias

from portalops.model.message import Message, msg, nmsg
from portalops.model.server_history import HostUpdates, ServerHistory, UpdateWait, WaitEnd
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Bars, Block, Cell, Grid, GridMark, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import check_status

Parts: TypeAlias = "list[tuple[Tone, Message, int]]"
MOST_HOSTS: Final = 60
"""Rows of the picture; hosts on which most waits come first."""
WAIT_BANDS: Final = (0, 3, 7, 15, 30)
"""Days: less than one, and up to so many; longer ones are together."""
FAMILIES: Final = ("patching.", "vuln.")
_ENDS: Final = (
    (WaitEnd.LOGGED, Tone.GOOD, msg("installed")),
    (WaitEnd.WAITING, Tone.BAD, msg("still waiting at the last scan")),
    (WaitEnd.UNTOLD, Tone.UNSURE, msg("gone, and no log shows why")),
)


def patch_blocks(evidence: Evidence, history: ServerHistory) -> Iterator[Block]:
    """Yield the picture of hosts and days, the distribution of waits, what waits, each host, and the checks of patches."""
    if not any(each.waiting for each in history.updates):
        yield Notice(msg("No answer of a host in the period is kept: how long security updates waited is unknown."))
    else:
        yield Paragraph(
            msg(
                "By the last scan of each day. An update waits from the first scan that shows it until the "
                "host's package manager logged the change. It was published before that scan; an update that was "
                "published and installed between two scans is not seen and not counted."
            )
        )
        yield from _grid(evidence, history.updates)
        waits = [wait for each in history.updates for wait in each.waits]
        yield from _lags(waits)
        yield from _hosts(history.updates)
        yield from _still_waiting(waits)
    yield from _checks(evidence)


# --- hosts and days -----------------------------------------------------------------------------

_NONE = GridMark("✓", Tone.GOOD, msg("no security update waits"))
_UNKNOWN = GridMark("?", Tone.UNSURE, msg("the host was scanned, but the waiting updates could not be found out"))


def _grid(evidence: Evidence, hosts: Sequence[HostUpdates]) -> Iterator[Block]:
    days = [day for day in evidence.period.days() if day <= evidence.last_day()]
    ordered = sorted(hosts, key=lambda each: (-_newest(each), each.host))
    rows = [
        (show_text(each.host, 60), [_mark(each.host, day, counts) for day in days])
        for each in ordered[:MOST_HOSTS]
        for counts in (dict(each.waiting),)
    ]
    legend = [
        (GridMark("3", Tone.BAD, msg("count")), msg("number of security updates that wait")),
        (_NONE, _NONE.meaning),
        (_UNKNOWN, _UNKNOWN.meaning),
    ]
    yield Grid(
        msg("Security updates that waited on each host, by day; an empty field is a day without a scan"),
        days,
        rows,
        legend,
    )
    more = len(ordered) - MOST_HOSTS
    if more > 0:
        yield Paragraph(
            nmsg(
                "{n} host on which fewer updates wait is not drawn.",
                "{n} hosts on which fewer updates wait are not drawn.",
                more,
            )
        )


def _newest(each: HostUpdates) -> int:
    return next((count for _day, count in reversed(each.waiting) if count is not None), 0)


def _mark(host: str, day: date, counts: dict[date, int | None]) -> GridMark | None:
    if day not in counts:
        return None
    count = counts[day]
    if count is None:
        return _UNKNOWN
    if not count:
        return _NONE
    meaning = nmsg(
        "{host}, {day}: {n} security update waits",
        "{host}, {day}: {n} security updates wait",
        count,
        host=show_text(host, 60),
        day=day,
    )
    return GridMark(str(count) if count < 100 else "99+", Tone.BAD, meaning)


# --- how long -----------------------------------------------------------------------------------


def _lags(waits: Sequence[UpdateWait]) -> Iterator[Block]:
    if not waits:
        yield Paragraph(msg("No security update was seen to wait in the period."))
        return
    told = [wait for wait in waits if not wait.is_older]
    rows: list[tuple[Message, Parts]] = []
    for band, label in enumerate(_band_words()) if told else ():
        rows.append((label, _parts(wait for wait in told if sum(wait.days > most for most in WAIT_BANDS) == band)))
    if len(told) < len(waits):
        label = msg("Unknown: it was already waiting in the oldest scan that could be read")
        rows.append((label, _parts(wait for wait in waits if wait.is_older)))
    yield Bars(msg("How long security updates waited, counted by package and host"), rows)


def _parts(waits: Iterable[UpdateWait]) -> Parts:
    counts = Counter(wait.end for wait in waits)
    return [(tone, word, counts[end]) for end, tone, word in _ENDS]


def _band_words() -> Iterator[Message]:
    yield msg("Less than a day")
    for low, high in pairwise(WAIT_BANDS):
        yield msg("{first} to {last} days", first=low + 1, last=high)
    yield msg("More than {days} days", days=WAIT_BANDS[-1])


def _hosts(hosts: Sequence[HostUpdates]) -> Iterator[Block]:
    headers = (
        msg("Host"), msg("Days with a scan"), msg("Days without a result"), msg("Installed in the period"),
        msg("Longest wait of those, days"), msg("Gone without a log"), msg("Waiting at the last scan"),
    )  # fmt: skip
    rows = [_host_row(each) for each in sorted(hosts, key=lambda each: (-_newest(each), each.host))]
    yield from bounded(TableBlock(msg("Security updates by host"), headers, rows), MOST_HOSTS)


def _host_row(each: HostUpdates) -> tuple[Cell, ...]:
    installed = [wait for wait in each.waits if wait.end is WaitEnd.LOGGED]
    longest: Cell = max((wait.days for wait in installed), default=None)
    if isinstance(longest, int) and any(wait.is_older for wait in installed):
        longest = msg("{n} or more", n=longest)
    told = [count for _day, count in each.waiting if count is not None]
    return (
        show_text(each.host, 60),
        len(each.waiting),
        len(each.waiting) - len(told),
        len(installed),
        longest,
        sum(wait.end is WaitEnd.UNTOLD for wait in each.waits),
        told[-1] if told else Status(msg("not known"), Tone.UNSURE),
    )


def _still_waiting(waits: Sequence[UpdateWait]) -> Iterator[Block]:
    waiting = sorted(
        (wait for wait in waits if wait.end is WaitEnd.WAITING), key=lambda each: (-each.days, each.host, each.package)
    )
    if not waiting:
        return
    headers = (msg("Host"), msg("Package"), msg("Seen waiting since"), msg("Last seen waiting"), msg("Days it waited"))
    rows = [
        (
            show_text(wait.host, 60),
            show_text(wait.package, 80),
            msg("{at} or earlier", at=wait.seen_at) if wait.is_older else wait.seen_at,
            wait.ended_at,
            wait.days,
        )
        for wait in waiting
    ]
    yield from bounded(
        TableBlock(
            msg("Security updates that still waited at the last scan of their host, the longest first"),
            headers,
            rows,
        )
    )


# --- checks -------------------------------------------------------------------------------------


def _checks(evidence: Evidence) -> Iterator[Block]:
    """Yield what the checks of patches said in all rounds of the period, and in the newest."""
    over: dict[str, Counter[CheckVerdict]] = {}
    for one in evidence.scans:
        for result in one.body.results():
            if result.check.startswith(FAMILIES):
                over.setdefault(result.check, Counter())[result.verdict] += 1
    newest: dict[str, Counter[CheckVerdict]] = {}
    for last in evidence.checks.body.results() if evidence.checks else ():
        if last.check.startswith(FAMILIES):
            newest.setdefault(last.check, Counter())[last.verdict] += 1
    if not over and not newest:
        yield Paragraph(msg("No check of patches was run in the period."))
        return
    verdicts = (CheckVerdict.PASS, CheckVerdict.FAIL, CheckVerdict.UNKNOWN)
    headers = (
        msg("Check"),
        *(msg("{answer}, in the period", answer=check_status(each).word) for each in verdicts),
        *(msg("{answer}, newest scan", answer=check_status(each).word) for each in verdicts),
    )
    rows: list[tuple[Cell, ...]] = [
        (check, *(_count(found.get(check), each) for found in (over, newest) for each in verdicts))
        for check in sorted({*over, *newest})
    ]
    caption = nmsg(
        "Checks of patches: answers by host in the {n} scan of the period, and in the newest one",
        "Checks of patches: answers by host in the {n} scans of the period, and in the newest one",
        len(evidence.scans),
    )
    yield TableBlock(caption, headers, rows)


def _count(found: Counter[CheckVerdict] | None, verdict: CheckVerdict) -> int:
    """Count answers; an error in a check is an answer that is not known."""
    if found is None:
        return 0
    return found[verdict] + (found[CheckVerdict.ERROR] if verdict is CheckVerdict.UNKNOWN else 0)
