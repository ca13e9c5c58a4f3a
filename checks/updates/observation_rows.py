"""The tables of the store of observations, and rows as values and back. Moments are milliseconds since 1970, UTC."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import Boolean, Column, Integer, MetaData, Row, Table, Text, UniqueConstraint

from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.updates import Channel, Observation, Poll

METADATA = MetaData()

OBSERVATION = Table(
    "observation",
    METADATA,
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
NAME = Table(
    "name",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("observation", Text, nullable=False),
    sqlite_with_rowid=False,
)
POLL = Table(
    "poll",
    METADATA,
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
TOUCH = Table(
    "touch",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("observation", Text, nullable=False),
    Column("seen_at", Integer, nullable=False),
    Column("published_at", Integer, nullable=False),
    UniqueConstraint("observation", "published_at"),
)
LAST_SEEN = Table(
    "last_seen",
    METADATA,
    Column("observation", Text, primary_key=True),
    Column("last_seen_at", Integer, nullable=False),
)
SOURCE = Table("source", METADATA, Column("source", Text, primary_key=True), Column("etag", Text, nullable=False))

APPEND_ONLY = (OBSERVATION, NAME, POLL, TOUCH)


def stamp(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def moment(stamp: int | None) -> datetime | None:
    return None if stamp is None else required_moment(stamp)


def required_moment(stamp: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=stamp)


def optional_stamp(moment: datetime | None) -> int | None:
    return None if moment is None else stamp(moment)


def observation_row(one: Observation) -> dict[str, object]:
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
        "created_at": optional_stamp(one.created_at),
        "published_at": optional_stamp(one.published_at),
        "modified_at": optional_stamp(one.modified_at),
        "raw_date": one.raw_date,
        "first_seen_at": stamp(one.first_seen_at),
        "baseline": one.baseline,
        "content_hash": one.content_hash,
        "body_letters": one.body_letters,
        "evidence": one.evidence,
        "text_problems": ",".join(one.text_problems),
        "newest_at": stamp(newest),
    }


def read_observation(row: Row[tuple[object, ...]]) -> Observation:
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
        created_at=moment(row.created_at),
        published_at=moment(row.published_at),
        modified_at=moment(row.modified_at),
        raw_date=row.raw_date,
        first_seen_at=required_moment(row.first_seen_at),
        baseline=row.baseline,
        content_hash=Digest(row.content_hash),
        body_letters=row.body_letters,
        evidence=Digest(row.evidence),
        text_problems=tuple(row.text_problems.split(",")) if row.text_problems else (),
    )


def poll_row(poll: Poll) -> dict[str, object]:
    return {
        "source": poll.source,
        "polled_at": stamp(poll.polled_at),
        "ok": poll.ok,
        "problem": poll.problem,
        "items": poll.items,
        "new_items": poll.new_items,
        "evidence": poll.evidence,
        "covers_from": optional_stamp(poll.covers_from),
        "gap": poll.gap,
        "rejected": json.dumps(poll.rejected, ensure_ascii=False),
    }


def read_poll(row: Row[tuple[object, ...]]) -> Poll:
    return Poll(
        source=row.source,
        polled_at=required_moment(row.polled_at),
        ok=row.ok,
        problem=row.problem,
        items=row.items,
        new_items=row.new_items,
        evidence=Digest(row.evidence) if row.evidence else None,
        covers_from=moment(row.covers_from),
        gap=row.gap,
        rejected=tuple(json.loads(row.rejected)),
    )
