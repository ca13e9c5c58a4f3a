"""docs/ledger-format.md against the code: the kinds, the bodies' keys, and a worked example that is computed anew."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib
import re
import subprocess
import typing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops import bodies
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.heads import NAMESPACE, code_of, head_digest, text_of
from portalops.ledger.record import CREATED, GENESIS, Draft, encode, is_kind, line_digest, parse
from portalops.model.adopted import AdoptedPoll
from portalops.model.archive import Inventory, InventoryRun
from portalops.model.availability import SampleBatch
from portalops.model.backups import BackupResult, CopyResult, DrillResult, VerifyResult
from portalops.model.calendar_notices import CalendarNotice
from portalops.model.cases import CaseMove
from portalops.model.changes import (
    ChangeApproval,
    ChangeBegun,
    ChangeClosed,
    ChangeCorrected,
    ChangeDone,
    ChangeNotice,
    ChangeRequest,
)
from portalops.model.checks import CheckScan
from portalops.model.claims import ToolReport
from portalops.model.confirmations import Confirmation
from portalops.model.credentials import Credential, CredentialHandOver, CredentialReturn, CredentialRotation, Leaving
from portalops.model.exemptions import Exemption, ExemptionWithdrawal
from portalops.model.findings import FindingClosed
from portalops.model.heads import AnchorResult, Erasure, Head, KeyEvent, SignedHead, SignOff
from portalops.model.hosts import Enrolment
from portalops.model.installations import Installation
from portalops.model.late_backups import LateBackup
from portalops.model.mailings import MailAnswer, Mailing
from portalops.model.media import MediumCheck, MediumEntry, MediumMove
from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.model.places import HandOver, Sighting
from portalops.model.record import Digest
from portalops.model.retention import Hold, PruneMark, PruneResult
from portalops.model.runs import JobKind, Plan, ReportResult, RunSummary
from portalops.model.sent import SentReport
from portalops.model.submissions import AttestationWithdrawal, ObservedItem, RegisteredPaper
from portalops.model.updates import UpdatesResult
from portalops.model.waivers import Waiver, WaiverWithdrawal
from portalops.registers.alarms import ALARM_KINDS
from portalops.registers.attested import ATTESTED_KINDS
from portalops.registers.cases import CASE_KINDS
from portalops.registers.changes import CHANGE_KINDS
from portalops.registers.confirmations import CONFIRMATION_KINDS
from portalops.registers.credentials import CREDENTIAL_KINDS
from portalops.registers.discs import DISC_KINDS
from portalops.registers.erasures import INERASABLE
from portalops.registers.exemptions import EXEMPTION_KINDS
from portalops.registers.incidents import INCIDENT_KINDS
from portalops.registers.installations import INSTALLATION
from portalops.registers.mailings import MAIL_KINDS
from portalops.registers.notifications import FAILED, SENT
from portalops.registers.places import PLACE_KINDS
from portalops.registers.signers import KEY_ADDED, LEDGER_NAMESPACES, allowed_signers_line
from portalops.registers.waivers import WAIVER_KINDS
from portalops.signatures.sshsig import SigningKey, fingerprint, sign

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "ledger-format.md").read_text(encoding="utf-8")

BODIES: tuple[type, ...] = (
    *(
        Plan,
        Installation,
        RunSummary,
        BackupResult,
        LateBackup,
        CopyResult,
        VerifyResult,
        DrillResult,
        CheckScan,
        UpdatesResult,
        CaseMove,
        Exemption,
        ExemptionWithdrawal,
        CalendarNotice,
        SentReport,
        ReportResult,
        Mailing,
        MailAnswer,
        AnchorResult,
    ),
    *(PruneResult, PruneMark, Hold, MediumEntry, MediumMove, MediumCheck),
    *(AdoptedPoll, Inventory, InventoryRun, FindingClosed, ToolReport, Enrolment, SampleBatch),
    *(Sighting, HandOver),
    *(Confirmation, ObservedItem, RegisteredPaper, AttestationWithdrawal),
    *(ChangeRequest, ChangeNotice, ChangeApproval, ChangeBegun, ChangeDone, ChangeClosed, ChangeCorrected),
    *(Credential, CredentialRotation, CredentialHandOver, CredentialReturn, Leaving),
    *(SignedHead, KeyEvent, SignOff, Erasure, Waiver, WaiverWithdrawal),
)
"""What stands in bodies besides `circumstances`, whose keys are told in a sentence."""


def table_after(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its own head."""
    rows: list[list[str]] = []
    for line in PAGE.partition(heading)[2].splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


