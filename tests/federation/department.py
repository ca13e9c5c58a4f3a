"""A Department that collects, and sites whose bundles come to it: real ledgers, exported as `ledger export` does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from commands.cli.shapes import as_json
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.runs import RunSummary
from portalops.model.verdicts import CheckVerdict, RunOutcome, Severity
from portalops.rulebooks.load import load as load_rulebook
from portalops.signatures.sshsig import SigningKey, fingerprint
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY
from tests.shapes import validate
from tests.witness.hosts import done

RULEBOOK = load_rulebook("kh-37-2010", {})
CHECKS = tuple(dict.fromkeys(check for duty in RULEBOOK.duties for check in duty.checks))
WEEK = Period(date(2026, 11, 23), date(2026, 11, 29))
BEGUN = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
NOW = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)


class SiteLedger:
    """A site with one server, whose checks pass each day."""

    def __init__(self, folder: Path, number: int = 1) -> None:
        self.folder = folder
        self.key: SigningKey = key_of(number)
        self.clock = FixedClock(BEGUN)
        self.written = Written(folder / "state", self.key, self.clock)
        self.written.plan(DAILY)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key.public_key)

    def checked(self, days: int = 8, *, failing: str = "", unreached: Message | None = None) -> SiteLedger:
        """Record a round a day, with every check of the rulebook passing but one."""
        for _day in range(days):
            self.clock.move(timedelta(hours=1))
            run = f"{DAILY.duty}:{DAILY.id}:{self.clock.at.date()}"
            self.written.append("check.started", run)
            self.clock.move(timedelta(minutes=3))
            answer = self.written.ledger.keep(f"PermitRootLogin no # {self.clock.at}\n".encode())
            summary = RunSummary(RunOutcome.COMPLETE, 0, self.clock.at, self.clock.at)
            hosts = [HostScan(HostId("web1"), self.clock.at, True, "", self._results(answer, failing))]
            hosts += [HostScan(HostId("web2"), self.clock.at, False, unreached, ())] if unreached else []
            round_ = CheckScan(tuple(hosts))
            self.written.append("check.finished", run, run=summary, check=round_)
            self.clock.move(timedelta(hours=22, minutes=57))
        return self

    def _results(self, answer: Digest, failing: str) -> tuple[CheckResult, ...]:
        return tuple(
            CheckResult(
                check,
                HostId("web1"),
                "12.4",
                Severity.HIGH,
                CheckVerdict.FAIL if check == failing else CheckVerdict.PASS,
                "found" if check == failing else "",
                msg("seen"),
                evidence=(answer,),
            )
            for check in CHECKS
        )

    def export(self, to: Path, **more: Any) -> Path:
        to.parent.mkdir(parents=True, exist_ok=True)
        self.written.export(to, period=more.pop("period", WEEK), **more)
        return to

    def copied(self, folder: Path) -> SiteLedger:
        """Return the same ledger at another place, as somebody who has its state folder and its key can go on with it."""
        shutil.copytree(self.folder / "state", folder / "state")
        copy = object.__new__(SiteLedger)
        copy.folder, copy.key, copy.clock = folder, self.key, FixedClock(self.clock.at)
        copy.written = Written(folder / "state", self.key, copy.clock)
        return copy


class Department:
    """The collecting side."""

    def __init__(self, folder: Path, *, at: datetime = NOW) -> None:
        self.folder = folder
        self.clock = FixedClock(at)
        self.config = folder / "portalops.toml"
        self._sites: dict[str, Mapping[str, object]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._write("")

    def has(self, site: str, keys: str | list[str], **more: object) -> Path:
        """Configure a site; return the folder that its bundles come to."""
        folder = self.folder / "in" / site
        keys = [keys] if isinstance(keys, str) else keys
        self._sites[site] = {"folder": str(folder), "keys": keys, **more}
        self._write("")
        return folder

    def _write(self, extra: str) -> None:
        lines = ['[portal]\nid = "so-tttt"\nname = { vi = "Sở" }\n[state]\nfolder = "state"\n', extra]
        for site, values in self._sites.items():
            lines.append(f'[[federation.site]]\nid = "{site}"\nkind = "folder"\nname = {{ vi = "Tỉnh {site}" }}\n')
            lines += [f"{key} = {json.dumps(value)}\n" for key, value in values.items()]
        self.config.write_text("".join(lines), encoding="utf-8")

    def with_more(self, extra: str) -> None:
        """Add further tables to the configuration."""
        self._write(extra)

    def collect(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Collect once; return the exit code, and what is said of each site, in its order."""
        result = done(self.config, "ledger", "federate", *arguments, clock=self.clock)
        data: Any = as_json(result.data)
        validate("ledger federate", data)
        return int(result.exit_code), {each["id"]: each for each in data}

    @property
    def ledger(self) -> Ledger:
        """The Department's own, for reading."""
        return Ledger.open(self.folder / "state", self.clock, create=False)

    def begin(self) -> None:
        """Begin the Department's own ledger with a first fact."""
        ledger = Ledger.open(self.folder / "state", self.clock, create=True)
        ledger.append("note", run=NO_RUN, body=b"{}")
        ledger.close()


def verdicts(site: Mapping[str, Any]) -> dict[str, str]:
    """Return the duties of a site."""
    return {each["id"]: each["verdict"] for each in site["duties"]}
