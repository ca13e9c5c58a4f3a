"""What checks read of portalops's own records, as commands hand it to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from backups.media import disk, s3, sftp
from checks.servers.declared import Declared
from checks.servers.own import BackupMedium, Own
from commands.cli.kinds import typed
from commands.jobs.portal_accounts import portals_of
from portalops.config import KindTable, Settings
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.model.message import Message
from portalops.model.rulebook import Numbers
from portalops.ports import LedgerReader, Runner

DF_SECONDS: Final = 10.0
"""A network share that hangs ends in no answer."""


def records_of(settings: Settings, ledger: LedgerReader, now: datetime) -> Own:
    """Return what the sections of own records are made from that need nothing but the ledger; see `checks.servers.own`."""
    return Own(
        None if isinstance(ledger, LedgerNotBegun) else ledger,
        settings.hosts,
        settings.declared.parse(Declared),
        now,
        ZoneInfo(settings.portal.timezone),
    )


def own_of(
    records: Own,
    settings: Settings,
    numbers: Numbers,
    runner: Runner,
    portals_now: Mapping[str, Message | None] = MappingProxyType({}),
) -> Own:
    """Return what the sections of all own records are made from.

    Args:
        records: as `records_of` returns them.
        settings: name the media and the portals.
        numbers: of the rulebook.
        runner: runs df.
        portals_now: portals that were asked for their accounts just now, by their source's id: why one could not be, if so.
    """
    return replace(
        records,
        media=partial(_media, settings.backup_media, runner),
        portals={table.id: portals_now.get(table.id) for table in portals_of(settings)},
        portal_look_hours=numbers.check_max_age_hours,
    )


def _media(tables: Iterable[KindTable], runner: Runner) -> tuple[BackupMedium, ...]:
    """Return the media that backups go to, with what df says of those that are folders of this machine."""
    found = []
    for table in tables:
        settings = typed(table)
        medium = BackupMedium(table.id, table.kind)
        if isinstance(settings, disk.Settings):
            done = runner.run(["df", "-Pk", str(settings.folder)], timeout_seconds=DF_SECONDS, limit_bytes=4096)
            text = done.stdout.decode("utf-8", "replace") if done.exit_code == 0 else ""
            medium = replace(medium, df=text, mount=str(settings.mount_point or ""))
        elif isinstance(settings, sftp.Settings):
            medium = replace(medium, host=settings.host)
        elif isinstance(settings, s3.Settings):
            medium = replace(medium, host=urlsplit(settings.endpoint).hostname or "")
        found.append(medium)
    return tuple(found)