KINDS = {row[0].strip("`"): row for row in table_after("### Kinds")}


RECORDER_ARGUMENTS = 3
"""Kind, key and fact, by which a call of `Recorder.record` is told from one of a ledger's `record`."""


def kinds_written() -> Iterator[tuple[str, str]]:
    """Every kind that a call of `append`, `draft` or `Recorder.record` in the code names, and where."""
    for package in ("portalops", "commands"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                    continue
                given = {keyword.arg for keyword in node.keywords}
                is_recorded = node.func.attr == "record" and len(node.args) == RECORDER_ARGUMENTS
                is_appended = node.func.attr in {"append", "draft"} and given & {"body", "run"}
                if not (is_recorded or is_appended):
                    continue
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                kind = value_of(node.args[0], module)
                if kind is not None:
                    yield kind, f"{path.relative_to(ROOT)}:{node.lineno}"


def value_of(node: ast.expr, module: str) -> str | None:
    """What an expression stands for: a literal or a constant of its module; None for what is put together."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            found = getattr(importlib.import_module(module), name, None)
            return found if isinstance(found, str) else None
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            found = getattr(getattr(importlib.import_module(module), owner, None), name, None)
            return found if isinstance(found, str) else None
        case _:
            return None


@pytest.mark.heavy
def test_every_kind_that_the_code_writes_is_on_the_page() -> None:
    written = dict(kinds_written())

    assert {"head", "key.added", "key.retired", "plan", CREATED} <= set(written)
    assert all(is_kind(kind) for kind in written)
    assert {kind: place for kind, place in written.items() if kind not in KINDS} == {}


def test_the_kinds_of_runs_are_those_of_jobs() -> None:
    (sentence,) = re.findall(r"^WHAT is (.*)\. A reader", PAGE, re.MULTILINE)

    assert set(re.findall(r"`([a-z]+)`", sentence)) == {kind.value for kind in JobKind}


@pytest.mark.heavy
def test_every_kind_on_the_page_is_one_that_the_code_writes_or_reads() -> None:
    known = (
        {kind for kind, _place in kinds_written()}
        | set(INERASABLE)
        | set(DISC_KINDS)
        | set(WAIVER_KINDS)
        | set(PLACE_KINDS)
        | set(CASE_KINDS)
        | set(CHANGE_KINDS)
        | set(CREDENTIAL_KINDS)
        | set(INCIDENT_KINDS)
        | set(EXEMPTION_KINDS)
        | set(CONFIRMATION_KINDS)
        | set(ATTESTED_KINDS)
        | set(MAIL_KINDS)
        | set(ALARM_KINDS)
        | {INSTALLATION, SENT, FAILED}
    )

    assert set(KINDS) - {"WHAT.started", "WHAT.finished"} - known == set()


def test_the_kinds_that_cannot_be_erased_are_named() -> None:
    told = PAGE.partition("The bodies of `ledger.created`")[2].partition("are never erased")[0]

    assert {CREATED, *re.findall(r"`([a-z.-]+)`", told)} == set(INERASABLE)


def dataclasses_in(body: object, found: dict[str, type]) -> None:
    """Collect every dataclass that a body's type is made of; sentences and names are written in a form of their own."""
    if body in (Message, Name):
        return
    if isinstance(body, type) and dataclasses.is_dataclass(body):
        if body.__name__ not in found:
            found[body.__name__] = body
            for hint in typing.get_type_hints(body).values():
                dataclasses_in(hint, found)
        return
    for part in typing.get_args(body):
        dataclasses_in(part, found)


def test_every_key_of_every_body_is_on_the_page() -> None:
    found: dict[str, type] = {}
    for body in BODIES:
        dataclasses_in(body, found)
    rows = {row[0]: "|".join(row[1:]) for row in table_after("`circumstances`: `user_id`")}

    assert set(found) <= set(rows), set(found) - set(rows)
    for name, body in found.items():
        keys = [field.name for field in dataclasses.fields(body)]
        assert [key for key in keys if f"`{key}`" not in rows[name]] == [], name


def test_every_key_of_circumstances_is_on_the_page() -> None:
    told = PAGE.partition("`circumstances`: ")[2].partition("\n\n")[0]

    assert [field.name for field in dataclasses.fields(Circumstances) if f"`{field.name}`" not in told] == []


class Example:
    """The worked example, computed anew."""

    def __init__(self) -> None:
        seed = hashlib.sha256(b"the worked example of docs/ledger-format.md").digest()
        self.key = SigningKey.of(Ed25519PrivateKey.from_private_bytes(seed))
        self.ledger = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
        at = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
        blobs = [
            bodies.write({"ledger": self.ledger, "format": 1, "portalops": "1.0.0"}),
            bodies.write({"key": KeyEvent(self.key.public_key, "the first key")}),
        ]
        first = encode(Draft(CREATED, self.digest(blobs[0])), seq=1, at=at, prev=GENESIS)
        prev = line_digest(first.line)
        second = encode(Draft(KEY_ADDED, self.digest(blobs[1])), seq=2, at=at + timedelta(seconds=1), prev=prev)
        self.head = Head(self.ledger, 2, line_digest(second.line), at + timedelta(seconds=2), GENESIS)
        self.text = text_of(self.head)
        self.signature = sign(self.text.encode(), self.key, NAMESPACE)
        blobs.append(bodies.write({"head": SignedHead(self.text, self.signature)}))
        prev = line_digest(second.line)
        third = encode(Draft("head", self.digest(blobs[2])), seq=3, at=self.head.at, prev=prev)
        self.blobs, self.records = blobs, [first, second, third]
        self.signers = allowed_signers_line(
            self.ledger, LEDGER_NAMESPACES, self.key.public_key, at + timedelta(seconds=1), None
        )

    @staticmethod
    def digest(data: bytes) -> Digest:
        return Digest(hashlib.sha256(data).hexdigest())


SECTION = PAGE.partition("## A worked example")[2].partition("\n## ")[0]


def blocks() -> list[str]:
    """The indented blocks of the worked example, each line ending in a line feed."""
    found = re.findall(r"(?:^    .*\n)+", SECTION, re.MULTILINE)
    return ["".join(line[4:] + "\n" for line in block.splitlines()) for block in found]


def test_the_worked_example_is_what_the_code_makes() -> None:
    made = Example()
    one, two, three = (record.line.decode() + "\n" for record in made.records)

    shown = blocks()
    assert shown[:6] == [made.blobs[0].decode(), one, made.blobs[1].decode(), two, made.text, made.signature]
    assert shown[6:8] == [three, made.signers]
    for record, blob in zip(made.records, made.blobs, strict=True):
        assert f"`{line_digest(record.line)}`" in SECTION
        assert f"`{made.digest(blob)}`" in SECTION
    assert f"`{head_digest(made.text)}`" in SECTION
    assert f"`{code_of(made.head)}`" in SECTION
    assert fingerprint(made.key.public_key) in SECTION


def test_the_worked_example_agrees_with_itself_without_the_code() -> None:
    """As a reader with `sha256sum` alone would compute it."""
    body_1, line_1, body_2, line_2, head, signature, line_3, _signers, _command = (text.encode() for text in blocks())
    lines = [line.removesuffix(b"\n") for line in (line_1, line_2, line_3)]

    for before, line in zip([None, *lines], lines, strict=False):
        prev = "0" * 64 if before is None else hashlib.sha256(before).hexdigest()
        assert f'"prev":"{prev}"'.encode() in line
    for body, line in ((body_1, lines[0]), (body_2, lines[1])):
        assert f'"body":"{hashlib.sha256(body).hexdigest()}"'.encode() in line
    assert f"digest {hashlib.sha256(lines[1]).hexdigest()}\n".encode() in head
    assert all(parse(line) for line in lines)
    assert signature.startswith(b"-----BEGIN SSH SIGNATURE-----\n")


@pytest.mark.needs("ssh-keygen")
def test_the_command_of_the_worked_example_says_what_the_page_says(tmp_path: Path) -> None:
    *_others, head, signature, _line, signers, command = blocks()
    for name, text in (("head.txt", head), ("head.sig", signature), ("allowed_signers", signers)):
        (tmp_path / name).write_text(text)

    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    (told,) = re.findall(r"prints `(Good .*)`", SECTION)
    assert (done.returncode, done.stdout.strip()) == (0, told), done.stderr
