"""Two programs that were written apart verify a bundle, and must say the same of whatever is done to it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from commands.cli.entry import run
from commands.ledger.verify import verification_data
from portalops.ledger.bundle import verify_bundle
from portalops.ledger.bundle.time_stamps import NotAStamp, parse_time_stamp
from portalops.ledger.heads import retire_others, rotate_key
from portalops.ledger.verify import Supplied
from portalops.model.heads import SignOff
from portalops.model.record import Digest
from portalops.registers.signers import parse_allowed_signers
from portalops.signatures.sshsig import sign
from tests.ledger.bundle.bundles import REPORT, Written, key_of
from tests.ledger.ledgers import DAILY
from tests.verifier import mutations
from tests.verifier.scene import (
    VERIFY_PY,
    Tampered,
    as_process,
    by_portalops,
    by_stranger,
    stamped,
    today,
    verify_py,
)

MODES = ("plain", "listed", "signed")
"""What whoever tampers makes new: nothing; SHA256SUMS; and its signature too, with the real key."""


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
        if changed <= {"ledger.jsonl", "bundle.json"} and first_changed(original, folder) is None:
            return None  # of the last record, which is under no head, whoever holds the key says what it is
    if not changed:
        return None
    if mode != "plain":
        bundle.sum_up(sign_it=mode == "signed")
    return folder


def first_changed(original: Path, folder: Path) -> int | None:
    """Return the place of the first line of the ledger that is not what it was; none if all that are there are.

    The last line counts for none: it holds the newest head, and no head is over it.
    """
    files = (each / "ledger.jsonl" for each in (original, folder))
    before, after = (file.read_bytes().removesuffix(b"\n").split(b"\n") for file in files)
    pairs = zip(chain(before, repeat(None)), after, strict=False)
    place = next((place for place, (was, line) in enumerate(pairs, 1) if was != line), None)
    return None if len(before) == len(after) == place else place


def agree(original: Path, folder: Path, what: str) -> None:
    """Demand that both programs say the same, that it is no good verdict, and that nothing changed counts as trusted."""
    stranger, portalops = by_stranger(folder), by_portalops(folder)
    assert stranger[0] == portalops[0], f"{what}\nverify.py: {stranger}\nportalops: {portalops}"
    assert stranger[0].exit_code in {2, 5}, f"{what} verifies: {stranger}"
    changed = first_changed(original, folder) if stranger[0].exit_code == 5 else None
    if changed is not None:
        assert stranger[0].first_bad is not None, f"{what}: no record is named: {stranger}"
        assert stranger[0].first_bad <= changed, f"{what}: record {changed} counts as trusted: {stranger}"


KINDS = st.sampled_from(sorted(mutations.ALL))
SEEDS = st.integers(0, 2**32)


@pytest.mark.heavy
@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(kind=KINDS, seed=SEEDS, mode=st.sampled_from(MODES))
def test_no_tampered_bundle_verifies_and_both_programs_agree(original: Path, kind: str, seed: int, mode: str) -> None:
    folder = tampered(original, kind, seed, mode)
    assume(folder is not None)
    assert folder is not None
    agree(original, folder, f"{kind} {seed} {mode}")


@pytest.mark.exhaustive
@settings(max_examples=1000, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(kind=KINDS, seed=st.integers(2**32 + 1, 2**40), mode=st.sampled_from(MODES))
def test_none_of_a_thousand_tampered_bundles_verifies(original: Path, kind: str, seed: int, mode: str) -> None:
    folder = tampered(original, kind, seed, mode)
    assume(folder is not None)
    assert folder is not None
    agree(original, folder, f"{kind} {seed} {mode}")


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


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a response of a time-stamping authority that OpenSSL made."""
    folder = tmp_path_factory.mktemp("token")
    written, root = stamped(folder / "state", folder / "tsa")
    written.export(folder / "bundle", period=today(), certificates={"tsa": root})
    return next((folder / "bundle" / "heads").glob("*.tsr")).read_bytes()


def stamp_by_stranger(data: bytes) -> object:
    try:
        found: object = verify_py().time_stamp(data)
    except verify_py().Bad:
        return None
    return found


def stamp_by_portalops(data: bytes) -> object:
    try:
        found = parse_time_stamp(data)
    except NotAStamp:
        return None
    return found.imprint, found.at


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, 400), value=st.binary(max_size=3), gone=st.integers(0, 3))
def test_a_changed_time_stamp_is_read_alike(token: bytes, place: int, value: bytes, gone: int) -> None:
    changed = token[:place] + value + token[place + gone :]

    assert stamp_by_stranger(changed) == stamp_by_portalops(changed)


