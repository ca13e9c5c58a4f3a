"""What `credential leave` refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.commands.test_credential import CONFIGURATION, portalops


def test_day_of_who_comes_back_is_refused_and_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    back = ("credential", "leave", "nguyen-van-an", "--back", "--reason", "stays")

    assert portalops(tmp_path, *back, "--on", "2026-11-30") == ExitCode.USAGE

    assert "--back and --on do not go together" in capsys.readouterr().err
