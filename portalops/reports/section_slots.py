"""Planned jobs held against the runs there were: what was done, late or missed, and when nothing ran. Pure; any report may use it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Week
from portalops.model.runs import Every, Job, JobId, Run
from portalops.registers.evidence import Evidence
from portalops.registers.slots import KeptSlot, SlotState
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Grid, GridMark, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_proof import duration_words

MOST_DAYS = 62
"""A longer period has a column a week: a picture with more days would take many bands."""
MOST_JOBS = 40
"""Rows of the picture; the table has every job."""

_MARKS: Mapping[SlotState, GridMark] = {
    SlotState.DONE: GridMark("✓", Tone.GOOD, msg("done")),
    SlotState.LATE: GridMark(
        "◑",
        Tone.UNSURE,
        msg("done late: begun within the hour after its end, which still counts, or when the job was overdue"),
    ),
    SlotState.INCOMPLETE: GridMark("~", Tone.UNSURE, msg("done in part")),
    SlotState.FAILED: GridMark("!", Tone.BAD, msg("tried, and failed")),
    SlotState.UNFINISHED: GridMark("†", Tone.BAD, msg("begun, but unfinished")),
    SlotState.UNKNOWN: GridMark("?", Tone.UNSURE, msg("ended, but the result cannot be read")),
    SlotState.MISSED: GridMark("✗", Tone.BAD, msg("missed: no run at all")),
}
_SEVERAL = GridMark("n", Tone.UNSURE, msg("number done of several that were planned in this time"))

_RHYTHMS: Mapping[Every, Message] = {
    Every.HOUR: msg("each hour"),
    Every.DAY: msg("each day"),
    Every.WEEK: msg("each week"),
    Every.MONTH: msg("each month"),
}


def slot_status(state: SlotState) -> Status:
    """Return the words for how a slot of a planned job was kept."""
    mark = _MARKS[state]
    return Status(mark.meaning, mark.tone)


def slot_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the picture of jobs over time, the count of each job, and every slot that was not kept; or why nobody can tell."""
    kept = evidence.slots
    if kept is None or kept.problem is not None:
        why = kept.problem if kept and kept.problem else msg("the plans were not read")
        yield Notice(msg("Which runs were expected is unknown: {cause}", cause=why), Tone.UNSURE)
        return
    if not kept.slots:
        yield Paragraph(msg("No planned job had a slot that began in the period and is over."))
        return
    yield job_grid(kept.slots, evidence)
    yield Paragraph(
        msg(
            "A job is due once in each of its slots: an hour, a day, an ISO week or a month. Only slots that "
            "began in the period and are over count; a slot that was only partly in the time of a plan is "
            "not expected. A weekly or monthly slot is shown at the time of its run, or at its end if it was "
            "missed."
        )
    )
    yield job_table(kept.slots)
    bad = _stretches([slot for slot in kept.slots if slot.state is not SlotState.DONE])
    if not bad:
        yield Paragraph(msg("Every expected run was done in its time."))
        return
    headers = (
        msg("Job"),
        msg("Slots"),
        msg("Count"),
        msg("Began"),
        msg("Ended"),
        msg("Result"),
        msg("Run"),
        msg("Record"),
    )
    caption = msg("Slots that were late, done in part, failed or missed, the newest first")
    yield from bounded(TableBlock(caption, headers, [_stretch_row(stretch) for stretch in bad]))


def _stretches(slots: Sequence[KeptSlot]) -> list[list[KeptSlot]]:
    """Return slots by themselves, but for missed ones of one job that follow each other: those together; the newest first."""
    found: list[list[KeptSlot]] = []
    open_: dict[JobId, list[KeptSlot]] = {}
    for slot in slots:
        held = open_.get(slot.job.id)
        if slot.state is SlotState.MISSED and held is not None and held[-1].ends_at == slot.starts_at:
            held.append(slot)
            continue
        found.append([slot])
        if slot.state is SlotState.MISSED:
            open_[slot.job.id] = found[-1]
    return sorted(found, key=lambda stretch: (stretch[-1].ends_at, stretch[0].job.id), reverse=True)


def _stretch_row(stretch: Sequence[KeptSlot]) -> tuple[Cell, ...]:
    first, last = stretch[0], stretch[-1]
    run = first.run
    return (
        first.job.id,
        first.name if first is last else f"{first.name} – {last.name}",
        len(stretch),
        first.starts_at,
        last.ends_at,
        slot_status(first.state),
        run.id if run else None,
        str(run.finished_seq or run.started_seq) if run else None,
    )


def job_table(slots: Sequence[KeptSlot]) -> TableBlock:
    """Return a row a job: how many runs were expected, and what became of them."""
    counts: dict[JobId, Counter[SlotState]] = {}
    jobs: dict[JobId, Job] = {}
    for slot in slots:
        counts.setdefault(slot.job.id, Counter())[slot.state] += 1
        jobs[slot.job.id] = slot.job
    headers = (
        msg("Job"),
        msg("Kind"),
        msg("How often"),
        msg("Duty"),
        msg("Expected"),
        msg("Done"),
        msg("Done late"),
        msg("In part"),
        msg("Failed"),
        msg("Unfinished"),
        msg("Result unknown"),
        msg("Missed"),
    )
    rows = [
        (
            job.id,
            str(job.kind),
            _RHYTHMS[job.every],
            job.duty or None,
            counts[name].total(),
            *(counts[name][state] for state in SlotState),
        )
        for name, job in sorted(jobs.items())
    ]
    return TableBlock(msg("Planned jobs: what was expected in the period, and the results"), headers, rows)


