"""Two programs that were written apart verify a bundle, and must say the same of whatever is done to it."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.ledger.bundle.bundles import key_of
from tests.verifier import mutations
from tests.verifier.scene import (
    VERIFY_PY,
    Tampered,
    as_process,
    by_portalops,
    by_stranger,
    full,
    stamped,
    today,
)

MODES = ("plain", "listed", "signed")
"""What whoever tampers makes new: nothing; SHA256SUMS; and its signature too, with the real key."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agreement")
    full(folder / "state").export(folder / "bundle")
    return folder / "bundle"


def contents(folder: Path) -> dict[str, object]:
    """Return what stands under each name."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        plain = path.is_file() and not path.is_symlink()
        found[str(path.relative_to(folder))] = path.read_bytes() if plain else path.lstat().st_mode
    return found


def tampered(original: Path, kind: str, seed: int, mode: str) -> Path | None:
    """Return a tampered bundle, or None where nothing was changed that a signature by the real key does not cover up."""
    chance = random.Random(seed)
    folder = original.parent / f"tampered-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    bundle = Tampered(original, folder, key_of(2))
    mutations.ALL[kind](bundle, chance)
    before, after = contents(original), contents(folder)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if mode == "listed":
        changed.discard("SHA256SUMS")
    elif mode == "signed":
        changed = {name for name in changed if not name.startswith((*mutations.LOOSE, "SHA256SUMS"))}
    if not changed:
        return None
    if mode != "plain":
        bundle.sum_up(sign_it=mode == "signed")
    return folder


def agree(folder: Path, what: str) -> None:
    stranger, portalops = by_stranger(folder), by_portalops(folder)
    assert stranger[0] == portalops[0], f"{what}\nverify.py: {stranger}\nportalops: {portalops}"
    assert stranger[0].exit_code in {2, 5}, f"{what} verifies: {stranger}"


KINDS = st.sampled_from(sorted(mutations.ALL))
SEEDS = st.integers(0, 2**32)


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(kind=KINDS, seed=SEEDS, mode=st.sampled_from(MODES))
def test_no_tampered_bundle_verifies_and_both_programs_agree(original: Path, kind: str, seed: int, mode: str) -> None:
    folder = tampered(original, kind, seed, mode)
    assume(folder is not None)
    assert folder is not None
    agree(folder, f"{kind} {seed} {mode}")


@pytest.mark.heavy
@settings(max_examples=1000, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(kind=KINDS, seed=st.integers(2**32 + 1, 2**40), mode=st.sampled_from(MODES))
def test_none_of_a_thousand_tampered_bundles_verifies(original: Path, kind: str, seed: int, mode: str) -> None:
    folder = tampered(original, kind, seed, mode)
    assume(folder is not None)
    assert folder is not None
    agree(folder, f"{kind} {seed} {mode}")


@pytest.mark.parametrize("kind", sorted(mutations.ALL))
def test_each_way_of_tampering_is_caught_by_the_program_alone(original: Path, kind: str) -> None:
    for seed in range(100):
        folder = tampered(original, kind, seed, "plain")
        if folder is not None:
            break
    assert folder is not None

    done = as_process(VERIFY_PY, folder, "--lang", "en")

    assert done.returncode in {2, 5}, done.stdout
    assert "Traceback" not in done.stderr
    assert by_stranger(folder)[0].exit_code == done.returncode


def test_what_is_whole_verifies_by_both(original: Path) -> None:
    stranger, portalops = by_stranger(original), by_portalops(original)

    assert stranger[0] == portalops[0]
    assert stranger[0].exit_code == 0


def test_a_time_stamp_is_read_by_both(tmp_path: Path) -> None:
    written, root = stamped(tmp_path / "state", tmp_path / "tsa")
    written.export(tmp_path / "bundle", period=today(), certificates={"tsa": root})

    stranger, portalops = by_stranger(tmp_path / "bundle"), by_portalops(tmp_path / "bundle")

    assert stranger[0] == portalops[0]
    assert stranger[0].exit_code == 0
