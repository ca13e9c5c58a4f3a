"""Record a person's own signature under a report

Without a signature, shows what is to be signed and the command that signs it with the person's key. The report must
be one that the ledger has recorded, and the person one of [[ledger.signer]] in the configuration.

Example: portalops ledger sign-off report.vi.html --by an --signature report.vi.html.sig

EXIT STATUS: 0 shown or recorded, 2 unknown report or person, 5 the report was changed, or the signature is not the
person's under this report
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.ledger.views import person_who_signs, read_signature, unreadable
from portalops import bodies
from portalops.errors import ConfigurationError, IntegrityError, PortalOpsError, UsageError
from portalops.ledger.check_heads import HeldRecord, read_sign_off
from portalops.ledger.ledger import Ledger
from portalops.locale import _
from portalops.model.heads import Person, SignOff
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.registers.sign_offs import NAMESPACE, SIGN_OFF, is_plain_name, sum_line
from portalops.reports.document import Block, Cell, KeyValues, Paragraph, Verbatim
from portalops.signatures.sshsig import BadSignature, fingerprint, public_key_of, verify

_CHUNK_BYTES = 1 << 20


@shape
class UnsignedReport:
    """A report, and what a person signs of it."""

    report: str
    """The file's name."""
    sha256: str
    seq: int
    """The record that names the report."""
    text: str
    """What is signed: the line that sha256sum prints."""
    command: str
    """What signs it, with KEY in the place of the person's own key."""
    then: str
    """What records the signature."""


@shape
class SignedReport:
    """A person's signature under a report."""

    report: str
    """The file's name."""
    sha256: str
    signer: str
    """The person's id in the configuration."""
    name: str
    office: str
    fingerprint: str
    """Of the person's key."""
    seq: int | None
    """The record that holds the signature; null where nothing was recorded: --dry-run."""


def sign_off(
    ctx: typer.Context,
    report: Annotated[Path, typer.Argument(metavar="REPORT_FILE", help=_("The report's file"))],
    *,
    by: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Option(metavar="ID", help=_("Who signed: an id of [[ledger.signer]]")),
    ] = None,
    signature: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option(metavar="FILE", help=_("The signature that ssh-keygen wrote")),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Verify the signature, and record nothing"))] = False,
) -> Result[UnsignedReport | SignedReport]:
    session = open_session(ctx)
    sha256 = _digest_of(report)
    known_in = _require_known(session.ledger, report, sha256)
    if by is None and signature is None:
        return _show_signed_text(report, sha256, known_in)
    if by is None or signature is None:
        raise UsageError(
            msg("--by and --signature go together"),
            msg("Give both, or neither to see what is to be signed."),
        )
    person = person_who_signs(session, by)
    made = _signed(report, sha256, person, signature)
    existing = _recorded(session.ledger, made)
    if existing is None and not dry_run:
        existing = session.recorder.record(SIGN_OFF, "sign_off", made, subject=made.report[-500:]).seq
    return _result(made, existing)


def _digest_of(path: Path) -> Digest:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise unreadable(path, error) from error
    return Digest(digest.hexdigest())


def _require_known(ledger: Ledger, path: Path, sha256: Digest) -> int:
    """Return the record that names the report's digest.

    Raises:
        IntegrityError: a report of this name is recorded, with another digest.
        UsageError: none is.
    """
    of_this_name: int | None = None
    for seq, name, digest in _reports(ledger):
        if digest == sha256:
            return seq
        if name == path.name and of_this_name is None:
            of_this_name = seq
    if of_this_name is not None:
        raise IntegrityError(
            msg(
                "{path} was changed since record {seq}",
                path=str(path),
                seq=of_this_name,
            ),
            msg("Build the report again with 'portalops run', and sign that."),
        )
    raise UsageError(
        msg("no recorded report has the digest of {path}: {digest}", path=str(path), digest=sha256),
        msg("Sign a report that a report job or 'portalops ledger export' wrote; both record its digest."),
    )


def _reports(ledger: Ledger) -> Iterator[tuple[int, str, str]]:
    """Yield record, name and digest of every report recorded, the newest first; unreadable records name none."""
    for record in ledger.records(kinds=("report.finished", "export"), newest_first=True):
        try:
            body = bodies.plain(ledger.blob(record.body))
        except PortalOpsError:
            continue
        report, export = body.get("report"), body.get("export")
        files = (
            report.get("files")
            if isinstance(report, dict)
            else export.get("reports")
            if isinstance(export, dict)
            else ()
        )
        for file in files if isinstance(files, list) else ():
            if isinstance(file, dict):
                yield record.seq, str(file.get("name")), str(file.get("sha256"))


