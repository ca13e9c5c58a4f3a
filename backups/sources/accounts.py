"""The accounts of this machine, as one tar stream named `accounts`.

    [[backup.source]]
    id = "machine-accounts"
    kind = "accounts"
    class = "accounts"
    shadow = true

passwd(5), group(5), sudoers(5) with `sudoers.d`, and the authorized keys (sshd(8)) of accounts that can log in. Password
hashes, in `shadow` and `gshadow`, only if asked for: whoever opens a set could try passwords against them. What is not
there is named as left out, what cannot be read as unread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from backups.sources._settings import (
    ConfiguredSource,
    SourceContext,
    SourceSettings,
    SourceTraits,
    cause_of,
    require_floor,
    unavailable,
)
from backups.sources._tree import TreeWriter
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import PathText
from portalops.model.message import msg
from portalops.ports import StreamOpener, StreamWriter

REQUIRED = ("etc/passwd", "etc/group")
SUDOERS = ("etc/sudoers", "etc/sudoers.d")
HASHES = ("etc/shadow", "etc/gshadow")
NO_LOGIN = frozenset({"nologin", "false", "sync", "halt", "shutdown"})
"""Shells, by name, of accounts that nobody logs in to."""


class Settings(SourceSettings):
    """`kind = "accounts"`."""

    shadow: bool = Field(default=False, description="Keep password hashes too; needs root.")
    root: LocalPath = Field(default=Path("/"), description="Root folder of the system whose accounts these are.")
    authorized_keys: tuple[PathText, ...] = Field(
        default=(".ssh/authorized_keys", ".ssh/authorized_keys2"),
        description="As AuthorizedKeysFile of sshd_config(5): %h is the home folder, %u the account.",
    )


def build(table: KindTable, context: SourceContext) -> AccountsSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return AccountsSource(SourceTraits(table.id, table.kind, settings.data_class), settings)


class AccountsSource(ConfiguredSource):
    """Accounts and what they may do."""

    def __init__(self, traits: SourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings
        self._root = os.path.abspath(settings.root)

    def places(self) -> Sequence[Path]:
        return (Path(self._root, "etc"),)

    def write(self, opener: StreamOpener) -> None:
        try:
            passwd = Path(self._root, "etc/passwd").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise unavailable(self.id, msg("etc/passwd cannot be read: {cause}", cause=cause_of(error))) from error
        with opener.stream("accounts", format="tar") as out:
            tree = TreeWriter(out)
            for name in (*REQUIRED, *SUDOERS, *(HASHES if self._settings.shadow else ())):
                self._add(tree, out, name, is_required=name in REQUIRED)
            for name in self._key_files(passwd):
                self._add(tree, out, name, is_required=False)
            require_floor(self.id, tree.content_bytes, self._settings.minimum_bytes)
            tree.end()

    def _add(self, tree: TreeWriter, out: StreamWriter, name: str, *, is_required: bool) -> None:
        path = os.path.join(self._root, name)
        try:
            status = os.stat(path) if is_required else os.lstat(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            if is_required:
                raise unavailable(self.id, msg("there is no {path}", path=name)) from error
            if not name.endswith(self._settings.authorized_keys):  # most accounts have none, which says nothing
                out.add_skipped(f"{name}: not there")
            return
        except OSError as error:
            out.add_unread(f"{name}: {cause_of(error)}")
            return
        if stat.S_ISDIR(status.st_mode):
            tree.add_tree(path, name=name)
        else:
            tree.add(os.path.realpath(path) if is_required else path, name, status)

    def _key_files(self, passwd: str) -> Iterator[str]:
        """Yield the authorized key files that accounts with a login shell may have, relative to the root."""
        seen: set[str] = set()
        for line in passwd.splitlines():
            fields = line.split(":")
            if len(fields) != 7 or not fields[5].startswith("/"):
                continue
            account, home, shell = fields[0], fields[5], fields[6]
            if os.path.basename(shell) in NO_LOGIN:
                continue
            for pattern in self._settings.authorized_keys:
                text = pattern.replace("%h", home).replace("%u", account).replace("%%", "%")
                name = os.path.normpath(os.path.join("/", home, text)).lstrip("/")
                if name not in seen:
                    seen.add(name)
                    yield name
