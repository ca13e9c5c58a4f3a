"""The page in every bundle: each of its commands succeeds on a bundle that is whole, and the right one fails on any other."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portalops.ledger.heads import code_of, newest_head
from portalops.registers.signers import allowed_signers_line
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY, START
from tests.verifier.pages import HOW_TO, Printed, boxes, run
from tests.verifier.scene import Tampered, full, stamped, today

BOXES = (
    "python",
    "python-mine",
    "sums",
    "listed",
    "key",
    "sums-signature",
    "chain",
    "times",
    "blobs",
    "details",
    "left-out",
    "heads",
    "heads-lines",
    "my-head",
    "my-code",
    "tokens",
    "crashed",
    "missing",
    "sign-offs",
)
"""The boxes of the page, in order."""


@dataclass(frozen=True)
class Scene:
    """A bundle, and an auditor's home folder with what was kept earlier."""

    written: Written
    bundle: Path
    home: Path


def keep(written: Written, home: Path) -> None:
    """Keep the newest head, its code and the key, as an auditor does."""
    head = newest_head(written.ledger)
    assert head is not None
    home.mkdir()
    (home / "my-head.txt").write_text(head.signed.text)
    (home / "my-code.txt").write_text(code_of(head.head) + "\n")
    line = allowed_signers_line("unit", "portalops-head", written.key.public_key, None, None)
    (home / "my-signers.txt").write_text(line)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("whole")
    written = full(folder / "state")
    written.head()
    keep(written, folder / "home")
    written.append("note.added", note={"text": "behind the head that was kept"})
    written.export(folder / "bundle")
    return Scene(written, folder / "bundle", folder / "home")


def box(name: str, language: str = "en") -> str:
    return boxes(HOW_TO[language])[BOXES.index(name)]


def test_both_languages_give_the_same_commands() -> None:
    vietnamese, english = boxes(HOW_TO["vi"]), boxes(HOW_TO["en"])

    assert vietnamese == english
    assert len(english) == len(BOXES)


def test_its_first_page_says_what_nothing_can_prove() -> None:
    for language, words in (("en", "no check of this folder can prove"), ("vi", "không cách kiểm tra nào")):
        text = HOW_TO[language].read_text(encoding="utf-8")
        assert text.index(words) < text.index("```")


GOOD: Mapping[str, str] = {
    "python": r".*RESULT: nothing was changed since it was signed, and nothing expected is missing\.\n",
    "python-mine": r"(.*RESULT: nothing was changed[^\n]*\n){3}",
    "sums": "",
    "listed": "",
    "key": r"256 SHA256:\S{43} no comment \(ED25519\)\n256 SHA256:\S{43} no comment \(ED25519\)\n",
    "sums-signature": r'Good "portalops-bundle" signature for [0-9a-f]{32} with ED25519 key SHA256:\S{43}\n',
    "chain": r"([0-9a-f]{64} \d+)\n\1\n",
    "times": "",
    "blobs": "",
    "details": r"\d+\n",  # of the one that was erased
    "left-out": r'"erased":\{"approved_by":"Giám đốc","digest":"[0-9a-f]{64}","reason":"dữ liệu cá nhân"\}\n',
    "heads": r'(Good "portalops-head" signature for [0-9a-f]{32} with ED25519 key SHA256:\S{43}\n){6}',
    "heads-lines": "",
    "my-head": r"digest [0-9a-f]{64}\nledger [0-9a-f]{32}\n",
    "my-code": r"(\d+(?:-[0-9a-f]{4}){5})\n\1\n",
    "tokens": "",
    "crashed": "",
    "missing": "daily-check 2026-11-23\n",  # the plan is of that day, and so begins with the next
    "sign-offs": r'[0-9a-f]{64}  compliance\.vi\.html\nGood "portalops-signoff" signature for nguyen-van-a with ED25519 key SHA256:\S{43}\n',
}


@pytest.mark.parametrize("name", BOXES)
def test_each_command_says_that_a_whole_bundle_is_whole(whole: Scene, name: str) -> None:
    before = sorted(path.relative_to(whole.bundle) for path in whole.bundle.rglob("*"))
    done = run(box(name), whole.bundle, whole.home)

    assert re.fullmatch(GOOD[name], done.out, re.DOTALL), done
    assert done.err == ""
    assert sorted(path.relative_to(whole.bundle) for path in whole.bundle.rglob("*")) == before


def test_the_command_for_time_stamps_asks_openssl(tmp_path: Path) -> None:
    written, root = stamped(tmp_path / "state", tmp_path / "tsa")
    written.export(tmp_path / "bundle", period=today(), certificates={"tsa": root})
    good = run(box("tokens"), tmp_path / "bundle", tmp_path)
    head = next((tmp_path / "bundle" / "heads").glob("*.tsr")).name.split(".")[0]
    (tmp_path / "bundle" / "heads" / f"{head}.txt").write_text("another head\n")

    bad = run(box("tokens"), tmp_path / "bundle", tmp_path)

    assert re.fullmatch(r"Verification: OK\nTime stamp: .* GMT\n", good.out), good
    assert "Verification: FAILED" in bad.out


