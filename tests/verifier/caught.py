"""What somebody may do to a bundle, and the box of a written page that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from portalops.ledger.heads import code_of, newest_head
from portalops.registers.signers import allowed_signers_line
from tests.ledger.bundle.bundles import Written, key_of
from tests.verifier.scene import VERIFY_PY, Tampered, chained, full


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
    (home / "my-head.sig").write_text(head.signed.signature)
    (home / "my-item.txt").write_text("soyte-rss\nu:https://soyte.khanhhoa.example/tin/5\nSở Y tế\n")
    (home / "verify.py").write_bytes(VERIFY_PY.read_bytes())
    line = allowed_signers_line("unit", "portalops-head", written.key.public_key, None, None)
    (home / "my-signers.txt").write_text(line)


def whole_scene(folder: Path) -> Scene:
    """Make a bundle in which nothing is amiss, some of whose heads an auditor has kept."""
    written = full(folder / "state")
    written.head()
    keep(written, folder / "home")
    written.append("note.added", note={"text": "behind the head that was kept"})
    written.export(folder / "bundle")
    return Scene(written, folder / "bundle", folder / "home")


GOOD: Mapping[str, str] = {
    "short": r".*RESULT: nothing was changed since it was signed, and nothing expected is missing\.\n",
    "short-mine": r"(.*RESULT: nothing was changed since it was signed, and nothing expected is missing\.\n){3}",
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
    "left-out": r'(?:"erased":\{"approved_by":"Giám đốc","digest":"[0-9a-f]{64}","reason":"dữ liệu cá nhân"\}\n'
    r'|"waiver":\{"approved_by":"Giám đốc","document":"12/QĐ",[^}]*"valid_to":"2026-11-30"\}\n){2}',
    "heads": r'(Good "portalops-head" signature for [0-9a-f]{32} with ED25519 key SHA256:\S{43}\n){6}',
    "heads-lines": "",
    "my-head": r"digest [0-9a-f]{64}\nledger [0-9a-f]{32}\n",
    "my-code": r"(\d+(?:-[0-9a-f]{4}){5})\n\1\n",
    "my-signature": r'Good "portalops-head" signature for unit with ED25519 key SHA256:\S{43}\n',
    "tokens": "",
    "my-tokens": "",
    "crashed": "",
    "missing": "daily-check 2026-11-23\n",  # the plan is of that day, and so begins with the next
    "weeks": r"(2026-11-2\d portal: (met|unmet), updates 1\n){6}"
    r"2026-W48 so-y-te: met, K1 2 met, K2 0 unmet, due 2, looked at 100 %\n",
    "item": r"2026-11-26T01:00:00Z ok true new 1: [0-9a-f]{64} shows it\n"
    r'"day":"2026-11-24","flags":\[\],"grade":"A","observation":"[0-9a-f]{32}"\n',
    "papers": "",
    "incidents": "",
    "registers": "",
    "sign-offs": r'[0-9a-f]{64}  compliance\.vi\.html\nGood "portalops-signoff" signature for nguyen-van-a with ED25519 key SHA256:\S{43}\n',
}


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
    drop_record: (Case("chain", "record 7 does not join"), Case("python", "record 8 is stored as number 7")),
    set_back: (Case("times", "disorder: 2025"), Case("python", "record 9 has the time 2025")),
    rewrite: (
        Case("heads-lines", r"heads/\d+\.txt: record \d+ is another one"),
        Case("my-head", r"record \d+ is not what it was"),
        Case("my-code", r"(\d+)-(.*)\n\1-(?!\2)"),
        Case("python-mine", r"Your .*my-head\.txt: it DOES NOT HOLD"),
    ),
    cut: (
        Case("my-head", r"record \d+ is not what it was"),
        Case("my-code", "-e3b0-c442-98fc-1c14-9afb"),
        Case("python-mine", r"its end was cut off"),
    ),
    change_blob: (
        Case("sums", r"blobs/[0-9a-f]{64}: FAILED"),
        Case("blobs", r"blobs/[0-9a-f]{64}"),
        Case("python", r"record \d+: blob [0-9a-f]{64} does not match its digest"),
    ),
    remove_blob: (Case("details", r"(?m)^6$"), Case("python", "record 6: blob [0-9a-f]{64} is missing")),
    change_report: (
        Case("sums", r"report\.vi\.html: FAILED"),
        Case("python", r"report\.vi\.html does not match its digest in SHA256SUMS"),
    ),
    add_file: (Case("listed", r"notes\.txt"), Case("python", r"notes\.txt does not belong here")),
    list_anew: (
        Case("sums-signature", "(?i)incorrect signature|could not verify signature"),
        Case("python", "the signature of SHA256SUMS is not valid"),
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
        Case("python", "allowed_signers contradicts the records"),
    ),
    add_record_behind: (
        Case("heads-lines", r'\{"at":.*"kind":"note\.added"'),
        Case("python", "are not covered by a head"),
    ),
    change_sign_off: (Case("sign-offs", "does not hold"), Case("blobs", "blobs/")),
}
CASES = [(change, case) for change, cases in CAUGHT.items() for case in cases]
