"""Compare the collected items with the kept answers, and the recorded verdicts with what judging again gives

Verdicts rest on a file that is built from the kept answers alone. This command reads the answers again and names each
row that was changed, added or removed. Then it judges each week again as of the record that judged it last, and names
each verdict that comes out otherwise. 'portalops ledger verify' tests the answers themselves. Nothing is changed.

Example: portalops updates verify

EXIT STATUS: 0 the same, 3 an answer cannot be read again, a poll is not recorded yet, a setting changed a verdict, or
none could be judged again, 5 a row or a verdict differs
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from checks.updates.observation_rows import POLL
from checks.updates.observations import ObservationStore
from checks.updates.proving import NamedToday, VerdictDifference, differences, verdict_differences
from commands.cli.entries import unit_name
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import ShownMessage, shape
from commands.cli.verb import Verb
from commands.jobs.kinds.updates import STORE, replayed, store_place, unrecorded_polls, update_sources
from commands.updates.steps import judged_period, unit_names
from portalops.bodies import decode_part
from portalops.compliance.former_shortfalls import explain_change
from portalops.errors import ExitCode, PortalOpsError
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.model.period import Period, Week
from portalops.model.record import Record
from portalops.model.runs import Resource
from portalops.model.updates import UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import Block, Cell, Notice, Paragraph, TableBlock, Tone
from portalops.reports.words import duty_status

if TYPE_CHECKING:
    from checks.updates.proving import RowDifference

SHOWN = 100
"""Differences that are named; all are counted."""


@shape
class UnrecordedPoll:
    """A poll that no record holds yet."""

    source: str
    polled_at: datetime


@shape
class DifferentRow:
    """A row that is not as the kept answers give it."""

    id: str
    """The item's, or when the source was polled."""
    what: str
    """The table that it is in."""
    source: str
    """Empty where the row is of an item that neither side has."""
    columns: tuple[str, ...]
    """Those that differ; empty where the row is missing, or should not be there."""
    stored: bool
    """The row is there."""


@shape
class DifferentVerdict:
    """A recorded verdict that judging again does not give."""

    id: str
    unit: UnitId
    week: str
    recorded: DutyVerdict
    again: DutyVerdict | None
    """Null if the unit has no such week by today's configuration."""
    record: int
    """The record that has it."""


@shape
class ChangedVerdict:
    """A recorded verdict that is not given any more by a change of the configuration."""

    id: str
    unit: UnitId
    week: str
    recorded: DutyVerdict
    again: DutyVerdict | None
    """Null if the unit has no such week by today's configuration."""
    cause: ShownMessage
    """The setting."""


@shape
class StoreComparison:
    """What is judged from, beside what the kept answers give."""

    items: int
    """Items that the kept answers give."""
    lost: tuple[ShownMessage, ...]
    """Polls whose answer cannot be read again."""
    unrecorded: tuple[UnrecordedPoll, ...]
    different: tuple[DifferentRow, ...]
    weeks: int
    """Weeks of units whose recorded verdict was judged again."""
    others: int
    """Weeks of units whose recorded verdict another rulebook or calendar gave: they were not judged again."""
    verdicts: tuple[DifferentVerdict, ...]
    changed: tuple[ChangedVerdict, ...]
    """Verdicts that are not given any more by a change of the configuration."""


