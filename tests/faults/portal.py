"""A small portal whose runs are harmed, and what must hold after each harm."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from backups.media import build_medium
from backups.verify import verify_copy
from portalops.config.tables import KindTable
from portalops.errors import ExitCode, PortalOpsError
from portalops.ledger.ledger import Ledger
from portalops.model.backups import SetId, VerifyLevel
from portalops.ports import Medium, StoredSet
from portalops.system.clock import SystemClock
from tests.backups.kit import keys, sample_database
from tests.faults.media import Place
from tests.faults.runs import UNHARMED, Ended, Harm, Runs

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng", en = "Portal" }}
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

[backup]
full_every = "week"
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]

[backup.retention]
keep_last = 50

[backup.excused]
configuration = "in the content"
accounts = "in the content"
channels = "in the content"
documents = "in the content"

[[backup.source]]
id = "files"
kind = "files"
class = "related"
include = ["files"]

[[backup.source]]
id = "database"
kind = "sqlite"
class = "content"
database = "portal.sqlite"

[[backup.source]]
id = "dump"
kind = "command"
class = "content"
command = {amid}

[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
duty = "10.2"

[[job]]
id = "weekly-copy"
kind = "copy"
every = "week"

[[job]]
id = "weekly-drill"
kind = "drill"
every = "week"
duty = "10.2"

[[job]]
id = "weekly-verify"
kind = "verify"
every = "week"
duty = "10.2"
"""


class NewPortal(Protocol):
    """The fixture `new_portal`."""

    def __call__(self, *kinds: str, media: dict[str, Place] | None = None, amid: Sequence[str] = ()) -> Portal: ...


