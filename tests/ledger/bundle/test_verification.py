"""portalops verifies a bundle with nothing but its folder, and whatever was changed in it is a fault that names where."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import NotABundle
from portalops.ledger.bundle import BundleVerification, contents, verify_bundle
from portalops.ledger.check_heads import parse_code, read_supplied_head
from portalops.ledger.heads import code_of, newest_head, parse_head
from portalops.ledger.verify import Supplied
from portalops.model.heads import AnchorReceipt, AnchorResult, SignOff
from portalops.model.record import Digest
from portalops.model.waivers import Waiver
from portalops.registers.sign_offs import NAMESPACE, sum_line
from portalops.registers.signers import TrustedKey
from portalops.signatures.sshsig import sign
from tests.ledger.bundle.bundles import PERIOD, Written, key_of, resign, week
from tests.ledger.bundle.test_time_stamps import Authority
from tests.ledger.ledgers import START


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that is never changed."""
    folder = tmp_path_factory.mktemp("sample")
    week(folder / "state").export(folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(sample: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(sample, tmp_path / "bundle")
    return tmp_path / "bundle"


def faults_of(folder: Path, **named: object) -> list[tuple[int, str]]:
    seen = verify_bundle(folder, **named)  # type: ignore[arg-type]
    assert not seen.integrity.holds
    return [(fault.seq, str(fault.what)) for fault in seen.integrity.faults]


def only_fault(folder: Path) -> tuple[int, str]:
    (fault,) = faults_of(folder)
    return fault


def write(folder: Path, name: str, data: bytes) -> None:
    """Change a file, and list and sign what there is now, as whoever holds the key can."""
    (folder / name).write_bytes(data)
    resign(folder)


def lines_of(folder: Path) -> list[bytes]:
    return (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)


def body_of(folder: Path, seq: int) -> Path:
    digest: str = json.loads(lines_of(folder)[seq - 1])["body"]
    return folder / "blobs" / digest


def test_an_untouched_bundle_holds_and_tells_what_is_missing(sample: Path) -> None:
    seen = verify_bundle(sample)

    assert seen.integrity.holds, seen.integrity.faults
    assert (seen.integrity.records, seen.integrity.blobs_read) == (17, True)
    assert seen.ledger == json.loads((sample / "bundle.json").read_bytes())["ledger"]
    assert [slot.name for slot in seen.completeness.missing] == ["2026-11-26", "2026-11-30"]
    assert (seen.not_compared, seen.stamped, seen.detail_records) == ((), (), 17)
    assert seen.integrity.signed.heads == 3


def test_progress_is_told_of_each_record(sample: Path) -> None:
    told: list[int] = []
    verify_bundle(sample, advance=told.append)
    assert sum(told) == 17


@pytest.mark.parametrize("name", ["bundle.json", "ledger.jsonl", "SHA256SUMS"])
@pytest.mark.parametrize("instead", ["nothing", "folder", "link"])
def test_without_its_three_files_a_folder_is_no_bundle(bundle: Path, name: str, instead: str) -> None:
    kept = (bundle / name).rename(bundle.parent / name)
    if instead == "folder":
        (bundle / name).mkdir()
    elif instead == "link":
        (bundle / name).symlink_to(kept)
    with pytest.raises(NotABundle, match=name):
        verify_bundle(bundle)


def test_other_things_are_no_bundle(bundle: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", bundle / "bundle.json", tmp_path, Path("/dev/null"), Path("a\0b")):
        with pytest.raises(NotABundle):
            verify_bundle(path)


def test_a_bundle_of_a_newer_format_is_not_read(bundle: Path) -> None:
    found = json.loads((bundle / "bundle.json").read_bytes())
    write(bundle, "bundle.json", bodies.write({**found, "format": 5}))
    with pytest.raises(NotABundle, match="newer"):
        verify_bundle(bundle)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 0),
        ("format", True),
        ("format", "1"),
        ("ledger", "x"),
        ("ledger", None),
        ("portal", []),
        ("portal", {"id": "a", "vi": "b"}),
        ("portal", {"id": "a", "vi": "b", "en": "c", "d": "e"}),
        ("period", {"first": "2026-11-23", "last": "29 November"}),
        ("records", -1),
        ("records", 10**18),
        ("records", "17"),
        ("head", "A" * 64),
        ("blobs", {"first": 0, "last": 17}),
        ("blobs", {"first": 18, "last": 17}),
        ("blobs", {"first": 1, "last": 16}),
        ("withheld", {}),
        ("withheld", [{"digest": "0" * 64}]),
        ("withheld", [{"digest": "1" * 64, "reason": ""}, {"digest": "0" * 64, "reason": ""}]),
        ("withheld", [{"digest": "0" * 64, "reason": ""}, {"digest": "0" * 64, "reason": ""}]),
        ("further", 1),
    ],
)
def test_a_description_of_another_form_is_a_fault_of_no_record(bundle: Path, name: str, value: object) -> None:
    found = json.loads((bundle / "bundle.json").read_bytes())
    write(bundle, "bundle.json", bodies.write({**found, name: value}))

    faults = faults_of(bundle)
    assert (0, "bundle.json does not have the format that portalops writes") in faults
    seen = verify_bundle(bundle)
    assert seen.integrity.first_bad is None
    assert seen.completeness.problem is not None and not seen.completeness.holds