def verify(ctx: typer.Context) -> Result[StoreComparison]:
    session = open_session(ctx)
    place = store_place(session.settings, session.environment)
    configured = {table.id for table in session.settings.update_sources}
    with session.hold_to_read(Resource.UPDATES), tempfile.TemporaryDirectory(prefix="portalops-") as scratch:
        again = Path(scratch) / STORE
        with (
            closing(ObservationStore.open(place, create=False)) as judged,
            closing(ObservationStore.open(again)) as store,
        ):
            unrecorded = unrecorded_polls(session.ledger, judged)
            lost = list(
                replayed(session.ledger, session.settings, store, update_sources(session.settings), also=unrecorded)
            )
            items = store.count()
            # What a source showed that is not configured any more cannot be read; that it was polled stands in the records.
            removed = [each.poll for each in lost if each.poll is not None and each.source not in configured]
            for poll in removed:
                store.add_poll(poll)
        lost = [each for each in lost if each.poll not in removed]
        silent, gone = {each.source for each in lost}, Counter(poll.source for poll in removed)
        stored = place.as_file(Path(scratch))
        found = [
            one
            for one in differences(stored, again, named_today=_named_today(session))
            if one.source not in silent and (one.source not in gone or one.table == POLL.name)
        ]
    unread = tuple(_say_removed(source, count) for source, count in sorted(gone.items()))
    view: list[Block] = [Notice(why, Tone.UNSURE) for why in (*unread, *(each.why for each in lost))]
    if unrecorded:
        said = nmsg(
            "{n} poll is not recorded yet: its run was interrupted. The next 'portalops updates collect' records it.",
            "{n} polls are not recorded yet: their run was interrupted. The next 'portalops updates"
            " collect' records them.",
            len(unrecorded),
        )
        view.append(Notice(said, Tone.UNSURE))
    if found:
        headers = (msg("What"), msg("Source"), msg("Item or poll"), msg("How"))
        rows: list[tuple[Cell, ...]] = [
            (_WORDS[one.table], one.source or None, _item_or_poll(one), _describe_difference(one))
            for one in found[:SHOWN]
        ]
        view.append(TableBlock(nmsg("{n} row differs", "{n} rows differ", len(found)), headers, rows))
        remedy = (
            msg(
                "Somebody changed {file}, unless a source's settings or portalops changed since: keep a copy"
                " and find out who. Then have the database owner drop the schema and run 'portalops ledger"
                " prepare'. The next 'portalops updates collect' rebuilds it.",
                file=place.name,
            )
            if stored.parent == Path(scratch)
            else msg(
                "Somebody changed {file}, unless a source's settings or portalops changed since: keep a copy"
                " and find out who. Then remove it. The next 'portalops updates collect' rebuilds it.",
                file=place.name,
            )
        )
        if lost:
            remedy = msg(
                "Keep {file} as it is: it cannot be rebuilt whole without the lost answers. Run 'portalops"
                " ledger verify' to see what is missing.",
                file=place.name,
            )
        view.append(Notice(remedy, Tone.BAD))
    elif not lost and not unrecorded and items:
        view.append(Paragraph(nmsg("{n} item matches the kept answers", "{n} items match the kept answers", items)))
    proven = _judge_again(session)
    if proven.different:
        columns = (msg("Unit"), msg("Week"), msg("Recorded"), msg("Judged again"), msg("Record"))
        verdict_rows = [(*_verdict_cells(session, one), seq) for seq, one in proven.different[:SHOWN]]
        count = len(proven.different)
        view.append(TableBlock(nmsg("{n} verdict differs", "{n} verdicts differ", count), columns, verdict_rows))
        said = msg("Units, sources or aliases were changed since, or a record is not what was judged.")
        view.append(Notice(said, Tone.BAD))
    elif proven.weeks:
        same = proven.weeks - len(proven.changed)
        view.append(Paragraph(nmsg("{n} verdict comes out the same", "{n} verdicts come out the same", same)))
    if proven.changed:
        causes = (msg("Unit"), msg("Week"), msg("Recorded"), msg("Judged again"), msg("By this setting"))
        changed_rows = [(*_verdict_cells(session, one), cause) for one, cause in proven.changed[:SHOWN]]
        count = len(proven.changed)
        caption = nmsg(
            "{n} recorded verdict is not given any more by a change of the configuration",
            "{n} recorded verdicts are not given any more by a change of the configuration",
            count,
        )
        view.append(TableBlock(caption, causes, changed_rows))
    if proven.others:
        view.append(
            Paragraph(
                nmsg(
                    "{n} verdict was given by another rulebook or calendar, and was not judged again",
                    "{n} verdicts were given by another rulebook or calendar, and were not judged again",
                    proven.others,
                )
            )
        )
    data = StoreComparison(
        items=items,
        lost=tuple(map(ShownMessage.of, (*unread, *(each.why for each in lost)))),
        unrecorded=tuple(UnrecordedPoll(poll.source, poll.polled_at) for poll in unrecorded),
        different=tuple(
            DifferentRow(id=one.id, what=one.table, source=one.source, columns=one.columns, stored=one.is_stored)
            for one in found
        ),
        weeks=proven.weeks,
        others=proven.others,
        verdicts=tuple(
            DifferentVerdict(
                id=f"{one.week}/{one.unit}",
                unit=one.unit,
                week=str(one.week),
                recorded=one.recorded,
                again=one.again,
                record=seq,
            )
            for seq, one in proven.different
        ),
        changed=tuple(
            ChangedVerdict(
                id=f"{one.week}/{one.unit}",
                unit=one.unit,
                week=str(one.week),
                recorded=one.recorded,
                again=one.again,
                cause=ShownMessage.of(cause),
            )
            for one, cause in proven.changed
        ),
    )
    unproven = bool(proven.others) and not proven.weeks
    if unproven:
        said = msg("No recorded verdict could be judged again: nothing is proven of any.")
        view.append(Notice(said, Tone.UNSURE))
    partly = unread or lost or unrecorded or unproven or proven.changed
    code = ExitCode.INTEGRITY if found or proven.different else ExitCode.PARTIAL if partly else ExitCode.OK
    return Result(data, view, exit_code=code)


