"""One door for every command: results, errors, languages and exit codes are the same everywhere."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands.cli.catalogue import names, summary
from commands.cli.entry import run
from portalops import __version__
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.system.clock import SystemClock
from tests.commands.test_report import CONFIGURATION

HEAVY = (
    "boto3",
    "cryptography",
    "feedparser",
    "httpx",
    "jinja2",
    "lxml",
    "paramiko",
    "psycopg",
    "rich",
    "sqlalchemy",
)

DATACLASS = re.compile(r"^from dataclasses import .*\bdataclass\b", re.MULTILINE)


def loaded_by(folder: Path, *arguments: str) -> list[str]:
    """Return the modules that a call in a folder loads; it must print something, and nothing on standard error."""
    program = (
        f"import sys; sys.argv = ['portalops', *{list(arguments)!r}]\n"
        "from commands.app import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=open('loaded', 'w'))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    call = [sys.executable, "-c", program]
    done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    assert done.stderr == "" and done.stdout
    return (folder / "loaded").read_text(encoding="utf-8").split()


def of_own(modules: list[str]) -> list[str]:
    return [name for name in modules if name.partition(".")[0] in {"portalops", "commands", "checks", "backups"}]


@pytest.mark.parametrize(
    ("arguments", "most_own"), [(("--version",), 12), (("--help",), 45), (("backup", "--help"), 45)]
)
def test_pages_import_nothing_heavy_and_little_of_their_own(
    tmp_path: Path, arguments: tuple[str, ...], most_own: int
) -> None:
    loaded = loaded_by(tmp_path, *arguments)

    assert not {*HEAVY, "pydantic", "typer"} & set(loaded)
    assert len(of_own(loaded)) <= most_own


def test_status_imports_nothing_heavy_and_nothing_of_the_wings(tmp_path: Path) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    Ledger.open(tmp_path / "state", SystemClock(), create=True).close()

    loaded = loaded_by(tmp_path, "status")

    assert not set(HEAVY) & set(loaded)
    assert not [name for name in of_own(loaded) if name.startswith(("backups.", "checks."))]
    assert len(of_own(loaded)) <= 201, "each module costs every call of status a quarter of a millisecond"
    compiled = [name for name in of_own(loaded) if DATACLASS.search(inspect.getsource(importlib.import_module(name)))]
    assert compiled == ["portalops.config.tables"], (
        "take dataclass from portalops.model.values: a fifth of a millisecond a class"
    )


def test_version_is_data_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--json", "--version"], {}) == ExitCode.OK

    assert json.loads(capsys.readouterr().out)["data"] == {"version": __version__}


def test_a_program_that_cannot_be_loaded_whole_ends_as_a_fault_and_not_as_an_unmet_duty(tmp_path: Path) -> None:
    (tmp_path / "textwrap.py").write_text("raise ImportError('libz.so.1: cannot open shared object file')\n")
    called = [sys.executable, "-c", "from commands.app import main; main()", "run", "--due"]
    places = os.pathsep.join((str(tmp_path), *filter(None, sys.path)))

    done = subprocess.run(called, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": places})

    assert done.returncode == ExitCode.FAULT
    assert "libz.so.1" in done.stderr and "hint: " in done.stderr and "Traceback" not in done.stderr


def test_a_limit_of_memory_is_told_and_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise MemoryError\n")  # as where its import needs more than there is
    called = [sys.executable, "-c", "from commands.app import main; main()", "--lang", "en", "status"]
    places = os.pathsep.join((str(tmp_path), *filter(None, sys.path)))

    done = subprocess.run(called, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": places})

    assert done.returncode == ExitCode.FAILED
    assert "gives this process no more memory" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", names())
def test_every_command_has_a_summary_and_help_in_both_languages(name: str) -> None:
    assert summary(name)
    for language in ("vi", "en"):
        program = [sys.executable, "-c", "from commands.app import main; main()", "--lang", language, name, "--help"]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        assert done.returncode == ExitCode.OK, done.stderr
        assert f"portalops {name}" in done.stdout


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["statsu"], {}) == ExitCode.USAGE

    error = capsys.readouterr().err
    assert error.startswith("error[PO1601]: there is no command statsu\n")
    assert "portalops status" in error


def test_an_unknown_option_is_wrong_usage_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--nonsense"], {}) == ExitCode.USAGE

    assert "portalops status --help" in capsys.readouterr().err


def test_an_error_with_json_is_an_envelope_on_standard_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = run(["--json", "status", "--config", str(tmp_path / "none.toml")], {})

    envelope = json.loads(capsys.readouterr().out)
    assert code == ExitCode.CONFIGURATION
    assert envelope["ok"] is False
    assert envelope["error"]["code"] == "PO1002"
    assert envelope["error"]["hint"]


def test_errors_speak_vietnamese_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--lang", "vi", "nothing"], {})

    assert capsys.readouterr().err.startswith("lỗi[PO1601]: ")
