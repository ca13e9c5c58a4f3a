"""The archive and the claims of other tools from the command line, on a small portal of its own."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.commands.test_backup import Portal
from tests.shapes import validate

CONFIGURATION = """
[[backup.source]]
id = "paper"
kind = "files"
class = "documents"
include = ["originals", "copies"]

[archive.excused]
drafts = "editors write into the article itself"

[[archive.collection]]
id = "items"
kind = "query"
what = "items"
source = "database"
url = "sqlite:///portal.sqlite"
query = "SELECT id AS item FROM article"

[[archive.collection]]
id = "originals"
kind = "folder"
what = "originals"
source = "paper"
folder = "originals"

[[archive.collection]]
id = "copies"
kind = "folder"
what = "copies"
source = "paper"
folder = "copies"

[[backup.adopted]]
id = "nightly"
kind = "folders"
class = "content"
folder = "nightly"

[[backup.adopted]]
id = "office"
kind = "barman"
class = "content"
program = "/nonexistent/barman"
"""


class Archive(Portal):
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, capsys)
        path = folder / "portalops.toml"
        path.write_text(path.read_text().replace('documents = "in the content"\n', "") + CONFIGURATION)
        for what in ("originals", "copies"):
            (folder / what).mkdir()
            for item in range(1, 31):
                (folder / what / f"{item}.pdf").write_text(f"{what} {item}")
        (folder / "nightly" / "portal-2026-11-20").mkdir(parents=True)
        (folder / "nightly" / "portal-2026-11-20" / "dump").write_text("x" * 100)

    def json(self, *arguments: str, expected: ExitCode) -> Any:
        code = run(["--config", str(self.folder / "portalops.toml"), "--json", *arguments], {})
        answer = json.loads(self.output())
        assert code == expected, answer
        if arguments[0] in {"archive", "backup"} and answer["error"] is None:
            validate(" ".join(arguments[:2]), answer["data"])
        return answer["data"]

    def text(self, *arguments: str, language: str = "en") -> str:
        run(["--config", str(self.folder / "portalops.toml"), "--lang", language, *arguments], {})
        return self.output()

    def duty(self) -> Any:
        return self.duties()["10.1"]

    def duties(self) -> dict[str, Any]:
        run(["--config", str(self.folder / "portalops.toml"), "--json", "status"], {})
        return {each["id"]: each for each in json.loads(self.output())["data"]}


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Archive:
    return Archive(tmp_path, capsys)


def test_a_whole_archive_in_a_verified_set_meets_article_10_1(portal: Archive) -> None:
    before = portal.json("archive", "inventory", expected=ExitCode.OK)
    unbacked = portal.duty()
    portal.json("backup", "run", expected=ExitCode.OK)

    assert (before["items"], before["faults"], before["missing"]) == (30, [], [])
    assert unbacked["verdict"] == "insufficient-evidence"
    assert portal.duty()["verdict"] == "met"


def test_gaps_are_listed_recorded_and_break_the_duty(portal: Archive) -> None:
    (portal.folder / "originals" / "7.pdf").unlink()
    (portal.folder / "copies" / "99.pdf").write_text("x")

    made = portal.json("archive", "inventory", expected=ExitCode.UNMET)
    shown = portal.json("ledger", "show", str(made["record"]), expected=ExitCode.OK)

    assert made["faults"] == [
        "1 item has no originals, such as 7",
        "1 entry belongs to no item of the content database, such as copies: 99.pdf",
    ]
    assert "7" in json.dumps(shown)
    assert portal.duty()["verdict"] == "unmet"


def test_a_loss_stays_told_of_until_it_is_accepted(portal: Archive) -> None:
    portal.json("archive", "inventory", expected=ExitCode.OK)
    (portal.folder / "originals" / "7.pdf").write_text("changed")

    first = portal.json("archive", "inventory", expected=ExitCode.INTEGRITY)
    second = portal.json("archive", "verify", expected=ExitCode.INTEGRITY)
    accepted = portal.json("archive", "inventory", "--accept", "scanned anew", expected=ExitCode.OK)
    after = portal.json("archive", "verify", expected=ExitCode.OK)

    assert first["faults"] == second["faults"] == ["originals: 1 changed: 7.pdf"]
    assert accepted["accepted"] == "scanned anew"
    assert after["comparison"]["record"] == accepted["record"]


def test_a_loss_that_is_put_right_is_forgotten(portal: Archive) -> None:
    portal.json("archive", "inventory", expected=ExitCode.OK)
    lost = portal.folder / "originals" / "7.pdf"
    lost.rename(portal.folder / "7.pdf")
    portal.json("archive", "inventory", expected=ExitCode.INTEGRITY)
    (portal.folder / "7.pdf").rename(lost)

    portal.json("archive", "inventory", expected=ExitCode.OK)


def test_verify_needs_an_inventory_and_records_nothing(portal: Archive) -> None:
    portal.json("archive", "verify", expected=ExitCode.FAILED)
    portal.json("archive", "inventory", expected=ExitCode.OK)
    before = len(portal.json("ledger", "show", expected=ExitCode.OK))

    portal.json("archive", "verify", expected=ExitCode.OK)
    portal.json("archive", "inventory", "--dry-run", expected=ExitCode.OK)

    assert len(portal.json("ledger", "show", expected=ExitCode.OK)) == before


def test_a_dry_run_needs_no_ledger_and_makes_none(portal: Archive) -> None:
    portal.json("archive", "inventory", "--dry-run", expected=ExitCode.OK)
    portal.json("backup", "adopt", "--dry-run", expected=ExitCode.OK)

    assert not (portal.folder / "state").exists()


def test_a_folder_that_is_not_there_is_unknown_and_no_gap(portal: Archive) -> None:
    (portal.folder / "copies").rename(portal.folder / "gone")

    made = portal.json("archive", "inventory", expected=ExitCode.PARTIAL)

    assert made["missing"] == [] and "there is no folder" in made["faults"][0]
    assert portal.duty()["verdict"] != "met"


def test_a_collection_must_be_copied_by_a_backup_source(portal: Archive) -> None:
    portal.replace({'source = "database"': 'source = "nothing"'})

    (problem,) = portal.json("config", "check", expected=ExitCode.CONFIGURATION)

    portal.json("archive", "inventory", expected=ExitCode.CONFIGURATION)
    assert "names a backup source that does not exist" in problem["message"]
    assert not (portal.folder / "state").exists()


def test_without_items_there_is_nothing_to_count_against_and_nothing_is_recorded(portal: Archive) -> None:
    portal.replace({'what = "items"': 'what = "drafts"'})

    portal.json("archive", "inventory", expected=ExitCode.CONFIGURATION)

    assert not (portal.folder / "state").exists()


def test_the_job_takes_inventories_by_itself(portal: Archive) -> None:
    path = portal.folder / "portalops.toml"
    path.write_text(
        path.read_text() + '[[job]]\nid = "monthly-inventory"\nkind = "inventory"\nevery = "month"\nduty = "10.1"\n'
    )

    (done,) = portal.json("run", "monthly-inventory", expected=ExitCode.PARTIAL)["jobs"]

    assert (done["outcome"], done["summary"]) == ("complete", "30 items, 0 gaps, 0 collections with losses")


def test_both_languages_say_it(portal: Archive) -> None:
    english = portal.text("archive", "inventory")
    vietnamese = portal.text("archive", "verify", language="vi")

    assert "All 30 items are there" in english
    assert "bản chính" in vietnamese and "accounted" not in vietnamese


# --- adopt ----------------------------------------------------------------------------------------------------------------


def test_claims_are_recorded_listed_apart_and_make_no_duty_met(portal: Archive) -> None:
    nightly, office = portal.json("backup", "adopt", expected=ExitCode.PARTIAL)
    listed = portal.json("backup", "list", expected=ExitCode.OK)
    duties = portal.duties()

    assert (nightly["claimed_by"], nightly["backups"][0]["state"]) == ("folders", "claimed")
    assert office["problem"] == "/nonexistent/barman is not installed"
    assert [each["id"] for each in listed] == ["nightly", "office"]
    assert duties["10.2-content"]["verdict"] != "met"
    assert any("claimed by folders, not verified" in line for line in duties["10.2-content"]["details"])


def test_a_tool_that_stops_answering_keeps_its_claim_and_says_so(portal: Archive) -> None:
    portal.json("backup", "adopt", "nightly", expected=ExitCode.OK)
    (portal.folder / "nightly").rename(portal.folder / "away")
    portal.json("backup", "adopt", "nightly", expected=ExitCode.PARTIAL)

    (claim,) = portal.json("backup", "list", expected=ExitCode.OK)

    assert len(claim["backups"]) == 1 and claim["problem"].startswith("cannot read")


def test_a_dry_run_shows_what_would_be_asked(portal: Archive) -> None:
    nightly, office = portal.json("backup", "adopt", "--dry-run", expected=ExitCode.OK)

    assert nightly["reads"] == str(portal.folder / "nightly")
    assert office["argv"] == ["/nonexistent/barman", "-f", "json", "list-backups", "all"]


def test_adopting_nothing_is_a_wrong_call(portal: Archive) -> None:
    portal.json("backup", "adopt", "unknown", expected=ExitCode.USAGE)


def test_claims_are_shown_in_both_languages(portal: Archive) -> None:
    english = portal.text("backup", "adopt")
    vietnamese = portal.text("backup", "list", language="vi")

    assert "claimed by folders" in english and "nothing of it was read back" in english
    assert "nothing of it" not in vietnamese


def test_the_record_names_the_listing_as_evidence(portal: Archive) -> None:
    made = portal.json("archive", "inventory", expected=ExitCode.OK)

    with closing(sqlite3.connect(portal.folder / "portal.sqlite")) as connection:
        (items,) = connection.execute("SELECT count(*) FROM article").fetchone()
    blob = portal.folder / "state" / "blobs" / made["evidence"][0][:2] / made["evidence"][0][2:4]
    assert items == 30 and [path.suffix for path in blob.iterdir()] == [".zst"]
