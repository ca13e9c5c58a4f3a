"""The kinds of sources and media that there are, found by their files, and their settings."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from pydantic import BaseModel

from portalops.config import KindTable, Settings
from portalops.config.kinds import kinds_in, module_of
from portalops.errors import ConfigurationError, UnknownKind
from portalops.model.message import msg

PACKAGES: Mapping[str, str] = {
    "backup.source": "backups.sources",
    "backup.medium": "backups.media",
    "backup.adopted": "backups.adopters",
    "archive.collection": "backups.collections",
    "updates.source": "checks.updates.sources",
    "ledger.store": "portalops.ledger.record_stores",
    "ledger.blobs": "portalops.ledger.blob_stores",
    "ledger.anchor": "portalops.anchors",
    "witness.ledger": "portalops.witness.sources",
    "federation.site": "portalops.federation.sites",
    "notify.channel": "portalops.notify.channels",
    "notify.monitor": "portalops.notify.monitors",
}
"""Where the kinds of each section lie: one file a kind, with its `Settings`."""

ALONE = frozenset({"ledger.store", "ledger.blobs"})
"""Sections of which there is one table, without an id."""


def kinds_of(section: str) -> tuple[str, ...]:
    """Return the kinds that a section's tables may have, by name."""
    return kinds_in(PACKAGES[section])


def settings_model(section: str, kind: str) -> type[BaseModel]:
    """Return the shape of a kind's settings; the kind must be one of `kinds_of`."""
    model: type[BaseModel] = module_of(PACKAGES[section], kind).Settings
    return model


def variants_of(section: str, kind: str) -> Mapping[str, type[BaseModel]]:
    """Return the shapes that a kind's settings may have instead, by the value of the key that chooses between them."""
    found: Mapping[str, type[BaseModel]] = getattr(module_of(PACKAGES[section], kind), "variants", dict)()
    return found


def declared_model() -> type[BaseModel]:
    """Return the shape of `[checks.declared]`."""
    model: type[BaseModel] = importlib.import_module("checks.servers.declared").Declared
    return model


def report_mail_model() -> type[BaseModel]:
    """Return the shape of `[report.mail]`."""
    model: type[BaseModel] = importlib.import_module("portalops.reports.mail").Settings
    return model


def typed(table: KindTable) -> BaseModel:
    """Return a table as its kind reads it.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: the table does not fit its kind.
    """
    if table.section == "checks.declared":
        return table.parse(declared_model())
    if table.section == "report.mail":
        return table.parse(report_mail_model())
    known = kinds_of(table.section)
    if table.kind not in known:
        close = get_close_matches(table.kind, known, 1)
        raise UnknownKind(
            msg(
                "{place}: {section} {id} is of an unknown kind: {kind}",
                place=table.layers.place((*table.path, "kind")),
                section=table.section,
                id=table.id,
                kind=table.kind,
            ),
            msg("Did you mean {close}? The kinds are: {kinds}.", close=close[0], kinds=", ".join(known))
            if close
            else msg("The kinds are: {kinds}.", kinds=", ".join(known)),
        )
    model = settings_model(table.section, table.kind)
    if shape_of := getattr(module_of(PACKAGES[table.section], table.kind), "shape_of", None):
        model = shape_of(table.values)
    return table.parse(model)


def kind_tables(settings: Settings) -> tuple[KindTable, ...]:
    """Return every table whose keys depend on a kind."""
    return (
        *settings.backup_sources,
        *settings.backup_media,
        *settings.adopted,
        *settings.collections,
        *settings.update_sources,
        *settings.anchors,
        *settings.witnessed,
        *settings.federated,
        *settings.channels,
        *settings.monitors,
        settings.declared,
        *(each for each in (settings.ledger_store, settings.ledger_blobs, settings.report.mail) if each is not None),
    )


def typed_tables(settings: Settings) -> tuple[dict[KindTable, BaseModel], tuple[ConfigurationError, ...]]:
    """Return every table as its kind reads it, and the problems of those that do not fit."""
    found: dict[KindTable, BaseModel] = {}
    problems: list[ConfigurationError] = []
    for table in kind_tables(settings):
        try:
            found[table] = typed(table)
        except ConfigurationError as error:
            problems += error.problems or (error,)
    return found, tuple(problems)


def all_kinds() -> Iterator[tuple[str, str]]:
    """Yield each section with each of its kinds."""
    for section in PACKAGES:
        for kind in kinds_of(section):
            yield section, kind
