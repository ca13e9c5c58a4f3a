"""Whether the store of observations is what the kept answers give: a row that was changed behind its back is named.

What is judged rests on the store, and the store is nothing but the answers of the sources, which the ledger keeps by their digests.
Whoever can write the file can take its triggers away; this is how that is found.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Table

from checks.updates.observation_rows import BEGINS, CORRECTION, OBSERVATION, POLL, PRESENCE, REFUSED, SERVES, TOUCH
from checks.updates.rules.stamps import moment
from portalops.errors import UpdatesError
from portalops.model.message import msg
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict

TABLES = (OBSERVATION, POLL, TOUCH, PRESENCE, CORRECTION, BEGINS, SERVES, REFUSED)
"""What judging reads, and the ledger tells of."""


class RowDifference(NamedTuple):
    """A row that is not as the kept answers give it."""

    table: str
    source: str
    """Empty where the row is of an item that neither store has."""
    id: str
    """The observation's, or when a source was looked at."""
    columns: tuple[str, ...]
    """Those that differ; none where the row is missing, or is there and should not be."""
    is_stored: bool
    """The store has such a row at all."""


NamedToday = Callable[[str, str, datetime], UnitId | None]
"""Given a source, its name for a unit and a moment, returns the unit that this means by today's configuration."""


def differences(
    stored: Path, again: Path, *, named_today: NamedToday = lambda _source, _name, _at: None
) -> Iterator[RowDifference]:
    """Yield every row that two stores do not have alike; that a name means a unit only since then makes no difference.

    Args:
        stored: what is judged from.
        again: the same, built anew from the kept answers.
        named_today: which unit a name means.

    Raises:
        UpdatesError: one of the two cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{again.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("ATTACH ? AS stored", (f"{stored.absolute().as_uri()}?mode=ro",))
            connection.row_factory = sqlite3.Row
            renamed: dict[str, set[str]] = defaultdict(lambda: {""})
            for table in TABLES:
                yield from _compare_table(connection, table, named_today, renamed)
    except sqlite3.Error as error:
        raise UpdatesError(
            msg("the store of observations {file} cannot be used: {cause}", file=stored.name, cause=str(error)[:200]),
            msg("Run 'portalops updates collect', then verify again."),
        ) from error


class VerdictDifference(NamedTuple):
    """A recorded verdict on a unit's week that judging again does not give."""

    unit: UnitId
    week: Week
    recorded: DutyVerdict
    again: DutyVerdict | None
    """None if the unit has no such week by today's configuration."""


def verdict_differences(recorded: Iterable[UnitWeek], again: Iterable[UnitWeek]) -> Iterator[VerdictDifference]:
    """Yield the weeks whose verdict, or whose two numbers, are not what judging again gives.

    Args:
        recorded: of one record, as far as they were judged by intervals; older ones have no numbers to compare.
        again: the same weeks, judged by the same rulebook and calendar at the same moment.
    """
    found = {(one.unit, one.week): one for one in again}
    for one in recorded:
        if one.submissions_bounds is None:
            continue
        other = found.get((one.unit, one.week))
        is_same = other is not None and _judgement(one) == _judgement(other)
        if not is_same:
            yield VerdictDifference(one.unit, one.week, one.verdict, None if other is None else other.verdict)


def _judgement(one: UnitWeek) -> tuple[object, ...]:
    """Return a week's verdict and its numbers; how many lines could not be read, older records do not say."""
    bounds = (one.subportal_bounds, one.submissions_bounds)
    return (one.verdict, *(None if each is None else replace(each, unread=0) for each in bounds))


def _compare_table(
    connection: sqlite3.Connection, table: Table, named_today: NamedToday, renamed: dict[str, set[str]]
) -> Iterator[RowDifference]:
    """Yield how the rows of a table differ; note in `renamed`, by source, the units that its names mean only since then."""
    keys = [column.name for column in table.primary_key if column.name != "seq"] or _KEYS[table.name]
    columns = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "seq")
    sides = []
    for one, other in (("stored", "main"), ("main", "stored")):
        rows = connection.execute(
            f"SELECT {columns} FROM {one}.{table.name} EXCEPT SELECT {columns} FROM {other}.{table.name}"  # noqa: S608  # names of our own tables
        )
        sides.append({tuple(row[key] for key in keys): dict(row) for row in rows})
    stored, again = sides
    for key in sorted(stored.keys() | again.keys(), key=str):
        here, there = stored.get(key), again.get(key)
        row: dict[str, Any] = here or there or {}
        source = row["source"] if "source" in row else _source_of(connection, row["observation"])
        if table is SERVES and source in renamed and row["unit"] in renamed[source]:
            continue  # whose items a source carries follows from the items
        if here and there and _is_renamed(here, there, source, named_today):
            renamed[source].add(there["unit"])
            continue
        at = row.get("polled_at", row.get("seen_at", row.get("at", 0)))
        yield RowDifference(
            table.name,
            source,
            row.get("id") or row.get("observation") or moment(at).isoformat(),
            tuple(name for name in row if here and there and here[name] != there[name]),
            here is not None,
        )


def _is_renamed(here: Mapping[str, Any], there: Mapping[str, Any], source: str, named_today: NamedToday) -> bool:
    """Say whether a row differs only in a unit that nobody knew by its name at that time, and that the name means today."""
    if {name for name in here if here[name] != there[name]} - {"unit", "unit_name"} or here.get("unit") is not None:
        return False
    made = next((at for at in (here["created_at"], here["published_at"]) if at is not None), None)
    at = moment(made if made is not None else here.get("first_seen_at") or here.get("seen_at") or 0)
    return bool(here["unit_name"]) and named_today(source, here["unit_name"], at) == there["unit"]


def _source_of(connection: sqlite3.Connection, observation: str) -> str:
    """Return whose item a row is about."""
    query = "SELECT source FROM stored.observation WHERE id = :id UNION ALL SELECT source FROM main.observation WHERE id = :id"
    row = connection.execute(query, {"id": observation}).fetchone()
    return "" if row is None else str(row["source"])


_KEYS = {
    POLL.name: ["source", "polled_at"],
    TOUCH.name: ["observation", "published_at"],
    PRESENCE.name: ["observation", "at"],
    CORRECTION.name: ["observation", "seen_at"],
    REFUSED.name: ["source", "key", "at"],
}