def test_a_description_must_be_written_one_way_only(bundle: Path) -> None:
    data = (bundle / "bundle.json").read_bytes()
    for other in (
        data.rstrip(),
        data.replace(b":", b": ", 1),
        data.replace(b'{"blobs"', b'{"format":1,"blobs"', 1),
        b"[]\n",
        b"",
    ):
        write(bundle, "bundle.json", other)
        assert (0, "bundle.json does not have the format that portalops writes") in faults_of(bundle)


@pytest.mark.parametrize(
    ("name", "value", "seq"),
    [("ledger", "0" * 32, 0), ("records", 16, 17), ("records", 18, 18), ("head", "0" * 64, 17)],
)
def test_a_description_of_another_ledger_is_a_fault(bundle: Path, name: str, value: object, seq: int) -> None:
    found = json.loads((bundle / "bundle.json").read_bytes())
    found[name] = value
    found["blobs"]["last"] = found["records"]
    write(bundle, "bundle.json", bodies.write(found))
    assert seq in {fault for fault, _what in faults_of(bundle)}


@pytest.mark.parametrize("place", [0, 5, 16])
def test_a_changed_record_is_named(bundle: Path, place: int) -> None:
    lines = lines_of(bundle)
    lines[place] = lines[place].replace(b'"subject":""', b'"subject":"x"')
    write(bundle, "ledger.jsonl", b"".join(lines))
    assert verify_bundle(bundle).integrity.first_bad == place + 1


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (lambda lines: lines[:-1], 17),
        (lambda lines: [*lines, lines[-1]], 17),
        (lambda lines: [*lines, b"\n"], 18),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], 17),
        (lambda lines: [*lines[:-1], lines[-1][:40]], 17),
        (lambda lines: [b"\n", *lines[1:]], 1),
        (lambda lines: [*lines[:4], b"\xff\xfe\n", *lines[5:]], 5),
        (lambda lines: [*lines[:4], b"x" * 9000 + b"\n", *lines[5:]], 5),
        (lambda lines: [*lines[:4], lines[4].replace(b"\n", b"\r\n"), *lines[5:]], 5),
        (lambda lines: [], 1),
    ],
)
def test_a_ledger_with_other_lines_is_named_where_it_goes_wrong(
    bundle: Path, change: Callable[[list[bytes]], list[bytes]], first: int
) -> None:
    (bundle / "ledger.jsonl").write_bytes(b"".join(change(lines_of(bundle))))
    resign(bundle)
    seqs = sorted({fault for fault, _what in faults_of(bundle)} - {0})
    assert first in seqs
    assert verify_bundle(bundle).integrity.first_bad == seqs[0]


