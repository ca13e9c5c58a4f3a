"""A small portal whose ledger was made by the command line itself, and the tools of those who attack it.

The portal works for ten days: a backup a week, a read-back and a head a day. On the third day
an auditor takes the newest head, its code and the list of keys along. What is attacked are copies of that portal's folder.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from commands.cli.calling import call
from commands.cli.invocation import parse_invocation
from commands.cli.session import Session
from portalops import bodies
from portalops.errors import ExitCode, PortalOpsError
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.heads import HEAD, NAMESPACE, code_of, head_digest, parse_head, text_of
from portalops.ledger.ledger import BLOBS, FILE
from portalops.ledger.record import GENESIS, Draft, encode, line_digest, parse
from portalops.model.heads import Head, SignedHead
from portalops.model.record import Digest, Record, RunId
from portalops.registers.signers import LEDGER_NAMESPACES, allowed_signers_line
from portalops.signatures.sshsig import SigningKey, sign
from tests.backups.kit import keys
from tests.doubles import FixedClock
from tests.shapes import data_of

START = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
"""Monday, 08:00 in Khánh Hòa."""

DAYS = 10
TAKEN_ON = 3
"""After so many days the auditor took the head along."""

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

[signing]
key = "signing"

[report]
folder = "reports"
languages = ["en"]

[backup]
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]

[backup.excused]
documents = "in the content"
channels = "in the content"
accounts = "in the content"
related = "in the content"
configuration = "in the content"

[[backup.source]]
id = "content"
kind = "files"
class = "content"
include = ["content"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "disk-a"
create = true
allow_same_filesystem = true

[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
duty = "10.2"

[[job]]
id = "daily-verify"
kind = "verify"
every = "day"
"""


@dataclass(frozen=True)
class Done:
    """What a call of the command line came to."""

    code: int
    data: Any
    text: str
    """Everything that was said, for looking for words."""


