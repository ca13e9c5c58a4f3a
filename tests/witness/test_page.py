"""docs/witness.md says what the program does."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import textwrap
from pathlib import Path

from commands.cli.kinds import typed
from portalops.config import load
from portalops.ledger.heads import head_digest
from portalops.model.record import Digest
from portalops.witness.extensions import read_extension, write_extension
from portalops.witness.polling import WitnessVerdict
from portalops.witness.receipts import Receipt, sign_receipt
from portalops.witness.rules import HeadRefusal
from tests.servers import new_key
from tests.witness.watched import KEY, Watched

PAGE = (Path(__file__).parents[2] / "docs/witness.md").read_text(encoding="utf-8")


def test_the_configuration_on_the_page_is_one(tmp_path: Path) -> None:
    block = textwrap.dedent(PAGE.partition("with `/etc/portalops/witness.toml`:\n\n")[2].partition("\n\nIt needs")[0])
    file = tmp_path / "witness.toml"
    file.write_text(block.replace("ssh-ed25519 AAAA...", KEY.public_key), encoding="utf-8")

    settings = load(file, {})

    assert [table.kind for table in settings.witnessed] == ["ssh"]
    typed(settings.witnessed[0])


def test_the_page_has_every_verdict_and_every_reason() -> None:
    table = PAGE.partition("## One poll")[2].partition("##")[0]
    rows = dict(re.findall(r"^\| `([a-z]+)` \| (\d) \|", table, re.MULTILINE))

    assert rows == {verdict.value: str(int(verdict.exit_code)) for verdict in WitnessVerdict}
    assert [reason.value for reason in HeadRefusal if f"`{reason.value}`" not in PAGE] == []


def test_an_extension_has_the_keys_on_the_page_and_its_lines_are_the_hashed_bytes(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "state")
    watched.work()
    head = watched.head()
    data = write_extension(watched.extension(0, head))
    found = json.loads(data)

    named = re.findall(r"^\| `([a-z]+)` \| [^|\d]", PAGE.partition("## An extension")[2], re.MULTILINE)

    assert {*named, "format"} == set(found)
    assert data == json.dumps(found, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    assert hashlib.sha256(found["lines"][-1].encode()).hexdigest() == head.head.digest
    assert read_extension(data) == watched.extension(0, head)


def test_a_receipt_is_checked_by_hand_as_the_page_says(tmp_path: Path) -> None:
    new_key(tmp_path / "witness")
    from portalops.signatures.sshsig import SigningKey

    key = SigningKey.load(tmp_path / "witness")
    watched = Watched(tmp_path / "state")
    head = watched.head()
    receipt = Receipt(
        head.head.ledger, head.head.size, Digest(head_digest(head.signed.text)), watched.clock.now(), "khanh-hoa"
    )
    (tmp_path / "FILE").write_bytes(sign_receipt(receipt, key).data)
    commands = textwrap.dedent(PAGE.partition("By hand:\n\n")[2].partition("\n\n##")[0])

    done = subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, capture_output=True, check=False, text=True)

    assert done.returncode == 0, done.stderr
    assert "Good" in done.stdout