def _verdict_cells(session: Session, one: VerdictDifference) -> tuple[Cell, ...]:
    again = None if one.again is None else duty_status(one.again)
    return unit_name(session, one.unit), str(one.week), duty_status(one.recorded), again


def _named_today(session: Session) -> NamedToday:
    names = unit_names(session)
    traits = {one.traits.id: one.traits for one in update_sources(session.settings)}

    def find(source: str, name: str, at: datetime) -> UnitId | None:
        return names.find(name, traits[source], at) if source in traits else None

    return find


class _JudgedAgain(NamedTuple):
    weeks: int
    others: int
    different: Sequence[tuple[int, VerdictDifference]]
    """Each with the record that has it."""
    changed: Sequence[tuple[VerdictDifference, Message]]
    """Those that a setting of today explains, each with it."""


def _judge_again(session: Session) -> _JudgedAgain:
    """Judge each week again as of the newest record that judged it, by what was decided and polled then."""
    wanted: dict[Week, tuple[Record, UpdatesResult]] = {}
    for record in session.reader.records(kinds=("updates.finished",), newest_first=True):
        with suppress(PortalOpsError):  # 'ledger verify' names a record that cannot be read
            result = decode_part(session.reader.blob(record.body), "updates", UpdatesResult)
            if result is not None:
                for week in {one.week for one in result.unit_weeks}:
                    wanted.setdefault(week, (record, result))
    weeks = others = 0
    different: list[tuple[int, VerdictDifference]] = []
    changed: list[tuple[VerdictDifference, Message]] = []
    units = {unit.id: unit for unit in session.settings.units}
    sources = {table.id for table in session.settings.update_sources}
    with session.progress.task(msg("Judging again"), total=len(wanted), unit="weeks") as task:
        for week, (record, result) in sorted(wanted.items(), key=lambda one: str(one[0])):
            recorded = [one for one in result.unit_weeks if one.week == week]
            again = judged_period(session, week.period(), at=record.at)
            task.advance(1)
            judged = Period(
                result.judged_from, Week.of(result.judged_to).period().last
            )  # whole weeks, as they are judged
            if again.rulebook != result.rulebook or not session.calendar.is_meant_by(result.calendar, judged):
                others += len(recorded)
                continue
            weeks += len(recorded)
            by_unit = {one.unit: one for one in recorded}
            for one in verdict_differences(recorded, again.unit_weeks):
                cause = explain_change(by_unit[one.unit], result, units=units, sources=sources)
                if cause is None:
                    different.append((record.seq, one))
                else:
                    changed.append((one, cause))
    return _JudgedAgain(weeks, others, different, changed)


def _say_removed(source: str, polls: int) -> Message:
    return nmsg(
        "source {source} is not in the configuration any more: what its {n} recorded poll showed cannot be read again",
        "source {source} is not in the configuration any more: what its {n} recorded polls showed cannot be read again",
        polls,
        source=source,
    )


def _item_or_poll(one: RowDifference) -> Cell:
    """Return an item by its id, which is hexadecimal, and a poll by its moment."""
    return datetime.fromisoformat(one.id) if "T" in one.id else one.id


def _describe_difference(one: RowDifference) -> Message:
    if one.columns:
        return msg("differs in {columns}", columns=", ".join(one.columns))
    return msg("no kept answer contains it") if one.is_stored else msg("it was removed")


_WORDS = {
    "observation": msg("item"),
    "poll": msg("poll"),
    "touch": msg("newer date of an item"),
    "correction": msg("a correction of an item"),
    "presence": msg("disappearance or return of an item"),
    "begins": msg("beginning of a source"),
    "serves": msg("channel of a source"),
    "refused": msg("part of a source's answer that cannot be read"),
}
VERB = Verb(verify)
