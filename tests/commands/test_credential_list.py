"""What `credential list` chooses, and what it and its neighbours say of each credential."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.commands.test_credential import ADD, AN, CONFIGURATION, ISSUED, KEY, ROOT, TODAY, asked, portalops, refused

CERTIFICATE = ("tls", "--system", "portal:cong@web1", "--account", "cong", "--kind", "certificate", *AN)
PRINT = ":".join(["AB"] * 32)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def test_list_is_chosen_by_system_by_host_and_by_what_is_late(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(home, capsys, *ADD, *ROOT, "--issued", (TODAY - timedelta(days=70)).isoformat())
    asked(home, capsys, *ADD, *KEY, *ISSUED)
    asked(home, capsys, *ADD, *CERTIFICATE, *ISSUED)
    bucket = ("s3", "--system", "bucket:backups", "--account", "writer", "--kind", "token", *AN, *ISSUED)
    asked(home, capsys, *ADD, *bucket)

    def chosen(*options: str, expected: ExitCode = ExitCode.OK) -> list[str]:
        return [each["id"] for each in asked(home, capsys, "credential", "list", *options, expected=expected)]

    assert chosen("--overdue", expected=ExitCode.UNMET) == ["web1-root"]
    assert chosen("--host", "web1", expected=ExitCode.UNMET) == ["web1-root", "web1-an", "tls"]
    assert chosen("--system", "portal:cong@web1") == chosen("--system", "portal") == ["tls"]
    assert chosen("--system", "bucket", "--host", "web1") == []
    assert "The register has credentials of: bucket, " in refused(
        home, capsys, "credential", "list", "--system", "bukket"
    )
    assert chosen("--holder", "Tran-Thi-Binh", "--system", "bucket") == ["s3"]
    assert "there is no member le-chi" in refused(home, capsys, "credential", "list", "--holder", "le-chi")
    assert "there is no host web9" in refused(home, capsys, "credential", "list", "--host", "web9")


def test_each_state_of_a_credential_names_its_record(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(
        home, capsys, *ADD, *CERTIFICATE, *ISSUED, "--mfa", "--shared", "--fingerprint", f"sha256 Fingerprint={PRINT}"
    )
    asked(home, capsys, "credential", "hand-over", "tls", "--to", "tran-thi-binh")

    (each,) = asked(home, capsys, "credential", "list", expected=ExitCode.UNMET)
    portalops(home, "credential", "show", "tls")
    shown = " ".join(capsys.readouterr().out.split())

    assert (each["fingerprint"], each["mfa"], each["shared"], each["overdue"]) == (PRINT, True, True, False)
    assert each["known_by_records"] == {"nguyen-van-an": 2, "tran-thi-binh": 2}
    assert [problem["text"] for problem in each["problems"]] == ["missing in record 3: deputy"]
    assert "Known to: nguyen-van-an, by record 2 Known to: tran-thi-binh, by record 2" in shown
    assert "Used by: several people" in shown


def test_holder_who_was_taken_out_of_the_configuration_is_told_until_they_are_recorded_to_have_left(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(home, capsys, *ADD, *KEY, *ISSUED)
    text = CONFIGURATION.replace("members.nguyen-van-an", "members.le-van-chi")
    (home / "portalops.toml").write_text(text, encoding="utf-8")

    assert portalops(home, "credential", "list") == ExitCode.UNMET
    assert "nguyen-van-an, named for web1-an, is no member" in capsys.readouterr().err
    asked(home, capsys, "credential", "leave", "nguyen-van-an", expected=ExitCode.UNMET)
    assert portalops(home, "credential", "list") == ExitCode.UNMET
    assert "is no member" not in capsys.readouterr().err


def test_what_a_change_leaves_unsaid_is_told_at_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portalops(home, *ADD, *KEY, *ISSUED)
    assert "the audit needs the fingerprint" in capsys.readouterr().out

    portalops(home, *ADD, *CERTIFICATE, *ISSUED)
    assert "the certificate counts for 398 days" in capsys.readouterr().out
    portalops(home, "credential", "rotate", "tls", "--rotate-by", (TODAY + timedelta(days=90)).isoformat())
    assert "may last" not in capsys.readouterr().out
