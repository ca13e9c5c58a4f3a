"""What checks read of portalops's own records, as commands hand it to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from backups.media import disk, s3, sftp
from checks.servers.declared import Declared
from checks.servers.own import BackupMedium, Own
from commands.cli.kinds import typed
from commands.cli.session import Session
from commands.jobs.portal_accounts import portals_of
from portalops.errors import LedgerMissing
from portalops.model.message import Message

DF_SECONDS: Final = 10.0
"""A network share that hangs ends in no answer."""


def own_of(session: Session, portals_now: Mapping[str, Message | None] = MappingProxyType({})) -> Own:
    """Return what the sections of own records are made from; see `checks.servers.own`.

    Args:
        session: what to work with.
        portals_now: portals that were asked for their accounts just now, by their source's id: why one could not be, if so.
    """
    try:
        ledger = session.ledger
    except LedgerMissing:
        ledger = None
    return Own(
        ledger,
        session.settings.hosts,
        session.settings.declared.parse(Declared),
        session.clock.now(),
        session.zone_of_portal,
        partial(_media, session),
        {table.id: portals_now.get(table.id) for table in portals_of(session)},
        session.rulebook.numbers.check_max_age_hours,
    )


def _media(session: Session) -> tuple[BackupMedium, ...]:
    """Return the media that backups go to, with what df says of those that are folders of this machine."""
    found = []
    for table in session.settings.backup_media:
        settings = typed(table)
        medium = BackupMedium(table.id, table.kind)
        if isinstance(settings, disk.Settings):
            done = session.runner.run(["df", "-Pk", str(settings.folder)], timeout_seconds=DF_SECONDS, limit_bytes=4096)
            text = done.stdout.decode("utf-8", "replace") if done.exit_code == 0 else ""
            medium = replace(medium, df=text, mount=str(settings.mount_point or ""))
        elif isinstance(settings, sftp.Settings):
            medium = replace(medium, host=settings.host)
        elif isinstance(settings, s3.Settings):
            medium = replace(medium, host=urlsplit(settings.endpoint).hostname or "")
        found.append(medium)
    return tuple(found)
