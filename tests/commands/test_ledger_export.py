"""Bundles from the command line: written from a real configuration, and verified where there is none."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.system.clock import SystemClock
from tests.doubles import FixedClock
from tests.shapes import data_in
from tests.verifier.pages import GUIDE
from tests.verifier.pages import run as run_box

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"

[signing]
key = "keys/signing"

[[job]]
id = "daily-report"
kind = "report"
every = "day"
"""

UPDATES = """
[[unit]]
id = "so-y-te"
name = { vi = "Sở Y tế" }

[[updates.source]]
id = "soyte-rss"
kind = "feed"
channel = "subportal"
unit = "so-y-te"
file = "feed.xml"

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a configuration, a key and a ledger that knows of one run."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "keys").mkdir(mode=0o700)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "keys" / "signing")], check=True
    )
    run(["--config", str(tmp_path / "portalops.toml"), "run", "--quiet"], {})
    return tmp_path


def portalops(home: Path, *arguments: str, language: str = "en") -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", language, "ledger", *arguments], {})


def data_of(capsys: pytest.CaptureFixture[str], called: str) -> Any:
    return data_in(capsys.readouterr().out, called)


def test_a_bundle_is_written_and_both_programs_verify_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = home / "bundle"
    capsys.readouterr()
    assert portalops(home, "export", "--output", str(bundle), "--language", "both", "--json") == ExitCode.OK
    found = data_of(capsys, "ledger export")
    lines = (bundle / "ledger.jsonl").read_bytes().splitlines()
    assert found == {
        "path": str(bundle),
        "ledger": json.loads((bundle / "bundle.json").read_bytes())["ledger"],
        "records": len(lines),
        "head": json.loads((bundle / "bundle.json").read_bytes())["head"],
        "code": found["code"],
        "blobs": len(list((bundle / "blobs").iterdir())),
        "withheld": [],
        "files": sum(path.is_file() for path in bundle.rglob("*")),
    }
    assert {path.name for path in bundle.glob("report.*")} == {"report.vi.html", "report.en.html"}
    exported = [json.loads(line) for line in lines if json.loads(line)["kind"] == "export"]
    (record,) = exported
    body = json.loads((bundle / "blobs" / record["body"]).read_bytes())
    assert [each["name"] for each in body["export"]["reports"]] == ["report.vi.html", "report.en.html"]
    assert body["circumstances"]["arguments"][:1] == ["portalops"]

    code = ["--head-code", found["code"]]
    assert portalops(Path("/nowhere"), "verify", str(bundle), *code, "--json") == ExitCode.OK
    assert data_of(capsys, "ledger verify")["integrity"]["holds"] is True
    command = [sys.executable, "-I", str(bundle / "verify.py"), *code]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_folders_index_tells_a_bundle_handed_out_only_with_all_its_reports_as_they_were(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "audit"
    assert portalops(home, "export", "--output", str(folder / "bundle"), "--language", "both") == ExitCode.OK
    lines = (folder / "bundle" / "ledger.jsonl").read_bytes().splitlines()
    (seq,) = [each["seq"] for each in map(json.loads, lines) if each["kind"] == "export"]
    assert exports_in_index(home, folder, capsys) == (ExitCode.OK, [seq])

    report = folder / "bundle" / "report.vi.html"
    report.write_bytes(report.read_bytes() + b"\n")
    assert exports_in_index(home, folder, capsys) == (ExitCode.OK, [])

    report.unlink()
    report.symlink_to("report.en.html")
    assert exports_in_index(home, folder, capsys) == (ExitCode.PARTIAL, [])


def exports_in_index(home: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[int]]:
    capsys.readouterr()
    code = run(["--config", str(home / "portalops.toml"), "--json", "report", "index", str(folder)], {})
    (bundle,) = data_of(capsys, "report index")["bundles"]
    return code, bundle["exported"]


def test_a_bundle_of_a_ledger_that_does_not_hold_is_written_and_called_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(home / "state", SystemClock(), create=True)
    void = ledger.append("writer.added", run=NO_RUN, body=b"{}\n")
    bundle = str(home / "bundle")

    assert portalops(home, "export", "--output", bundle) == ExitCode.INTEGRITY

    shown = " ".join(capsys.readouterr().out.split())
    assert "The ledger does not hold, and the bundle says so" in shown and f"record {void.seq}" in shown
    assert portalops(home, "verify", bundle) == ExitCode.INTEGRITY


def test_a_bundle_that_leaves_out_what_is_missing_in_the_ledger_is_written_and_the_ledger_called_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    year_ago = SystemClock().now() - timedelta(days=365)
    shutil.rmtree(home / "state")
    ledger = Ledger.open(home / "state", FixedClock(year_ago), create=True)
    lost = ledger.append("note.added", run=NO_RUN, body=b'{"note":"x"}\n')
    next((home / "state" / "blobs").rglob(f"{lost.body}*")).unlink()
    bundle = str(home / "bundle")

    assert portalops(home, "export", "--output", bundle) == ExitCode.INTEGRITY

    shown = " ".join(capsys.readouterr().out.split())
    assert "The bundle holds, but the ledger does not" in shown and f"record {lost.seq}" in shown
    assert portalops(home, "verify", bundle) != ExitCode.INTEGRITY


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_person_is_told_what_the_auditor_is_to_get(
    home: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    assert portalops(home, "export", "--output", str(home / "b"), language=language) == ExitCode.OK
    shown = " ".join(capsys.readouterr().out.split())
    assert "verify.py" in shown and "HOW-TO-VERIFY.vi.md" in shown
    assert ("giao cho bên kiểm tra" if language == "vi" else "What to give the auditor") in shown


def test_the_folder_is_named_without_dots(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Behind a link, '..' leads somewhere else than to the folder before it in the text."""
    (home / "far" / "in").mkdir(parents=True)
    (home / "link").symlink_to(home / "far" / "in")
    given = str(home / "link" / ".." / "bundle")

    assert portalops(home, "export", "--output", given, "--json") == ExitCode.OK

    assert data_of(capsys, "ledger export")["path"] == str((home / "far" / "bundle").resolve())
    assert (home / "far" / "bundle" / "bundle.json").exists()