def job_grid(slots: Sequence[KeptSlot], evidence: Evidence) -> Grid:
    """Return jobs by days, or by ISO weeks in a long period; a day on which nothing ran is shaded."""
    period, zone = evidence.period, evidence.zone
    days = tuple(period.days())
    by_day = len(days) <= MOST_DAYS
    columns: Sequence[date | Week] = days if by_day else period.weeks()
    cells: dict[tuple[JobId, date | Week], list[KeptSlot]] = {}
    for slot in slots:
        day = min(_shown_on(slot, evidence), period.last)
        cells.setdefault((slot.job.id, day if by_day else Week.of(day)), []).append(slot)
    names = sorted({slot.job.id for slot in slots})
    rows = [
        (str(name), [_mark(cells[name, column]) if (name, column) in cells else None for column in columns])
        for name in names[:MOST_JOBS]
    ]
    shown = {mark.sign if mark.meaning in _MEANINGS else "n" for _name, marks in rows for mark in marks if mark}
    shaded: dict[int, Message] = {}
    if by_day:
        ran = {run.started_at.astimezone(zone).date() for run in evidence.runs}
        today, first = evidence.now.astimezone(zone).date(), _began_on(evidence)
        shaded = {
            place: msg("nothing ran on this day")
            for place, day in enumerate(days)
            if day not in ran and first <= day < today
        }
    return Grid(
        msg("Planned jobs, day by day") if by_day else msg("Planned jobs, week by week"),
        [column if isinstance(column, date) else msg("W{number}", number=f"{column.number:02d}") for column in columns],
        rows,
        [(mark, mark.meaning) for mark in (*_MARKS.values(), _SEVERAL) if mark.sign in shown],
        shaded,
    )


_MEANINGS = tuple(mark.meaning for mark in _MARKS.values())


def _shown_on(slot: KeptSlot, evidence: Evidence) -> date:
    """Return the local day at which a slot stands: an hour's or day's own, else that of its run, else its last one."""
    if slot.job.every in {Every.HOUR, Every.DAY}:
        return slot.starts_at.date()
    if slot.run is not None:
        return slot.run.started_at.astimezone(evidence.zone).date()
    return (slot.ends_at - timedelta(hours=12)).date()


def _mark(slots: Sequence[KeptSlot]) -> GridMark:
    states = Counter(slot.state for slot in slots)
    if len(states) == 1:
        return _MARKS[slots[0].state]
    done, total = states[SlotState.DONE], len(slots)
    tone = Tone.BAD if states[SlotState.MISSED] or states[SlotState.FAILED] else Tone.UNSURE
    said = nmsg(
        "{done} of {n} slot done, {missed} missed", "{done} of {n} slots done, {missed} missed", total, done=done,
        missed=states[SlotState.MISSED],
    )  # fmt: skip
    return GridMark(str(done), tone, said)


# --- when nothing ran ---------------------------------------------------------------------------


def silence_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the longest time without a run, of each kind and of all; the time before a kind's first run counts for it too."""
    start, end = evidence.period.bounds(evidence.zone)
    begins, ends = max(start, evidence.started_at or end), min(end, evidence.now)
    runs = [run for run in evidence.runs if begins <= run.started_at < ends]
    if not runs or begins >= ends:
        yield Paragraph(msg("No run began in the period."))
        return
    kinds: dict[str, list[Run]] = {}
    for run in runs:
        kinds.setdefault(run.kind, []).append(run)
    headers = (msg("Kind of run"), msg("Runs"), msg("Longest time without one"), msg("From"), msg("To"))
    every: list[tuple[Cell, list[Run]]] = [(msg("any"), runs), *((kind, kinds[kind]) for kind in sorted(kinds))]
    yield TableBlock(
        msg("Times without a run: the longest of each kind in the period"),
        headers,
        [_silence_row(word, some, begins, ends) for word, some in every],
    )


def _silence_row(word: Cell, runs: Sequence[Run], begins: datetime, ends: datetime) -> tuple[Cell, ...]:
    earlier, later = longest_between([begins, *sorted(run.started_at for run in runs), ends])
    return word, len(runs), duration_words(later - earlier), earlier, later


def longest_between(moments: Sequence[datetime]) -> tuple[datetime, datetime]:
    """Return the two neighbours of at least two ascending moments that lie furthest apart; the earliest of such pairs."""
    return max(pairwise(moments), key=lambda pair: pair[1] - pair[0])


def _began_on(evidence: Evidence) -> date:
    return (evidence.started_at or evidence.now).astimezone(evidence.zone).date()