def _rename(line: bytes) -> bytes:
    return line.replace(b'"subject":""', b'"subject":"x"')


def change_record(bundle: Tampered) -> None:
    lines = bundle.lines()
    lines[5] = _rename(lines[5])
    bundle.set_lines(lines)


def drop_record(bundle: Tampered) -> None:
    bundle.set_lines([line for place, line in enumerate(bundle.lines(), 1) if place != 7])


def set_back(bundle: Tampered) -> None:
    lines = bundle.lines()
    lines[8] = lines[8].replace(b'{"at":"2026', b'{"at":"2025')
    bundle.set_lines(lines)


def rewrite(bundle: Tampered) -> None:
    """Rewrite the records from the 6th on, with everything made new but the heads."""
    from tests.verifier.scene import chained

    lines = bundle.lines()
    lines[5] = _rename(lines[5])
    bundle.set_lines(chained(lines, 5))
    bundle.describe()
    bundle.sum_up(sign_it=True)


def cut(bundle: Tampered) -> None:
    """Cut the tail together with its heads, with everything made new."""
    lines = bundle.lines()
    bundle.set_lines(lines[:9])
    for path in (bundle.folder / "heads").iterdir():
        if int(path.name.split(".")[0]) > 8:
            path.unlink()
    bundle.describe()
    bundle.sum_up(sign_it=True)


def change_blob(bundle: Tampered) -> None:
    blob = sorted((bundle.folder / "blobs").iterdir())[3]
    blob.write_bytes(blob.read_bytes() + b"more\n")


def remove_blob(bundle: Tampered) -> None:
    digest = bundle.lines()[5][41:105].decode()
    (bundle.folder / "blobs" / digest).unlink()
    bundle.sum_up(sign_it=True)


def change_report(bundle: Tampered) -> None:
    (bundle.folder / "report.vi.html").write_text("another one")


def add_file(bundle: Tampered) -> None:
    (bundle.folder / "notes.txt").write_text("mine")


def list_anew(bundle: Tampered) -> None:
    change_report(bundle)
    bundle.sum_up(sign_it=False)


def change_head(bundle: Tampered) -> None:
    head = sorted((bundle.folder / "heads").glob("*.txt"))[1]
    head.write_text(head.read_text().replace("\nat 2026", "\nat 2027"))


def swap_signatures(bundle: Tampered) -> None:
    one, other = sorted((bundle.folder / "heads").glob("*.sig"))[:2]
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def another_key(bundle: Tampered) -> None:
    """Take the place of the ledger's key in allowed_signers."""
    signers = bundle.folder / "allowed_signers"
    signers.write_text(signers.read_text().replace(key_of(2).public_key, key_of(3).public_key))
    bundle.key = key_of(3)
    bundle.sum_up(sign_it=True)


def add_record_behind(bundle: Tampered) -> None:
    from tests.verifier.scene import chained

    lines = bundle.lines()
    bundle.set_lines(chained([*lines, lines[7].replace(b'"kind":"head"', b'"kind":"note.added"')], len(lines)))
    bundle.describe()
    bundle.sum_up(sign_it=True)


def change_sign_off(bundle: Tampered) -> None:
    """Let the person have signed another report."""
    for blob in (bundle.folder / "blobs").iterdir():
        if b'"sign_off":' in blob.read_bytes():
            blob.write_bytes(blob.read_bytes().replace(b"compliance.vi.html\\n", b"another-one.vi.html\\n"))


@dataclass(frozen=True)
class Case:
    """What somebody does, and what the right box prints of it."""

    box: str
    prints: str


