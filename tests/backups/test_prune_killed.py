"""A prune that is killed at any change of a file: the next one ends its work, with nothing lost and nothing left over."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.model.backups import CopyState
from tests.backups.test_prune import Portal, marked_and_due

KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from tests.backups.test_prune import Portal

folder, now, left = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])
portal = Portal.opened(folder, now)

def hook(event, _arguments):
    global left
    if event in {"os.rename", "os.remove", "os.rmdir"}:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
portal.result("prune")
"""


@pytest.fixture(scope="module")
def due(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    """A portal with four sets, of which two are to be removed now."""
    portal = Portal(tmp_path_factory.mktemp("due"))
    marked_and_due(portal)
    return portal


@pytest.mark.parametrize("change", [1, 2, 4, 6, 9, 20, 35, 50])
def test_a_killed_prune_is_ended_by_the_next(due: Portal, tmp_path: Path, change: int) -> None:
    folder = tmp_path / "portal"
    shutil.copytree(due.folder, folder)
    portal = Portal.opened(folder, due.clock.at)
    kept = {made.set.id for made in portal.sets()[2:]}

    arguments = [sys.executable, "-c", KILLED, str(folder), due.clock.at.isoformat(), str(change)]
    done = subprocess.run(arguments, check=False, capture_output=True, cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    portal.clock.move(timedelta(hours=1))
    portal.prune(expected=ExitCode.OK)

    assert portal.on("disk-a") == portal.on("disk-b") == kept
    states = [{copy.state for copy in made.copies} for made in portal.sets()]
    assert states == [{CopyState.DISPOSED}] * 2 + [{CopyState.VERIFIED}] * 2
