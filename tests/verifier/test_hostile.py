"""Whatever lies in a folder, verify.py says something about it: bounded, escaped, and never a traceback."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portalops.model.record import RunId
from portalops.registers.ends import LONG_BODY_BYTES
from portalops.signatures.sshsig import sign
from tests.ledger.bundle.bundles import Written, key_of
from tests.verifier.scene import (
    VERIFY_PY,
    Tampered,
    as_process,
    by_portalops,
    by_stranger,
    chained,
    verify_py,
    written,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a ledger with one note in it."""
    folder = tmp_path_factory.mktemp("small")
    plain = Written(folder / "state")
    plain.head()
    plain.append("note.added", note={})
    plain.export(folder / "bundle")
    return folder / "bundle"


def verified(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as a process with little memory, and look at what it prints."""
    done = subprocess.run(
        ["sh", "-c", 'ulimit -v 300000; exec "$@"', "sh", sys.executable, "-I", "-S", VERIFY_PY, folder, *arguments],
        check=False,
        capture_output=True,
        timeout=120,
    )
    text = done.stdout.decode("utf-8") + done.stderr.decode("utf-8")
    assert "Traceback" not in text
    assert all(letter == "\n" or letter.isprintable() for letter in text)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("put", [fifo, folder, dangling, endless, loop])
@pytest.mark.parametrize(
    "name", ["bundle.json", "ledger.jsonl", "SHA256SUMS", "SHA256SUMS.sig", "figures.json", "allowed_signers"]
)
def test_something_else_in_a_files_place(bundle: Tampered, name: str, put: Callable[[Path], None]) -> None:
    (bundle.folder / name).unlink()
    put(bundle.folder / name)

    assert verified(bundle.folder).returncode == (2 if name in {"bundle.json", "ledger.jsonl", "SHA256SUMS"} else 5)
    assert by_stranger(bundle.folder)[0] == by_portalops(bundle.folder)[0]


@pytest.mark.parametrize("put", [fifo, dangling, endless, loop])
@pytest.mark.parametrize("name", ["blobs", "heads", "more"])
def test_something_else_in_a_folders_place(bundle: Tampered, name: str, put: Callable[[Path], None]) -> None:
    if (bundle.folder / name).exists():
        shutil.rmtree(bundle.folder / name)
    put(bundle.folder / name)

    assert verified(bundle.folder).returncode == 5
    assert by_stranger(bundle.folder)[0] == by_portalops(bundle.folder)[0]


def test_names_that_do_things_to_a_terminal_are_escaped(bundle: Tampered) -> None:
    (bundle.folder / "\x1b[2J\x07\u202egpj.sh").write_text("")
    os.close(os.open(os.fsencode(bundle.folder) + b"/\xff\xfe\n", os.O_CREAT | os.O_WRONLY))

    done = verified(bundle.folder)

    assert done.returncode == 5
    assert r"\x1b[2J\x07\u202egpj.sh does not belong here" in done.stdout


def test_a_foreign_folder_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")

    done = verified(tmp_path)

    assert done.returncode == 2
    assert "this is not a bundle" in done.stderr
    assert verified(tmp_path / "photo.jpg").returncode == 2
    assert verified(tmp_path / "nowhere").returncode == 2


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"format":' * 50_000,
        b'{"format":1' + b"0" * 100_000 + b"}",
        b'{"format":1e999}',
        b'{"format":NaN}',
        b'{"format":true}',
        b'{"ledger":"\xed\xa0\x80"}',
        b'{"ledger":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        '{"format":1}'.encode("utf-16"),
        b"\0" * 1000,
        b'{"format":1,"format":2}',
    ],
    ids=range(14),
)
@pytest.mark.parametrize(
    "name", ["bundle.json", "figures.json", "allowed_signers", "SHA256SUMS", "heads/0000000002.txt"]
)
def test_odd_text_in_any_file_is_a_verdict(bundle: Tampered, name: str, text: bytes) -> None:
    (bundle.folder / name).write_bytes(text)

    stranger, portalops = by_stranger(bundle.folder), by_portalops(bundle.folder)

    assert stranger[0] == portalops[0], (stranger, portalops)
    assert stranger[0].exit_code in {2, 5}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"plan":{"jobs":[{"id":"a","kind":"check","every":"hour","duty":9' + b"9" * 5000 + b"}]}}",
        b'{"head":{"text":"\\ud800","signature":"\\ud800"}}\n',
        b'{"key":{"public_key":"ssh-ed25519 ====","reason":"","replaces":""}}\n',
        b'{"key":{"public_key":["x"],"reason":"","replaces":""}}\n',
        b'{"sign_off":{"report":"\\u001b[2J","sha256":"x","signer":"","name":"","office":"","public_key":"","text":"","signature":""}}\n',
        b'{"erased":{"digest":7}}\n',
        b'{"waiver":{"id":{},"valid_from":"2026-99-99","valid_to":"2026-11-30"}}\n',
        b'{"plan":{"jobs":[{"id":"a","kind":"check","every":"hour","duty":""}],"rulebook":"","configuration":"","timezone":"../../etc/passwd"}}\n',
        b'{"plan":{"jobs":[{"id":"a","kind":"check","every":"hour","duty":""}],"rulebook":"","configuration":"","timezone":"Asia"}}\n',
        b'{"plan":{"jobs":[{"id":"a","kind":"check","every":"never","duty":""}],"rulebook":"","configuration":"","timezone":""}}\n',
        b'{"plan":{"jobs":7,"rulebook":"","configuration":"","timezone":""}}\n',
        b"\xff\xfe",
        b"",
        b'{"erased":{"digest":"' + b"0" * 64 + b'"}}\n',
        b'{"head":7,"key":7,"sign_off":7,"erased":7,"waiver":7,"plan":7}\n',
        '{"plan":{}}\n'.encode("utf-16"),
    ],
    ids=range(17),
)
@pytest.mark.parametrize(
    "kind",
    ["plan", "head", "key.added", "key.retired", "sign-off", "blob.erased", "waiver.granted", "waiver.withdrawn"],
)
def test_odd_details_of_records_that_are_signed_for(small: Path, tmp_path: Path, kind: str, body: bytes) -> None:
    bundle = Tampered(small, tmp_path / "odd", key_of(1))
    digest = hashlib.sha256(body).hexdigest()
    (bundle.folder / "blobs" / digest).write_bytes(body)
    lines = bundle.lines()
    place = next(place for place, each in enumerate(lines) if b'"kind":"note.added"' in each)
    fields = json.loads(lines[place])
    fields |= {"kind": kind, "body": digest}
    lines[place] = written(fields)[:-1]
    bundle.set_lines(lines)
    bundle.sum_up(sign_it=True)

    stranger, portalops = by_stranger(bundle.folder), by_portalops(bundle.folder)

    assert stranger[0] == portalops[0], (stranger, portalops)
    assert stranger[0].exit_code == 5


def _grow(path: Path, size: int, *, at: int) -> None:
    """Put so many zero bytes into a file; they take no room on the disk."""
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(at)
        file.seek(at + size)
        file.write(data[at:])


@pytest.mark.heavy
@pytest.mark.parametrize(
    "name",
    [
        "ledger.jsonl",
        "SHA256SUMS",
        "SHA256SUMS.sig",
        "bundle.json",
        "figures.json",
        "allowed_signers",
        "heads/0000000006.txt",
    ],
)
def test_a_line_without_end_takes_no_memory(bundle: Tampered, name: str) -> None:
    path = bundle.folder / name
    if not path.exists():
        path = min((bundle.folder / "heads").glob("*.txt"))
    _grow(path, 300 << 20, at=50)

    done = verified(bundle.folder, "--json")

    assert done.returncode == 5, done
    if name == "ledger.jsonl":
        assert json.loads(done.stdout)["integrity"]["first_bad"] == 1


def test_a_blob_of_many_brackets_takes_no_memory(bundle: Tampered) -> None:
    """A body above 16 MiB is not read as JSON, however its digest fits."""
    body = b'{"evidence":[' + b"[]," * (20 << 20) + b"[]]}"
    digest = hashlib.sha256(body).hexdigest()
    (bundle.folder / "blobs" / digest).write_bytes(body)
    lines = bundle.lines()
    fields = json.loads(lines[3]) | {"body": digest}
    lines[3] = written(fields)[:-1]
    bundle.set_lines(lines)
    bundle.sum_up(sign_it=True)

    assert verified(bundle.folder).returncode == 5


def test_a_million_wrong_lines_are_counted_and_not_kept(bundle: Tampered) -> None:
    with (bundle.folder / "ledger.jsonl").open("ab") as file:
        file.write(b"x\n" * 300_000)

    done = verified(bundle.folder, "--json")

    found = json.loads(done.stdout)["integrity"]
    assert done.returncode == 5
    assert found["fault_count"] > 300_000
    assert len(found["faults"]) == 100


def test_its_output_can_be_cut_off(original: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-I", "-S", VERIFY_PY, original],
        check=False,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)

    assert done.returncode == 70
    assert done.stderr == ""


@pytest.mark.parametrize("locale", ["C", "vi_VN.UTF-8", "en_US.ISO-8859-1", "POSIX"])
def test_it_prints_vietnamese_under_any_locale(original: Path, locale: str) -> None:
    environment = {"PATH": os.environ["PATH"], "LANG": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-S", VERIFY_PY, original, *([] if locale.startswith("vi") else ["--lang", "vi"])],
        check=False,
        capture_output=True,
        env=environment,
    )

    assert "KẾT QUẢ: không có gì bị thay đổi kể từ khi ký" in done.stdout.decode("utf-8")


def test_every_sentence_is_there_in_vietnamese() -> None:
    """Each template that the program says has its own Vietnamese, with the same places for values."""
    import ast

    tree = ast.parse(VERIFY_PY.read_text(encoding="utf-8"))
    module = verify_py()
    said = set(module.LIMITS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            place = {"say": 0, "Bad": 0, "fault": 1}.get(name)
            if place is not None and len(node.args) > place:
                values = node.args[place]
                literals = [values] if isinstance(values, ast.Constant) else []
                said |= {each.value for each in literals if isinstance(each.value, str)}
    needing = {text for text in said if re.search(r"[A-Za-z]{2}", re.sub(r"\{\w+\}", "", text))}

    assert needing - module.VI.keys() == set()
    assert [
        en for en, vi in module.VI.items() if sorted(re.findall(r"\{\w+\}", en)) != sorted(re.findall(r"\{\w+\}", vi))
    ] == []
    assert len(module.VI) > 80


def test_it_runs_in_its_own_folder_without_arguments(original: Path, tmp_path: Path) -> None:
    done = as_process("verify.py", cwd=original)

    assert done.returncode == 0
    assert "RESULT: nothing was changed" in done.stdout
    assert not (original / "__pycache__").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--head", "nowhere.txt"),
        ("--head", "bundle.json"),
        ("--head-code", "412"),
        ("--head-code", "412-9f3a-77c0-21de-8b4c-5a1g"),
        ("--signers", "ledger.jsonl"),
        ("--signers", "nowhere"),
        ("--lang", "fr"),
        ("--nothing",),
    ],
)
def test_wrong_arguments_are_wrong_usage(original: Path, arguments: tuple[str, ...]) -> None:
    done = as_process("verify.py", *arguments, cwd=original)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


AMBIGUOUS = {
    "name-twice": b'{"evidence":"%s","evidence":[]}',
    "name-twice-inside": b'{"more":{"evidence":"%s","x":1,"x":2}}',
    "object-behind-another": b'{"a":{"evidence":"%s"},"a":1}',
    "not-a-number": b'{"evidence":"%s","x":NaN}',
    "infinity": b'{"evidence":"%s","x":-Infinity}',
    "fraction": b'{"evidence":"%s","x":1.0}',
    "exponent": b'{"evidence":"%s","x":1e5}',
    "deep": b'{"evidence":"%s","x":' + b"[" * 100 + b"]" * 100 + b"}",
    "very-deep": b'{"evidence":"%s","x":' + b"[" * 940 + b"]" * 940 + b"}",
    "many-digits": b'{"evidence":"%s","x":-1' + b"0" * 4300 + b"}",
    "utf-16": '{"evidence":"%s"}'.encode("utf-16-le"),
    "mark": b'\xef\xbb\xbf{"evidence":"%s"}',
}
"""Details that two readers may read differently, or not at all; each names evidence that is not there."""


def give_body(bundle: Tampered, body: bytes) -> int:
    """Give the newest record that is no head another body, and sign for it as whoever holds the key can; return its number."""
    lines = bundle.lines()
    place = max(place for place, each in enumerate(lines) if b'"kind":"head"' not in each)
    digest = hashlib.sha256(body).hexdigest()
    (bundle.folder / "blobs" / digest).write_bytes(body)
    lines[place] = written(json.loads(lines[place]) | {"body": digest})[:-1]
    bundle.set_lines(lines)
    bundle.sum_up(sign_it=True)
    return place + 1


@pytest.mark.parametrize("form", AMBIGUOUS)
def test_details_that_can_be_read_in_two_ways_are_read_in_none(bundle: Tampered, form: str) -> None:
    absent = "1" * 64
    seq = give_body(bundle, AMBIGUOUS[form].replace(b"%s", absent.encode()))

    for said, faults in (by_stranger(bundle.folder), by_portalops(bundle.folder)):
        assert said.exit_code == 5
        assert not any(absent in fault for fault in faults), (seq, faults)


def test_the_same_details_read_in_one_way_name_their_evidence(bundle: Tampered) -> None:
    absent = "1" * 64
    deep = b"[" * 98 + b"]" * 98
    seq = give_body(bundle, b'{"evidence":"%s","x":%s,"y":1%s}' % (absent.encode(), deep, b"0" * 4299))

    for said, faults in (by_stranger(bundle.folder), by_portalops(bundle.folder)):
        assert said.exit_code == 5
        assert f"{seq}: record {seq}: blob {absent} is missing" in faults


@pytest.mark.parametrize(
    "value",
    [b"NaN", b"1.5", b'{"a":1,"a":2}', b'{"$x":[]}', b'"\\ud800"', b'"\xe2\x80\xae"', b"7", b"[" * 120 + b"]" * 120],
    ids=range(8),
)
def test_figures_that_cannot_be_counted_again_are_still_written_one_way(tmp_path: Path, value: bytes) -> None:
    ledger = Written(tmp_path / "state")
    plan = ledger.plan()
    ledger.export(tmp_path / "bundle", withheld={plan: "nhân sự"})
    bundle = Tampered(tmp_path / "bundle", tmp_path / "odd", key_of(1))
    path = bundle.folder / "figures.json"
    before, _mark, behind = path.read_bytes().partition(b'"runs":')
    path.write_bytes(before + b'"runs":' + value + behind[behind.index(b',"timezone"') :])
    bundle.sum_up(sign_it=True)

    stranger, portalops = by_stranger(bundle.folder), by_portalops(bundle.folder)

    assert stranger[0].exit_code == portalops[0].exit_code, (stranger, portalops)
    assert (stranger[0].exit_code == 5) == (value not in {b'{"$x":[]}', b'"\xe2\x80\xae"', b"7"})


@pytest.mark.parametrize(
    "body",
    [
        b'{"run":{"outcome":"complete"},"updates":{"days":[%s],broken}}\n',
        b'{"run":{"outcome":"complete"},"updates":{"days":[%s],"share":0.5}}\n',
        b'{"run":{"outcome":"failed"},"days":[%s],"run":{"outcome":"complete"}}\n',
    ],
    ids=["malformed", "no integer", "twice"],
)
def test_a_long_body_that_cannot_be_read_behind_how_its_run_ended_is_no_complete_run(
    tmp_path: Path, body: bytes
) -> None:
    ledger = Written(tmp_path / "state")
    ledger.append("updates.started", "11.1:daily:2026-11-23")
    held = body % b",".join([b'"2026-11-23"'] * 6000)
    ledger.ledger.append("updates.finished", run=RunId("11.1:daily:2026-11-23"), body=held)
    ledger.export(tmp_path / "bundle")
    assert len(held) > LONG_BODY_BYTES

    stranger, portalops = by_stranger(tmp_path / "bundle"), by_portalops(tmp_path / "bundle")

    for said, faults in (stranger, portalops):
        (fault,) = faults
        assert said.exit_code == 5
        assert "figures.json" in fault


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "blobs/../bundle.json",
        "./bundle.json",
        "heads//0000000002.txt",
        "blobs/" + "A" * 64,
        "bundle.json\0",
        "bundle.json ",
        "SHA256SUMS",
        "*bundle.json",
        "\\bundle.json",
        "b\u0075ndle.jsоn",  # one letter of it is Cyrillic
    ],
)
def test_a_list_that_names_other_places_is_refused(bundle: Tampered, name: str) -> None:
    bundle.sum_up(sign_it=False)
    sums = bundle.folder / "SHA256SUMS"
    line = f"{hashlib.sha256(b'').hexdigest()}  {name}\n".encode()
    named = sorted((each[66:], each) for each in (*sums.read_bytes().splitlines(keepends=True), line))
    data = b"".join(each for _name, each in named)
    sums.write_bytes(data)
    (bundle.folder / "SHA256SUMS.sig").write_text(sign(data, bundle.key, "portalops-bundle"))

    stranger, portalops = by_stranger(bundle.folder), by_portalops(bundle.folder)

    assert stranger[0] == portalops[0]
    assert stranger[0].exit_code == 5
    assert any("SHA256SUMS is not in the format of sha256sum" in fault for fault in stranger[1])


def test_no_file_outside_of_the_folder_is_opened(bundle: Tampered) -> None:
    """A list with a way out, and links with another, and what the kernel was asked to open."""
    with (bundle.folder / "SHA256SUMS").open("a") as file:
        for name in ("../../../etc/passwd", "/etc/passwd", "blobs/../../../../etc/passwd"):
            file.write(f"{hashlib.sha256(b'').hexdigest()}  {name}\n")
    (bundle.folder / "figures.json").unlink()
    (bundle.folder / "figures.json").symlink_to("/etc/passwd")
    (bundle.folder / "tsa").symlink_to("/etc")
    traced = subprocess.run(
        ["strace", "-f", "-e", "trace=file", sys.executable, "-I", "-S", VERIFY_PY, bundle.folder],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert traced.returncode == 5
    assert f"{bundle.folder}/ledger.jsonl" in traced.stderr
    assert "passwd" not in traced.stderr


def test_a_list_of_far_too_many_files_is_not_read_to_its_end(bundle: Tampered) -> None:
    with (bundle.folder / "SHA256SUMS").open("w") as file:
        for number in range(400_000):
            file.write(f"{number:064x}  blobs/{number:064x}\n")
    status, peak, _said = measured(bundle.folder)

    assert status == 5
    assert peak < 40


def test_the_bundles_own_files_are_no_modules_of_the_program(bundle: Tampered) -> None:
    """Somebody puts a program of their own beside a trusted verify.py, under a name that Python looks for."""
    for name in ("json", "argparse", "hashlib", "zoneinfo"):
        (bundle.folder / f"{name}.py").write_text(f"open('{bundle.folder.parent}/ran', 'w')\n")
    shutil.copy(VERIFY_PY, bundle.folder / "verify.py")

    done = subprocess.run(
        [sys.executable, "verify.py", "--lang", "en"], check=False, capture_output=True, text=True, cwd=bundle.folder
    )

    assert done.returncode == 5
    assert "json.py does not belong here" in done.stdout
    assert not (bundle.folder.parent / "ran").exists()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_times_at_the_ends_of_the_calendar_are_a_verdict(original: Path, tmp_path: Path, at: str) -> None:
    bundle = Tampered(original, tmp_path / "bundle", key_of(2))
    lines = bundle.lines()
    body = b'{"withdrawal":{"approved_by":"","id":"w1","reason":""}}\n'
    digest = hashlib.sha256(body).hexdigest()
    (bundle.folder / "blobs" / digest).write_bytes(body)
    fields = json.loads(lines[-1]) | {"kind": "waiver.withdrawn", "body": digest, "run": "", "at": at}
    bundle.set_lines(chained([*lines, written(fields)[:-1]], len(lines)))
    bundle.describe()
    bundle.sum_up(sign_it=True)

    done = verified(bundle.folder)

    assert done.returncode == 5, done
    assert by_stranger(bundle.folder)[0] == by_portalops(bundle.folder)[0]


MEASURING = """
import runpy, sys
program, *sys.argv[1:] = sys.argv[1:]
try:
    runpy.run_path(program, run_name="__main__")
finally:
    with open("/proc/self/status") as file:
        peak = next(line for line in file if line.startswith("VmHWM"))
    sys.stderr.write(peak)
"""


def measured(folder: Path) -> tuple[int, int, Any]:
    """Return exit status, the most memory that the program ever had in MiB (Python itself takes about 15), and its JSON."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURING, VERIFY_PY, folder, "--json"],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, int(done.stderr.split()[-2]) >> 10, json.loads(done.stdout)


@pytest.mark.heavy
def test_a_line_of_two_gigabytes_is_named_and_takes_no_memory(bundle: Tampered) -> None:
    at = len(b"".join(line + b"\n" for line in bundle.lines()[:9])) + 40
    _grow(bundle.folder / "ledger.jsonl", 2 << 30, at=at)

    status, peak, said = measured(bundle.folder)

    assert status == 5
    assert {"seq": 10, "what": "record 10 does not have the format that portalops writes"} in said["integrity"][
        "faults"
    ]
    assert peak < 40


@pytest.mark.heavy
@pytest.mark.parametrize("unit", [b"[],", b"{},", b'{"a":0},', b"[[[[[]]]]],", b'"\xe1\xba\xa1",'])
def test_the_worst_details_take_bounded_memory(bundle: Tampered, unit: bytes) -> None:
    body = b'{"evidence":[' + unit * (((16 << 20) - 100) // len(unit)) + b"[]]}"
    give_body(bundle, body)

    status, peak, _said = measured(bundle.folder)

    assert status == 5
    assert peak < 1024