def test_a_dry_run_writes_and_records_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger.open(home / "state", SystemClock(), create=False)
    before, there = ledger.count(), sorted(home.rglob("*"))
    capsys.readouterr()
    assert portalops(home, "export", "--output", str(home / "bundle"), "--dry-run", "--json") == ExitCode.OK
    found = data_of(capsys, "ledger export")
    assert (found["records"], found["files"], found["head"]) == (before, None, None)
    assert found["blobs"] > 0
    assert ledger.count() == before and sorted(home.rglob("*")) == there


def test_without_a_signing_key_nothing_is_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CONFIGURATION.replace('[signing]\nkey = "keys/signing"\n', "")
    (home / "portalops.toml").write_text(text, encoding="utf-8")
    assert portalops(home, "export", "--output", str(home / "bundle")) == ExitCode.CONFIGURATION
    assert "no signing key is configured" in capsys.readouterr().err
    assert not (home / "bundle").exists()


def test_a_folder_with_something_in_it_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "export", "--output", str(home)) == ExitCode.USAGE
    assert "is not an empty folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--withhold", "abc=x"], ["--withhold", "0" * 64 + "=x"], ["--language", "fr"], ["--period", "x"]]
)
def test_wrong_options_write_and_record_nothing(home: Path, arguments: list[str]) -> None:
    ledger = Ledger.open(home / "state", SystemClock(), create=False)
    before = ledger.count()
    assert portalops(home, "export", "--output", str(home / "bundle"), *arguments) == ExitCode.USAGE
    assert ledger.count() == before and not (home / "bundle").exists()


def test_details_can_be_withheld(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger.open(home / "state", SystemClock(), create=False)
    body = next(ledger.records(kinds=("report.finished",))).body
    capsys.readouterr()
    arguments = ["export", "--output", str(home / "bundle"), "--withhold", f"{body}=chứa tên người"]
    assert portalops(home, *arguments, "--json") == ExitCode.OK
    assert data_of(capsys, "ledger export")["withheld"] == [{"digest": body, "reason": "chứa tên người"}]
    assert not (home / "bundle" / "blobs" / body).exists()
    assert portalops(home, "verify", str(home / "bundle")) == ExitCode.OK
    assert "chứa tên người" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["nothing", "file", "foreign"])
def test_what_is_no_bundle_is_wrong_usage(tmp_path: Path, what: str) -> None:
    if what == "file":
        (tmp_path / "bundle").write_text("")
    elif what == "foreign":
        (tmp_path / "bundle").mkdir()
        (tmp_path / "bundle" / "photo.jpg").write_bytes(b"\xff\xd8")
    assert portalops(tmp_path, "verify", str(tmp_path / "bundle")) == ExitCode.USAGE


def test_an_auditor_finds_an_item_again_in_the_answer_that_first_showed_it(home: Path) -> None:
    with (home / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write(UPDATES)
    addresses = ["https://soyte.example/tin/1", "https://soyte.example/tin/2"]
    for count in (1, 2):
        items = "".join(
            f"<item><title>Tin {link[-1]}</title><link>{link}</link></item>" for link in addresses[count - 1 :: -1]
        )
        (home / "feed.xml").write_text(f"<rss version='2.0'><channel>{items}</channel></rss>", encoding="utf-8")
        run(["--config", str(home / "portalops.toml"), "updates", "collect", "--quiet"], {})
    assert portalops(home, "export", "--output", str(home / "bundle"), "--quiet") == ExitCode.OK
    (home / "my-item.txt").write_text(f"soyte-rss\nu:{addresses[1]}\n{addresses[1]}\n")

    judged = run_box(GUIDE["vi"].boxes["weeks"], home / "bundle", home)
    found = run_box(GUIDE["vi"].boxes["item"], home / "bundle", home)

    assert re.search(r"^\d{4}-W\d\d so-y-te: [a-z-]+, K1 \d [a-z-]+, K2 0 [a-z-]+, due \d,", judged.out, re.MULTILINE)
    before, after, counted = found.out.splitlines()
    assert re.fullmatch(r"\S+Z ok true new 1: [0-9a-f]{64} does not show it", before)
    assert re.fullmatch(r"\S+Z ok true new 1: [0-9a-f]{64} shows it", after)
    assert '"grade":"A"' in counted
    assert judged.err == found.err == ""


def test_a_name_that_ends_in_zip_makes_one_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "2026.zip"
    assert portalops(home, "export", "--output", str(path)) == ExitCode.OK
    told = capsys.readouterr().out
    assert f"the file {path}, unchanged" in told
    assert "open verify.html of the bundle or of a release" in told

    assert run(["ledger", "verify", str(path)], {}) in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}
    assert portalops(home, "export", "--output", str(path)) == ExitCode.USAGE
