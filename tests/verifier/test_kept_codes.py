"""A code that an auditor kept is answered in the same words by `ledger verify` and verify.py, whose sentences are verify.html's too."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.ledger.verify import bundle_view
from portalops.ledger.bundle.verification import verify_bundle
from portalops.ledger.check_heads import parse_code, read_supplied_head
from portalops.ledger.verify import Supplied
from portalops.locale import render
from portalops.registers.signers import parse_allowed_signers
from tests.ledger.bundle.bundles import key_of
from tests.verifier.scene import verify_py


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("code", ["30-0000-0000-0000-0000-0000", "99-A1B2-0000-0000-0000-0000"])
def test_a_code_that_does_not_hold_is_answered_in_the_same_words(original: Path, code: str, language: str) -> None:
    mine = verify_bundle(original, brought=Supplied((parse_code(code),)))
    module = verify_py()
    theirs = module.Check(str(original), module.read_brought([], [code]), None)

    found = [(fault.seq, render(fault.what, language)) for fault in mine.integrity.faults]

    assert found == [(seq, getattr(said, language)) for seq, said in theirs.first_faults()]
    assert len(found) == 1


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_head_of_another_ledger_and_a_foreign_key_are_named_in_the_same_words(
    original: Path, tmp_path: Path, language: str
) -> None:
    text = (original / "heads" / "0000000030.txt").read_text(encoding="utf-8")
    head = tmp_path / "head.txt"
    head.write_text(text.replace(text.splitlines()[1], f"ledger {'0' * 32}"), encoding="utf-8")
    signers = tmp_path / "signers"
    signers.write_text(f"unit {key_of(7).public_key}\n", encoding="utf-8")
    trusted = parse_allowed_signers(signers.read_text(encoding="utf-8"))
    mine = verify_bundle(original, brought=Supplied((read_supplied_head(str(head), head.read_bytes()),), trusted))
    module = verify_py()
    theirs = module.Check(str(original), module.read_brought([str(head)], []), module.read_trusted(str(signers)))

    found = [(fault.seq, render(fault.what, language)) for fault in mine.integrity.faults]

    assert sorted(found) == sorted((seq, getattr(said, language)) for seq, said in theirs.first_faults())
    assert len(found) == 2


def test_the_words_for_what_holds_are_those_of_verify_py(original: Path) -> None:
    code = "30-" + "-".join(
        (original / "heads" / "0000000030.txt").read_text(encoding="utf-8").splitlines()[3][7 + at : 11 + at]
        for at in range(0, 20, 4)
    )
    found = verify_bundle(original, brought=Supplied((parse_code(code),)))

    assert "it holds" in repr(tuple(bundle_view(found)))
    assert verify_py().VI["  Your {name}: it holds"].endswith(": khớp")