@dataclass(frozen=True)
class Portal:
    """A folder with a configuration, a ledger, a medium and keys."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def key(self) -> SigningKey:
        """The real private key, as root has it."""
        return SigningKey.load(self.folder / "signing")

    def call(self, *arguments: str, at: datetime) -> Done:
        """Call portalops at a moment."""
        session = self.session(*arguments, at=at)
        try:
            result = call(session)
        except PortalOpsError as error:
            return Done(int(error.exit_code), None, str(error))
        return Done(
            int(result.exit_code),
            data_of(result),
            json.dumps(data_of(result), ensure_ascii=False, default=str),
        )

    def session(self, *arguments: str, at: datetime) -> Session:
        given = ["--config", str(self.folder / "portalops.toml"), "--quiet", "--no-input", *arguments]
        return Session(parse_invocation(given, {}), {}, clock=FixedClock(at))

    def sign(self, *, at: datetime) -> None:
        """Have a head recorded over what there is."""
        assert self.session(at=at).record_head() is not None

    def verify(self, *options: str, at: datetime | None = None) -> Done:
        return self.call("ledger", "verify", *options, at=at or END)

    def copied(self, folder: Path) -> Portal:
        shutil.copytree(self.folder, folder / self.folder.name, symlinks=True)
        return Portal(folder / self.folder.name)


END = START + timedelta(days=DAYS - 1, hours=12)
"""The evening of the last day."""


@dataclass(frozen=True)
class Auditor:
    """What somebody outside keeps."""

    head: Path
    """The six lines."""
    code: str
    size: int
    signers: Path
    """An `allowed_signers` file."""

    def options(self, *what: str) -> tuple[str, ...]:
        """The options by which one brings a head, a code or keys."""
        given = {
            "head": ("--head", str(self.head)),
            "code": ("--head-code", self.code),
            "signers": ("--signers", str(self.signers)),
        }
        return tuple(each for name in what for each in given[name])


def write_key(path: Path, number: int) -> SigningKey:
    """Write a private key as ssh-keygen does; the same number gives the same key."""
    from cryptography.hazmat.primitives import serialization as form

    private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    path.write_bytes(private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()))
    path.chmod(0o600)
    return SigningKey.of(private)


def build(folder: Path) -> tuple[Portal, Auditor]:
    """Let a portal work for `DAYS` days."""
    folder.mkdir()
    portal = Portal(folder)
    operator, escrow = (key for _name, key in keys().public)
    (folder / "portalops.toml").write_text(CONFIGURATION.format(operator=operator, escrow=escrow), encoding="utf-8")
    (folder / "content").mkdir()
    (folder / "content" / "index.html").write_text("<h1>Khánh Hòa</h1>\n")
    write_key(folder / "signing", 1)
    auditor = None
    for day in range(DAYS):
        done = portal.call("run", at=START + timedelta(days=day))
        assert done.code in {ExitCode.OK, ExitCode.UNMET}, (done.code, done.text[:500])
        portal.sign(at=START + timedelta(days=day))
        if day + 1 == TAKEN_ON:
            auditor = take_head(portal, folder.parent / "auditor")
    assert auditor is not None
    found = portal.verify()
    assert found.code == ExitCode.OK, (found.code, found.text[:500])
    return portal, auditor


def take_head(portal: Portal, folder: Path) -> Auditor:
    """Take along what an auditor keeps: the newest head, its code, and the keys."""
    folder.mkdir(exist_ok=True)
    forger = Forger.of(portal)
    signed = next(each.head for each in reversed(forger.entries) if each.head is not None)
    head = parse_head(signed.text.encode())
    path = folder / f"{head.size:010d}.txt"
    path.write_text(signed.text)
    signers = folder / "allowed_signers"
    signers.write_text(allowed_signers_line(head.ledger, LEDGER_NAMESPACES, portal.key.public_key, START, None))
    return Auditor(path, code_of(head), head.size, signers)


@dataclass
class Entry:
    """One record, to be written anew: everything but its place."""

    at: datetime
    kind: str
    run: str
    subject: str
    duty: str
    body: Digest
    blob: bytes
    head: SignedHead | None = None

    def holding(self, **parts: object) -> Entry:
        """The same with other details."""
        blob = bodies.write(parts)
        return replace(self, blob=blob, body=digest(blob))


def digest(data: bytes) -> Digest:
    import hashlib

    return Digest(hashlib.sha256(data).hexdigest())


@dataclass
class Forger:
    """Somebody who may change every file of a portal, and knows how portalops writes them."""

    portal: Portal
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, portal: Portal) -> Forger:
        blobs = BlobFolder(portal.state / BLOBS)
        entries = []
        for line in lines_of(portal):
            record = parse(line)
            blob = blobs.read(record.body)
            signed = bodies.decode_part(blob, HEAD, SignedHead) if record.kind == HEAD else None
            entries.append(
                Entry(record.at, record.kind, record.run, record.subject, record.duty, record.body, blob, signed)
            )
        return cls(portal, entries)

    def find(self, kind: str, number: int = 0) -> int:
        """The place of a record of a kind, in `entries`; its `seq` is one more."""
        return [place for place, each in enumerate(self.entries) if each.kind == kind][number]

    def drop(self, *kinds: str) -> None:
        self.entries = [each for each in self.entries if each.kind not in kinds]

    def write(self, key: SigningKey | None = None) -> list[Record]:
        """Chain all entries anew and store them; with a key, sign every head anew as well."""
        blobs = BlobFolder(self.portal.state / BLOBS)
        records: list[Record] = []
        prev, previous = GENESIS, GENESIS
        for seq, entry in enumerate(self.entries, 1):
            body, blob = entry.body, entry.blob
            if entry.head is not None and key is not None:
                old = parse_head(entry.head.text.encode())
                text = text_of(Head(old.ledger, seq - 1, prev, old.at, previous))
                blob = bodies.write({HEAD: SignedHead(text, sign(text.encode(), key, NAMESPACE))})
                previous = head_digest(text)
            body = blobs.keep(blob)
            draft = Draft(entry.kind, body, RunId(entry.run), entry.subject, entry.duty)
            record = encode(draft, seq=seq, at=entry.at, prev=prev)
            prev = line_digest(record.line)
            records.append(record)
        store(self.portal, records)
        return records


def lines_of(portal: Portal) -> list[bytes]:
    with closing(sqlite3.connect(portal.state / FILE)) as connection:
        return [bytes(line) for (line,) in connection.execute("SELECT line FROM record ORDER BY seq")]


def sql(portal: Portal, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change the store with its triggers out of the way, and put them back: somebody careful leaves no trace."""
    with closing(sqlite3.connect(portal.state / FILE)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _text in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        change(connection)
        connection.commit()
        for _name, text in triggers:
            connection.execute(text)
        connection.commit()


def store(portal: Portal, records: Sequence[Record]) -> None:
    """Put records in the place of all that there are, the stored end of the chain included."""

    def change(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM record")
        for each in records:
            insert(connection, each)
        connection.execute("UPDATE tail SET size = ?, head = ?", (records[-1].seq, line_digest(records[-1].line)))

    sql(portal, change)


def insert(connection: sqlite3.Connection, record: Record) -> None:
    """Insert a record; columns that SQLite makes out of the line by itself can't be given."""
    values = columns_of(record)
    names = [name for _number, name, *_rest, hidden in connection.execute("PRAGMA table_xinfo(record)") if not hidden]
    marks = ", ".join("?" for _name in names)
    connection.execute(
        f"INSERT INTO record ({', '.join(names)}) VALUES ({marks})",
        [values[name] for name in names],
    )


def columns_of(record: Record) -> dict[str, object]:
    return {
        "seq": record.seq,
        "at": stamp(record.at),
        "kind": record.kind,
        "run": record.run,
        "subject": record.subject,
        "duty": record.duty,
        "body": record.body,
        "prev": record.prev,
        "line": record.line,
    }


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def first_bad(done: Done) -> int | None:
    found: int | None = done.data["integrity"]["first_bad"]
    return found


def faults(done: Done) -> Mapping[int, list[str]]:
    """What was said of each record."""
    said: dict[int, list[str]] = {}
    for fault in done.data["integrity"]["faults"]:
        said.setdefault(fault["seq"], []).append(fault["message"])
    return said


def python(script: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a stranger does: with Python alone, portalops out of reach."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(script), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
