"""Who recorded what, called as people call it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.claimant import MachineClaimant, record_writer
from portalops.ledger.heads import introduce_key
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.record import RunId
from portalops.model.writers import Authority, WriterEvent, WriterState
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.commands.signed_home import CONFIGURATION, Home
from tests.ledger.bundle.bundles import key_of
from tests.ledger.ledgers import tamper


def test_a_ledger_is_claimed_from_the_first_enrolment_on_and_not_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    home.call("head")

    before = home.call("verify", expected=ExitCode.OK)["integrity"]
    home.call("enroll")
    after = home.call("verify", expected=ExitCode.OK)["integrity"]

    assert (before["writers"], len(after["writers"])) == ([], 1)
    assert not list((tmp_path / "state/unclaimed").glob("*.journal"))


def test_verification_says_whose_the_records_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    person = tmp_path / "an.pub"
    person.write_text(f"{key_of(7).public_key} an\n")

    home.call("enroll", "--accept", str(person))
    found = home.call("verify", expected=ExitCode.OK)["integrity"]

    assert found["holds"]
    assert [(each["name"] == "an", each["authority"]) for each in found["writers"]] == [
        (False, "all"),
        (True, "records"),
    ]


def test_a_machine_of_this_ledger_alone_is_enrolled_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, capsys)

    first, again = home.call("enroll"), home.call("enroll")

    assert first["state"] == "added"
    assert first == again
    assert "enrolled" in home.read("enroll")


def test_a_machine_of_a_team_asks_with_a_file_and_is_enrolled_where_the_key_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web1").mkdir()
    (tmp_path / "db1").mkdir()
    holder, other = Home(tmp_path / "web1", capsys), Home(tmp_path / "db1", capsys, key=False)
    file = tmp_path / "db1.pub"

    asked = other.call("enroll", "--request", str(file))
    taken = holder.call("enroll", "--accept", str(file), "--name", "db1", "--authority", "all")
    again = holder.call("enroll", "--accept", str(file), "--name", "other")
    said = holder.read("enroll", "--accept", str(file), "--name", "other")
    ended = holder.call("enroll", "--end", "db1")
    refused = holder.call("enroll", "--accept", str(file), "--name", "db1", expected=ExitCode.USAGE)

    assert asked["state"] is None
    assert (taken["state"], taken["authority"], taken["public_key"]) == ("added", "all", asked["public_key"])
    assert again == taken  # a key keeps its name
    assert "enrolled as db1 and keeps that name" in said
    assert ended["state"] == "ended"
    assert refused["message"].endswith(" of db1 was ended by record 12"), refused


def test_a_machine_whose_key_was_ended_is_told_by_which_record_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    name = home.call("enroll")["name"]
    home.call("enroll", "--end", name)
    ended = [each.seq for each in home.ledger.records(kinds=("writer.ended",))]
    home.configure(CONFIGURATION)
    file = tmp_path / "again.pub"

    for arguments in (("enroll",), ("enroll", "--request", str(file))):
        refused = home.call(*arguments, expected=ExitCode.USAGE)
        assert refused["message"].endswith(f" of {name} was ended by record {ended[0]}")
        assert str(tmp_path / "state/keys/writer") in refused["hint"]

    assert not file.exists()
    (tmp_path / "state/keys/writer").rename(tmp_path / "old")  # the hint's cure
    assert home.call("enroll", "--request", str(file))["state"] is None


def test_a_machine_of_this_ledger_alone_gets_a_new_key_for_an_ended_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    first = home.call("enroll")
    home.call("enroll", "--end", first["name"])

    again = home.call("enroll")

    assert again["state"] == "added"
    assert again["public_key"] != first["public_key"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("enroll", "--accept", "x.pub", "--end", "a"), "do not go together"),
        (("enroll", "--accept", "x.pub"), "is not an Ed25519 public key"),
        (("enroll", "--accept", "an.pub", "--name", "a b"), "cannot be called"),
        (("enroll", "--end", "nobody"), "no writer is called"),
        (("claim", "1", "2", "--reason", " "), "--reason is empty"),
        (("claim", "2", "900", "--reason", "x"), "there are no records 2 to 900"),
        (("claim", "3", "2", "--reason", "x"), "there are no records 3 to 2"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    (tmp_path / "x.pub").write_text("ssh-rsa AAAA x\n")
    (tmp_path / "an.pub").write_text(f"{key_of(7).public_key} an\n")
    given = [str(tmp_path / each) if each.endswith(".pub") else each for each in arguments]

    assert problem in home.call(*given, expected=ExitCode.USAGE)["message"]


def test_a_person_stands_for_records_that_nobody_claimed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    stranger = Ledger.open(tmp_path / "state", SystemClock(), create=True)
    record = stranger.append("note", run=NO_RUN, body=bodies.write({"note": "of a lost machine"}))
    number = str(record.seq)

    made = home.call("claim", number, number, "--reason", "its disk was compared")
    again = home.call("claim", number, number, "--reason", "again", expected=ExitCode.USAGE)

    assert made["first"] == made["last"] == record.seq
    assert "is claimed by" in again["message"]
    claimed = home.call("verify")["integrity"]["claimed"]
    assert [each["last"] for each in claimed] == [record.seq]
    shown = home.read("show", number)
    assert "Recorded by" in shown
    assert "Bên ghi" in home.read("show", number, language="vi")
    for record_shown in (shown, home.read("show", str(made["seq"]))):
        assert "its disk was compared" in record_shown
        assert "Claimed by" in record_shown
    assert f"{number}-{number}" in home.read("show", str(made["seq"]))
    (by_hand,) = home.call("verify")["integrity"]["claimed_by_hand"]
    assert (by_hand["seq"], by_hand["ranges"]) == (made["seq"], [[record.seq, record.seq]])
    assert by_hand["reason"] == "its disk was compared"
    assert by_hand["person"].split()[-1] in home.read("verify")
    assert "Bản ghi do người đứng ra nhận về sau" in home.read("verify", language="vi")


def test_a_ledger_that_was_just_enrolled_shows_who_may_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    name = home.call("enroll")["name"]

    shown = home.read("verify")

    assert "Who may write" in shown
    assert name in shown


def test_each_gap_is_named_with_commands_that_close_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, capsys)
    key, stranger, gaps = SigningKey.load(home.key), home.ledger, []
    introduce_key(stranger, key)
    event = WriterEvent(stranger.id, WriterState.ADDED, key_of(8).public_key, "web9", Authority.ALL)
    record_writer(stranger, event, key)
    for _gap in range(2):
        gaps.append(stranger.append("note", run=NO_RUN, body=bodies.write({"note": "x"})).seq)
        record_writer(stranger, event, key)
    home.call("enroll")

    shown = home.read("verify", expected=ExitCode.PARTIAL)

    for seq in gaps:
        assert f"portalops ledger quarantine {seq} {seq}" in shown
        assert f"portalops ledger claim {seq} {seq} --reason TEXT" in shown
        home.call("claim", str(seq), str(seq), "--reason", "TEXT")
    assert home.call("verify")["integrity"]["unclaimed"] == []


def test_records_of_the_last_hour_are_named_as_not_claimed_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    stranger = Ledger.open(tmp_path / "state", SystemClock(), create=True)
    record = stranger.append("note", run=NO_RUN, body=bodies.write({"note": "of nobody"}))

    found = home.call("verify")["integrity"]

    assert (found["unclaimed"], found["awaited"]) == ([], [[record.seq, record.seq]])
    assert "1 record is not claimed yet" in home.read("verify")
    assert "1 bản ghi chưa được ký nhận" in home.read("verify", language="vi")
    run(["--config", str(tmp_path / "portalops.toml"), "--lang", "en", "status"], {})
    assert "1 record is not claimed yet" in capsys.readouterr().err


def test_what_a_running_command_has_not_claimed_is_said_to_be_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    running = Ledger.open(tmp_path / "state", SystemClock(), create=True)
    running.claimant = MachineClaimant(tmp_path / "state", SystemClock(), "web1", enrols=False)
    record = running.append("backup.started", run=RunId("a"), body=b"{}")

    found = home.call("verify")["integrity"]

    assert found["held"] == [{"first": record.seq, "last": record.seq, "process": os.getpid()}]
    assert (found["unclaimed"], found["awaited"]) == ([], [])
    assert f"held by the running command {os.getpid()}" in home.read("verify")
    running.claimant.close()


def test_a_journal_that_the_ledger_contradicts_is_a_fault_for_verify_and_doctor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    (tmp_path / "state/unclaimed").mkdir(exist_ok=True)
    kept = tmp_path / "state/unclaimed/1-a.kept"
    kept.write_text(f"3\t{'a' * 64}\n")

    found = home.call("verify", expected=ExitCode.INTEGRITY)["integrity"]

    assert (found["holds"], found["first_bad"]) == (False, 3)
    said = f"record 3 is not the one that this machine appended: {kept} shows it"
    assert [each["message"] for each in found["faults"]] == [said]
    run(["--config", str(tmp_path / "portalops.toml"), "--lang", "en", "doctor", "--json"], {})
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["garbage", "folder"])
def test_a_broken_key_of_the_machine_warns_with_a_cure_that_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    key = tmp_path / "state/keys/writer"
    key.unlink()
    if kind == "folder":
        key.mkdir()
    else:
        key.write_text("garbage")
        key.chmod(0o600)

    said = home.read("head")
    home.call("enroll", expected=ExitCode.CONFIGURATION)
    assert "is damaged. Move" not in said or f"Move {key} away" in said
    key.rename(tmp_path / "away")
    home.call("enroll")
    home.call("head")

    found = home.call("verify")["integrity"]
    assert (found["unclaimed"], found["awaited"], found["holds"]) == ([], [], True)


@pytest.mark.parametrize("line", ["no record", '{"kind":"backup.started","run":"a"}', '{"kind":"writer.added"}'])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_verification_gives_a_verdict_on_a_line_that_is_no_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, line: str
) -> None:
    home = Home(tmp_path, capsys)
    home.call("enroll")
    home.call("head")
    seq = {"first": 1, "middle": 5, "last": home.ledger.count()}[place]
    tamper(home.ledger, "UPDATE record SET line = ? WHERE seq = ?", (line, seq))

    found = home.call("verify", expected=ExitCode.INTEGRITY)["integrity"]

    assert found["first_bad"] == seq
    assert f"record {seq}" in home.read("verify", expected=ExitCode.INTEGRITY)


def test_records_are_listed_with_whoever_recorded_them_once_there_are_writers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys)
    before = home.read("show")
    name = home.call("enroll")["name"]
    home.call("export", "--output", str(tmp_path / "bundle"))

    shown = {each["id"]: (each["kind"], each["recorded_by"]) for each in home.call("show")}

    assert "Recorded by" not in before
    assert "Recorded by" in home.read("show")
    assert ("export", name) in shown.values()
    assert {by for kind, by in shown.values() if kind in {"claim", "head", "note", "plan"}} == {None}
    report = (tmp_path / "bundle/report.vi.html").read_text()
    assert "Bên ghi" in report