def der(tag: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    length = len(data).to_bytes(4, "big").lstrip(b"\0")
    return bytes([tag]) + (bytes([len(data)]) if len(data) < 0x80 else bytes([0x80 | len(length)]) + length) + data


def response(
    time: bytes, *, status: bytes = b"\0", version: bytes = b"\1", digest: bytes = bytes(32), more: bytes = b""
) -> bytes:
    """Return as much of a time-stamp response as tells what was stamped; its signature is left out."""
    sha256, policy = bytes.fromhex("0609608648016503040201"), bytes.fromhex("06032a0304")
    imprint = der(0x30, der(0x30, sha256), der(0x04, digest))
    info = der(0x30, der(0x02, version), policy, imprint, der(0x02, b"\7"), der(0x18, time), more)
    held = der(0x30, bytes.fromhex("060b2a864886f70d0109100104"), der(0xA0, der(0x04, info)))
    signed = der(0x30, der(0x02, b"\3"), der(0x31), held, more)
    token = der(0x30, bytes.fromhex("06092a864886f70d010702"), der(0xA0, signed))
    return der(0x30, der(0x30, der(0x02, status)), token)


NOW = b"20261125010203Z"


@pytest.mark.parametrize(
    ("data", "good"),
    [
        (response(NOW), True),
        (response(NOW, status=b"\1"), True),
        (response(NOW, more=der(0x05)), True),
        (response(NOW, more=b"\xff"), True),  # not read: openssl reads it
        (response(b"20261125010203.5Z"), True),
        (response(b"20261125010203.123456789012345678Z"), True),
        (response(b"20261125010203.1234567890123456789Z"), False),
        (response(b"20261125010260Z"), False),
        (response(b"20261325010203Z"), False),
        (response(b"00000101000000Z"), False),
        (response(b"00010101000459Z"), False),
        (response(b"00010101000500Z"), True),
        (response(b"99991231235459Z"), True),
        (response(b"99991231235959Z"), False),
        (response(b"20261125010203"), False),
        (response(b"20261125010203+0700"), False),
        (response(b"20261125010203.Z"), False),
        (response(NOW, status=b"\2"), False),
        (response(NOW, status=b"\0\0"), False),
        (response(NOW, version=b"\2"), False),
        (response(NOW, digest=bytes(31)), False),
        (response(NOW) + b"\0", False),
        (b"\x30\x80" + response(NOW)[2:], False),
        (b"\x30\x85\0\0\0\0\0", False),
        (b"\x30\x84\xff\xff\xff\xff", False),
        (b"\x30" * 1000, False),
        (b"", False),
    ],
    ids=range(27),
)
def test_a_time_stamp_of_an_odd_form_is_read_alike(data: bytes, good: bool) -> None:
    assert stamp_by_stranger(data) == stamp_by_portalops(data)
    assert (stamp_by_stranger(data) is not None) == good


ED25519 = key_of(1).public_key
RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (f"unit {ED25519}\n", True),
        (f'unit namespaces="portalops-head",valid-after="20261101000000Z" {ED25519} a comment\n', True),
        (f'# who signs\n\n  # more\nunit Namespaces="portalops-head" {ED25519}\n', True),
        (f'unit NAMESPACES="portalops-bundle" {ED25519}\n', False),
        (f'unit namespaces="portalops-bundle" {ED25519}\n', False),
        (f'unit namespaces="portalops-head",namespaces="x" {ED25519}\n', None),
        (f'unit valid-before="20261101000000Z",Valid-Before="20991101000000Z" {ED25519}\n', None),
        (f'unit valid-before="20200101Z" {ED25519}\n', False),
        (f'unit VALID-BEFORE="20200101Z" {ED25519}\n', False),
        (f'unit valid-before="20261301Z" {ED25519}\n', None),
        (f'unit valid-before="20270101" {ED25519}\n', None),
        (f'unit valid-before="" {ED25519}\n', None),
        (f"unit cert-authority {ED25519}\nunit {key_of(2).public_key}\n", False),
        (f"unit Cert-Authority {ED25519}\n", None),
        (f"# a\u2028unit {ED25519}\n", None),
        (f"# a\x0bunit {ED25519}\n", None),
        (f"# a\runit {ED25519}\n", None),
        (f"unit {RSA}\n", None),
        (f"unit {RSA}\nunit {ED25519}\n", True),
        (f"unit {ED25519[:-4]}\n", None),
        (f'"the unit" {ED25519}\n', True),
        (f"unit\u00a0{ED25519}\n", None),
        ("\udcff", None),
        ("", None),
        ("unit ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + "\n", None),
    ],
    ids=range(25),
)
def test_a_list_of_keys_that_is_brought_is_read_alike(tmp_path: Path, text: str, good: bool | None) -> None:
    """True: the key is trusted; False: it is not, so nothing is; None: wrong usage."""
    written = Written(tmp_path / "state")
    written.plan()
    written.export(tmp_path / "bundle")
    path = tmp_path / "signers"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    mine = as_process(VERIFY_PY, tmp_path / "bundle", "--signers", path)
    by_command = run(["ledger", "verify", str(tmp_path / "bundle"), "--signers", str(path)], {})

    assert mine.returncode == by_command, (mine.stdout, mine.stderr)
    assert mine.returncode == {True: 0, False: 5, None: 2}[good], (mine.stdout, mine.stderr)


