"""The accounts of this machine, or of another one, as one tar stream named `accounts`.

    [[backup.source]]
    id = "machine-accounts"
    kind = "accounts"
    class = "accounts"
    shadow = true

passwd(5), group(5), sudoers(5) with `sudoers.d`, and the authorized keys (sshd(8)) of accounts that can log in. Password
hashes, in `shadow` and `gshadow`, only if asked for: whoever opens a set could try passwords against them. What is not
there is named as left out, what cannot be read as unread.

With `ssh = { ... }` as for `files` they are those of another host, by GNU tar there. An account that is not root there cannot read
sudoers, nor the keys of others in a home that is closed to it: they are named as unread, and the set is incomplete.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field, StrictInt

from backups.sources import SourceKind
from backups.sources._program import Program, reached, runner_on
from backups.sources._remote_tree import TAR_WORDS, tar_of_list, write_tree
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    HostSettings,
    Lack,
    SourceContext,
    cause_of,
    require_floor,
    unavailable,
)
from backups.sources._tree import TreeWriter
from portalops.config.ssh import SshPlace
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import PathText
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import StreamOpener, StreamWriter

REQUIRED = ("etc/passwd", "etc/group")
SUDOERS = ("etc/sudoers", "etc/sudoers.d")
HASHES = ("etc/shadow", "etc/gshadow")
NO_LOGIN = frozenset({"nologin", "false", "sync", "halt", "shutdown"})
"""Shells, by name, of accounts that nobody logs in to."""


class Settings(HostSettings):
    """`kind = "accounts"`."""

    shadow: bool = Field(default=False, description="Keep password hashes too; needs root.")
    root: LocalPath = Field(default=Path("/"), description="Root folder of the system whose accounts these are.")
    authorized_keys: tuple[PathText, ...] = Field(
        default=(".ssh/authorized_keys", ".ssh/authorized_keys2"),
        description="As AuthorizedKeysFile of sshd_config(5): %h is the home folder, %u the account.",
    )
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long another host may send nothing.")


def build(table: KindTable, context: SourceContext) -> AccountsSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return AccountsSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


class AccountsSource(ConfiguredSource):
    """Accounts and what they may do."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings
        self._root = os.path.abspath(settings.root)

    def places(self) -> Sequence[Path]:
        if self._settings.ssh is not None:
            return ()
        named = (Path(self._root, name) for name in (*REQUIRED, *SUDOERS))
        return tuple(place for place in named if os.path.lexists(place))

    def write(self, opener: StreamOpener) -> None:
        if self._settings.ssh is not None:
            self._write_from(self._settings.ssh, opener)
            return
        try:
            passwd = Path(self._root, "etc/passwd").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise unavailable(self.id, _unreadable(error)) from error
        with opener.stream("accounts", format="tar") as out:
            tree = TreeWriter(out)
            for name in (*REQUIRED, *SUDOERS, *(HASHES if self._settings.shadow else ())):
                self._add(tree, out, name, is_required=name in REQUIRED)
            for name in self._key_files(passwd):
                self._add(tree, out, name, is_required=False)
            require_floor(self.id, tree.content_bytes, self._settings.minimum_bytes)
            tree.end()

    def _write_from(self, host: SshPlace, opener: StreamOpener) -> None:
        """Write the accounts of another host."""
        passwd = self._required_there(host)
        key_files = tuple(self._key_files(passwd))
        named = (*SUDOERS, *(HASHES if self._settings.shadow else ()))
        program = Program(
            tar_of_list(self._root),
            environment=TAR_WORDS,
            idle_seconds=self._settings.idle_seconds,
            host=host,
            given=b"".join(os.fsencode(name) + b"\0" for name in (*REQUIRED, *named, *key_files)),
        )
        may_lack = {**dict.fromkeys(key_files, False), **dict.fromkeys(named, True)}
        with opener.stream("accounts", format="tar") as out:
            write_tree(self.id, program, out, minimum_bytes=self._settings.minimum_bytes, may_lack=may_lack)

    def _required_there(self, host: SshPlace) -> str:
        """Return what passwd holds on another host, and make sure that tar will find all that no host is without."""
        look = 'cd -- "$1" && shift && for each; do [ -f "$each" ] && ! [ -L "$each" ] || { echo "$each" >&2; exit 9; }; done'
        with reached(self.id):
            done = runner_on(host).run(
                ("sh", "-c", f'{look}; exec cat -- "$1"', "sh", self._root, *REQUIRED),
                timeout_seconds=self._settings.idle_seconds,
            )
        said = show_text(" ".join(done.stderr.decode("utf-8", "replace").split()), 300)
        if done.exit_code == 9:
            raise unavailable(self.id, msg("there is no {path}", path=said))
        if done.exit_code or done.truncated:
            raise unavailable(self.id, msg("etc/passwd cannot be read: {cause}", cause=said or "-"))
        return done.stdout.decode("utf-8", "surrogateescape")

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


def lacking(settings: Settings) -> Lack | None:
    """Return why the list of accounts cannot be read, if so."""
    try:
        Path(settings.root, REQUIRED[0]).stat()
    except OSError as error:
        return Lack(_unreadable(error))
    return None


def _unreadable(error: OSError) -> Message:
    return msg("etc/passwd cannot be read: {cause}", cause=cause_of(error))


SOURCE = SourceKind(lacking=lacking, settings=Settings, build=build)
