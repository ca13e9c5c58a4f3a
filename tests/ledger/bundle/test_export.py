"""A bundle is whole or not there, holds what belongs to it and nothing else, and stock tools read it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies, files
from portalops.errors import FileUnwritable, IntegrityError, LedgerError, Locked, UsageError
from portalops.ledger import heads
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.bundle import contents, verify_bundle
from portalops.ledger.bundle.export import (
    Content,
    check_withheld,
    covering_head,
    is_free,
    resource,
    scope_of,
    withheld_of,
    write_bundle,
)
from portalops.ledger.heads import rotate_key
from portalops.model.heads import AnchorReceipt, AnchorResult, Erasure, Head
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.registers.figures import read_figures
from tests.ledger.bundle.bundles import PERIOD, PORTAL, Written, key_of, week
from tests.ledger.ledgers import DAILY, START, ZONE, tamper

ROOT = Path(__file__).parents[3]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return week(tmp_path / "state")


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def contents_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names(folder)}


def test_a_bundle_holds_the_ledger_its_details_and_its_heads(written: Written, tmp_path: Path) -> None:
    made = written.export(tmp_path / "bundle")

    found = contents_of(tmp_path / "bundle")
    lines = [record.line + b"\n" for record in written.ledger.records()]
    assert found["ledger.jsonl"] == b"".join(lines)
    assert json.loads(found["bundle.json"]) == {
        "blobs": {"first": 1, "last": 17},
        "format": 1,
        "head": hashlib.sha256(lines[-1][:-1]).hexdigest(),
        "ledger": written.ledger.id,
        "period": {"first": "2026-11-23", "last": "2026-11-29"},
        "portal": {"en": "Example portal", "id": "demo", "vi": "Cổng ví dụ"},
        "portalops": made.description.portalops,
        "records": 17,
        "timezone": "Asia/Ho_Chi_Minh",
        "withheld": [],
    }
    blobs = {name for name in found if name.startswith("blobs/")}
    assert blobs == {f"blobs/{digest}" for digest in written.ledger._blobs.digests()}
    assert all(hashlib.sha256(found[name]).hexdigest() == name.removeprefix("blobs/") for name in blobs)
    assert made.files == len(found) and made.blobs == len(blobs)
    assert {name for name in found if name.startswith("heads/")} == {
        f"heads/{size:010d}.{suffix}" for size in (7, 14, 16) for suffix in ("txt", "sig")
    }
    assert all(found[name] == resource(name) for name in contents.RESOURCES)


def test_stock_tools_check_the_list_and_its_signature(written: Written, tmp_path: Path) -> None:
    written.export(tmp_path / "bundle")
    inside = tmp_path / "bundle"

    subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=inside, check=True)
    verify = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", written.ledger.id, "-n", "portalops-bundle"]
    for moment, accepted in (("20261201010000Z", True), ("20261124010000Z", False)):
        command = [*verify, "-s", "SHA256SUMS.sig", "-O", f"verify-time={moment}"]
        done = subprocess.run(
            command, check=False, cwd=inside, input=(inside / "SHA256SUMS").read_bytes(), capture_output=True
        )
        assert (done.returncode == 0) is accepted, done.stderr
    listed = [line.split("  ")[1] for line in (inside / "SHA256SUMS").read_text().splitlines()]
    assert listed == sorted(listed) and set(listed) == names(inside) - {"SHA256SUMS", "SHA256SUMS.sig"}


def test_the_same_ledger_at_the_same_time_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "5f" * size)
    for module in ("ledger", "bundle.export"):
        monkeypatch.setattr(f"portalops.ledger.{module}.__version__", "1.0")
    for name in ("a", "b"):
        week(tmp_path / name / "state").export(tmp_path / name / "bundle")

    assert contents_of(tmp_path / "a" / "bundle") == contents_of(tmp_path / "b" / "bundle")
    # The golden digest of the list pins every byte of a bundle but the files that are the same in all.
    lines = (tmp_path / "a" / "bundle" / "SHA256SUMS").read_text().splitlines(keepends=True)
    own = "".join(line for line in lines if line.split("  ")[1].strip() not in contents.RESOURCES)
    assert hashlib.sha256(own.encode()).hexdigest() == GOLDEN


GOLDEN = "47b1df6575f70f66ba182b24e2c7e83c53be0640d5ca14e5987c27932e5f2e4e"


def test_details_from_long_before_the_period_stay_out_unless_everything_rests_on_them(tmp_path: Path) -> None:
    written = Written(tmp_path / "state")
    plan = written.plan(DAILY)
    old = written.append("note", text="old")
    written.at(START + timedelta(days=60))
    recent = written.append("note", text="recent")
    day = (START + timedelta(days=90)).date()
    written.at(START + timedelta(days=90))
    made = written.export(tmp_path / "bundle", period=Period(day, day))

    found = names(tmp_path / "bundle")
    assert f"blobs/{old}" not in found
    assert {f"blobs/{plan}", f"blobs/{recent}"} <= found
    assert made.description.first_blob == 4
    assert verify_bundle(tmp_path / "bundle").integrity.holds


def test_withheld_details_are_listed_and_not_there(written: Written, tmp_path: Path) -> None:
    body = next(record.body for record in written.ledger.records() if record.kind == "check.finished")
    evidence = bodies.evidence_of(written.ledger.blob(body))
    written.export(tmp_path / "bundle", withheld={body: "tên người, số điện thoại"})

    found = names(tmp_path / "bundle")
    assert f"blobs/{body}" not in found
    assert not {f"blobs/{digest}" for digest in evidence} & found, "what is withheld names no evidence"
    description = json.loads((tmp_path / "bundle" / "bundle.json").read_bytes())
    assert description["withheld"] == [{"digest": body, "reason": "tên người, số điện thoại"}]
    seen = verify_bundle(tmp_path / "bundle")
    assert seen.integrity.holds, seen.integrity.faults
    assert [each.digest for each in seen.completeness.withheld] == [body]
    assert seen.not_compared == ("runs",)


def test_what_nothing_names_and_what_everything_rests_on_cannot_be_withheld(written: Written) -> None:
    last = written.ledger.count()

    def check(digest: Digest) -> None:
        check_withheld(written.ledger, scope_of(written.ledger, START, {digest: "why"}, last=last))

    evidence = written.check((START + timedelta(days=8)).date())
    last = written.ledger.count()
    check(evidence)
    with pytest.raises(UsageError, match="no details"):
        check(Digest("0" * 64))
    for kind in ("ledger.created", "key.added", "head"):
        record = next(written.ledger.records(kinds=(kind,)))
        with pytest.raises(UsageError, match=f"details of record {record.seq}; details of the kind {kind}"):
            check(record.body)
    check(next(written.ledger.records(kinds=("plan",))).body)


@pytest.mark.parametrize(
    "asked",
    [
        ["abc=why"],
        ["0" * 64],
        ["0" * 64 + "="],
        ["0" * 64 + "= "],
        ["0" * 64 + "=\x1b[31m"],
        ["0" * 64 + "=" + "x" * 201],
    ],
)
def test_a_withheld_detail_needs_a_digest_and_a_reason(asked: list[str]) -> None:
    with pytest.raises(UsageError):
        withheld_of(asked)


def test_a_detail_is_withheld_for_one_reason() -> None:
    assert withheld_of([f"{'0' * 64}= vì = riêng tư "]) == {"0" * 64: "vì = riêng tư"}
    with pytest.raises(UsageError):
        withheld_of([f"{'0' * 64}=a", f"{'0' * 64}=b"])


def test_erased_details_are_said_to_be(written: Written, tmp_path: Path) -> None:
    body = next(record.body for record in written.ledger.records() if record.kind == "check.finished")
    written.append("blob.erased", erased=Erasure(body, "personal data", "the head of office"))
    BlobFolder(written.ledger.folder / "blobs").path(body).unlink()
    scope = scope_of(written.ledger, START, {body: "why"}, last=written.ledger.count())
    with pytest.raises(UsageError, match="erased already"):
        check_withheld(written.ledger, scope)
    written.export(tmp_path / "bundle")

    seen = verify_bundle(tmp_path / "bundle")
    assert seen.integrity.holds, seen.integrity.faults
    assert [each.erasure.digest for each in seen.completeness.erased] == [body]


def test_a_lost_detail_is_named_and_can_be_left_out_with_a_reason(written: Written, tmp_path: Path) -> None:
    record = next(record for record in written.ledger.records() if record.kind == "check.finished")
    BlobFolder(written.ledger.folder / "blobs").path(record.body).unlink()

    with pytest.raises(IntegrityError, match=f"record {record.seq}: blob {record.body} is missing"):
        written.export(tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    written.export(tmp_path / "bundle", withheld={record.body: "lost with the disk of March"})
    assert verify_bundle(tmp_path / "bundle").integrity.holds


def test_a_rotated_key_verifies_for_its_own_time(written: Written, tmp_path: Path) -> None:
    new = key_of(2)
    rotate_key(written.ledger, written.key, new, reason="a year is over", clock=written.clock)
    written.key = new
    written.at(START + timedelta(days=9))
    written.check(written.clock.at.date())
    made = written.export(tmp_path / "bundle")

    seen = verify_bundle(tmp_path / "bundle")
    assert seen.integrity.holds, seen.integrity.faults
    assert [use.heads for use in seen.integrity.signed.uses] == [2, made.heads - 2]
    assert len((tmp_path / "bundle" / "allowed_signers").read_text().splitlines()) == 2
    for size in (7, made.head.head.size):
        stem = tmp_path / "bundle" / "heads" / f"{size:010d}"
        at = next(line for line in stem.with_suffix(".txt").read_text().splitlines() if line.startswith("at ")).split()[
            1
        ]
        moment = at[:19].replace("-", "").replace("T", "").replace(":", "")
        command = [
            "ssh-keygen",
            "-Y",
            "verify",
            "-f",
            str(tmp_path / "bundle" / "allowed_signers"),
            "-n",
            "portalops-head",
        ]
        command += ["-I", written.ledger.id, "-s", str(stem.with_suffix(".sig")), "-O", f"verify-time={moment}Z"]
        subprocess.run(command, input=stem.with_suffix(".txt").read_bytes(), check=True, capture_output=True)


def test_the_first_time_stamp_of_each_anchor_lies_beside_its_head(written: Written, tmp_path: Path) -> None:
    head = covering_head(written.ledger, written.key, written.clock)
    digest = Digest(hashlib.sha256(head.signed.text.encode()).hexdigest())
    first, second = (written.ledger.keep(data) for data in (b"first answer", b"second answer"))

    def receipt(kind: str, evidence: tuple[Digest, ...], problem: str = "") -> AnchorReceipt:
        return AnchorReceipt("tsa", kind, head.head.size, digest, None, {}, evidence, problem)  # type: ignore[arg-type]

    for receipts in (
        (receipt("rfc3161", (), "it cannot be reached"),),
        (receipt("mail", (second,)), receipt("rfc3161", (first,))),
        (receipt("rfc3161", (second,)),),
    ):
        written.append("anchor.finished", anchor=AnchorResult(head.head.size, digest, receipts))
    made = written.export(tmp_path / "bundle", certificates={"tsa": b"-----BEGIN CERTIFICATE-----\n"})

    assert made.time_stamps == 1
    assert (tmp_path / "bundle" / "heads" / f"{head.head.size:010d}.tsa.tsr").read_bytes() == b"first answer"
    assert (tmp_path / "bundle" / "tsa" / "tsa.pem").exists()


def test_a_changed_ledger_gives_no_bundle(written: Written, tmp_path: Path) -> None:
    tamper(written.ledger, "UPDATE record SET line = CAST(replace(line, 'daily', 'dally') AS BLOB) WHERE seq = 5;")

    with pytest.raises(IntegrityError):
        written.export(tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_key_that_the_ledger_does_not_know_signs_nothing(written: Written, tmp_path: Path) -> None:
    written.key = key_of(9)
    before = written.ledger.count()
    with pytest.raises(LedgerError, match="the signing key"):
        written.export(tmp_path / "bundle")
    assert written.ledger.count() == before and not (tmp_path / "bundle").exists()


def test_a_head_is_signed_again_until_nothing_stands_between_it_and_its_record(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process records something just as the head is signed."""
    real, times = heads.text_of, iter([1, 1, 0, 0, 0])

    def interrupted(head: Head) -> str:
        if next(times):
            written.append("note", text=str(head.size))
        return real(head)

    monkeypatch.setattr(heads, "text_of", interrupted)
    made = covering_head(written.ledger, written.key, written.clock)
    kinds = [written.ledger.record(seq).kind for seq in range(made.head.size + 1, made.seq)]  # type: ignore[union-attr]
    assert set(kinds) <= {"head"}

    monkeypatch.setattr(heads, "text_of", lambda head: (written.append("note", text=str(head.size)), real(head))[1])
    written.append("note", text="again")
    with pytest.raises(Locked):
        covering_head(written.ledger, written.key, written.clock)


