"""Whatever lies in a folder, verifying it ends in a verdict, in bounded memory, and nothing is followed or waited for."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.errors import PortalOpsError
from portalops.ledger.bundle import verify_bundle
from tests.ledger.bundle.bundles import resign, week
from tests.ledger.bundle.test_verification import faults_of, lines_of, write

ROOT = Path(__file__).parents[3]
GIB = 1 << 30
BOUND_BYTES = 700 << 20
"""All that the process may ever ask for, its program and libraries included."""

PEAK_MIB = 128
"""What of it may ever lie in memory; a bundle without anything odd takes about 50."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    week(folder / "state").export(folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(sample: Path, tmp_path: Path) -> Path:
    shutil.copytree(sample, tmp_path / "bundle")
    return tmp_path / "bundle"


BOUNDED = """
    import resource, sys
    from pathlib import Path
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
    from portalops.ledger.bundle import verify_bundle
    seen = verify_bundle(Path(sys.argv[1]))
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(seen.integrity.holds, seen.integrity.first_bad, int(peak.split()[1]) >> 10)
"""


def bounded(folder: Path) -> tuple[str, str]:
    """Verify in a process that may have little memory; return whether integrity holds, and the first bad record."""
    command = [sys.executable, "-c", textwrap.dedent(BOUNDED), str(folder), str(BOUND_BYTES)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    holds, first, mebibytes = done.stdout.split()
    assert int(mebibytes) < PEAK_MIB
    return holds, first


def sparse(path: Path, size: int) -> None:
    """Make a file longer; what is added are noughts that take no room."""
    with path.open("ab") as file:
        file.truncate(file.tell() + size)


@pytest.mark.heavy
def test_a_line_of_two_gigabytes_takes_no_memory(bundle: Path) -> None:
    sparse(bundle / "ledger.jsonl", 2 * GIB)
    assert bounded(bundle) == ("False", "18")


@pytest.mark.heavy
def test_a_list_with_a_line_of_a_gigabyte_takes_no_memory(bundle: Path) -> None:
    sparse(bundle / "SHA256SUMS", GIB)
    assert bounded(bundle) == ("False", "None")


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["bundle.json", "SHA256SUMS.sig"])
def test_a_file_that_is_far_too_large_takes_no_memory(bundle: Path, name: str) -> None:
    sparse(bundle / name, GIB)
    assert bounded(bundle) == ("False", "None")


@pytest.mark.heavy
def test_files_that_are_far_too_large_take_no_memory(bundle: Path) -> None:
    for name in ("figures.json", "allowed_signers", "heads/0000000007.txt"):
        sparse(bundle / name, GIB >> 1)
    assert bounded(bundle) == ("False", "None")


@pytest.mark.heavy
def test_a_gigantic_detail_takes_no_memory(bundle: Path) -> None:
    digest = json.loads(lines_of(bundle)[3])["body"]
    sparse(bundle / "blobs" / digest, GIB)
    assert bounded(bundle) == ("False", "4")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"evidence":' * 100_000,
        b"[" + b"[]," * (5 << 20),
        b'{"evidence":["' + b"0" * 64 + b'"',
        b"\xff\xfe{}",
        b"9" * 100_000,
        b"NaN",
        b"",
    ],
)
def test_details_of_any_form_are_read_without_harm(bundle: Path, body: bytes) -> None:
    """The last record but one is given another body, and its line, and everything behind it, does not fit any more."""
    lines = lines_of(bundle)
    digest = hashlib.sha256(body).hexdigest()
    for place in (3, 6, 7):
        fields = json.loads(lines[place])
        lines[place] = lines[place].replace(fields["body"].encode(), digest.encode())
    (bundle / "ledger.jsonl").write_bytes(b"".join(lines))
    (bundle / "blobs" / digest).write_bytes(body)
    resign(bundle)
    assert {4, 7} & {seq for seq, _what in faults_of(bundle)}


