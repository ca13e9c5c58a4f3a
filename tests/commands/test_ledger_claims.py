"""Who recorded what, called as people call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.system.clock import SystemClock
from tests.commands.signed_home import Home
from tests.ledger.bundle.bundles import key_of


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
    holder.call("enroll", "--accept", str(file), "--name", "db1")
    ended = holder.call("enroll", "--end", "db1")
    refused = holder.call("enroll", "--accept", str(file), "--name", "db1", expected=ExitCode.USAGE)

    assert asked["state"] is None
    assert (taken["state"], taken["authority"], taken["public_key"]) == ("added", "all", asked["public_key"])
    assert ended["state"] == "ended"
    assert "ended before" in refused["message"]


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
    assert "Ghi nhận bởi" in home.read("show", number, language="vi")
    assert f"{number}-{number}" in home.read("show", str(made["seq"]))