def test_records_behind_the_bundles_head_are_not_in_it(written: Written, tmp_path: Path) -> None:
    written.export(tmp_path / "first")
    head = covering_head(written.ledger, written.key, written.clock)
    late = written.append("note", text="late")
    scope = scope_of(written.ledger, START, {}, last=head.seq)
    figures = read_figures(written.ledger, PERIOD, as_of_seq=head.seq, zone=ZONE)
    content = Content(PORTAL, PERIOD, {}, figures, {})
    write_bundle(written.ledger, tmp_path / "second", scope, content, head=head, key=written.key)

    assert f"blobs/{late}" not in names(tmp_path / "second")
    seen = verify_bundle(tmp_path / "second")
    assert seen.integrity.holds and seen.integrity.records == head.seq


@pytest.mark.parametrize("place", ["file", "full", "link", "dangling"])
def test_a_bundle_is_never_written_over_something(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "there"
    match place:
        case "file":
            folder.write_text("")
        case "full":
            folder.mkdir()
            (folder / "x").write_text("")
        case "link":
            (tmp_path / "elsewhere").mkdir()
            folder.symlink_to(tmp_path / "elsewhere")
        case "dangling":
            folder.symlink_to(tmp_path / "nowhere")

    assert not is_free(folder)
    with pytest.raises(FileUnwritable), files.new_folder(folder) as part:
        (part / "x").write_text("new")
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_an_empty_folder_becomes_the_bundle(written: Written, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    assert is_free(tmp_path / "bundle")
    written.export(tmp_path / "bundle")
    assert verify_bundle(tmp_path / "bundle").integrity.holds


def test_a_full_disk_leaves_nothing(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = Path.open, [9]

    def limited(path: Path, *arguments: object, **named: object) -> object:
        if ".part" in str(path):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", limited)
    with pytest.raises(FileUnwritable, match="No space left"):
        written.export(tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from portalops.ledger.bundle import export
    from tests.ledger.bundle.bundles import Written

    folder, after = Path(sys.argv[1]), int(sys.argv[2])
    real = export._Writer._write

    def killed(writer, name, data):
        global after
        after -= 1
        if after < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        real(writer, name, data)

    export._Writer._write = killed
    written = Written(folder / "state")
    written.clock.at = written.ledger.last().at
    written.export(folder / "bundle")
"""


@pytest.mark.heavy
@pytest.mark.parametrize("after", [0, 7, 30])
def test_a_killed_export_leaves_no_bundle_and_the_next_one_is_whole(
    written: Written, tmp_path: Path, after: int
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), str(after)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "bundle").exists()
    left = [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    assert len(left) == 1

    written.export(tmp_path / "bundle")

    assert not left[0].exists()
    assert verify_bundle(tmp_path / "bundle").integrity.holds
    assert {path.name for path in tmp_path.iterdir()} == {"state", "bundle"}


def test_what_another_process_is_filling_is_left_alone(tmp_path: Path) -> None:
    with files.new_folder(tmp_path / "bundle") as first:
        (first / "x").write_text("1")
        with files.new_folder(tmp_path / "bundle") as second:
            assert first.exists() and second.exists()
            shutil.copy(first / "x", second / "x")
        (tmp_path / "bundle" / "x").unlink()
    assert (tmp_path / "bundle" / "x").read_text() == "1"
