"""Attacks on a witness: by whoever has the watched host and its key, and feeds the witness what suits them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.ledger.heads import NAMESPACE, text_of
from portalops.model.heads import SignedHead
from portalops.signatures.sshsig import sign
from portalops.witness.extensions import NotAnExtension, plain_extension, read_extension
from portalops.witness.rules import HeadRefusal, Joining, RefusedHead
from tests.attacks.test_hostile_files import ROOT
from tests.doubles import FixedClock
from tests.ledger.ledgers import START
from tests.witness.hosts import HOUR, Portal, Witness
from tests.witness.watched import KEY, Watched

MEMORY = 400 << 20
"""Address space for an answer of `MAX_ANSWER_BYTES`: Python itself, the answer, and what is made of it."""

FILLINGS = {"lists": b"[],", "objects": b"{},", "texts": b'"",', "numbers": b"1,", "open": b"["}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "state")


def test_a_smaller_head_that_was_made_after_a_larger_one_is_a_roll_back_also_without_records(watched: Watched) -> None:
    """The state folder is put back from an old copy, and the larger head taken out of the watched folder."""
    watched.work()
    kept = watched.head()
    watched.work()
    smaller = watched.head()
    watched.work()
    larger = watched.head()
    passed = {larger.head.size: larger.head}
    pinned = replace(watched.pinned(kept), passed=passed, is_live=False)
    text = text_of(replace(smaller.head, at=larger.head.at + timedelta(minutes=1)))
    made_later = SignedHead(text, sign(text.encode(), KEY, NAMESPACE))

    with pytest.raises(RefusedHead) as raised:
        Joining(pinned).note(made_later, now=watched.clock.now() + HOUR)

    assert raised.value.reason is HeadRefusal.ROLL_BACK
    assert not Joining(pinned).note(smaller.signed, now=watched.clock.now()).work, "an old head is no sign of life"


def test_heads_that_were_kept_back_to_be_shown_later_are_told(tmp_path: Path) -> None:
    """Heads of five days are put aside and shown one a day after the work has stopped."""
    clock = FixedClock(START)
    portal, witness, share = (
        Portal(tmp_path / "portal", clock=clock),
        Witness(tmp_path / "w", clock=clock),
        tmp_path / "s",
    )
    share.mkdir()
    aside = []
    for day in range(5):
        portal.work()
        aside.append(tmp_path / f"{day}.json")
        portal.extend_to(aside[-1])
        clock.move(24 * HOUR)
    witness.watch("folder", {"folder": str(share), "key": portal.key})

    said = []
    for path in aside:
        (share / path.name).write_bytes(path.read_bytes())
        code, _seen, result = witness.look()
        assert code == ExitCode.OK
        said.append([str(warning) for warning in result.warnings if "it was withheld" in str(warning)])
        clock.move(24 * HOUR)

    assert all(said), said


@pytest.mark.heavy
@pytest.mark.parametrize("filling", FILLINGS)
def test_an_answer_of_brackets_takes_no_memory(filling: str) -> None:
    """A host under attack answers with the longest answer there may be, of what costs the reader most."""
    program = f"""
import resource
from portalops.witness.extensions import MAX_ANSWER_BYTES, NotAnExtension, read_extension
piece = {FILLINGS[filling]!r}
data = b"[" + piece * ((MAX_ANSWER_BYTES - 2) // len(piece))
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
try:
    read_extension(data)
except NotAnExtension as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-800:]
    assert "outside of texts" in done.stdout


def test_a_million_lines_are_no_extension(watched: Watched) -> None:
    watched.work()
    plain = plain_extension(watched.extension(0, watched.head()))
    plain["lines"] = ["x"] * 1_000_000

    with pytest.raises(NotAnExtension, match="'lines' is not a list of at most"):
        read_extension(json.dumps(plain).encode())


@pytest.mark.heavy
def test_a_long_answer_of_records_is_still_read(watched: Watched) -> None:
    """What is counted stands outside of texts, and the records stand inside."""
    watched.work(400)
    part = watched.extension(0, watched.head())

    assert len(part.lines) > 800
    assert read_extension(json.dumps(plain_extension(part), indent=2).encode()) == part