CAUGHT: Mapping[Callable[[Tampered], None], tuple[Case, ...]] = {
    change_record: (
        Case("sums", r"ledger\.jsonl: FAILED"),
        Case("chain", "record 7 does not join"),
        Case("python", r"cannot be trusted is 6\."),
    ),
    drop_record: (Case("chain", "record 7 does not join"), Case("python", r"at place 7 stands record 8")),
    set_back: (Case("times", "disorder: 2025"), Case("python", "record 9 is of 2025")),
    rewrite: (
        Case("heads-lines", r"heads/\d+\.txt: record \d+ is another one"),
        Case("my-head", r"record \d+ is not what it was"),
        Case("my-code", r"(\d+)-(.*)\n\1-(?!\2)"),
        Case("python-mine", r"You brought .*my-head\.txt: it DOES NOT HOLD"),
    ),
    cut: (
        Case("my-head", r"record \d+ is not what it was"),
        Case("my-code", "-e3b0-c442-98fc-1c14-9afb"),
        Case("python-mine", r"those from 10 on are missing"),
    ),
    change_blob: (
        Case("sums", r"blobs/[0-9a-f]{64}: FAILED"),
        Case("blobs", r"blobs/[0-9a-f]{64}"),
        Case("python", r"record \d+: blob [0-9a-f]{64} is not what it was"),
    ),
    remove_blob: (Case("details", r"(?m)^6$"), Case("python", "record 6: blob [0-9a-f]{64} is missing")),
    change_report: (
        Case("sums", r"report\.vi\.html: FAILED"),
        Case("python", r"report\.vi\.html is not what SHA256SUMS"),
    ),
    add_file: (Case("listed", r"notes\.txt"), Case("python", r"notes\.txt does not belong here")),
    list_anew: (
        Case("sums-signature", "(?i)incorrect signature|could not verify signature"),
        Case("python", "the signature of SHA256SUMS does not hold"),
    ),
    change_head: (
        Case("heads", r"heads/\d+\.txt: the signature does not hold"),
        Case("python", r"heads/\d+\.txt is not the head in record"),
    ),
    swap_signatures: (
        Case("heads", r"heads/\d+\.txt: the signature does not hold"),
        Case("python", r"heads/\d+\.sig is not the head in record"),
    ),
    another_key: (
        Case("heads", r"heads/\d+\.txt: the signature does not hold"),
        Case("python", "allowed_signers is not what the records say"),
    ),
    add_record_behind: (
        Case("heads-lines", r'\{"at":.*"kind":"note\.added"'),
        Case("python", "are under no head"),
    ),
    change_sign_off: (Case("sign-offs", "does not hold"), Case("blobs", "blobs/")),
}
CASES = [(change, case) for change, cases in CAUGHT.items() for case in cases]


@pytest.mark.parametrize(("change", "case"), CASES, ids=[f"{change.__name__}-{case.box}" for change, case in CASES])
def test_the_right_command_names_what_was_done(
    whole: Scene, tmp_path: Path, change: Callable[[Tampered], None], case: Case
) -> None:
    bundle = Tampered(whole.bundle, tmp_path / "bundle", whole.written.key)
    change(bundle)

    done = run(box(case.box), bundle.folder, whole.home)

    assert not re.fullmatch(GOOD[case.box], done.out, re.DOTALL) or done.err
    assert re.search(case.prints, done.out + done.err), done
    assert "Traceback" not in done.err


def test_what_was_kept_shows_another_ledger_of_the_same_unit(whole: Scene, tmp_path: Path) -> None:
    other = full(tmp_path / "state")
    other.export(tmp_path / "bundle")

    done = run(box("my-head"), tmp_path / "bundle", whole.home)

    assert "it is another ledger" in done.out
    assert re.search("is a head of another ledger", run(box("python-mine"), tmp_path / "bundle", whole.home).out)


def test_crashed_and_missing_runs_are_found_with_grep(tmp_path: Path) -> None:
    written = Written(tmp_path / "state")
    written.plan(DAILY)
    written.at(START + timedelta(days=1))
    written.append("check.started", "12.4-testing:daily-check:2026-11-24")
    for number in (2, 3, 5, 6):
        written.at(START + timedelta(days=number))
        written.check(written.clock.at.date())
    written.export(tmp_path / "bundle")

    crashed = run(box("crashed"), tmp_path / "bundle", tmp_path)
    missing = run(box("missing"), tmp_path / "bundle", tmp_path)
    program = run(box("python"), tmp_path / "bundle", tmp_path)

    assert crashed.out == "check 12.4-testing:daily-check:2026-11-24\n"
    assert missing.out.splitlines() == ["daily-check 2026-11-23", "daily-check 2026-11-27"]
    assert "daily-check 2026-11-27" in program.out
    assert program.status == 1


def test_withheld_details_are_named_with_their_reason(tmp_path: Path) -> None:
    written = full(tmp_path / "state")
    digest = written.append("note.added", note={"name": "Lê Văn C"})
    written.export(tmp_path / "bundle", withheld={digest: "hồ sơ cán bộ"})

    assert f'{{"digest":"{digest}","reason":"hồ sơ cán bộ"}}' in run(box("left-out"), tmp_path / "bundle", tmp_path).out
    assert run(box("python"), tmp_path / "bundle", tmp_path).status == 0


def test_the_vietnamese_page_runs_in_a_folder_with_spaces(whole: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "Gói bằng chứng tháng 11"
    shutil.copytree(whole.bundle, folder)

    for name, text in zip(BOXES, boxes(HOW_TO["vi"]), strict=True):
        done: Any = run(text, folder, whole.home)
        assert re.fullmatch(GOOD[name], done.out, re.DOTALL), (name, done)
        assert isinstance(done, Printed)
