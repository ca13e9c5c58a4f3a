"""What the backup tests share: keys, a tree with everything odd in it, plans, runs."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backups.age import PrivateKey, parse_identity
from backups.job import run_backup
from backups.media import build_medium
from backups.merged import MergedSet
from backups.plan import BackupPlan, PlannedMedium, PlannedSource, make_plan
from backups.set_file import SetFile
from backups.sources import SourceContext, build_source
from portalops.config.tables import KindTable
from portalops.model.backups import BackupResult, DataClass
from portalops.model.heads import Signer
from portalops.ports import Medium, Source, StoredSet
from portalops.signatures.sshsig import SigningKey, sign
from tests.doubles import FixedClock, SilentProgress

NOW = datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)
MIB = 1 << 20


@dataclass(frozen=True)
class Signing:
    """A `ports.SetSigner` with a key of its own."""

    key: SigningKey

    @property
    def public_key(self) -> str:
        return self.key.public_key

    def sign(self, message: bytes, *, namespace: str) -> str:
        return sign(message, self.key, namespace)

    def known(
        self, *, since: datetime = datetime(2026, 1, 1, tzinfo=UTC), until: datetime | None = None
    ) -> tuple[Signer, ...]:
        """The keys of a ledger that knows this one."""
        return (Signer("a" * 32, self.public_key, since, until, 2, 9 if until else None, ""),)


def alone(stored: StoredSet, content: SetFile) -> MergedSet:
    """A set of which there is one copy."""
    return MergedSet(content, [("medium", stored)])


def signing(number: int = 1) -> Signing:
    return Signing(SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)))


@dataclass(frozen=True)
class Keys:
    operator: str
    escrow: str
    public: tuple[tuple[str, str], ...]

    @property
    def identity(self) -> PrivateKey:
        return parse_identity(self.operator)

    def file(self, folder: Path) -> Path:
        path = folder / "operator.age"
        path.write_text(f"# operator\n{self.operator}\n")
        return path


@cache
def keys() -> Keys:
    operator, escrow = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    public = (("operator", str(operator.to_public())), ("escrow", str(escrow.to_public())))
    return Keys(str(operator), str(escrow), public)


def table(kind: str, values: Mapping[str, Any], folder: Path, table_id: str | None = None) -> KindTable:
    return KindTable.alone(table_id or f"{kind}-1", kind, values, folder)


def source(kind: str, values: Mapping[str, Any], folder: Path, *, avoid: Sequence[Path] = (), id: str = "") -> Source:  # noqa: A002
    return build_source(table(kind, {"class": "content", **values}, folder, id or None), SourceContext(folder, avoid))


def disk(folder: Path, name: str, **values: Any) -> Medium:
    settings = {"folder": str(folder / name), "create": True, "allow_same_filesystem": True, **values}
    return build_medium(table("disk", settings, folder, name))


def plan_of(sources: Sequence[Source], media: Sequence[Medium], *, pack_bytes: int = MIB) -> BackupPlan:
    return make_plan(
        "demo",
        [PlannedSource(each.id, each.kind, each.data_class) for each in sources],
        [PlannedMedium(each.id, each.kind) for each in media],
        keys().public,
        pack_bytes=pack_bytes,
        excused={DataClass.DOCUMENTS: "in the content"},
    )


def back_up(sources: Sequence[Source], media: Sequence[Medium], *, pack_bytes: int = MIB, **more: Any) -> BackupResult:
    return run_backup(
        plan_of(sources, media, pack_bytes=pack_bytes),
        sources,
        media,
        clock=FixedClock(NOW),
        progress=SilentProgress(),
        **more,
    )


def odd_tree(root: Path) -> Path:
    """A folder with what real ones have: long and foreign names, links, times, empty and large files, a FIFO."""
    root.mkdir(parents=True)
    (root / "hosts").write_text("127.0.0.1 localhost\n")
    (root / "rỗng").write_bytes(b"")
    (root / "bài-viết").mkdir()
    (root / "bài-viết" / "tin tức 'đặc biệt'.html").write_text("Tin tức " * 3000)
    (root / "lớn.bin").write_bytes(os.urandom(2 * MIB + 333_333))
    (root / "text.txt").write_text("portal " * 400_000)
    deep = root / ("d" * 90) / ("e" * 90) / ("f" * 90)
    deep.mkdir(parents=True)
    (deep / ("name" * 30)).write_text("deep")
    Path(os.fsdecode(os.fsencode(root) + b"/not-utf8-\xff\xfe")).write_text("raw name")
    Path(os.fsdecode(os.fsencode(root) + b"/line\nbreak")).write_text("odd name")
    os.link(root / "hosts", root / "hosts-again")
    (root / "link").symlink_to("hosts")
    (root / "nowhere").symlink_to("/no/such/place/" + "x" * 120)
    os.mkfifo(root / "pipe")
    (root / "empty-folder").mkdir(mode=0o750)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "locked").write_text("mine alone")
    (root / "locked").chmod(0o400)
    os.utime(root / "hosts", ns=(1_700_000_000_123_456_789,) * 2)
    os.utime(root / "text.txt", ns=(1_600_000_000_000_000_000,) * 2)
    os.utime(root / "link", ns=(1_500_000_000_000_000_001,) * 2, follow_symlinks=False)
    with suppress(OSError):  # a file system without attributes
        os.setxattr(root / "hosts", "user.note", "ghi chú\n\0".encode())
    with closing(socket.socket(socket.AF_UNIX)) as server:
        folder = os.open(root, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
    return root


def sample_database(path: Path, rows: int = 500) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE article (id INTEGER PRIMARY KEY, title TEXT, body TEXT)")
        connection.execute('CREATE TABLE "kênh ""chính""" (id INTEGER)')
        connection.executemany(
            "INSERT INTO article (title, body) VALUES (?, ?)", [(f"Tin {n}", "nội dung " * 50) for n in range(rows)]
        )
        connection.commit()
    return path


def snapshot(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything about a tree that a restore must bring back."""
    found: dict[bytes, tuple[object, ...]] = {}
    base = os.fsencode(root)
    inodes: dict[int, bytes] = {}
    for folder, folders, files in os.walk(base):
        for name in [*folders, *files, b"."]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            kind = status.st_mode & 0o170000
            content: object = None
            if kind == 0o100000:
                content = Path(os.fsdecode(path)).read_bytes()
            elif kind == 0o120000:
                content = os.readlink(path)
            elif kind == 0o140000:
                continue  # a socket is not backed up
            same = inodes.setdefault(status.st_ino, path[len(base) :]) if kind == 0o100000 else b""
            attributes = tuple(
                (key, os.getxattr(path, key, follow_symlinks=False))
                for key in os.listxattr(path, follow_symlinks=False)
                if key.startswith("user.")
            )
            time = status.st_mtime_ns
            found[path[len(base) :]] = (
                status.st_mode,
                status.st_uid,
                status.st_gid,
                time,
                content,
                bool(same),
                attributes,
            )
    return found


def stock(command: Sequence[str | Path], **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=True, **more)