def test_no_link_is_followed_and_no_pipe_waited_for(bundle: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a line of somebody else's file\n")
    names = ["figures.json", "heads/0000000007.txt", "verify.py", "allowed_signers"]
    for name, make in zip(names, (os.mkfifo, os.mkdir, secret.symlink_to, None), strict=True):
        (bundle / name).unlink()
        match name:
            case "verify.py":
                (bundle / name).symlink_to(secret)
            case "allowed_signers":
                with socket.socket(socket.AF_UNIX) as listener:
                    place = os.getcwd()
                    os.chdir(bundle)
                    try:
                        listener.bind(name)
                    finally:
                        os.chdir(place)
            case _:
                make(bundle / name)  # type: ignore[misc]

    faults = faults_of(bundle)
    for name in names:
        assert (0, f"{name} is not a regular file") in faults
    assert not any("somebody else" in what for _seq, what in faults)


def test_a_folder_that_is_a_link_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    (bundle / "blobs").rename(tmp_path / "elsewhere")
    (bundle / "blobs").symlink_to(tmp_path / "elsewhere")
    faults = faults_of(bundle)
    assert (0, "blobs is not a file of a bundle") in faults
    assert any("is missing" in what for seq, what in faults if seq == 1)


def test_a_detail_that_is_a_pipe_is_missing(bundle: Path) -> None:
    digest = json.loads(lines_of(bundle)[3])["body"]
    (bundle / "blobs" / digest).unlink()
    os.mkfifo(bundle / "blobs" / digest)
    assert (4, f"record 4: blob {digest} is missing") in faults_of(bundle)


def test_odd_names_are_shown_as_escapes_and_cut(bundle: Path) -> None:
    for name in (b"\x1b[2J\x07", b"\xff\xfe", "ẩn\u202etxt".encode(), b"x" * 250, b"a\nb"):
        with open(os.path.join(os.fsencode(bundle), name), "wb"):
            pass
    faults = [what for _seq, what in faults_of(bundle)]
    assert len(faults) == 5
    assert all(what.isprintable() and len(what) < 300 for what in faults)


def test_odd_reasons_and_ids_are_kept_as_they_are_and_do_no_harm(bundle: Path) -> None:
    found = json.loads((bundle / "bundle.json").read_bytes())
    found["withheld"] = [{"digest": "0" * 64, "reason": "\x1b[31m" + "x" * 100_000}]
    found["timezone"] = "../../../etc/passwd"
    write(bundle, "bundle.json", bodies.write(found))
    seen = verify_bundle(bundle)
    assert seen.integrity.holds, seen.integrity.faults
    assert seen.completeness.problem is not None
    assert seen.not_compared == ("backups", "checks", "runs", "updates")


@pytest.mark.parametrize("zone", ["", "Asia", "/etc/localtime", "Asia/Nowhere", "a\0b", "x" * 100_000])
def test_a_zone_that_there_is_not_leaves_completeness_unknown(bundle: Path, zone: str) -> None:
    found = json.loads((bundle / "bundle.json").read_bytes())
    write(bundle, "bundle.json", bodies.write({**found, "timezone": zone}))
    assert verify_bundle(bundle).completeness.problem is not None


def test_a_period_at_the_end_of_the_calendar_does_no_harm(bundle: Path) -> None:
    found = json.loads((bundle / "bundle.json").read_bytes())
    for first, last in (("0001-01-01", "0001-01-02"), ("9999-12-31", "9999-12-31")):
        write(bundle, "bundle.json", bodies.write({**found, "period": {"first": first, "last": last}}))
        assert verify_bundle(bundle).not_compared == ("backups", "checks", "runs", "updates")


def test_a_file_that_may_not_be_read_is_an_error_and_no_verdict(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel says to an account that has no right to read one file; root has it always."""
    real = os.open

    def refusing(name: str, flags: int, *arguments: int, dir_fd: int | None = None) -> int:
        if name == "figures.json":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        return real(name, flags, *arguments, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(PortalOpsError, match=r"cannot read figures.json of the bundle: Permission denied"):
        verify_bundle(bundle)


@pytest.mark.heavy
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_changed_byte_goes_unseen_in_a_file_that_is_listed(sample: Path, data: st.DataObject) -> None:
    names = sorted(str(path.relative_to(sample)) for path in sample.rglob("*") if path.is_file())
    name = data.draw(st.sampled_from(names))
    kept = (sample / name).read_bytes()
    place = data.draw(st.integers(0, len(kept) - 1))
    letter = data.draw(st.integers(0, 255).filter(lambda value: value != kept[place]))
    try:
        (sample / name).write_bytes(kept[:place] + bytes([letter]) + kept[place + 1 :])
        try:
            held = verify_bundle(sample).integrity.holds
        except PortalOpsError:
            held = False  # bundle.json of a newer format
    finally:
        (sample / name).write_bytes(kept)
    # The armour of a signature may be written in more than one way: `\r\n` for `\n`, or the unused bits of its last letter.
    assert not held or name == "SHA256SUMS.sig"