def test_a_cut_ledger_that_is_described_and_signed_anew_shows_at_its_uncovered_end(bundle: Path) -> None:
    lines = lines_of(bundle)[:15]
    (bundle / "ledger.jsonl").write_bytes(b"".join(lines))
    found = json.loads((bundle / "bundle.json").read_bytes())
    found |= {"records": 15, "blobs": {"first": 1, "last": 15}, "head": hashlib.sha256(lines[-1][:-1]).hexdigest()}
    for name in ("txt", "sig"):
        (bundle / "heads" / f"0000000016.{name}").unlink()
    head = newest_of(bundle)
    write(bundle, "bundle.json", bodies.write(found))

    for path in (bundle / "blobs").iterdir():  # what no record names any more goes too
        if not any(path.name.encode() in line for line in lines) and b"PermitRoot" not in path.read_bytes():
            path.unlink()
    resign(bundle)
    assert verify_bundle(bundle).integrity.holds, faults_of(bundle)
    assert faults_of(bundle, brought=Supplied((read_supplied_head("mail.txt", head),)))[-1][0] == 16


def newest_of(bundle: Path) -> bytes:
    """Return the text of a head over 16 records, as an auditor keeps it from an earlier look."""
    text = max((bundle / "heads").glob("*.txt")).read_text()
    return text.replace("size 14", "size 16").encode()


def test_a_changed_detail_is_named_by_the_record_it_is_of(bundle: Path) -> None:
    path = body_of(bundle, 4)
    path.chmod(0o644)
    path.write_bytes(b"{}\n")
    assert (4, f"record 4: blob {path.name} does not match its digest") in faults_of(bundle)
    assert verify_bundle(bundle).integrity.first_bad == 4

    path.unlink()
    resign(bundle)
    assert (4, f"record 4: blob {path.name} is missing") in faults_of(bundle)


def test_changed_evidence_is_named_by_the_record_that_rests_on_it(bundle: Path) -> None:
    (evidence,) = bodies.evidence_of(body_of(bundle, 4).read_bytes())
    (bundle / "blobs" / evidence).write_bytes(b"PermitRootLogin yes\n")
    assert only_fault(bundle)[0] == 4


def test_a_detail_of_nobody_is_a_fault(bundle: Path) -> None:
    data = b"nobody's\n"
    write(bundle, f"blobs/{hashlib.sha256(data).hexdigest()}", data)
    assert only_fault(bundle)[0] == 0


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "heads/x",
        "blobs/abc",
        "tsa/a b.pem",
        "heads/0000000099.txt",
        "heads/0000000099.tsa.tsr",
        "report.en.htm",
    ],
)
def test_a_file_that_no_bundle_holds_is_a_fault(bundle: Path, name: str) -> None:
    (bundle / "tsa").mkdir(exist_ok=True)
    (bundle / name).write_bytes(b"x")
    assert {fault for fault, _what in faults_of(bundle)} == {0}
    resign(bundle)
    assert {fault for fault, _what in faults_of(bundle)} == {0}


