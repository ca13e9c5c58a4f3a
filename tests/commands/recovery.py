"""A portal's host and a recovery host, which share a medium and nothing else, by the command line."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from commands.cli.calling import call
from commands.cli.invocation import parse_invocation
from commands.cli.session import Session
from portalops import bodies
from portalops.errors import PortalOpsError
from portalops.ledger.ledger import Ledger
from portalops.registers.backups import SetEvidence, recorded_sets
from portalops.registers.drills import NAMESPACE, ImportedDrill, write_report
from portalops.registers.signers import LEDGER_NAMESPACES, allowed_signers_line
from portalops.signatures.sshsig import SigningKey, sign
from tests.attacks.scene import write_key
from tests.backups.kit import keys
from tests.doubles import FixedClock
from tests.shapes import data_of, validate

START = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
"""Monday, 08:00 in Khánh Hòa."""

COMMON = """
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

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "{medium}"
create = true
allow_same_filesystem = true
"""

PORTAL = """
[backup]
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]

[backup.excused]
documents = "in the content"
channels = "in the content"
accounts = "in the content"
related = "in the content"
configuration = "in the content"

[backup.drill]
trusted = ["{recovery}"]

[[backup.source]]
id = "articles"
kind = "sqlite"
class = "content"
database = "articles.sqlite"

[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
duty = "10.2"

[[job]]
id = "weekly-verify"
kind = "verify"
every = "week"
"""

RECOVERY = """
[backup.drill]
identity = "operator.age"
signers = "allowed_signers"
reports = "outbox"
folder = "scratch"

[[job]]
id = "monthly-drill"
kind = "drill"
every = "month"
"""


@dataclass(frozen=True)
class Done:
    code: int
    data: Any
    text: str


@dataclass
class Host:
    """A folder with a configuration, a state folder and a key of its own."""

    folder: Path
    name: str
    clock: FixedClock
    sessions: list[Session] = field(default_factory=list)

    @property
    def key(self) -> SigningKey:
        return SigningKey.load(self.folder / "signing")

    def call(self, *arguments: str) -> Done:
        given = ["--config", str(self.folder / "portalops.toml"), "--quiet", "--no-input", *arguments]
        session = Session(parse_invocation(given, {}), {}, clock=self.clock)
        session.circumstances = replace(session.circumstances, host=self.name, clock_synchronised=True)
        try:
            result = call(session)
        except PortalOpsError as error:
            return Done(int(error.exit_code), None, f"{error} {error.hint}")
        finally:
            if "writable_ledger" in session.__dict__:
                session.writable_ledger.close()
        if arguments[0] == "backup":
            validate(" ".join(arguments[:2]), data_of(result))
        text = json.dumps(data_of(result), ensure_ascii=False)
        return Done(
            int(result.exit_code), data_of(result), f"{text} {result.view} {[*session.warnings, *result.warnings]}"
        )

    def bodies(self, kind: str) -> list[Any]:
        ledger = Ledger.open(self.folder / "state", self.clock, create=False)
        found: list[Any] = [bodies.plain(ledger.blob(record.body)) for record in ledger.records(kinds=(kind,))]
        ledger.close()
        return found

    def configure(self, old: str, new: str) -> None:
        path = self.folder / "portalops.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@dataclass
class Pair:
    """The two, and the way a report takes between them."""

    portal: Host
    recovery: Host

    def drill(self, *arguments: str) -> Path:
        """Drill on the recovery host, and return the report."""
        path = self.recovery.folder / f"report-{len(list(self.recovery.folder.glob('report-*.json')))}.json"
        done = self.recovery.call("backup", "drill", "--report", str(path), *arguments)
        assert done.code == 0, done
        self.pass_time(timedelta(minutes=10))
        return path

    def pass_time(self, time: timedelta) -> None:
        self.portal.clock.move(time)
        self.recovery.clock.move(time)

    def medium(self) -> Path:
        return self.portal.folder / "disk-a"


def articles(path: Path, rows: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE article (id INTEGER PRIMARY KEY, title TEXT)")
        connection.executemany(
            "INSERT INTO article (title) VALUES (?)", [(f"Thông báo số {number}/TB-UBND",) for number in range(rows)]
        )
        connection.commit()


def new_pair(folder: Path) -> Pair:
    """A portal that has made one set, and a recovery host that has done nothing yet."""
    operator, escrow = (key for _name, key in keys().public)
    hosts = {}
    for number, name in enumerate(("portal", "recovery"), 1):
        home = folder / name
        home.mkdir()
        write_key(home / "signing", 10 + number)
        hosts[name] = Host(home, f"{name}-1", FixedClock(START))
    pair = Pair(hosts["portal"], hosts["recovery"])
    common = COMMON.format(medium=pair.medium())
    trusted = pair.recovery.key.public_key
    text = common + PORTAL.format(operator=operator, escrow=escrow, recovery=trusted)
    (pair.portal.folder / "portalops.toml").write_text(text, encoding="utf-8")
    articles(pair.portal.folder / "articles.sqlite", 40)
    home = pair.recovery.folder
    (home / "portalops.toml").write_text(common + RECOVERY, encoding="utf-8")
    keys().file(home)
    (home / "scratch").mkdir()
    (home / "allowed_signers").write_text(
        allowed_signers_line("a" * 32, LEDGER_NAMESPACES, pair.portal.key.public_key, START, None)
    )
    done = pair.portal.call("backup", "run")
    assert done.code == 0, done
    pair.pass_time(timedelta(hours=1))
    return pair


@contextmanager
def reachable(folder: Path) -> Iterator[None]:
    """Let the unprivileged user of a drill go through the folders above its scratch folder."""
    for each in (folder, *folder.parents):
        if os.geteuid() == 0 and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o011)
    yield


def known(pair: Pair) -> SetEvidence:
    ledger = Ledger.open(pair.portal.folder / "state", pair.portal.clock, create=False)
    found = recorded_sets(ledger)[-1]
    ledger.close()
    return found


def take_up(pair: Pair, path: Path) -> int:
    return pair.portal.call("backup", "drill", "--import", str(path)).code


def signed(path: Path, held: ImportedDrill, key: SigningKey, **changes: object) -> Path:
    """Write a report that says something else, signed with a key."""
    text = write_report(replace(held.report, **changes))  # type: ignore[arg-type]  # names are checked by replace itself
    path.write_text(text, encoding="utf-8")
    path.with_name(f"{path.name}.sig").write_text(sign(text.encode(), key, NAMESPACE))
    return path


def read(path: Path) -> ImportedDrill:
    return ImportedDrill(path.read_text(encoding="utf-8"), path.with_name(f"{path.name}.sig").read_text())
