"""Takes a site's bundles from a folder, whatever brought them there: a share, a stick, a synchronised prefix of an object store.

    [[federation.site]]
    id = "khanh-hoa"
    kind = "folder"
    name = { vi = "Khánh Hòa", en = "Khanh Hoa" }
    folder = "/srv/federation/khanh-hoa"
    keys = ["SHA256:..."]

The folder is a bundle itself, or a ZIP file of one, or holds bundles as folders of any name and as ZIP files (`NAME.zip`). What is not
complete yet is best brought under another folder and moved here in one step: a bundle of which a part is missing does not hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from portalops.config.tables import KindTable, LocalPath
from portalops.errors import LedgerError
from portalops.federation.site import SiteSettings
from portalops.federation.sites import SiteKind
from portalops.ledger.bundle.contents import DESCRIPTION
from portalops.ledger.bundle.zip_file import SUFFIX
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text

MAX_ENTRIES = 10_000
"""More names than this are some other folder."""


class Settings(SiteSettings):
    """`kind = "folder"`."""

    folder: LocalPath = Field(description="Where the site's bundles are put: one, or a folder or ZIP file for each.")


def build(table: KindTable) -> FolderSite:
    """Return the site that a configuration table describes."""
    return FolderSite(table.id, table.parse(Settings))


class FolderSite:
    """A site whose bundles come as folders or ZIP files."""

    def __init__(self, site_id: str, settings: Settings) -> None:
        self.id = site_id
        self.settings = settings

    def bundles(self) -> tuple[Path, ...]:
        folder = self.settings.folder
        try:
            if _is_bundle(folder) or (_is_zip(folder.name) and folder.is_file()):
                return (folder,)
            return tuple(sorted(self._inside(folder)))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._unreadable(cause_of(error)) from error

    def _inside(self, folder: Path) -> Iterator[Path]:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries, 1):
                if number > MAX_ENTRIES:
                    raise self._unreadable(msg("it holds more than {n} names", n=MAX_ENTRIES))
                is_folder = entry.is_dir(follow_symlinks=False) and _may_be_bundle(folder / entry.name)
                if is_folder or (_is_zip(entry.name) and entry.is_file(follow_symlinks=False)):
                    yield folder / entry.name

    def _unreadable(self, cause: Message | str) -> LedgerError:
        folder = show_text(str(self.settings.folder))
        return LedgerError(
            msg("cannot read the folder {folder} of site {id}: {cause}", folder=folder, id=self.id, cause=cause),
            msg("Check the path, who may read it, and which other files were put there."),
        )


def _is_bundle(folder: Path) -> bool:
    """Say whether a folder claims to be a bundle; whether it is one is looked at later."""
    return os.path.lexists(folder / DESCRIPTION)


def _is_zip(name: str) -> bool:
    return name.lower().endswith(SUFFIX)


def _may_be_bundle(folder: Path) -> bool:
    """Say whether a folder claims to be a bundle, or cannot be looked into: then reading it says why."""
    try:
        os.lstat(folder / DESCRIPTION)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


SITE = SiteKind(settings=Settings, build=build)
