"""`portalops check run --outside`, and the station of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from tests.shapes import data_in

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "local"

[checks.declared]
{declared}

[[job]]
id = "daily-check"
kind = "check"
every = "day"
"""


def result_of(
    home: Path, capsys: pytest.CaptureFixture[str], declared: str, *arguments: str, check: str = "firewall.outside-view"
) -> tuple[str, str]:
    (home / "portalops.toml").write_text(CONFIGURATION.format(declared=declared), encoding="utf-8")
    run(
        [
            "--config",
            str(home / "portalops.toml"),
            "--lang",
            "en",
            "check",
            "run",
            "--check",
            check,
            "--json",
            *arguments,
        ],
        {},
    )
    data: Any = data_in(capsys.readouterr().out, "check run")
    (result,) = data["results"] if isinstance(data, dict) else data
    return result["verdict"], result["reason"]


def test_run_that_looks_from_inside_alone_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert result_of(tmp_path, capsys, "") == ("unknown", "not-seen-from-outside")


def test_asked_for_or_configured_it_looks_at_the_declared_address_and_knows_that_it_is_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = 'public_addresses = ["127.0.0.1"]'

    assert result_of(tmp_path, capsys, here, "--outside") == ("unknown", "not-seen-from-outside")
    assert result_of(tmp_path, capsys, f'station = "auditor-1"\n{here}') == ("unknown", "not-seen-from-outside")
    assert result_of(tmp_path, capsys, 'station = "auditor-1"') == ("unknown", "not-declared")
