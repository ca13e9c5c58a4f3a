"""Rows of a content database: any database that SQLAlchemy knows, by a query that the operator writes; or by the ready query of
a product, of which `checks.updates.products` has one file each.

The query names its columns; these are understood, and more are ignored:

    external_id    the row's key in its own system (required)
    title          (required)
    published_at   the moment the system claims (required; may be empty)
    unit           name or code of the agency; not needed where the source belongs to one unit
    channel        portal, subportal or submission, where it differs from row to row
    url, created_at, modified_at, language, state, body
    kind           1 to 12, the kinds of Article 8

The query lists what is published and nothing else: a row counts from when it is first listed. The connection is
read-only where the driver allows it (SQLite, PostgreSQL, MariaDB); an account that can only read is better still.

`trust_created = true` is the operator's word that editors cannot write the creation column: then the creation time
counts even for rows that were there before the first look.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from checks.updates.database_settings import DatabaseSettings
from checks.updates.dates import DateRules, read_moment, settle_order
from checks.updates.exchanged_days import may_be_exchanged, shows_exchange
from checks.updates.products import PRODUCTS
from checks.updates.source_settings import bounded, content_key, source_error
from checks.updates.sources import UpdateSourceKind
from checks.updates.text import without_markup
from portalops.config.values import RefusedValue
from portalops.json_text import read_json
from portalops.model.message import Message, msg
from portalops.model.updates import ItemChannel, ListedItem, Listing, RefusedItem, UpdateAnswer, UpdateSourceTraits
from portalops.ports import Web
from portalops.system.sql import DatabaseUnavailable, Query, reading

if TYPE_CHECKING:
    from portalops.config.tables import KindTable

REQUIRED = ("external_id", "title", "published_at")
OPTIONAL = (
    "unit",
    "channel",
    "url",
    "created_at",
    "modified_at",
    "language",
    "kind",
    "state",
    "translation_of",
    "document_on",
    "body",
)
DATES = ("published_at", "created_at", "modified_at", "document_on")
"""The columns with dates: each is read in one order of day and month."""


class Settings(DatabaseSettings):
    """`kind = "sql"` with a query of one's own."""

    query: Query
    """One SELECT; the key `product` takes its place where a product has a ready one."""

    def statement(self) -> str:
        return self.query


def _no_product(_name: str) -> str:
    raise RefusedValue(
        msg("is not a product with a ready query"),
        msg(
            "The products are: {products}. For another one write a query instead.",
            products=", ".join(PRODUCTS.names()),
        ),
    )


class _Unknown(DatabaseSettings, extra="ignore"):
    """What is said of a product that there is not, instead of what its keys should be."""

    product: Annotated[str, AfterValidator(_no_product)]

    def statement(self) -> str:
        raise TypeError("a product that there is not has no statement: its table is refused before")


def variants() -> Mapping[str, type[DatabaseSettings]]:
    """Return the shapes that a table may have instead of `Settings`, each by the value of its key `product`."""
    return {name: product.settings for name, product in PRODUCTS.all()}


def shape_of(values: Mapping[str, object]) -> type[DatabaseSettings]:
    """Return the shape that a table with these values must have."""
    product = values.get("product")
    if product is None:
        return Settings
    return variants().get(product, _Unknown) if isinstance(product, str) else _Unknown


def build(source_id: str, table: KindTable, *, zone: ZoneInfo, web: Web) -> SqlSource:
    """Return the source that a configuration table describes."""
    del web  # it asks no web server
    return SqlSource(source_id, table.parse(shape_of(table.values)), folder=table.folder, zone=zone)


