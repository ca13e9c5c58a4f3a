"""`portalops doctor` names what would stop portalops, with its cure, and says unknown where it could not look."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import Diagnosis, DiagnosticState, diagnose
from commands.doctor.diagnostics.ledger import broken_link
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.record import RunId
from portalops.ports import Completed
from tests.doubles import FixedClock

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
ABSENT = Completed(127, b"", b"")
ELSEWHERE = """
[[backup.medium]]
id = "there"
kind = "sftp"
host = "backup.example.vn"
user = "portal"
identity_file = "key"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGvumy43fk6BZZX9Ke1OCUoXUhRm3cwAQeQJf81Sady"
folder = "{folder}/disk"
[[backup.source]]
id = "web"
kind = "files"
class = "related"
include = ["{folder}/absent"]
ssh = {{ host = "web.example.vn", user = "backup", identity_file = "key", host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGvumy43fk6BZZX9Ke1OCUoXUhRm3cwAQeQJf81Sady" }}
[checks.declared]"""


class Programs:
    """Answers for the time services."""

    def __init__(self, answer: Completed) -> None:
        self.answer = answer

    def run(
        self, argv: Any, *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        return self.answer


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    arguments = [
        "init",
        "--no-input",
        "--json",
        "--portal-id",
        "kh",
        "--name-vi",
        "C",
        "--medium",
        str(tmp_path / "disk"),
    ]
    assert run([*arguments, "--folder", str(tmp_path)], os.environ) == ExitCode.OK
    capsys.readouterr()
    return tmp_path / "portalops.toml"


def session_of(config: Path, *, at: datetime = NOW, time_service: Completed = ABSENT) -> Session:
    session = Session(Invocation((), config=config), {"LANG": "C.UTF-8"}, clock=FixedClock(at))
    session.runner = Programs(time_service)
    return session


def said(found: tuple[Diagnosis, ...], subject: str) -> dict[DiagnosticState, str]:
    return {item.state: f"{item.seen} | {item.cure}" for item in found if item.subject == subject}


def test_private_keys_on_this_machine_are_a_warning(portal: Path) -> None:
    found = said(diagnose(session_of(portal)), "keys")

    assert "escrow" in found[DiagnosticState.WARNING] and "shred -u" in found[DiagnosticState.WARNING]
    assert found[DiagnosticState.GOOD].startswith("2 keys open the sets")


def test_a_private_key_that_others_can_read_is_bad(portal: Path) -> None:
    (portal.parent / "keys/escrow.age").chmod(0o644)

    assert "mode 0644" in said(diagnose(session_of(portal)), "keys")[DiagnosticState.BAD]


def test_a_missing_public_key_is_bad_with_its_cure(portal: Path) -> None:
    (portal.parent / "keys/escrow.age.pub").unlink()

    found = said(diagnose(session_of(portal)), "keys")

    assert "1 key opens the sets, and two are needed" in found[DiagnosticState.BAD]


def test_without_a_configuration_the_rest_is_unknown_and_never_good(tmp_path: Path) -> None:
    found = diagnose(session_of(tmp_path / "absent.toml"))

    assert "there is no configuration file" in said(found, "configuration")[DiagnosticState.BAD]
    for subject in ("keys", "state-folder", "media", "ledger", "sources"):
        assert set(said(found, subject)) == {DiagnosticState.UNKNOWN}


def test_servers_that_cannot_be_told_from_another_or_logged_in_to_are_named(portal: Path) -> None:
    tables = '\n[[host]]\nid = "web1"\naddress = "192.0.2.1"\n[[host]]\nid = "db1"\naddress = "192.0.2.2"\nidentity_file = "ssh"\n'
    portal.write_text(portal.read_text(encoding="utf-8") + tables, encoding="utf-8")
    (portal.parent / "ssh").write_text("key")
    (portal.parent / "ssh").chmod(0o644)

    found = {
        (one.state, str(one.seen).partition(" at ")[0])
        for one in diagnose(session_of(portal))
        if one.subject == "servers"
    }

    assert (DiagnosticState.BAD, "no private key is configured for the host web1") in found
    assert (DiagnosticState.WARNING, "host db1") in found
    assert len([state for state, _seen in found if state is DiagnosticState.BAD]) == 2


def test_a_source_that_is_not_there_is_bad(portal: Path) -> None:
    portal.write_text(portal.read_text(encoding="utf-8").replace('"/etc"', '"/etc", "absent"'), encoding="utf-8")

    found = said(diagnose(session_of(portal)), "sources")

    assert f"{portal.parent}/absent is not there" in found[DiagnosticState.BAD]
    assert "/etc can be read" in found[DiagnosticState.GOOD]


def test_a_medium_without_its_folder_is_bad_unless_the_backup_makes_it(portal: Path) -> None:
    found = said(diagnose(session_of(portal)), "media")
    assert set(found) == {DiagnosticState.BAD}
    assert "disk-a: there is no folder" in found[DiagnosticState.BAD]

    text = portal.read_text(encoding="utf-8").replace('kind = "disk"\n', 'kind = "disk"\ncreate = true\n')
    portal.write_text(text, encoding="utf-8")

    assert DiagnosticState.BAD not in said(diagnose(session_of(portal)), "media")


def test_a_medium_whose_disk_is_not_mounted_is_bad_though_its_folder_is_there(portal: Path) -> None:
    (portal.parent / "disk").mkdir()
    text = portal.read_text(encoding="utf-8").replace('kind = "disk"\n', 'kind = "disk"\nmount_point = "disk"\n')
    portal.write_text(text, encoding="utf-8")

    found = said(diagnose(session_of(portal)), "media")

    assert set(found) == {DiagnosticState.BAD}
    assert f"disk-a: nothing is mounted on {portal.parent}/disk" in found[DiagnosticState.BAD]


def test_what_lies_on_another_host_is_not_looked_for_in_a_folder_of_this_machine(portal: Path) -> None:
    (portal.parent / "disk").mkdir()
    text = portal.read_text(encoding="utf-8").replace("[checks.declared]", ELSEWHERE.format(folder=portal.parent), 1)
    portal.write_text(text, encoding="utf-8")

    found = diagnose(session_of(portal))

    assert f"{portal.parent}/absent" not in "".join(said(found, "sources").values())
    assert said(found, "media")[DiagnosticState.NOTE].startswith("there: a medium of kind sftp is not tried here")
    assert "portalops media check there" in said(found, "media")[DiagnosticState.NOTE]


def test_a_medium_on_the_same_disk_is_a_warning(portal: Path) -> None:
    (portal.parent / "disk").mkdir()

    assert "one broken disk" in said(diagnose(session_of(portal)), "media")[DiagnosticState.WARNING]


def test_a_state_folder_that_is_open_to_others_is_bad(portal: Path) -> None:
    state = portal.parent / "state"
    state.chmod(0o777)

    assert "is open to other accounts" in said(diagnose(session_of(portal)), "state-folder")[DiagnosticState.BAD]


def test_a_file_in_the_place_of_a_folder_is_bad(portal: Path) -> None:
    (portal.parent / "disk").write_text("", encoding="utf-8")

    assert "is not a folder" in said(diagnose(session_of(portal)), "media")[DiagnosticState.BAD]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Completed(0, b"yes\n", b""), DiagnosticState.GOOD),
        (Completed(0, b"no\n", b""), DiagnosticState.BAD),
        (Completed(127, b"", b"not found"), DiagnosticState.UNKNOWN),
        (Completed(1, b"", b"Failed to connect to bus"), DiagnosticState.UNKNOWN),
    ],
)
def test_a_time_service_that_cannot_be_asked_is_unknown(
    portal: Path, answer: Completed, state: DiagnosticState
) -> None:
    found = diagnose(session_of(portal, time_service=answer), only=["time"])

    assert [each.state for each in found if not each.about] == [state]


def test_a_clock_behind_the_newest_record_is_bad(portal: Path) -> None:
    with_records(portal.parent / "state")

    early = said(diagnose(session_of(portal, at=NOW - timedelta(days=1))), "ledger")
    right = said(diagnose(session_of(portal)), "ledger")

    assert "the clock is behind the newest record" in early[DiagnosticState.BAD]
    assert DiagnosticState.BAD not in right and right[DiagnosticState.GOOD].startswith(
        "4 records; the newest ones hold together"
    )


def test_a_ledger_that_holds_together_has_no_broken_link(tmp_path: Path) -> None:
    assert broken_link(with_records(tmp_path)) is None


def with_records(folder: Path) -> Ledger:
    ledger = Ledger.open(folder, FixedClock(NOW), create=True)
    for number in range(3):
        ledger.append("check.started", run=RunId(f"check:{number}"), body=b"{}")
    return ledger


def test_something_bad_ends_with_1_and_something_unknown_with_3(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["--json", "--config", str(portal), "doctor"], os.environ)
    states = {item["state"] for item in json.loads(capsys.readouterr().out)["data"]}

    expected = ExitCode.UNMET if "bad" in states else ExitCode.PARTIAL if "unknown" in states else ExitCode.OK
    assert code == expected

    (portal.parent / "keys/escrow.age.pub").write_text("nothing", encoding="utf-8")
    assert run(["--json", "--config", str(portal), "doctor"], os.environ) == ExitCode.UNMET