@pytest.mark.parametrize(
    "name", ["figures.json", "allowed_signers", "SHA256SUMS.sig", "report.vi.html", "heads/0000000007.sig"]
)
def test_a_file_that_is_gone_is_a_fault(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert {fault for fault, _what in faults_of(bundle)} == {0}
    if name not in {"report.vi.html", "SHA256SUMS.sig"}:
        resign(bundle)
        assert {fault for fault, _what in faults_of(bundle)} == {0}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "0" * 64 + "  ../../etc/passwd\n",
        lambda text: text + "0" * 64 + "  /etc/passwd\n",
        lambda text: text + "0" * 64 + "  blobs/../bundle.json\n",
        lambda text: text + "0" * 64 + "  zzz\n",
        lambda text: text + "0" * 64 + "  SHA256SUMS\n",
        lambda text: text + "0" * 64 + " *verify.py\n",
        lambda text: text + text,
        lambda text: text.rstrip(),
        lambda text: text.upper(),
        lambda text: text + "x" * 100_000,
        lambda text: "".join(sorted(text.splitlines(keepends=True), reverse=True)),
        lambda text: "",
        lambda text: text.replace("bundle.json", "bundle.json\x1b[2J"),
    ],
)
def test_a_list_of_another_form_is_a_fault_even_if_it_is_signed(bundle: Path, change: Callable[[str], str]) -> None:
    text = change((bundle / "SHA256SUMS").read_text())
    (bundle / "SHA256SUMS").write_text(text)
    assert any("signature" in what for _seq, what in faults_of(bundle))
    (bundle / "SHA256SUMS.sig").write_text(sign(text.encode(), key_of(1), contents.BUNDLE_NAMESPACE))

    faults = faults_of(bundle)
    assert {fault for fault, _what in faults} == {0}
    assert all(what.isprintable() and len(what) < 400 for _seq, what in faults)


def test_a_list_that_a_stranger_signed_is_a_fault(bundle: Path) -> None:
    (bundle / "SHA256SUMS.sig").write_text(
        sign((bundle / "SHA256SUMS").read_bytes(), key_of(9), contents.BUNDLE_NAMESPACE)
    )
    seq, what = only_fault(bundle)
    assert seq == 0 and "was not a key of the ledger" in what


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 300, b"-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n", b"x" * 10**6]
)
def test_a_signature_of_another_form_is_a_fault(bundle: Path, data: bytes) -> None:
    (bundle / "SHA256SUMS.sig").write_bytes(data)
    assert only_fault(bundle)[0] == 0


def test_heads_are_those_of_the_records(bundle: Path) -> None:
    for name, other in (("0000000007.txt", "0000000014.txt"), ("0000000007.sig", "0000000014.sig")):
        kept = (bundle / "heads" / name).read_bytes()
        write(bundle, f"heads/{name}", (bundle / "heads" / other).read_bytes())
        assert only_fault(bundle) == (0, f"heads/{name} is not the head in the records")
        write(bundle, f"heads/{name}", kept)
    write(bundle, "heads/0000000009.txt", (bundle / "heads" / "0000000014.txt").read_bytes())
    assert only_fault(bundle)[1] == "heads/0000000009.txt belongs to no head in the records"


def test_the_keys_in_the_file_are_those_of_the_records(bundle: Path) -> None:
    text = (bundle / "allowed_signers").read_bytes()
    for other in (text + text, text.replace(b"20261125", b"20251125"), b"", text + f"# {'x' * 10**6}\n".encode()):
        write(bundle, "allowed_signers", other)
        assert only_fault(bundle) == (0, "allowed_signers contradicts the records")


@pytest.mark.parametrize(
    "change",
    [
        lambda found: {**found, "checks": {**found["checks"], "pass": 2}},
        lambda found: {**found, "records": {**found["records"], "in_period": 1}},
        lambda found: {**found, "records": {**found["records"], "last": 99}},
        lambda found: {**found, "records": {**found["records"], "last": True}},
        lambda found: {**found, "records": []},
        lambda found: {**found, "as_of": found["as_of"].replace("2026", "2025")},
        lambda found: {**found, "runs": {}},
        lambda found: {**found, "portal_days": {"met": 7}},
        lambda found: {**found, "more": 1},
        lambda found: [found],
    ],
)
def test_other_figures_than_the_records_come_to_are_a_fault(bundle: Path, change: Callable[[object], object]) -> None:
    changed = change(json.loads((bundle / "figures.json").read_bytes()))
    data = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
    write(bundle, "figures.json", data.encode())
    seq, what = only_fault(bundle)
    assert seq == 0 and "figures.json" in what