@pytest.mark.parametrize(
    ("successor", "ends", "good"),
    [("named", False, True), ("named", True, False), ("lost", False, False), ("named twice", False, True)],
    ids=["named", "named by a key that was brought with an end", "lost", "named twice"],
)
def test_a_change_of_keys_is_followed_alike(tmp_path: Path, successor: str, *, ends: bool, good: bool) -> None:
    written = Written(tmp_path / "state")
    written.plan()
    written.head()
    kept = tmp_path / "signers"
    end = ',valid-before="20270101Z"' if ends else ""
    kept.write_text(f'unit namespaces="portalops-head"{end} {written.key.public_key}\n')
    for number in (2, 3) if successor == "named twice" else (2,):
        old, written.key = written.key, key_of(number)
        named = None if successor == "lost" else old
        rotate_key(written.ledger, named, written.key, reason="a new year", clock=written.clock)
        retire_others(written.ledger, written.key, reason="a new year", clock=written.clock)
    written.export(tmp_path / "bundle")

    mine = as_process(VERIFY_PY, tmp_path / "bundle", "--signers", kept, "--json")
    portalops = by_portalops(tmp_path / "bundle", Supplied(trusted=parse_allowed_signers(kept.read_text())))[0]

    assert mine.returncode == portalops.exit_code == (0 if good else 5), mine.stdout
    assert json.loads(mine.stdout)["integrity"]["first_bad"] == portalops.first_bad


def test_without_a_plan_both_know_the_runs_and_not_what_is_missing(tmp_path: Path) -> None:
    written = Written(tmp_path / "state")
    written.append("check.started", f"{DAILY.duty}:{DAILY.id}:2026-11-23")
    written.append("check.finished", f"{DAILY.duty}:{DAILY.id}:2026-11-24")
    written.export(tmp_path / "bundle")

    stranger, portalops = by_stranger(tmp_path / "bundle"), by_portalops(tmp_path / "bundle")

    assert stranger[0] == portalops[0]
    assert (stranger[0].exit_code, stranger[0].complete) == (3, None)
    assert (stranger[0].crashed, stranger[0].unbegun) == ((2,), (3,))
    told = as_process(VERIFY_PY, tmp_path / "bundle", "--lang", "en")
    assert "no plan is recorded" in told.stdout and "Planned runs without a record" not in told.stdout


def test_both_say_whether_what_was_signed_off_lies_in_the_folder(tmp_path: Path) -> None:
    """The name that a person signed is only a name: a file of another digest may bear it."""
    written = Written(tmp_path / "state")
    written.plan()
    person = key_of(9)
    for report, name in ((REPORT, "nov.html"), (b"better\n", "report.vi.html")):
        digest = hashlib.sha256(report).hexdigest()
        text = f"{digest}  {name}\n"
        signature = sign(text.encode(), person, "portalops-signoff")
        made = SignOff(name, Digest(digest), "an", "An", "Head", person.public_key, text, signature)
        written.append("sign-off", sign_off=made)
    written.export(tmp_path / "bundle")

    mine = as_process(VERIFY_PY, tmp_path / "bundle", "--json")
    told = as_process(VERIFY_PY, tmp_path / "bundle", "--lang", "en")
    integrity = verification_data(verify_bundle(tmp_path / "bundle")).integrity

    assert mine.returncode == 0
    expected = [("nov.html", "report.en.html"), ("report.vi.html", None)]
    assert [(each["report"], each["file"]) for each in json.loads(mine.stdout)["integrity"]["sign_offs"]] == expected
    assert [(each.report, each.file) for each in integrity.sign_offs] == expected
    assert "signed a report named nov.html: it is report.en.html of this bundle" in told.stdout
    assert "signed a report named report.vi.html: it is NOT a report of this bundle" in told.stdout


def test_a_time_stamp_is_read_by_both(tmp_path: Path) -> None:
    written, root = stamped(tmp_path / "state", tmp_path / "tsa")
    written.export(tmp_path / "bundle", period=today(), certificates={"tsa": root})

    stranger, portalops = by_stranger(tmp_path / "bundle"), by_portalops(tmp_path / "bundle")

    assert stranger[0] == portalops[0]
    assert stranger[0].exit_code == 0
