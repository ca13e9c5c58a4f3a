"""The store of observations: append-only SQLite, in which nothing that was seen can be changed or taken away.

Triggers refuse UPDATE and DELETE on what was observed. When an item was last seen, and what a server wants to be shown
next time, change by nature and lie in tables of their own. The store is a convenience: every poll's raw answer is kept
as evidence, and `checks.updates.job.replay` builds the same store from those answers.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from checks.updates.observation_rows import (
    APPEND_ONLY,
    LAST_SEEN,
    METADATA,
    NAME,
    OBSERVATION,
    POLL,
    SOURCE,
    TOUCH,
    moment,
    observation_row,
    poll_row,
    read_observation,
    read_poll,
    required_moment,
    stamp,
)
from checks.updates.recognition import Known, Recognition
from portalops.errors import UpdatesError
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.updates import Observation, Poll

_CHUNK = 500


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
    begins: Mapping[str, datetime] = field(default_factory=dict)
    """The oldest moment that each source knows of: when its oldest item was made, or when it was first looked at."""


class ObservationStore:
    """One file of observations; one writer at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        weakref.finalize(self, engine.dispose)  # Python 3.13 warns of a connection that is merely forgotten

    @classmethod
    def open(cls, file: Path, *, create: bool = True) -> ObservationStore:
        """Open the store: for collecting, which makes it if there is none, or for reading alone.

        Raises:
            UpdatesError: the file cannot be opened, is no store of observations, or is not there.
        """
        if not create and not file.is_file():
            raise UpdatesError(
                msg("nothing was collected yet: there is no {file}", file=file.name),
                msg("Run 'portalops updates collect'."),
            )
        try:
            return cls(_writing_engine(file) if create else _reading_engine(file))
        except (SQLAlchemyError, OSError) as error:
            raise _unusable(file, error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def last_good_poll(self, source: str) -> Poll | None:
        """Return a source's newest poll that gave an answer."""
        query = select(POLL).where(POLL.c.source == source, POLL.c.ok).order_by(POLL.c.seq.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return read_poll(row) if row else None

    def newest_polls(self) -> tuple[Poll, ...]:
        """Return each source's newest poll, also one that failed."""
        newest = select(func.max(POLL.c.seq)).group_by(POLL.c.source)
        with self._engine.connect() as connection:
            rows = connection.execute(select(POLL).where(POLL.c.seq.in_(newest)).order_by(POLL.c.source))
            return tuple(map(read_poll, rows))

    def etag(self, source: str) -> str:
        """Return what the source's server wants to be shown; empty if nothing."""
        with self._engine.connect() as connection:
            return connection.scalar(select(SOURCE.c.etag).where(SOURCE.c.source == source)) or ""

    def known(self, source: str, keys: Iterable[str]) -> dict[str, Known]:
        """Return a source's observations by those of the keys that it has."""
        found: dict[str, Known] = {}
        wanted = tuple(dict.fromkeys(keys))
        columns = (
            NAME.c.key,
            OBSERVATION.c.id,
            OBSERVATION.c.url,
            OBSERVATION.c.external_id,
            OBSERVATION.c.content_hash,
            OBSERVATION.c.published_at,
            OBSERVATION.c.raw_date,
        )
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), _CHUNK):
                query = (
                    select(*columns)
                    .join(OBSERVATION, OBSERVATION.c.id == NAME.c.observation)
                    .where(NAME.c.source == source, NAME.c.key.in_(wanted[start : start + _CHUNK]))
                )
                for key, *values, published, raw in connection.execute(query):
                    observation, url, external_id, content_hash = values
                    found[key] = Known(observation, url, external_id, Digest(content_hash), moment(published), raw)
        return found

    def add_failed(self, poll: Poll) -> None:
        """Record a look that gave no answer."""
        with self._writing() as connection:
            connection.execute(insert(POLL).values(poll_row(poll)))

    def add_unchanged(self, poll: Poll, *, since: datetime) -> None:
        """Record a look at which the source said that nothing changed: what was seen at `since` was seen again."""
        with self._writing() as connection:
            connection.execute(insert(POLL).values(poll_row(poll)))
            of_source = select(OBSERVATION.c.id).where(OBSERVATION.c.source == poll.source)
            connection.execute(
                LAST_SEEN.update()
                .where(LAST_SEEN.c.last_seen_at == stamp(since), LAST_SEEN.c.observation.in_(of_source))
                .values(last_seen_at=stamp(poll.polled_at))
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
        at = stamp(poll.polled_at)
        with self._writing() as connection:
            _insert(connection, OBSERVATION, [observation_row(one) for one, _candidate in recognition.new])
            _insert(connection, NAME, names)
            _insert(connection, TOUCH, self._moved(connection, recognition, at))
            upsert = insert(LAST_SEEN)
            upsert = upsert.on_conflict_do_update(
                index_elements=["observation"], set_={"last_seen_at": upsert.excluded.last_seen_at}
            )
            if seen:
                connection.execute(upsert, [{"observation": one, "last_seen_at": at} for one in dict.fromkeys(seen)])
            mark = insert(SOURCE).values(source=poll.source, etag=etag)
            connection.execute(mark.on_conflict_do_update(index_elements=["source"], set_={"etag": etag}))
            connection.execute(insert(POLL).values(poll_row(poll)))

    def collected(self, since: datetime, until: datetime) -> Collected:
        """Return what bears on a window: items that are new in any way since then, and the polls since then."""
        start, end = stamp(since), stamp(until)
        touched = select(TOUCH.c.observation).where(TOUCH.c.seen_at >= start)
        items = select(OBSERVATION).where(
            or_(OBSERVATION.c.newest_at >= start, OBSERVATION.c.id.in_(touched)), OBSERVATION.c.first_seen_at <= end
        )
        polls = select(POLL).where(POLL.c.polled_at >= start, POLL.c.polled_at <= end).order_by(POLL.c.seq)
        ids = items.with_only_columns(OBSERVATION.c.id)
        seen = select(LAST_SEEN).where(LAST_SEEN.c.observation.in_(ids))
        touches = select(TOUCH).where(TOUCH.c.seen_at >= start, TOUCH.c.seen_at <= end).order_by(TOUCH.c.seq)
        with self._engine.connect() as connection:
            return Collected(
                tuple(map(read_observation, connection.execute(items.order_by(OBSERVATION.c.newest_at)))),
                tuple(map(read_poll, connection.execute(polls))),
                {row.observation: required_moment(row.last_seen_at) for row in connection.execute(seen)},
                tuple(
                    Touch(row.observation, required_moment(row.seen_at), required_moment(row.published_at))
                    for row in connection.execute(touches)
                ),
                _begins(connection),
            )

    def count(self) -> int:
        """Return how many observations there are."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(OBSERVATION)) or 0

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
            query = select(OBSERVATION.c.id, OBSERVATION.c.published_at).where(
                OBSERVATION.c.id.in_(wanted[start : start + _CHUNK])
            )
            moved += [
                {"observation": one, "seen_at": at, "published_at": stamp(claims[one])}
                for one, published in connection.execute(query)
                if published is not None and stamp(claims[one]) > published
            ]
        return moved

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unusable(Path(str(self._engine.url.database)), error) from error


def _make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        METADATA.create_all(connection)
        for table in APPEND_ONLY:
            for action in ("UPDATE", "DELETE"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER IF NOT EXISTS {table.name}_no_{action.lower()} BEFORE {action} ON {table.name} "
                    "BEGIN SELECT RAISE(ABORT, 'observations are append-only'); END"
                )


def _writing_engine(file: Path) -> Engine:
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(URL.create("sqlite", database=str(file)))
    event.listen(engine, "connect", _configure)
    _make_tables(engine)
    return engine


def _reading_engine(file: Path) -> Engine:
    query = {"mode": "ro", "uri": "true", "timeout": "30"}
    engine = create_engine(URL.create("sqlite", database=file.absolute().as_uri(), query=query))
    with engine.connect() as connection:
        connection.execute(select(func.max(POLL.c.seq)))
    return engine


def _configure(connection: object, _record: object) -> None:
    """Set up a connection that writes; no write-ahead log, so that whoever may read the file alone can read it."""
    cursor = connection.cursor()  # type: ignore[attr-defined]  # the DBAPI connection that SQLAlchemy hands over
    for pragma in ("journal_mode=DELETE", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begins(connection: Connection) -> dict[str, datetime]:
    made = func.min(func.coalesce(OBSERVATION.c.created_at, OBSERVATION.c.published_at, OBSERVATION.c.first_seen_at))
    first_look = func.min(POLL.c.polled_at)
    begins = {
        source: required_moment(at)
        for source, at in connection.execute(select(POLL.c.source, first_look).where(POLL.c.ok).group_by(POLL.c.source))
    }
    for source, at in connection.execute(select(OBSERVATION.c.source, made).group_by(OBSERVATION.c.source)):
        oldest = required_moment(at)
        begins[source] = min(oldest, begins.get(source, oldest))
    return begins


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def _unusable(file: Path, error: Exception) -> UpdatesError:
    cause = str(getattr(error, "orig", None) or error)[:200]
    return UpdatesError(
        msg("the store of observations {file} cannot be used: {cause}", file=file.name, cause=cause),
        msg(
            "See who owns the file and whether the disk is full; it can be rebuilt from the evidence kept in the ledger."
        ),
    )
