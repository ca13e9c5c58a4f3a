"""What the two programs say, as processes, of input that is none of theirs: one verdict, its exit status, no traceback."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from portalops.ledger.heads import NAMESPACE
from portalops.signatures.sshsig import sign
from tests.ledger.bundle.bundles import key_of
from tests.verifier.scene import VERIFY_PY, Tampered, full


@pytest.fixture(scope="module")
def other_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head of another ledger."""
    folder = tmp_path_factory.mktemp("other")
    full(folder / "state").export(folder / "bundle")
    return min((folder / "bundle" / "heads").glob("*.txt"))


def untouched(_bundle: Tampered) -> None:
    """Change nothing."""


def cut_in_a_line(bundle: Tampered) -> None:
    path = bundle.folder / "ledger.jsonl"
    path.write_bytes(b"\n".join(bundle.lines()[:9]) + b"\n" + bundle.lines()[9][:80])


def cut_behind_a_line(bundle: Tampered) -> None:
    bundle.set_lines(bundle.lines()[:9])


def empty(bundle: Tampered) -> None:
    (bundle.folder / "ledger.jsonl").write_bytes(b"")


def rename_blob(bundle: Tampered) -> None:
    digest = bundle.lines()[5][41:105].decode()
    (bundle.folder / "blobs" / digest).rename(bundle.folder / "blobs" / ("0" * 64))


def sign_the_list_with_a_strangers_key(bundle: Tampered) -> None:
    bundle.key = key_of(5)
    bundle.sum_up(sign_it=True)


def sign_a_head_with_a_strangers_key(bundle: Tampered) -> None:
    head = min((bundle.folder / "heads").glob("*.txt"))
    head.with_suffix(".sig").write_text(sign(head.read_bytes(), key_of(5), NAMESPACE))
    bundle.sum_up(sign_it=True)


def a_foreign_file_for_the_ledger(bundle: Tampered) -> None:
    (bundle.folder / "ledger.jsonl").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" * 1000)


def a_foreign_file_for_the_description(bundle: Tampered) -> None:
    (bundle.folder / "bundle.json").write_bytes(b"PK\3\4" + bytes(1000))


@dataclass(frozen=True)
class Case:
    """A deed, what is asked for beside the bundle, and what both programs answer."""

    deed: Callable[[Tampered], None]
    exit_code: int
    says: str
    arguments: tuple[str, ...] = ()
    bundle: str = "bundle"


CASES = (
    Case(cut_in_a_line, 5, "record 10 does not have the format that portalops writes"),
    Case(cut_behind_a_line, 5, r"records 10 (to|\.\.) ?\d+ are missing|cannot be trusted[^\n]*10"),
    Case(empty, 5, r"(?i)cannot be trusted[^\n]*1\b"),
    Case(rename_blob, 5, r"record 6: blob [0-9a-f]{64} is missing"),
    Case(sign_the_list_with_a_strangers_key, 5, r"SHA256SUMS[^\n]*key"),
    Case(sign_a_head_with_a_strangers_key, 5, r"heads/\d+\.sig is not the head"),
    Case(a_foreign_file_for_the_ledger, 5, "record 1 does not have the format that portalops writes"),
    Case(a_foreign_file_for_the_description, 5, r"bundle\.json does not have the format that portalops writes"),
    Case(untouched, 5, r"(?i)head of another ledger|belongs to another ledger", ("--head", "other-head.txt")),
    Case(untouched, 2, r"(?i)head", ("--head", "bundle/report.vi.html")),
    Case(untouched, 2, r"cannot (be )?read nowhere|nowhere cannot be read", ("--head", "nowhere")),
    Case(untouched, 2, r"cannot (be )?read nowhere|nowhere cannot be read", ("--signers", "nowhere")),
    Case(untouched, 2, r"allowed_signers", ("--signers", "bundle/report.vi.html")),
    Case(untouched, 2, r"bundle|folder", (), "bundle/report.vi.html"),
    Case(untouched, 2, r"bundle", (), "bundle/blobs"),
    Case(untouched, 2, r"bundle|folder", (), "nowhere"),
)

PROGRAMS = {
    "verify.py": ("-I", "-S", str(VERIFY_PY)),
    "portalops": (
        "-c",
        "import sys; from commands.cli.entry import run; sys.exit(run(sys.argv[1:], {}))",
        "ledger",
        "verify",
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.deed.__name__}{' '.join(('', *case.arguments, case.bundle))}"
)
def test_foreign_and_broken_input_has_a_clear_verdict(
    bundle: Tampered, other_head: Path, tmp_path: Path, case: Case, program: str
) -> None:
    case.deed(bundle)
    (tmp_path / "other-head.txt").symlink_to(other_head)

    command = [sys.executable, *PROGRAMS[program], case.bundle, *case.arguments]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    said = done.stdout + done.stderr
    assert done.returncode == case.exit_code, said
    assert "Traceback" not in said
    assert re.search(case.says, re.sub(r"\s+", " ", said)), said
