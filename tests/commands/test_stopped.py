"""Each state that stops the ledger is brought about, and the cure of docs/stopped.md leads out of it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.config.keys import make_next_key
from portalops.errors import ExitCode, PortalOpsError
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.record import Digest
from portalops.system.clock import SystemClock
from tests.commands.signed_home import Home
from tests.commands.test_ledger_mend_clock import mend, run_ahead
from tests.commands.test_ledger_quarantine import NOT_A_RECORD, home, put_line, set_aside

__all__ = ["home"]

DOCS = Path(__file__).parent.parent.parent / "docs"
HOLDER = """
    import sys, time
    from pathlib import Path
    from portalops.ledger.folder_locks import FolderLocks
    with FolderLocks(Path(sys.argv[1])).held("signing", holder="x"), FolderLocks(Path(sys.argv[1])).held("run", holder="x"):
        print("held", flush=True)
        time.sleep(600)
"""


def require_all_well(home: Home) -> None:
    """Make sure that the ledger is whole, signs, and takes a run's records."""
    assert home.call("head")["problem"] in {None, ""}
    assert home.call("verify")["integrity"]["holds"]
    code = run(["--config", str(home.folder / "portalops.toml"), "--json", "run"], {})
    said = json.loads(home.capsys.readouterr().out)
    assert said["error"] is None and code in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}, said


def problem(home: Home) -> str:
    """Return why no head can be signed."""
    return str(home.call("head")["problem"])


def record_as_a_stranger(home: Home, kind: str, **parts: object) -> int:
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    seq = ledger.append(kind, run=NO_RUN, body=bodies.write(parts)).seq
    ledger.close()
    return seq


@pytest.mark.parametrize("page", ["stopped.md", "stopped.vi.md"])
def test_the_page_names_each_error_of_the_ledger(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    codes = {each.code for each in _classes(PortalOpsError) if each.code.startswith("PO11")}

    assert codes <= set(re.findall(r"PO\d{4}", text))


def test_a_lost_key_is_replaced_by_one_that_speaks_for_itself(home: Home) -> None:
    home.key.rename(home.folder / "lost")
    assert "No such file" in problem(home)

    home.call("rotate-key", "--lost", "--reason", "mất khóa")

    require_all_well(home)


def test_a_key_that_cannot_be_read_is_moved_away_and_replaced(home: Home) -> None:
    home.key.write_text("x")
    assert "not an Ed25519 private key" in problem(home)

    home.key.rename(home.folder / "unreadable")
    home.call("rotate-key", "--lost", "--reason", "hỏng khóa")

    require_all_well(home)


def test_an_interrupted_change_of_keys_is_ended_by_the_same_command(home: Home) -> None:
    make_next_key(home.key)

    home.call("rotate-key", "--reason", "hết năm")

    require_all_well(home)


def test_a_key_that_a_stranger_retired_signs_on_and_is_no_fault_once_that_is_set_aside(home: Home) -> None:
    public_key = " ".join(home.key.with_suffix(".pub").read_text().split()[:2])
    seq = record_as_a_stranger(home, "key.retired", key={"public_key": public_key, "reason": "x", "replaces": ""})
    home.call("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    require_all_well(home)


def test_a_line_that_is_no_record_is_set_aside(home: Home) -> None:
    seq = put_line(home, NOT_A_RECORD)
    home.call("enroll", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    require_all_well(home)


def test_a_move_that_a_stranger_recorded_is_set_aside(home: Home) -> None:
    moved = {"from": "file", "head": Digest("0" * 64), "records": 1, "to": "elsewhere"}
    seq = record_as_a_stranger(home, "ledger.moved", moved=moved)
    home.call("enroll", expected=ExitCode.FAILED)

    set_aside(home, seq, seq)

    require_all_well(home)


def test_a_clock_that_had_run_ahead_is_mended(home: Home) -> None:
    first, last, since = run_ahead(home)
    code = run(["--config", str(home.folder / "portalops.toml"), "--json", "run"], {})
    assert (code, json.loads(home.capsys.readouterr().out)["error"]["code"]) == (ExitCode.FAILED, "PO1103")

    mend(home, first, last, since)

    require_all_well(home)


def test_a_clock_that_had_run_ahead_is_mended_where_records_are_claimed(home: Home) -> None:
    home.call("enroll")
    first, last, since = run_ahead(home)

    mend(home, first, last, since)

    assert home.call("claim", str(first), str(last), "--reason", "đồng hồ sai")["seq"] > last
    require_all_well(home)


def test_a_mended_clock_that_a_stranger_recorded_is_set_aside(home: Home) -> None:
    home.call("enroll")
    seq = record_as_a_stranger(home, "ledger.clock-mended", mended_clock={"text": "x"})
    home.call("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    require_all_well(home)


def test_a_lock_of_a_killed_process_stops_nobody(home: Home) -> None:
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(home.folder / "state/locks")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)

    require_all_well(home)


def test_a_ledger_that_is_gone_is_put_back_from_a_copy(home: Home) -> None:
    state = home.folder / "state"
    shutil.copytree(state, home.folder / "copy")
    shutil.rmtree(state)
    assert home.call("verify", expected=ExitCode.FAILED)["code"] == "PO1102"

    (home.folder / "copy").rename(state)

    require_all_well(home)


def _classes(base: type[PortalOpsError]) -> set[type[PortalOpsError]]:
    return {base, *(each for child in base.__subclasses__() for each in _classes(child))}
