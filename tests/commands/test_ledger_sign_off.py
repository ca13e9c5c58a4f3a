"""People sign reports with their own keys, by the command that portalops names; everything that does not fit is refused."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.record import Digest, RunId
from portalops.model.runs import ReportResult, WrittenFile
from portalops.system.clock import SystemClock
from tests.commands.signed_home import CONFIGURATION, SIGNING, Home

REPORT = "demo-compliance.vi.html"


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """A ledger that knows one report, and two people with keys made by stock ssh-keygen; one signs no longer."""
    for name in ("an", "binh", "chi"):
        _keygen(tmp_path / name)
    people = "".join(
        f"""
[[ledger.signer]]
id = "{name}"
name = {{ vi = "{vietnamese}", en = "{vietnamese}" }}
office = "Phòng Công nghệ số"
key = "{(tmp_path / name).with_suffix(".pub").read_text().strip()}"
{days}
"""
        for name, vietnamese, days in (
            ("an", "Nguyễn Văn An", ""),
            ("binh", "Trần Thị Bình", 'valid_from = "2020-01-01"\nvalid_to = "2021-12-31"'),
        )
    )
    home = Home(tmp_path, capsys, extra=people)
    (tmp_path / REPORT).write_text("<p>báo cáo</p>\n")
    _record_report(tmp_path, tmp_path / REPORT)
    return home


def test_what_is_shown_to_be_signed_works_with_stock_ssh_keygen(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.folder)
    shown = home.call("sign-off", REPORT)
    assert shown["text"].encode() == subprocess.run(["sha256sum", REPORT], capture_output=True, check=True).stdout

    subprocess.run(shown["command"].replace(" KEY ", " an "), shell=True, check=True, capture_output=True)
    done = home.call("sign-off", REPORT, "--by", "an", "--signature", f"{REPORT}.sig")

    assert done["signer"] == "an" and done["seq"] == 12
    again = home.call("sign-off", REPORT, "--by", "an", "--signature", f"{REPORT}.sig")
    assert again["seq"] == 12, "one signature is recorded once"
    found = home.call("verify")["integrity"]
    assert found["holds"] and [each["name"] for each in found["sign_offs"]] == ["Nguyễn Văn An"]
    assert "Phòng Công nghệ số" in home.read("verify", language="vi")


@pytest.mark.parametrize("folder", ["", "sub dir/", "/"])
def test_a_report_is_signed_under_its_name_as_it_was_typed(
    home: Home, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(home.folder)
    Path("sub dir").mkdir()
    Path("sub dir", REPORT).write_bytes(Path(REPORT).read_bytes())
    typed = str(home.folder / REPORT) if folder == "/" else f"{folder}{REPORT}"
    command = home.call("sign-off", typed)["command"]
    subprocess.run(command.replace(" KEY ", " an "), shell=True, check=True, capture_output=True)
    done = home.call("sign-off", typed, "--by", "an", "--signature", f"{typed}.sig", "--dry-run")
    assert (done["report"], done["seq"]) == (typed, None)


def test_a_signature_that_does_not_fit_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.folder)
    line = home.call("sign-off", REPORT)["text"].encode()
    other = hashlib.sha256(b"other").hexdigest().encode() + b"  " + REPORT.encode() + b"\n"
    for message, key, namespace, said in (
        (line, "chi", "portalops-signoff", "is signed by the key SHA256:"),
        (line, "an", "file", "made for another purpose"),
        (other, "an", "portalops-signoff", "does not match the signed data"),
    ):
        _sign(message, key, namespace, Path("x.sig"))
        error = home.call("sign-off", REPORT, "--by", "an", "--signature", "x.sig", expected=ExitCode.INTEGRITY)
        assert said in error["message"], error
    Path("x.sig").write_bytes(b"\xff" * 100_000)
    error = home.call("sign-off", REPORT, "--by", "an", "--signature", "x.sig", expected=ExitCode.INTEGRITY)
    assert "too long for a signature" in error["message"]
    assert home.ledger.count() == 11, "nothing of it was recorded"


def test_wrong_ways_to_sign_are_refused_with_a_reason(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.folder)
    _sign(home.call("sign-off", REPORT)["text"].encode(), "an", "portalops-signoff", Path("x.sig"))
    Path("unknown.html").write_text("unknown")
    for arguments, said in (
        ((REPORT, "--by", "nobody", "--signature", "x.sig"), "no signer nobody is configured; there are: an, binh"),
        (
            (REPORT, "--by", "binh", "--signature", "x.sig"),
            "binh may not sign today, only from 1 Jan 2020 to 31 Dec 2021",
        ),
        ((REPORT, "--by", "an"), "--by and --signature go together"),
        ((REPORT, "--by", "an", "--signature", "none.sig"), "cannot read none.sig"),
        (("none.html",), "cannot read none.html"),
        (("unknown.html",), "no recorded report has the digest of unknown.html"),
    ):
        assert said in home.call("sign-off", *arguments, expected=ExitCode.USAGE)["message"]


def test_a_report_that_was_changed_since_is_told_apart_from_an_unknown_one(home: Home) -> None:
    path = home.folder / REPORT
    path.write_text("<p>báo cáo khác</p>\n")
    error = home.call("sign-off", str(path), expected=ExitCode.INTEGRITY)
    assert "was changed since record 11" in error["message"]


def test_a_report_of_a_bundle_is_signed_too(home: Home) -> None:
    path = home.folder / "report.vi.html"
    path.write_text("of a bundle")
    digest = Digest(hashlib.sha256(path.read_bytes()).hexdigest())
    body = {"export": {"reports": [WrittenFile(path.name, "vi", 11, digest)]}}
    _writable(home.folder).append("export", run=NO_RUN, body=bodies.write(body))
    assert home.call("sign-off", str(path))["seq"] == 12


def test_a_person_reads_what_to_do_in_both_languages(home: Home) -> None:
    assert "Sign it with your own key in place of KEY" in home.read("sign-off", str(home.folder / REPORT))
    assert "ssh-keygen -Y sign -n portalops-signoff" in home.read("sign-off", str(home.folder / REPORT), language="vi")


def test_a_broken_key_in_the_configuration_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.folder)
    _sign(home.call("sign-off", REPORT)["text"].encode(), "an", "portalops-signoff", Path("x.sig"))
    broken = '[[ledger.signer]]\nid = "an"\nname = { vi = "An", en = "An" }\noffice = "x"\nkey = "ssh-ed25519 AAAA"\n'
    home.configure(CONFIGURATION + SIGNING + broken)
    arguments = (REPORT, "--by", "an", "--signature", "x.sig")
    assert (
        "is not an Ed25519 public key" in home.call("sign-off", *arguments, expected=ExitCode.CONFIGURATION)["message"]
    )


def _writable(folder: Path) -> Ledger:
    return Ledger.open(folder / "state", SystemClock(), create=True)


def _record_report(folder: Path, path: Path) -> None:
    data = path.read_bytes()
    file = WrittenFile(path.name, "vi", len(data), Digest(hashlib.sha256(data).hexdigest()))
    body = bodies.write({"report": ReportResult("compliance", "2024-01", (file,))})
    ledger, month = _writable(folder), RunId("report:monthly:2024-01")
    ledger.append("report.started", run=month, subject="monthly", body=b"{}\n")
    ledger.append("report.finished", run=month, subject="monthly", body=body)


def _keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "note", "-f", path], check=True)


def _sign(message: bytes, key: str, namespace: str, target: Path) -> None:
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", key], input=message, capture_output=True, check=True
    )
    target.write_bytes(done.stdout)
