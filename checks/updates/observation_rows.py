"""The tables of the store of observations, and rows as values and back. Moments are milliseconds since 1970, UTC."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    MetaData,
    Row,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
    types,
)

from checks.updates.recognition import ItemCorrection
from checks.updates.rules import stamps
from checks.updates.rules.seen import SeenItem
from checks.updates.rules.stamps import Stamp, stamp
from portalops import bodies
from portalops.model.message import Message
from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.updates import ItemChannel, Observation, Poll, Rewrite

VERSION = 24
"""Of the tables; a store of another version is built again from the kept answers."""

DATABASE = "postgresql"
"""What SQLAlchemy calls the other thing that a store may lie in, beside a file of SQLite."""

METADATA = MetaData()
"""Of both. Text is compared by its bytes in either."""

Integer = types.Integer().with_variant(BigInteger(), DATABASE)
Text = types.Text().with_variant(types.Text(collation="C"), DATABASE)


class _Key(TypeDecorator[str]):
    """A name of an item. PostgreSQL indexes no value of more than 2,700 bytes, which an address may have, so a long one is its digest there."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else kept_key(value, dialect.name)


def kept_key(key: str, kept_in: str) -> str:
    """Return an item's name as a store keeps it: whole in a file; as its digest in a database, where it is long or no text for one.

    Args:
        key: at most a few thousand characters of untrusted text.
        kept_in: as SQLAlchemy calls it.
    """
    if kept_in != DATABASE or (len(key) <= _MAX_KEY and "\0" not in key):
        return key
    return f"sha256:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


_MAX_KEY = 500
"""Characters, of four bytes at most."""

RESEMBLING = text("(resembles <> '')")
"""Of the observations whose text shares most of its words with an earlier one."""
DATED = text("(created_at IS NOT NULL)")
"""Of the observations of which the source says when they were made."""

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
    Column("looked_before_at", Integer),
    Column("baseline", Boolean, nullable=False),
    Column("content_hash", Text, nullable=False),
    # Its own content hash: by this texts are the same.
    Column("text", Text, nullable=False),
    # The first text of another kind that it shares most of its words with, or the portal's that it shows; of what was sent in also a sub-portal's; empty for none.
    Column("resembles", Text, nullable=False, server_default=""),
    Column("body_letters", Integer),
    Column("evidence", Text, nullable=False),
    Column("text_problems", Text, nullable=False),
    Column("translation_of", Text, nullable=False),
    # A day such as 2026-11-16; empty where none is told.
    Column("document_on", Text, nullable=False, server_default=""),
    # As the source names a unit that the configuration does not know.
    Column("unit_name", Text, nullable=False, server_default=""),
    # Empty for an item of its own; for another text at a known address, whether it surely is one.
    Column("rewrite", Text, nullable=False, server_default=""),
    # Of an item of a site its title alone is known, or a few words beside it.
    Column("title_alone", Boolean, nullable=False, server_default=false()),
    # The newest of created, published and first seen if it was no baseline: what a window is cut by.
    Column("newest_at", Integer, nullable=False),
    # All that judging asks of an item: a unit's year is read from one place, not from a thousand pages of the table.
    Index(
        "observation_by_unit",
        "unit",
        "newest_at",
        *(name for name in SeenItem._fields if name != "unit"),
    ).ddl_if("sqlite"),
    Index("observation_by_unit_in_database", "unit", "newest_at").ddl_if(DATABASE),  # which indexes no long values
    Index("observation_by_text", "channel", "text"),
    # What tells when a register's lines came, of all units together.
    Index(
        "observation_by_source",
        *("source", "newest_at", "created_at", "first_seen_at"),
        sqlite_where=DATED,
        postgresql_where=DATED,
    ),
    Index("observation_resembling", "newest_at", sqlite_where=RESEMBLING, postgresql_where=RESEMBLING),
)
NAME = Table(
    "name",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("key", _Key, primary_key=True),
    Column("observation", Text, nullable=False),
    sqlite_with_rowid=False,
)
FILE_INDEXES = frozenset({"observation_by_unit", "poll_by_source"})
"""Those that a database has in another form, as it indexes no long values."""

NOTABLE = text("(blind <> '' OR doubts_from IS NOT NULL OR renamed > 0)")
"""Of the polls that show that something is wrong with their source."""