def _show_signed_text(path: Path, sha256: Digest, known_in: int) -> Result[UnsignedReport]:
    name = _plain_name(path)
    quoted = shlex.quote(name)
    separator = "-- " if name.startswith("-") else ""
    command = f"sha256sum {separator}{quoted} | ssh-keygen -Y sign -n {NAMESPACE} -f KEY > {shlex.quote(f'{name}.sig')}"
    line = sum_line(sha256, name)
    then = f"portalops ledger sign-off {separator}{quoted} --by ID --signature {shlex.quote(f'{name}.sig')}"
    view: list[Block] = [
        KeyValues(
            (
                (msg("Report"), str(path)),
                (msg("Recorded in"), msg("record {seq}", seq=known_in)),
                (msg("What is signed"), line.rstrip("\n")),
            )
        ),
        Paragraph(msg("Sign it with your own key in place of KEY:")),
        Verbatim(command),
        Paragraph(msg("Then record the signature:")),
        Verbatim(then),
    ]
    return Result(data=UnsignedReport(name, sha256, known_in, line, command, then), view=view)


def _signed(path: Path, sha256: Digest, person: Person, signature_file: Path) -> SignOff:
    """Return the sign-off if the signature is the person's under this report.

    Raises:
        IntegrityError: it is not.
    """
    try:
        own_key = public_key_of(person.public_key)
    except ValueError as error:
        raise ConfigurationError(
            msg("the key of signer {id} is not an Ed25519 public key in OpenSSH's format", id=person.id),
            msg("Give the line of the person's .pub file."),
        ) from error
    signature = read_signature(signature_file)
    name, signed_by = _verified(path, sha256, signature, signature_file)
    if signed_by != own_key:
        raise IntegrityError(
            msg(
                "{path} is signed by the key {found}, and {id} has the key {own}",
                path=str(signature_file),
                found=fingerprint(signed_by),
                id=person.id,
                own=fingerprint(own_key),
            ),
            msg("Sign with the key that is configured for this person, or name the person whose key it is."),
        )
    return SignOff(name, sha256, person.id, person.name.vi, person.office, signed_by, sum_line(sha256, name), signature)


def _verified(path: Path, sha256: Digest, signature: str, signature_file: Path) -> tuple[str, str]:
    """Return the name under which the report was signed, as typed or without its folder, and the key that signed."""
    problem = msg("it names no report")
    for name in dict.fromkeys((path.name, str(path), f"./{path.name}", str(path.absolute()))):
        if not is_plain_name(name):
            continue
        try:
            return name, verify(sum_line(sha256, name).encode(), signature, NAMESPACE)
        except BadSignature as error:
            problem = error.message
    raise IntegrityError(
        msg("{path} is not a signature of this report: {cause}", path=str(signature_file), cause=problem),
        msg("Run 'portalops ledger sign-off' with the report alone: it shows the command that signs it."),
    )


def _recorded(ledger: Ledger, made: SignOff) -> int | None:
    """Return the record that holds this very sign-off already."""
    for record in ledger.records(kinds=(SIGN_OFF,)):
        try:
            found = read_sign_off(HeldRecord(record.seq, record.at, record.kind, ledger.blob(record.body)))
        except PortalOpsError:
            continue
        if found is not None and (found.text, found.signature) == (made.text, made.signature):
            return record.seq
    return None


def _plain_name(path: Path) -> str:
    name = str(path)
    if not is_plain_name(name):
        raise UsageError(
            msg("the report's file name holds a backslash or a control character: {path}", path=repr(name)),
            msg("Give the file another name, and sign it under that."),
        )
    return name


def _result(made: SignOff, seq: int | None) -> Result[SignedReport]:
    rows: list[tuple[Message, Cell]] = [
        (msg("Report"), made.report),
        (msg("Digest"), made.sha256),
        (msg("Signer"), f"{made.name}, {made.office}"),
        (msg("Key"), fingerprint(made.public_key)),
    ]
    if seq is not None:
        rows.append((msg("Recorded in"), msg("record {seq}", seq=seq)))
    data = SignedReport(
        report=made.report, sha256=made.sha256, signer=made.signer, name=made.name, office=made.office,
        fingerprint=fingerprint(made.public_key), seq=seq,
    )  # fmt: skip
    verdict = (
        msg("The signature holds and is recorded.")
        if seq is not None
        else msg("The signature holds; it was not recorded.")
    )
    return Result(data=data, view=(Paragraph(verdict), KeyValues(rows)))


VERB = Verb(sign_off)