def test_figures_that_rest_on_withheld_details_are_not_compared_and_the_others_are(tmp_path: Path) -> None:
    written = week(tmp_path / "state")
    newest = [record.body for record in written.ledger.records() if record.kind == "check.finished"][-1]
    written.export(tmp_path / "bundle", withheld={newest: "names"})
    assert verify_bundle(tmp_path / "bundle").not_compared == ("checks", "runs")

    found = json.loads((tmp_path / "bundle" / "figures.json").read_bytes())
    write(tmp_path / "bundle", "figures.json", bodies.write({**found, "checks": {"pass": 99}}))
    assert verify_bundle(tmp_path / "bundle").integrity.holds
    write(tmp_path / "bundle", "figures.json", bodies.write({**found, "backups": {"sets": 9, "verified_copies": 9}}))
    assert only_fault(tmp_path / "bundle")[0] == 0


def test_without_the_plan_completeness_is_unknown(tmp_path: Path) -> None:
    written = week(tmp_path / "state")
    plan = next(written.ledger.records(kinds=("plan",))).body
    written.export(tmp_path / "bundle", withheld={plan: "secret"})
    seen = verify_bundle(tmp_path / "bundle")
    assert seen.integrity.holds
    assert seen.completeness.problem is not None and "withheld" in str(seen.completeness.problem)


@pytest.mark.parametrize("kind", ["key.added", "head", "ledger.created"])
def test_what_cannot_be_withheld_is_not_excused_by_a_list(bundle: Path, kind: str) -> None:
    line = next(line for line in lines_of(bundle) if json.loads(line)["kind"] == kind)
    digest, seq = json.loads(line)["body"], json.loads(line)["seq"]
    (bundle / "blobs" / digest).unlink()
    found = json.loads((bundle / "bundle.json").read_bytes())
    write(bundle, "bundle.json", bodies.write({**found, "withheld": [{"digest": digest, "reason": "why not"}]}))
    assert (seq, f"record {seq}: its details {digest} are withheld, although they must not be") in faults_of(bundle)


def test_heads_that_an_auditor_brings_are_compared(sample: Path) -> None:
    text = (sample / "heads" / "0000000014.txt").read_bytes()
    good = read_supplied_head("mail.txt", text)
    assert verify_bundle(sample, brought=Supplied((good,))).integrity.holds

    def seqs(*heads: bytes) -> set[int]:
        brought = Supplied(tuple(read_supplied_head("x", head) for head in heads))
        return {fault for fault, _what in faults_of(sample, brought=brought)}

    changed = text.replace(b"digest " + good.digest.encode(), b"digest " + b"0" * 64)
    assert seqs(changed) == {1}
    assert seqs(changed, (sample / "heads" / "0000000007.txt").read_bytes()) == {8}
    assert seqs(text.replace(b"size 14", b"size 99")) == {18}
    other = b"ledger " + b"0" * 32
    assert seqs(text.replace(f"ledger {good.ledger}".encode(), other)) == {1}
    with pytest.raises(AssertionError):
        faults_of(sample, brought=Supplied((parse_code(_code(sample)),)))
    with pytest.raises(AssertionError):
        faults_of(sample, brought=Supplied(trusted=(TrustedKey(key_of(1).public_key, (), None, None),)))
    strangers = Supplied(trusted=(TrustedKey(key_of(2).public_key, (), None, None),))
    assert {fault for fault, _what in faults_of(sample, brought=strangers)} == {1}


def _code(sample: Path) -> str:
    return code_of(parse_head((sample / "heads" / "0000000014.txt").read_bytes())).upper()


