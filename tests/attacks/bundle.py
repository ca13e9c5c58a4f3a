"""A bundle as a stranger gets it, checked as a stranger does: `verify.py` from elsewhere, with Python alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from portalops.ledger.bundle import verify as verifier
from portalops.ledger.bundle import verify_bundle
from portalops.ledger.check_heads import parse_code, read_supplied_head
from portalops.ledger.verify import Supplied
from portalops.registers.signers import parse_allowed_signers
from portalops.signatures.sshsig import SigningKey, sign
from tests.attacks.scene import END, Auditor, Done, Portal, python


@dataclass(frozen=True)
class Checked:
    """What `verify.py` says."""

    code: int
    data: Any
    text: str

    @property
    def first_bad(self) -> int | None:
        found: int | None = self.data["integrity"]["first_bad"]
        return found


def export(portal: Portal, folder: Path, *, at: datetime = END, period: str = "2026-11") -> Done:
    """Have the portal hand out a bundle."""
    return portal.call("ledger", "export", "--period", period, "--output", str(folder), "--language", "en", at=at)


def check(folder: Path, *options: str) -> Checked:
    """Check a bundle with a verify.py that did not come with it."""
    done = python(Path(verifier.__file__), str(folder), "--json", *options, folder=folder.parent)
    assert done.stderr == "", done.stderr
    return Checked(done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else None, done.stdout)


def both(folder: Path, auditor: Auditor, *what: str) -> Checked:
    """Check a bundle by `verify.py` and by portalops itself, which must find the same."""
    checked = check(folder, *auditor.options(*what))
    heads = [read_supplied_head(str(auditor.head), auditor.head.read_bytes())] if "head" in what else []
    heads += [parse_code(auditor.code)] if "code" in what else []
    trusted = parse_allowed_signers(auditor.signers.read_text()) if "signers" in what else None
    own = verify_bundle(folder, brought=Supplied(tuple(heads), trusted))
    assert (own.integrity.holds, own.integrity.first_bad) == (
        checked.data["integrity"]["holds"],
        checked.first_bad,
    ), (checked.text[:2000], own.integrity.faults)
    assert own.completeness.holds == checked.data["completeness"]["holds"]
    return checked


def seal(folder: Path, key: SigningKey) -> None:
    """Make a bundle's sums anew and sign them, as whoever changes a bundle does."""
    sums = folder / "SHA256SUMS"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if name not in {"SHA256SUMS", "SHA256SUMS.sig"}
    ]
    sums.write_text("".join(lines))
    (folder / "SHA256SUMS.sig").write_text(sign(sums.read_bytes(), key, "portalops-bundle"))
