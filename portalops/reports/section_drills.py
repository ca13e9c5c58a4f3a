"""Drills: which copies were restored and tried out, what was asked of them, and how long a restore takes. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from portalops.model.backups import Copy, DrillResult, ScriptRun
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.reading import level_word
from portalops.registers.drills import RecordedDrill
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.charts import MOST_LINES
from portalops.reports.document import (
    Block,
    ByteSize,
    Cell,
    KeyValues,
    Line,
    LineChart,
    Paragraph,
    Quantity,
    Status,
    TableBlock,
    Tone,
)
from portalops.reports.words import copy_status
from portalops.signatures.sshsig import fingerprint

FEW = 6
"""Fewer drills than this in a period show no trend: then those of the year before are drawn as well."""

DRILLS_CAPTION = msg("Drills of the period: copies that were restored and tried out")


def drill_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the drills that were done on a day of the period, oldest first, with the time that each restore took."""
    drills = drills_of_period(evidence)
    table = drill_table(drills)
    yield table if table.rows else Paragraph(msg("No drill was held in the period."))
    yield from key_blocks(drills)


def drills_of_period(evidence: Evidence) -> tuple[RecordedDrill, ...]:
    """Return the drills that were done on a day of the period, oldest first."""
    return tuple(each for each in evidence.drills if each.at.astimezone(evidence.zone).date() in evidence.period)


def drill_table(drills: Sequence[RecordedDrill]) -> TableBlock:
    """Return a row for each copy that was drilled, in the order of the drills."""
    headers = (
        msg("Drilled at"),
        msg("Backup set"),
        msg("Medium"),
        msg("State"),
        msg("Depth"),
        msg("Restored"),
        msg("Time to restore"),
        msg("Done by"),
        msg("Record"),
    )
    rows = [
        (each.at, *_drilled(each.result.copies[0], each.result), _done_by(each), str(each.seq))
        for each in drills
        if each.result.copies
    ]
    return TableBlock(DRILLS_CAPTION, headers, rows)


def key_blocks(drills: Sequence[RecordedDrill]) -> Iterator[Block]:
    """Yield by which key each other host signed its drills; nothing if this host did all of them."""
    signed = dict.fromkeys((each.host, each.signer) for each in drills if each.signer)
    if signed:
        yield KeyValues(
            [(msg("Drills of {host}: signed by the key", host=host), fingerprint(key)) for host, key in signed]
        )


def trial_blocks(drills: Sequence[RecordedDrill]) -> Iterator[Block]:
    """Yield what each drill restored and what was asked of it, stream by stream, the newest drill first; nothing without any."""
    rows: list[tuple[Cell, ...]] = [
        (
            each.at,
            trial.source,
            trial.stream,
            level_word(trial.level),
            verbatim(trial.asked) if trial.asked else None,
            _found(trial.problems, trial.not_tried),
            str(each.seq),
        )
        for each in reversed(drills)
        for trial in each.result.trials
    ]
    rows += [
        (
            each.at,
            None,
            "restore.sh",
            None,
            msg("the set's own script, as a stranger runs it"),
            _script_outcome(script),
            str(each.seq),
        )
        for each in reversed(drills)
        if (script := each.result.script) is not None
    ]
    if rows:
        headers = (
            msg("Drilled at"),
            msg("Source"),
            msg("Stream"),
            msg("Depth"),
            msg("What was tested (as recorded, in English)"),
            msg("Result"),
            msg("Record"),
        )
        yield from bounded(TableBlock(msg("What was restored, and what was tested"), headers, rows))


def restore_time_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield how long restores took, as lines over time: of the period, or of a year where the period has few.

    One line a medium, since a tape and a disk are not compared by their times.
    """
    own, year = drills_of_period(evidence), evidence.drills
    shown = own if len(own) >= FEW else year
    timed = [each for each in shown if each.result.trials and each.result.copies]
    yield Paragraph(
        msg(
            "The regulation sets no time limit for restoring data, so the times are shown but not judged. "
            "They run from opening the copy to the last file, without the tests."
        )
    )
    media: dict[str, list[RecordedDrill]] = {}
    for each in timed:
        media.setdefault(each.result.copies[0].medium, []).append(each)
    drawn = sorted((name for name in media if len(media[name]) > 1), key=lambda name: (-len(media[name]), name))
    if not drawn:
        yield Paragraph(
            msg("A trend needs two restores from one medium; the year up to the end of the period has fewer.")
        )
        return
    scale, unit = _scale(max(each.result.restore_ms for name in drawn for each in media[name]))
    for name in drawn[:MOST_LINES]:
        yield _trend(name, media[name], evidence.zone, scale=scale, unit=unit)
    if (more := len(drawn) - MOST_LINES) > 0:
        yield Paragraph(nmsg("{n} more medium is not drawn.", "{n} more media are not drawn.", more))


def _trend(medium: str, drills: Sequence[RecordedDrill], zone: ZoneInfo, *, scale: float, unit: str) -> LineChart:
    values = [each.result.restore_ms / scale for each in drills]
    first, last = (each.at.astimezone(zone).date() for each in (drills[0], drills[-1]))
    return LineChart(
        msg("Time to restore from {medium}, {first} to {last}", medium=medium, first=first, last=last),
        [each.at for each in drills],
        (Line(msg("time to restore"), Tone.NEUTRAL, values),),
        decimals=1,
        unit=unit,
        lowest=0,
    )


def _scale(longest_ms: int) -> tuple[float, str]:
    """Return by what milliseconds are divided, and the sign of the unit that the longest time is read best in."""
    if longest_ms < 600_000:
        return 1000.0, "s"
    return (60_000.0, "min") if longest_ms < 36_000_000 else (3_600_000.0, "h")


def _drilled(copy: Copy, result: DrillResult) -> tuple[Cell, ...]:
    seconds = Quantity(result.restore_ms / 1000, 1, "s") if result.trials else None
    restored = ByteSize(result.plain_bytes) if result.trials else None
    return copy.set_id, copy.medium, copy_status(copy.state), level_word(copy.level), restored, seconds


def _done_by(each: RecordedDrill) -> Message | str:
    return each.host if each.signer else msg("this host")


def _script_outcome(script: ScriptRun) -> Cell:
    if script.not_run:
        return Status(msg("not run: {why}", why=script.not_run), Tone.UNSURE)
    return _found(script.problems, "")


def _found(problems: Sequence[str], not_tried: str) -> Cell:
    if problems:
        return Status(verbatim("; ".join(problems[:3])), Tone.BAD)
    if not_tried:
        return Status(msg("restored, not tested: {why}", why=not_tried), Tone.UNSURE)
    return Status(msg("as expected"), Tone.GOOD)