class Portal:
    """A portal in a folder, on some media."""

    def __init__(self, runs: Runs, folder: Path, media: Mapping[str, Place], *, amid: Sequence[str] = ()) -> None:
        """Make it.

        Args:
            runs: start its processes.
            folder: is made.
            media: by their id.
            amid: a program that the last source runs, when the sources before it are read.
        """
        self.folder = folder
        self._runs = runs
        self._places = media
        self._read: set[tuple[str, SetId]] = set()
        self.contents: dict[SetId, dict[str, bytes]] = {}
        """What the files of each set were."""
        self.digests: dict[SetId, dict[str, str]] = {}
        """SHA-256 of every file of each bag."""
        self.days_later = 0
        """How far the clock of its commands is ahead."""
        folder.mkdir(parents=True, exist_ok=True)
        (operator, escrow) = (key for _name, key in keys().public)
        self.folder_of = {name: Path(str(each.settings.get("folder", folder))) for name, each in media.items()}
        self._configuration = CONFIGURATION.format(
            operator=operator, escrow=escrow, amid=json.dumps([*(amid or ("echo", "a dump"))])
        )
        self.configure(*media)
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        files = folder / "files"
        files.mkdir()
        for number in range(5):
            (files / f"tin-{number}.html").write_text(f"Tin {number} " * 50)
        (files / "link").symlink_to("tin-1.html")
        sample_database(folder / "portal.sqlite", 20)
        self.media: dict[str, Medium] = {
            name: build_medium(KindTable.alone(name, place.kind, place.settings, folder))
            for name, place in media.items()
        }

    def configure(self, *media: str) -> None:
        """Write the configuration with some of the media."""
        tables = "".join(_table(name, self._places[name]) for name in media)
        (self.folder / "portalops.toml").write_text(self._configuration + tables)

    def keep_newest(self) -> None:
        """Let every set but the newest go, when its mark is old enough."""
        self._configuration = self._configuration.replace("keep_last = 50", "keep_last = 1")
        self.configure(*self._places)

    def left(self) -> dict[str, list[str]]:
        """Return by medium what lies there beside whole sets."""
        return {name: place.left() for name, place in self._places.items()}

    def run(self, *commands: str, harm: Harm = UNHARMED) -> Ended:
        """Carry out commands, each one text, in one process."""
        before = ["--config", str(self.folder / "portalops.toml"), "--json"]
        ended = self._runs.run(
            [[*before, *each.split()] for each in commands], self._temporary, harm, days_later=self.days_later
        )
        if any(each.startswith("backup run") for each in commands):
            if ended.was_killed:
                self._keep_what_lies_there()
            else:
                self._keep_in_mind(ended)
        return ended

    def _keep_in_mind(self, ended: Ended) -> None:
        """Remember what a set that was just made holds, and the digests of its files as they left the run."""
        for answer in ended.answers():
            made = answer["data"].get("set") if isinstance(answer["data"], dict) else None
            if not made or made in self.contents:
                continue
            self.contents[made] = self._files_now()
            self.digests[made] = {}
            for name in (copy["medium"] for copy in answer["data"]["copies"] if copy["state"] == "verified"):
                try:
                    self.digests[made] = digests_of(self.media[name].open_set(made))
                    break
                except PortalOpsError:  # it is still harmed
                    continue

    def _keep_what_lies_there(self) -> None:
        """Remember the sets of a run that was killed when it had sealed them, perhaps recorded, and not said."""
        for name, sets in self.sets().items():
            for made in sets:
                if made not in self.contents:
                    self.contents[made] = self._files_now()
                    self.digests[made] = digests_of(self.media[name].open_set(made))

    def _files_now(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "files").glob("tin-*")}

    def change(self) -> None:
        """Do what an editor does."""
        (self.folder / "files" / "tin-new.html").write_text("Tin mới " * 60)
        (self.folder / "files" / "tin-1.html").unlink()

    def change_again(self) -> None:
        """Do it once more, with other words."""
        (self.folder / "files" / "tin-new.html").write_text(f"Tin khác {len(self.contents)} " * 60)

    def sets(self) -> dict[str, tuple[SetId, ...]]:
        """Return what each medium shows."""
        return {name: medium.sets() for name, medium in self.media.items() if self.folder_of[name].exists()}

    def check_what_is_visible(self) -> None:
        """Read every set that any medium shows and that was not read yet, and open it."""
        for name, sets in self.sets().items():
            for set_id in sets:
                if (name, set_id) not in self._read:
                    self._check(name, set_id)
                    self._read.add((name, set_id))

    def unfinished(self) -> int:
        """Return how many runs the ledger's own records began and did not end."""
        kinds: Counter[str] = Counter()
        with closing(Ledger.open(self.folder / "state", SystemClock(), create=False)) as ledger:
            kinds.update(record.kind for record in ledger.records())
        return kinds["backup.started"] - kinds["backup.finished"]

    def recovers(self, what: str) -> None:
        """See that nothing sealed is wrong, that the ledger tells the crash, and that the next run needs nobody's help."""
        __tracebackhide__ = True
        self.check_what_is_visible()
        ended = self.run("ledger verify", "backup run")
        verified, made = ended.answers()
        ledger = verified["data"]
        assert ledger["integrity"]["holds"] and not ledger["completeness"]["missing"], (what, ledger)
        assert ended.codes[1] == ExitCode.OK, (what, made)
        assert {copy["state"] for copy in made["data"]["copies"]} == {"verified"}, (what, made)
        assert self.unfinished() == len(ledger["completeness"]["crashed"]), (what, ledger)
        for name, sets in self.sets().items():
            assert made["data"]["set"] in sets, (what, name, sets)
        if any(self.left().values()):  # what a medium has of a full set that another one has whole is for a copy
            copied = self.run("backup replicate")
            assert copied.codes == (ExitCode.OK,), (what, copied.output.decode())
        assert not any(self.left().values()), (what, self.left())
        assert [path.name for path in self._temporary.iterdir()] == [], what
        self.check_what_is_visible()

    def _check(self, kind: str, set_id: SetId) -> None:
        findings = verify_copy(
            self.media[kind].open_set(set_id),
            set_id,
            bag_sha256=None,
            level=VerifyLevel.L2,
            identities=[keys().identity],
        )
        assert findings.problems == () and findings.content is not None, (kind, set_id, findings.problems)
        assert {each.source for each in findings.content.streams} == {"files", "database", "dump"}, (kind, set_id)


def digests_of(stored: StoredSet) -> dict[str, str]:
    """Return the digest of every file of a whole bag."""
    found = {}
    for path in stored.sizes():
        with stored.open(path) as file:
            found[path] = hashlib.sha256(b"".join(iter(lambda: file.read(1 << 20), b""))).hexdigest()
    return found


def _table(name: str, place: Place) -> str:
    def shown(value: object) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{key} = {shown(inner)}" for key, inner in value.items()) + " }"
        return json.dumps(value)

    lines = [f"{key} = {shown(value)}" for key, value in place.settings.items()]
    return "\n".join(["\n[[backup.medium]]", f'id = "{name}"', f'kind = "{place.kind}"', *lines, ""])
