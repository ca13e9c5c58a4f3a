"""The kinds of sources and media that there are, found by their files, and their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from portalops.config import KindTable, Settings
from portalops.config.kinds import TableKind, kind_of
from portalops.errors import ConfigurationError
from portalops.plugins import Door

DOORS: Final[Mapping[str, Door[TableKind[Any]]]] = {
    "backup.source": Door("backups.sources", "SOURCE", TableKind),
    "backup.medium": Door("backups.media", "MEDIUM", TableKind),
    "backup.adopted": Door("backups.adopters", "ADOPTER", TableKind),
    "archive.collection": Door("backups.collections", "COLLECTION", TableKind),
    "updates.source": Door("checks.updates.sources", "SOURCE", TableKind),
    "ledger.store": Door("portalops.ledger.record_stores", "STORE", TableKind),
    "ledger.blobs": Door("portalops.ledger.blob_stores", "STORE", TableKind),
    "ledger.anchor": Door("portalops.anchors", "ANCHOR", TableKind),
    "witness.ledger": Door("portalops.witness.sources", "SOURCE", TableKind),
    "federation.site": Door("portalops.federation.sites", "SITE", TableKind),
    "notify.channel": Door("portalops.notify.channels", "CHANNEL", TableKind),
    "notify.monitor": Door("portalops.notify.monitors", "MONITOR", TableKind),
}
"""The same plug-ins that each package's own door has, as tables alone: so that of twelve packages those that are used are imported."""

ALONE = frozenset({"ledger.store", "ledger.blobs"})
"""Sections of which there is one table, without an id."""


def _declared() -> type[BaseModel]:
    from checks.servers.declared import Declared  # noqa: PLC0415  # few commands need it, and it imports much

    return Declared


def _report_mail() -> type[BaseModel]:
    from portalops.reports.mail import Settings as ReportMail  # noqa: PLC0415  # as above

    return ReportMail


WITHOUT_KINDS: Final[Mapping[str, Callable[[], type[BaseModel]]]] = {
    "checks.declared": _declared,
    "report.mail": _report_mail,
}
"""Sections whose keys another part knows; each returns their shape."""


def kinds_of(section: str) -> tuple[str, ...]:
    """Return the kinds that a section's tables may have, by name."""
    return DOORS[section].names()


def typed(table: KindTable) -> BaseModel:
    """Return a table as its kind reads it.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: the table does not fit its kind.
    """
    if table.section in DOORS:
        return kind_of(DOORS[table.section], table).typed(table)
    return table.parse(WITHOUT_KINDS[table.section]())


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


def all_kinds() -> Iterator[tuple[str, str, TableKind[Any]]]:
    """Yield each section with each of its kinds."""
    for section, door in DOORS.items():
        for name, kind in door.all():
            yield section, name, kind