class SqlSource:
    """A named query on one database."""

    def __init__(self, source_id: str, settings: DatabaseSettings, *, folder: Path, zone: ZoneInfo) -> None:
        self._settings = settings
        self._folder = folder
        self._rules = settings.date_rules(zone)
        self._traits = settings.traits(
            source_id,
            complete=True,
            trust_created=settings.trust_created,
            tells_translations=settings.tells_translations,
        )

    @property
    def traits(self) -> UpdateSourceTraits:
        return self._traits

    def fetch(self, *, etag: str) -> UpdateAnswer:
        del etag  # a database has none
        settings = self._settings
        try:
            with reading(settings.url, settings.password, self._folder) as connection:
                result = connection.exec_driver_sql(settings.statement())
                columns = tuple(result.keys())
                self._require_columns(columns)
                rows = [[_plain(value) for value in row] for row in result]
        except DatabaseUnavailable as error:
            raise source_error(self._traits.id, error.cause, error.hint or _poll_hint(self._traits.id)) from error
        return UpdateAnswer(json.dumps({"columns": columns, "rows": rows}, ensure_ascii=False, indent=None).encode())

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        try:
            answer = read_json(data)
            columns, rows = tuple(answer["columns"]), answer["rows"]
        except (ValueError, KeyError, TypeError) as error:
            raise source_error(self._traits.id, msg("its kept answer cannot be read")) from error
        self._require_columns(columns)
        items: list[ListedItem] = []
        rejected: list[RefusedItem] = []
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        rules = {
            column: settle_order(self._rules, (text for row in named if isinstance(text := row.get(column), str)))
            for column in DATES
        }
        exchanged = {
            column
            for column in DATES
            if not self._rules.formats
            and shows_exchange((text for row in named if isinstance(text := row.get(column), str)), rules[column])
        }
        for number, row in enumerate(named, 1):
            values = {**row, **dict.fromkeys(_exchanged_in(row, exchanged, self._rules))} if exchanged else row
            item = _item(values, rules)
            if isinstance(item, Message):
                what = msg("row {number}: {why}", number=number, why=item)
                known_by = [row.get(column) for column in (*REQUIRED, *OPTIONAL) if column != "modified_at"]
                name = unescape(str(values.get("unit") or ""))
                made = read_moment(values.get("created_at"), rules["created_at"])
                rejected.append(RefusedItem(what, content_key(known_by), name, made))
            else:
                items.append(replace(item, raw_date=str(row.get("published_at") or "")) if values != row else item)
        return Listing(tuple(items), tuple(rejected))

    def _require_columns(self, columns: Sequence[str]) -> None:
        missing = [column for column in REQUIRED if column not in columns]
        if missing:
            raise source_error(
                self._traits.id,
                msg(
                    "its query returns no column {missing}; it returns {columns}",
                    missing=", ".join(missing),
                    columns=bounded(", ".join(columns), 300),
                ),
                msg("Name the columns in the query, as in SELECT id AS external_id, ... AS published_at."),
            )


def _exchanged_in(row: Mapping[str, object], columns: Collection[str], rules: DateRules) -> Sequence[str]:
    """Return the columns of a row whose day is not known, as a spreadsheet may have exchanged its day and month."""
    return [one for one in columns if isinstance(text := row.get(one), str) and may_be_exchanged(text, rules)]


def _item(row: Mapping[str, object], rules: Mapping[str, DateRules]) -> ListedItem | Message:
    """Return the row as an item, or why it is refused; `rules` are those of each column with dates."""
    text = {name: "" if row.get(name) is None else str(row[name]) for name in (*REQUIRED, *OPTIONAL)}
    if not text["external_id"].strip():
        return msg("no external_id")
    try:
        channel = ItemChannel(text["channel"].strip().lower()) if text["channel"].strip() else None
    except ValueError:
        return msg("channel {channel} is none of portal, subportal, submission", channel=bounded(text["channel"], 40))
    kind = int(text["kind"]) if text["kind"].isascii() and text["kind"].isdigit() and len(text["kind"]) < 3 else None
    written = read_moment(row.get("document_on"), rules["document_on"])
    return ListedItem(
        external_id=text["external_id"].strip(),
        url=text["url"].strip(),
        title=without_markup(text["title"]),
        published_at=read_moment(row["published_at"], rules["published_at"]),
        raw_date=text["published_at"],
        unit_name=unescape(text["unit"]),  # products keep names of categories as HTML writes them: A &amp; B
        channel=channel,
        created_at=read_moment(row.get("created_at"), rules["created_at"]),
        modified_at=read_moment(row.get("modified_at"), rules["modified_at"]),
        language=text["language"].strip().lower(),
        kind=kind if kind is not None and 1 <= kind <= 12 else None,
        state=text["state"].strip(),
        translation_of=text["translation_of"].strip(),
        document_on=written.astimezone(rules["document_on"].zone).date() if written else None,
        body=without_markup(text["body"]) if row.get("body") is not None else None,
    )


def _plain(value: object) -> str | int | float | None:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)


def _poll_hint(source_id: str) -> Message:
    return msg(
        "Check that the database answers and that the query is right for it: update source {source}.", source=source_id
    )


SOURCE = UpdateSourceKind(settings=Settings, variants=variants, shape_of=shape_of, build=build)