def stamped(tmp_path: Path, answer: Callable[[bytes], bytes], *, later: timedelta = timedelta(0)) -> BundleVerification:
    """Make a bundle whose head of now is stamped, by an authority that answers at the real present."""
    written = Written(tmp_path / "state")
    written.at(datetime.now(UTC) - timedelta(minutes=1))
    written.head()
    head = newest_head(written.ledger)
    assert head is not None
    digest = Digest(hashlib.sha256(head.signed.text.encode()).hexdigest())
    token = written.ledger.keep(answer(head.signed.text.encode()))
    receipt = AnchorReceipt("tsa", "rfc3161", head.head.size, digest, None, {}, (token,))  # type: ignore[arg-type]
    written.at(datetime.now(UTC) + later)
    written.append("anchor.finished", anchor=AnchorResult(head.head.size, digest, (receipt,)))
    day = written.clock.at.date()
    written.export(tmp_path / "bundle", period=type(PERIOD)(day, day))
    return verify_bundle(tmp_path / "bundle")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


def test_a_time_stamp_of_a_head_is_read_and_its_own_signature_left_to_openssl(
    authority: Authority, tmp_path: Path
) -> None:
    seen = stamped(tmp_path, authority.stamp)
    assert seen.integrity.holds, seen.integrity.faults
    (stamp,) = seen.stamped
    assert stamp.name == f"heads/{stamp.size:010d}.tsa.tsr"
    (tmp_path / "ca.pem").write_bytes(authority.certificates)
    command = ["openssl", "ts", "-verify", "-in", stamp.name, "-data", f"heads/{stamp.size:010d}.txt"]
    subprocess.run(
        [*command, "-CAfile", str(tmp_path / "ca.pem")], cwd=tmp_path / "bundle", check=True, capture_output=True
    )


def test_a_time_stamp_of_something_else_is_a_fault(authority: Authority, tmp_path: Path) -> None:
    seen = stamped(tmp_path, lambda _text: authority.stamp(b"another head"))
    assert [(fault.seq, str(fault.what).partition(" ")[2]) for fault in seen.integrity.faults] == [
        (0, "is a time stamp of something else")
    ]
    assert seen.stamped == ()


def test_a_record_that_claims_a_time_long_before_the_stamp_over_its_past_is_named(
    authority: Authority, tmp_path: Path
) -> None:
    written = Written(tmp_path / "state")
    written.head()
    head = newest_head(written.ledger)
    assert head is not None
    digest = Digest(hashlib.sha256(head.signed.text.encode()).hexdigest())
    token = written.ledger.keep(authority.stamp(head.signed.text.encode()))  # of today, years behind the head
    receipt = AnchorReceipt("tsa", "rfc3161", head.head.size, digest, None, {}, (token,))  # type: ignore[arg-type]
    written.append("anchor.finished", anchor=AnchorResult(head.head.size, digest, (receipt,)))
    written.export(tmp_path / "bundle")
    seen = verify_bundle(tmp_path / "bundle")
    is_past = seen.stamped[0].at - timedelta(minutes=5) > START
    assert seen.integrity.holds is not is_past
    if is_past:
        assert [fault.seq for fault in seen.integrity.faults] == [head.seq + 1]


def test_waivers_and_sign_offs_are_told(tmp_path: Path) -> None:
    written = week(tmp_path / "state")
    waiver = Waiver("w1", "10.2", "", "no room", "the director", "12/QĐ", PERIOD.first, PERIOD.first)
    written.append("waiver.granted", waiver=waiver)
    digest = "c" * 64
    text = sum_line(digest, "report.vi.html")
    person = key_of(5)
    sign_off = SignOff(
        "report.vi.html",
        Digest(digest),
        "an",
        "An",
        "office",
        person.public_key,
        text,
        sign(text.encode(), person, NAMESPACE),
    )
    written.append("sign-off", sign_off=sign_off)
    written.export(tmp_path / "bundle")

    seen = verify_bundle(tmp_path / "bundle")
    assert seen.integrity.holds, seen.integrity.faults
    assert [each.waiver.id for each in seen.completeness.waivers] == ["w1"]
    assert [each.signer for _seq, each in seen.integrity.signed.sign_offs] == ["an"]
    assert (
        f'an namespaces="portalops-signoff" {person.public_key}\n'
        in (tmp_path / "bundle" / "allowed_signers").read_text()
    )
