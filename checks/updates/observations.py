"""The store of observations: append-only SQLite, in which nothing that was seen can be changed or taken away.

Triggers refuse UPDATE and DELETE on what was observed. When an item was last seen, and what a server wants to be shown
next time, change by nature and lie in tables of their own. The store is a convenience: every poll's raw answer is kept
as evidence, and `checks.updates.job.replay` builds the same store from those answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from checks.updates.recognition import Known, Recognition
from portalops.errors import UpdatesError
from portalops.model.message import msg
from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.updates import Channel, Observation, Poll

_CHUNK = 500
_metadata = MetaData()

_observation = Table(
    "observation",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("unit", Text),
    Column("external_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("kind", Integer),
    Column("state", Text, nullable=False),
    Column("created_at", Integer),
    Column("published_at", Integer),
    Column("modified_at", Integer),
    Column("raw_date", Text, nullable=False),
    Column("first_seen_at", Integer, nullable=False),
    Column("baseline", Boolean, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("body_letters", Integer),
    Column("evidence", Text, nullable=False),
    Column("text_problems", Text, nullable=False),
    # The newest of created, published and first seen if it was no baseline: what a window is cut by.
    Column("newest_at", Integer, nullable=False, index=True),
)
_name = Table(
    "name",
    _metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("observation", Text, nullable=False),
    sqlite_with_rowid=False,
)
_poll = Table(
    "poll",
    _metadata,
    Column("seq", Integer, primary_key=True),
    Column("source", Text, nullable=False, index=True),
    Column("polled_at", Integer, nullable=False, index=True),
    Column("ok", Boolean, nullable=False),
    Column("problem", Text, nullable=False),
    Column("items", Integer, nullable=False),
    Column("new_items", Integer, nullable=False),
    Column("evidence", Text),
    Column("covers_from", Integer),
    Column("gap", Boolean, nullable=False),
    Column("rejected", Text, nullable=False),
)
_touch = Table(
    "touch",
    _metadata,
    Column("seq", Integer, primary_key=True),
    Column("observation", Text, nullable=False),
    Column("seen_at", Integer, nullable=False),
    Column("published_at", Integer, nullable=False),
    UniqueConstraint("observation", "published_at"),
)
_last_seen = Table(
    "last_seen",
    _metadata,
    Column("observation", Text, primary_key=True),
    Column("last_seen_at", Integer, nullable=False),
)
_source = Table("source", _metadata, Column("source", Text, primary_key=True), Column("etag", Text, nullable=False))

_APPEND_ONLY = (_observation, _name, _poll, _touch)


@dataclass(frozen=True, slots=True)
class Touch:
    """A known item that came back with a newer claimed date."""

    observation: str
    seen_at: datetime
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Collected:
    """What was seen in a window of time: all that judging takes."""

    observations: tuple[Observation, ...]
    polls: tuple[Poll, ...]
    """In order of time."""
    last_seen: Mapping[str, datetime] = field(default_factory=dict)
    """When each observation was last seen; missing means only once."""
    touches: tuple[Touch, ...] = ()


class ObservationStore:
    """One file of observations; one writer at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, file: Path, *, create: bool = True) -> ObservationStore:
        """Open the store, making it if there is none and it may be made.

        Raises:
            UpdatesError: the file cannot be opened, is no store of observations, or is not there.
        """
        if not create and not file.is_file():
            raise UpdatesError(
                msg("nothing was collected yet: there is no {file}", file=file.name),
                msg("Run 'portalops updates collect'."),
            )
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(URL.create("sqlite", database=str(file)))
            event.listen(engine, "connect", _configure)
            with engine.begin() as connection:
                _metadata.create_all(connection)
                for table in _APPEND_ONLY:
                    for action in ("UPDATE", "DELETE"):
                        connection.exec_driver_sql(
                            f"CREATE TRIGGER IF NOT EXISTS {table.name}_no_{action.lower()} BEFORE {action} ON "
                            f"{table.name} BEGIN SELECT RAISE(ABORT, 'observations are append-only'); END"
                        )
        except (SQLAlchemyError, OSError) as error:
            raise _unusable(file, error) from error
        return cls(engine)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def last_good_poll(self, source: str) -> Poll | None:
        """Return a source's newest poll that gave an answer."""
        query = select(_poll).where(_poll.c.source == source, _poll.c.ok).order_by(_poll.c.seq.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return _read_poll(row) if row else None

    def etag(self, source: str) -> str:
        """Return what the source's server wants to be shown; empty if nothing."""
        with self._engine.connect() as connection:
            return connection.scalar(select(_source.c.etag).where(_source.c.source == source)) or ""

    def known(self, source: str, keys: Iterable[str]) -> dict[str, Known]:
        """Return a source's observations by those of the keys that it has."""
        found: dict[str, Known] = {}
        wanted = tuple(dict.fromkeys(keys))
        columns = (
            _name.c.key,
            _observation.c.id,
            _observation.c.url,
            _observation.c.external_id,
            _observation.c.content_hash,
            _observation.c.published_at,
            _observation.c.raw_date,
        )
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), _CHUNK):
                query = (
                    select(*columns)
                    .join(_observation, _observation.c.id == _name.c.observation)
                    .where(_name.c.source == source, _name.c.key.in_(wanted[start : start + _CHUNK]))
                )
                for key, *values, published, raw in connection.execute(query):
                    observation, url, external_id, content_hash = values
                    found[key] = Known(observation, url, external_id, Digest(content_hash), _moment(published), raw)
        return found

    def add_failed(self, poll: Poll) -> None:
        """Record a look that gave no answer."""
        with self._writing() as connection:
            connection.execute(insert(_poll).values(_poll_row(poll)))

    def add_unchanged(self, poll: Poll, *, since: datetime) -> None:
        """Record a look at which the source said that nothing changed: what was seen at `since` was seen again."""
        with self._writing() as connection:
            connection.execute(insert(_poll).values(_poll_row(poll)))
            of_source = select(_observation.c.id).where(_observation.c.source == poll.source)
            connection.execute(
                _last_seen.update()
                .where(_last_seen.c.last_seen_at == _stamp(since), _last_seen.c.observation.in_(of_source))
                .values(last_seen_at=_stamp(poll.polled_at))
            )

    def add(self, poll: Poll, recognition: Recognition, *, etag: str) -> None:
        """Record one answer whole: the poll, its new observations, further names, dates that moved, last-seen times."""
        shown = [(observation.id, candidate) for observation, candidate in recognition.new]
        shown += [*recognition.known, *recognition.migrated]
        names = [
            {"source": poll.source, "key": key, "observation": observation}
            for observation, candidate in shown
            for key in candidate.keys
        ]
        seen = [observation for observation, _candidate in shown]
        at = _stamp(poll.polled_at)
        with self._writing() as connection:
            _insert(connection, _observation, [_observation_row(one) for one, _candidate in recognition.new])
            _insert(connection, _name, names)
            _insert(connection, _touch, self._moved(connection, recognition, at))
            upsert = insert(_last_seen)
            upsert = upsert.on_conflict_do_update(
                index_elements=["observation"], set_={"last_seen_at": upsert.excluded.last_seen_at}
            )
            if seen:
                connection.execute(upsert, [{"observation": one, "last_seen_at": at} for one in dict.fromkeys(seen)])
            mark = insert(_source).values(source=poll.source, etag=etag)
            connection.execute(mark.on_conflict_do_update(index_elements=["source"], set_={"etag": etag}))
            connection.execute(insert(_poll).values(_poll_row(poll)))

    def collected(self, since: datetime, until: datetime) -> Collected:
        """Return what bears on a window: items that are new in any way since then, and the polls since then."""
        start, end = _stamp(since), _stamp(until)
        touched = select(_touch.c.observation).where(_touch.c.seen_at >= start)
        items = select(_observation).where(
            or_(_observation.c.newest_at >= start, _observation.c.id.in_(touched)), _observation.c.first_seen_at <= end
        )
        polls = select(_poll).where(_poll.c.polled_at >= start, _poll.c.polled_at <= end).order_by(_poll.c.seq)
        ids = items.with_only_columns(_observation.c.id)
        seen = select(_last_seen).where(_last_seen.c.observation.in_(ids))
        touches = select(_touch).where(_touch.c.seen_at >= start, _touch.c.seen_at <= end).order_by(_touch.c.seq)
        with self._engine.connect() as connection:
            return Collected(
                tuple(map(_read_observation, connection.execute(items.order_by(_observation.c.newest_at)))),
                tuple(map(_read_poll, connection.execute(polls))),
                {row.observation: _required(row.last_seen_at) for row in connection.execute(seen)},
                tuple(
                    Touch(row.observation, _required(row.seen_at), _required(row.published_at))
                    for row in connection.execute(touches)
                ),
            )

    def count(self) -> int:
        """Return how many observations there are."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(_observation)) or 0

    @staticmethod
    def _moved(connection: Connection, recognition: Recognition, at: int) -> list[dict[str, object]]:
        claims = {
            observation: claimed
            for observation, candidate in recognition.known
            if (claimed := candidate.item.published_at)
        }
        moved: list[dict[str, object]] = []
        wanted = tuple(claims)
        for start in range(0, len(wanted), _CHUNK):
            query = select(_observation.c.id, _observation.c.published_at).where(
                _observation.c.id.in_(wanted[start : start + _CHUNK])
            )
            moved += [
                {"observation": one, "seen_at": at, "published_at": _stamp(claims[one])}
                for one, published in connection.execute(query)
                if published is not None and _stamp(claims[one]) > published
            ]
        return moved

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unusable(Path(str(self._engine.url.database)), error) from error


def _configure(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # the DBAPI connection that SQLAlchemy hands over
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def _stamp(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _moment(stamp: int | None) -> datetime | None:
    return None if stamp is None else _required(stamp)


def _required(stamp: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=stamp)


def _optional(moment: datetime | None) -> int | None:
    return None if moment is None else _stamp(moment)


def _observation_row(one: Observation) -> dict[str, object]:
    moments = [one.created_at, one.published_at, None if one.baseline else one.first_seen_at]
    newest = max((moment for moment in moments if moment), default=one.first_seen_at)
    return {
        "id": one.id,
        "source": one.source,
        "channel": one.channel.value,
        "unit": one.unit,
        "external_id": one.external_id,
        "url": one.url,
        "title": one.title,
        "language": one.language,
        "kind": one.kind,
        "state": one.state,
        "created_at": _optional(one.created_at),
        "published_at": _optional(one.published_at),
        "modified_at": _optional(one.modified_at),
        "raw_date": one.raw_date,
        "first_seen_at": _stamp(one.first_seen_at),
        "baseline": one.baseline,
        "content_hash": one.content_hash,
        "body_letters": one.body_letters,
        "evidence": one.evidence,
        "text_problems": ",".join(one.text_problems),
        "newest_at": _stamp(newest),
    }


def _read_observation(row: Row[tuple[object, ...]]) -> Observation:
    return Observation(
        id=row.id,
        source=row.source,
        channel=Channel(row.channel),
        unit=UnitId(row.unit) if row.unit is not None else None,
        external_id=row.external_id,
        url=row.url,
        title=row.title,
        language=row.language,
        kind=row.kind,
        state=row.state,
        created_at=_moment(row.created_at),
        published_at=_moment(row.published_at),
        modified_at=_moment(row.modified_at),
        raw_date=row.raw_date,
        first_seen_at=_required(row.first_seen_at),
        baseline=row.baseline,
        content_hash=Digest(row.content_hash),
        body_letters=row.body_letters,
        evidence=Digest(row.evidence),
        text_problems=tuple(row.text_problems.split(",")) if row.text_problems else (),
    )


def _poll_row(poll: Poll) -> dict[str, object]:
    return {
        "source": poll.source,
        "polled_at": _stamp(poll.polled_at),
        "ok": poll.ok,
        "problem": poll.problem,
        "items": poll.items,
        "new_items": poll.new_items,
        "evidence": poll.evidence,
        "covers_from": _optional(poll.covers_from),
        "gap": poll.gap,
        "rejected": json.dumps(poll.rejected, ensure_ascii=False),
    }


def _read_poll(row: Row[tuple[object, ...]]) -> Poll:
    return Poll(
        source=row.source,
        polled_at=_required(row.polled_at),
        ok=row.ok,
        problem=row.problem,
        items=row.items,
        new_items=row.new_items,
        evidence=Digest(row.evidence) if row.evidence else None,
        covers_from=_moment(row.covers_from),
        gap=row.gap,
        rejected=tuple(json.loads(row.rejected)),
    )


def _unusable(file: Path, error: Exception) -> UpdatesError:
    cause = str(getattr(error, "orig", None) or error)[:200]
    return UpdatesError(
        msg("the store of observations {file} cannot be used: {cause}", file=file.name, cause=cause),
        msg(
            "See who owns the file and whether the disk is full; it can be rebuilt from the evidence kept in the ledger."
        ),
    )
