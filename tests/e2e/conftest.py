"""The example portal, built once a session into a folder of its own, and the root configuration that runs on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Done:
    """What one call of portalops left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)["data"]


Portalops = Callable[..., Done]


def call(folder: Path, *arguments: str) -> Done:
    """Call portalops in a folder, as a person would."""
    program = [sys.executable, "-c", "from commands.app import main; main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PORTALOPS_LANG": "en", "NO_COLOR": "1"}
    done = subprocess.run(
        program, cwd=folder, capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL
    )
    return Done(done.returncode, done.stdout, done.stderr)


def make_portal(folder: Path) -> None:
    """Lay out the example portal, its configuration and its keys."""
    (folder / "examples" / "portal").mkdir(parents=True)
    for name in ("portalops.toml", "examples/portal/units.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    # A small system instead of this machine's whole /etc and its accounts, so that the result is the same everywhere and
    # for every user: an ordinary one cannot read root's keys.
    text = (folder / "portalops.toml").read_text(encoding="utf-8")
    (folder / "etc").mkdir()
    (folder / "etc" / "portal.conf").write_text("listen = 443\n", encoding="utf-8")
    (folder / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n", encoding="utf-8")
    (folder / "etc" / "group").write_text("root:x:0:\n", encoding="utf-8")
    text = text.replace('include = ["/etc"]', 'include = ["etc"]')
    text = text.replace('kind = "accounts"\n', 'kind = "accounts"\nroot = "."\n')
    (folder / "portalops.toml").write_text(text, encoding="utf-8")
    subprocess.run(
        [sys.executable, str(ROOT / "examples" / "build_portal.py"), "--into", "var/example"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    keys = call(folder, "init", "--no-input", "--keys")
    assert keys.code == 0, keys.err


def state_files(folder: Path) -> list[str]:
    """Return the files of the portal's state; `init` leaves the machine's own key there, and nothing else."""
    state = folder / "var" / "state"
    return sorted(str(path.relative_to(state)) for path in state.rglob("*") if path.is_file())


def begin_registers(folder: Path) -> Done:
    """Begin the registers of the example, as `make run` does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PORTALOPS_LANG": "en"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "begin_registers.py")],
        cwd=folder, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def portal(tmp_path: Path) -> Path:
    """A fresh example portal on which nothing ran yet."""
    make_portal(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def after_first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A portal after its first run, and what that run printed; for tests that only read."""
    folder = tmp_path_factory.mktemp("portal")
    make_portal(folder)
    begun = begin_registers(folder)
    assert begun.code == 0, begun.err
    return folder, call(folder, "run", "--json")