POLL = Table(
    "poll",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("polled_at", Integer, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("problem", Text, nullable=False),
    Column("items", Integer, nullable=False),
    Column("new_items", Integer, nullable=False),
    Column("evidence", Text),
    Column("covers_from", Integer),
    Column("gap", Boolean, nullable=False),
    # Why it proves nothing, as a message in JSON; empty if it does.
    Column("blind", Text, nullable=False, server_default=""),
    Column("doubts_from", Integer),
    Column("renamed", Integer, nullable=False, server_default="0"),
    # The unit whose own source it was then; empty for one of several units; null where nobody noted it.
    Column("owner", Text),
    # All that judging asks of a poll: those of one source lie far apart in the table, between the polls of all others.
    Index("poll_by_source", "source", "polled_at", "ok", "covers_from", "blind", "doubts_from", "owner").ddl_if(
        "sqlite"
    ),
    Index("poll_by_source_in_database", "source", "polled_at", "ok", "covers_from").ddl_if(DATABASE),
    Index("poll_notable", "polled_at", sqlite_where=NOTABLE, postgresql_where=NOTABLE),
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
PRESENCE = Table(
    "presence",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("observation", Text, nullable=False, index=True),
    Column("at", Integer, nullable=False, index=True),
    # False: an answer that would show it no longer did. True: it came back.
    Column("present", Boolean, nullable=False),
    # False: the answer that lacks it may be out of date. A later row may make it sure.
    Column("sure", Boolean, nullable=False),
    # When it was seen last before; the same moment for an item that came back.
    Column("seen_at", Integer, nullable=False),
)
BEGINS = Table(
    "begins",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("seen_at", Integer, primary_key=True),
    # The oldest moment that the source knows of: when its oldest item was made, or when it was first looked at.
    Column("begins_at", Integer, nullable=False),
)
CORRECTION = Table(
    "correction",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("observation", Text, nullable=False, index=True),
    # The poll whose answer says it.
    Column("seen_at", Integer, nullable=False),
    Column("unit", Text),
    Column("unit_name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Integer),
    Column("published_at", Integer),
    # The newest of all these moments: what a window is cut by.
    Column("newest_at", Integer, nullable=False, index=True),
)
SERVES = Table(
    "serves",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    # Whose items were seen there; empty for items of no known unit.
    Column("unit", Text, primary_key=True),
    Column("seen_at", Integer, primary_key=True),
    # When the oldest of its items there was made, as far as was known then.
    Column("begins_at", Integer, nullable=False),
)
REFUSED = Table(
    "refused",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("source", Text, nullable=False, index=True),
    # By what a part of an answer that could not be read is known again.
    Column("key", Text, nullable=False),
    Column("at", Integer, nullable=False),
    # True: an answer had it that the one before had not. False: an answer no longer has it.
    Column("present", Boolean, nullable=False),
    Column("looked_before_at", Integer),
    Column("unit", Text),
    Column("made_at", Integer),
    Column("is_open", Boolean, nullable=False),
)
SHARED_TEXT = Table(
    "shared_text",
    METADATA,
    # Texts that more than one observation says; the newest moment of any of them.
    Column("channel", Text, primary_key=True),
    Column("text", Text, primary_key=True),
    Column("newest_at", Integer, nullable=False, index=True),
)
LIKENESS = Table(
    "likeness",
    METADATA,
    # A quarter of a text's fingerprint, with its place in front: texts that hardly differ have one of four in common.
    Column("channel", Text, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("numbers", Text, primary_key=True),
    Column("text", Text, primary_key=True),
    Column("bits", Text, nullable=False),
    sqlite_with_rowid=False,
)
TEXT_KEY = Table(
    "text_key",
    METADATA,
    # By what a text is found, by `checks.updates.resemblance`.
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, primary_key=True),
    sqlite_with_rowid=False,
)
TEXT_RUN = Table(
    "text_run",
    METADATA,
    # A sampled group of words of a unit's texts, or a number and the words beside it, by `checks.updates.joined_texts`.
    Column("key", Integer, primary_key=True, autoincrement=False),
    # The newest text that has it: the first 60 bits of its content hash.
    Column("text", Integer, nullable=False),
    sqlite_with_rowid=False,
)
TEXT_SKETCH = Table(
    "text_sketch",
    METADATA,
    # The text's content hash, and its words by `checks.updates.near_copies`.
    Column("text", Text, primary_key=True),
    Column("sketch", Text, nullable=False),
)
LAST_SEEN = Table(
    "last_seen",
    METADATA,
    Column("observation", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("last_seen_at", Integer, nullable=False),
    # Its place in that answer, from 0, and what it claimed there; a complete source has no order.
    Column("place", Integer, nullable=False),
    Column("claimed_at", Integer),
    # The content hash of its text there, or of its title where the answer gave no text; empty if it is no page.
    Column("text", Text, nullable=False, server_default=""),
    # How it named the item's unit there, and when it said that it was made.
    Column("unit_name", Text, nullable=False, server_default=""),
    Column("made_at", Integer),
    # The numbers of its title there.
    Column("numbers", Text, nullable=False, server_default=""),
    Index("last_seen_by_source", "source", "last_seen_at"),
)
PAGE = Table(
    "page",
    METADATA,
    # Sketches of the text that an item has and of those that it had, by `checks.updates.rewriting`.
    Column("observation", Text, primary_key=True),
    Column("current", Text, nullable=False),
    Column("earlier", Text, nullable=False),
    # The observation that its current text is; empty if it is the item's first.
    Column("rewrite", Text, nullable=False),
)
SOURCE = Table(
    "source",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("etag", Text, nullable=False),
    # An answer has shown that it lists its newest items first.
    Column("is_order_known", Boolean, nullable=False),
)

APPEND_ONLY = (OBSERVATION, NAME, POLL, TOUCH, PRESENCE, CORRECTION, BEGINS, SERVES, REFUSED)


def moment(at: int | None) -> datetime | None:
    return None if at is None else stamps.moment(at)


def optional_stamp(at: datetime | None) -> int | None:
    return None if at is None else stamp(at)


def newest_at(one: Observation) -> datetime:
    """Return the newest of what tells of an item's time; what was there at the first look is not new by being seen."""
    moments = [one.created_at, one.published_at, None if one.baseline else one.first_seen_at]
    return max((each for each in moments if each), default=one.first_seen_at)


def observation_row(
    one: Observation,
    *,
    text: str,
    resembles: str,
    looked_before_at: datetime | None,
    title_alone: bool = False,
    mailed_again: str = "",
) -> dict[str, object]:
    return {
        "id": one.id,
        "source": one.source,
        "channel": one.channel.value,
        "unit": one.unit,
        "external_id": one.external_id,
        "url": one.url,
        "title": one.title,
        "title_alone": title_alone,
        "language": one.language,
        "kind": one.kind,
        "state": one.state,
        "created_at": optional_stamp(one.created_at),
        "published_at": optional_stamp(one.published_at),
        "modified_at": optional_stamp(one.modified_at),
        "raw_date": one.raw_date,
        "first_seen_at": stamp(one.first_seen_at),
        "looked_before_at": optional_stamp(looked_before_at),
        "baseline": one.baseline,
        "content_hash": one.content_hash,
        "text": text,
        "resembles": resembles,
        "body_letters": one.body_letters,
        "evidence": one.evidence,
        "text_problems": ",".join([*one.text_problems, *filter(None, [mailed_again])]),
        "translation_of": one.translation_of,
        "document_on": one.document_on.isoformat() if one.document_on else "",
        "unit_name": one.unit_name,
        "rewrite": one.rewrite.value,
        "newest_at": stamp(newest_at(one)),
    }


def read_observation(row: Row[tuple[object, ...]]) -> Observation:
    return Observation(
        id=row.id,
        source=row.source,
        channel=ItemChannel(row.channel),
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
        first_seen_at=stamps.moment(row.first_seen_at),
        baseline=row.baseline,
        content_hash=Digest(row.content_hash),
        body_letters=row.body_letters,
        evidence=Digest(row.evidence),
        text_problems=tuple(row.text_problems.split(",")) if row.text_problems else (),
        translation_of=row.translation_of,
        document_on=date.fromisoformat(row.document_on) if row.document_on else None,
        unit_name=row.unit_name,
        rewrite=Rewrite(row.rewrite),
    )


def correction_row(one: ItemCorrection, at: Stamp) -> dict[str, object]:
    moments = [stamp(each) for each in (one.created_at, one.published_at) if each is not None]
    return {
        "observation": one.observation,
        "seen_at": at,
        "unit": one.unit,
        "unit_name": one.unit_name,
        "title": one.title,
        "created_at": optional_stamp(one.created_at),
        "published_at": optional_stamp(one.published_at),
        "newest_at": max(at, *moments),
    }


def read_correction(row: Row[tuple[object, ...]]) -> ItemCorrection:
    return ItemCorrection(
        observation=row.observation,
        unit=UnitId(row.unit) if row.unit is not None else None,
        unit_name=row.unit_name,
        title=row.title,
        created_at=moment(row.created_at),
        published_at=moment(row.published_at),
    )


def poll_row(poll: Poll) -> dict[str, object]:
    return {
        "source": poll.source,
        "polled_at": stamp(poll.polled_at),
        "ok": poll.ok,
        "problem": message_text(poll.problem),
        "items": poll.items,
        "new_items": poll.new_items,
        "evidence": poll.evidence,
        "covers_from": optional_stamp(poll.covers_from),
        "gap": poll.gap,
        "blind": message_text(poll.blind),
        "doubts_from": optional_stamp(poll.doubts_from),
        "renamed": poll.renamed,
        "owner": poll.owner,
    }


def read_poll(row: Row[tuple[object, ...]]) -> Poll:
    """Return a poll without its refused lines, which the ledger has."""
    return Poll(
        source=row.source,
        polled_at=stamps.moment(row.polled_at),
        ok=row.ok,
        problem=_problem(row.problem),
        items=row.items,
        new_items=row.new_items,
        evidence=Digest(row.evidence) if row.evidence else None,
        covers_from=moment(row.covers_from),
        gap=row.gap,
        blind=bodies.decode(Message, bodies.read(row.blind.encode())["problem"]) if row.blind else None,
        doubts_from=moment(row.doubts_from),
        renamed=row.renamed,
        owner=row.owner,
    )


def message_text(said: Message | str | None) -> str:
    """Return what is said of a poll, as its row has it; empty where nothing is."""
    return bodies.write({"problem": said}).decode() if said else ""


def _problem(text: str) -> Message | str:
    if not text:
        return ""
    problem = bodies.read(text.encode())["problem"]
    return problem if isinstance(problem, str) else bodies.decode(Message, problem)
