"""Reading copies back by workers: a real SFTP server, a real disk's folder, a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.jobs.part_work import do_part
from commands.jobs.parts import verify
from portalops import bodies
from portalops.cluster.parts import PartRequest
from portalops.errors import ConfigurationError
from portalops.model.backups import Copy, CopyState, VerifyResult
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import recorded_sets
from tests.backups.kit import keys
from tests.cluster.parts import ClusterServer, Portal, new_portal
from tests.cluster.working import session_of, working
from tests.servers import SshHost, user_name

TABLES = """
[backup]
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]

[[backup.source]]
id = "settings"
kind = "files"
class = "configuration"
include = ["settings"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "disk-a"
create = true
allow_same_filesystem = true

[[backup.medium]]
id = "elsewhere"
kind = "sftp"
host = "127.0.0.1"
port = {port}
user = "{user}"
identity_file = "{identity}"
host_key = "{host_key}"
folder = "{folder}/sftp"
create = true
tries = 1

[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
duty = "10.2"

[[job]]
id = "weekly-verify"
kind = "verify"
every = "week"
duty = "10.2"
"""


@pytest.fixture
def portal(server: ClusterServer, ssh_host: SshHost, tmp_path: Path) -> Portal:
    operator, escrow = (key for _name, key in keys().public)
    text = TABLES.format(
        operator=operator, escrow=escrow, port=ssh_host.port, user=user_name(), identity=ssh_host.folder / "client",
        host_key=ssh_host.host_key, folder=tmp_path,
    )  # fmt: skip
    made = new_portal(server, tmp_path / "portal", (), tmp_path / "client", extra=text, cluster="wait_minutes = 1")
    (tmp_path / "portal" / "settings").mkdir()
    (tmp_path / "portal" / "settings" / "portal.ini").write_text("[portal]\n", encoding="utf-8")
    made.run("-q", "backup", "run")
    return made


def newest(portal: Portal) -> tuple[Copy, ...]:
    session = session_of(portal)
    record = next(session.ledger.records(kinds=("verify.finished",), newest_first=True, limit=1))
    result = bodies.decode_part(session.ledger.blob(record.body), "verify", VerifyResult)
    assert result is not None
    return result.copies


@pytest.mark.heavy
def test_what_any_machine_can_reach_is_read_by_a_part_and_a_disk_by_the_job(portal: Portal, tmp_path: Path) -> None:
    with working(portal) as done:
        assert portal.run("-q", "backup", "verify") == 0

        copies = newest(portal)
        assert {copy.medium: copy.state for copy in copies} == dict.fromkeys(
            ("disk-a", "elsewhere"), CopyState.VERIFIED
        )
        (wish,) = done
        assert wish.part == f"set-{copies[0].set_id}--elsewhere"
        assert portal.runs("verify-part.finished") == [wish.run]

        for file in (tmp_path / "sftp").rglob("*.age"):
            file.write_bytes(b"\xff" + file.read_bytes()[1:])
        assert portal.run("-q", "backup", "verify") == 5, "it is read anew in the same slot"

    states = {copy.medium: copy.state for copy in newest(portal)}
    assert states == {"disk-a": CopyState.VERIFIED, "elsewhere": CopyState.DAMAGED}
    assert [each.part for each in done] == [wish.part] * 2


def test_a_copy_that_no_worker_knows_is_a_failed_run(portal: Portal) -> None:
    session = session_of(portal)
    for named, said in (
        ({"set": "x", "medium": "tape"}, "there is no backup medium tape in the configuration of this machine"),
        ({"set": "x", "medium": "elsewhere"}, "no copy of set x on elsewhere is recorded"),
    ):
        wish = PartRequest(
            f"10.2:weekly-verify:2026-W48:set-{named['medium']}", "verify", "weekly-verify", "set-x", "10.2", named
        )
        with pytest.raises(ConfigurationError, match=said):
            do_part(session, wish, "a part of w1")
    assert len(portal.runs("verify-part.finished")) == 2


@pytest.mark.heavy
def test_a_medium_that_is_away_leaves_the_copy_as_it_was(portal: Portal, ssh_host: SshHost) -> None:
    session = session_of(portal)
    (set_id,) = {copy.set_id for made in verify_sets(portal) for copy in made}
    ssh_host.answer_with("false")
    try:
        work = verify.do(session, PartRequest("x", "verify", "v", "set-x", "", {"set": set_id, "medium": "elsewhere"}))
    finally:
        ssh_host.let_in()

    assert isinstance(work.result, Copy) and work.outcome is RunOutcome.INCOMPLETE
    assert work.result.state is CopyState.VERIFIED and "not checked" in work.result.problem


def verify_sets(portal: Portal) -> list[tuple[Copy, ...]]:

    return [made.copies for made in recorded_sets(session_of(portal).ledger)]
