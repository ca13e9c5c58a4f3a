"""Check that nothing recorded was changed, and that nothing expected is missing

Two verdicts, always apart. Integrity: every record is the one that the next was chained to, every head is signed by
the ledger's key and says what the records are, and every blob has its digest. Completeness: every planned run left
its record. What the ledger's own key rewrote is shown only by a head that somebody else has kept: give it by --head
or --head-code.

Example: portalops ledger verify --head mail/head.txt --head-code 412-9f3a-77c0-21de-8b4c-5a10; portalops ledger
verify /media/usb/bundle

EXIT STATUS: 0 both hold, 1 something expected is missing, 2 a given file is no head, or the folder no bundle, 3
completeness could not be found out, 5 something was changed
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands.cli.result import JsonValue, Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.ledger_server import excess_rights
from commands.jobs.trusted_keys import read_limited, read_trusted
from portalops.config.keys import PUBLIC_SUFFIX
from portalops.errors import ExitCode, NotAHead, SecretUnavailable, UsageError
from portalops.ledger.bundle.verification import verify_bundle
from portalops.ledger.check_heads import (
    HeadComparison,
    HeadVerdict,
    Signed,
    SignerUse,
    SuppliedHead,
    parse_code,
    read_supplied_head,
)
from portalops.ledger.heads import MAX_HEAD_BYTES, code_of
from portalops.ledger.record import format_at, parse_at
from portalops.ledger.verify import Completeness, Integrity, Supplied, Verification
from portalops.ledger.verify import verify as verify_ledger
from portalops.locale import _
from portalops.model.heads import SignOff
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Name
from portalops.model.record import Digest
from portalops.model.runs import Run
from portalops.registers.erasures import RecordedErasure
from portalops.registers.signers import TrustedKey
from portalops.registers.waivers import RecordedWaiver
from portalops.reports.document import Block, Cell, Heading, KeyValues, Notice, Paragraph, Status, TableBlock, Tone
from portalops.signatures.sshsig import fingerprint, public_key_of

if TYPE_CHECKING:
    from portalops.ledger.bundle.verification import BundleVerification

MAX_LISTED = 50
"""Rows of a table that are shown to a person; --json has them all, but no more than 100 faults."""

_VERDICTS: Mapping[HeadVerdict, Status] = {
    HeadVerdict.HOLDS: Status(msg("lies on this chain"), Tone.GOOD),
    HeadVerdict.OTHER_LEDGER: Status(msg("of another ledger"), Tone.BAD),
    HeadVerdict.BEYOND_END: Status(msg("beyond the end"), Tone.BAD),
    HeadVerdict.OTHER_DIGEST: Status(msg("not on this chain"), Tone.BAD),
}


def exit_code_of(found: Verification) -> ExitCode:
    """Return 5 if something was changed, else 3 or 1 if completeness is unknown or does not hold, else 0."""
    if not found.integrity.holds:
        return ExitCode.INTEGRITY
    if found.completeness.problem is not None:
        return ExitCode.PARTIAL
    return ExitCode.OK if found.completeness.holds else ExitCode.UNMET


def verification_view(found: Verification, reports: Mapping[Digest, str] | None = None) -> Iterator[Block]:
    """Say both verdicts to a person, always apart and before anything else, then what they rest on.

    Args:
        found: the verdicts.
        reports: a bundle's, by their digests; None for a ledger, which holds none.
    """
    yield KeyValues(
        (
            (msg("Integrity"), _integrity_status(found.integrity)),
            (msg("Completeness"), _completeness_status(found.completeness)),
        )
    )
    yield from _faults_view(found.integrity)
    yield from _integrity_view(found.integrity)
    yield from _signed_view(found.integrity.signed, reports)
    yield from _completeness_view(found.completeness)


def verification_data(found: Verification, reports: Mapping[Digest, str] | None = None) -> dict[str, JsonValue]:
    """Say both verdicts to a program; `reports` as in `verification_view`."""
    integrity, completeness = found.integrity, found.completeness
    return {
        "ledger": found.ledger,
        "integrity": {
            "holds": integrity.holds,
            "records": integrity.records,
            "first_at": integrity.first_at,
            "last_at": integrity.last_at,
            "head": integrity.head,
            "first_bad": integrity.first_bad,
            "fault_count": integrity.fault_count,
            "faults": [{"seq": fault.seq, "message": str(fault.what)} for fault in integrity.faults],
            "blobs": integrity.blobs,
            "blobs_read": integrity.blobs_read,
            "unsigned": integrity.unsigned,
            **_signed_data(integrity.signed, reports),
        },
        "completeness": {
            "holds": completeness.holds,
            "problem": None if completeness.problem is None else str(completeness.problem),
            "missing": [{"job": slot.job.id, "slot": slot.name} for slot in completeness.missing],
            "crashed": [_run_data(run) for run in completeness.crashed],
            "running": [_run_data(run) for run in completeness.running],
            "unbegun": [record.seq for record in completeness.unbegun],
            "erased": [_erasure_data(each) for each in completeness.erased],
            "withheld": [{"digest": each.digest, "reason": each.reason} for each in completeness.withheld],
            "waivers": [_waiver_data(each) for each in completeness.waivers],
            "unread_waivers": list(completeness.unread_waivers),
        },
    }


def bundle_view(found: BundleVerification) -> Iterator[Block]:
    """Say both verdicts about a bundle, and what it is."""
    verdicts, *details = verification_view(found, found.reports)
    yield verdicts
    if found.description is not None:
        described = found.description
        yield KeyValues(
            (
                (msg("Ledger"), described.ledger),
                (msg("Portal"), Name(described.portal["vi"], described.portal["en"])),
                (
                    msg("Period"),
                    msg(
                        "from {first} to {last}",
                        first=date.fromisoformat(described.first_day),
                        last=date.fromisoformat(described.last_day),
                    ),
                ),
                (msg("Written by portalops"), described.portalops),
            )
        )
    yield from details
    if found.stamped:
        rows = [(each.name, each.size, each.at) for each in found.stamped]
        yield TableBlock(
            msg("Time stamps; their own signatures are looked at by 'openssl ts -verify'"),
            (msg("File"), msg("Records"), msg("At")),
            rows,
        )
    if found.not_compared:
        yield Notice(
            msg(
                "These figures rest on details that are not there, and were not compared: {names}",
                names=", ".join(found.not_compared),
            ),
            Tone.UNSURE,
        )


def bundle_data(found: BundleVerification) -> dict[str, JsonValue]:
    """Say the same to a program."""
    described = found.description
    about: JsonValue = None
    if described is not None:
        about = {
            "portal": described.portal["id"],
            "period": {"first": described.first_day, "last": described.last_day},
            "portalops": described.portalops,
        }
    return {
        **verification_data(found, found.reports),
        "bundle": about,
        "time_stamps": [{"file": each.name, "size": each.size, "at": format_at(each.at)} for each in found.stamped],
        "not_compared": list(found.not_compared),
        "detail_records": found.detail_records,
    }


def _integrity_status(integrity: Integrity) -> Status:
    if integrity.holds:
        return Status(msg("holds: nothing was changed"), Tone.GOOD)
    return Status(msg("does not hold: something was changed"), Tone.BAD)


def _completeness_status(completeness: Completeness) -> Status:
    if completeness.problem is not None:
        return Status(msg("could not be found out"), Tone.UNSURE)
    if completeness.holds:
        return Status(msg("holds: nothing expected is missing"), Tone.GOOD)
    return Status(msg("does not hold: something expected is missing"), Tone.BAD)


def _faults_view(integrity: Integrity) -> Iterator[Block]:
    """Yield what does not hold and what to do, or what would not show even though all holds."""
    if not integrity.holds:
        if integrity.first_bad is not None:
            yield Notice(msg("The first record that cannot be trusted is {seq}.", seq=integrity.first_bad), Tone.BAD)
        yield Paragraph(
            msg(
                "Change nothing, and keep everything as it is. Compare with heads that others keep: --head, --head-code."
            )
        )
        shown = integrity.faults[:MAX_LISTED]
        yield TableBlock(
            nmsg("{n} fault", "{n} faults", integrity.fault_count),
            (msg("Record"), msg("Problem")),
            [(str(fault.seq) if fault.seq else None, fault.what) for fault in shown],
        )
        if integrity.fault_count > len(shown):
            left_out = integrity.fault_count - len(shown)
            yield Paragraph(nmsg("{n} more is not listed.", "{n} more are not listed.", left_out))
    elif integrity.signed.newest is None:
        yield Notice(
            msg(
                "Nothing is signed: whoever can write this ledger can also rewrite all of it, and nothing in it would"
                " show that. 'portalops ledger head' signs it."
            ),
            Tone.UNSURE,
        )
    elif not integrity.signed.supplied:
        yield Notice(
            msg(
                "No head that somebody else keeps was compared: what the ledger's own key rewrote and signed anew would"
                " not show. Give one by --head or --head-code."
            ),
            Tone.NEUTRAL,
        )


def _integrity_view(integrity: Integrity) -> Iterator[Block]:
    blobs: Message = nmsg("{n} blob read and digested", "{n} blobs read and digested", integrity.blobs)
    if not integrity.blobs_read:
        blobs = nmsg("{n} blob is there, unread", "{n} blobs are there, unread", integrity.blobs)
    signed = integrity.signed
    yield Heading(2, msg("Integrity"))
    rows: list[tuple[Message, Cell]] = [
        (msg("Records"), integrity.records),
        (msg("First record of"), _moment(integrity.first_at)),
        (msg("Newest record of"), _moment(integrity.last_at)),
        (msg("Digest of the newest record"), integrity.head),
        (msg("Blobs"), blobs),
        (msg("Signed heads"), signed.heads),
    ]
    if signed.newest is not None and signed.newest.head is not None:
        rows += [
            (msg("Newest head"), signed.code),
            (msg("Signed at"), signed.newest.head.at),
            (msg("Signed by the key"), fingerprint(signed.newest.public_key)),
            (msg("Records behind it, not signed yet"), integrity.unsigned),
        ]
    yield KeyValues(rows)


def _signed_view(signed: Signed, reports: Mapping[Digest, str] | None) -> Iterator[Block]:
    if signed.uses:
        headers = (msg("Key"), msg("Signs from"), msg("Up to"), msg("Heads"), msg("Last signed"), msg("Named by"))
        yield TableBlock(msg("Keys that sign, oldest first"), headers, [_signer_row(use) for use in signed.uses])
    for use in signed.uses:
        if use.speaks_for_itself:
            key = fingerprint(use.signer.public_key)
            yield Notice(
                msg(
                    "The key {key} speaks for itself only: no key before it signed for it. Ask whoever is in charge whether"
                    " it is theirs.",
                    key=key,
                ),
                Tone.UNSURE,
            )
    if signed.supplied:
        rows = [(each.supplied.name, each.supplied.size, _VERDICTS[each.verdict]) for each in signed.supplied]
        yield TableBlock(msg("Heads that were brought"), (msg("Head"), msg("Records"), msg("Verdict")), rows)
    if signed.sign_offs:
        signatures: list[tuple[Cell, ...]] = [
            (str(seq), each.report, each.name, each.office, fingerprint(each.public_key), *_signed_file(each, reports))
            for seq, each in signed.sign_offs[-MAX_LISTED:]
        ]
        signers = (msg("Record"), msg("Report"), msg("Name"), msg("Office"), msg("Key"))
        where = () if reports is None else (msg("File that was signed"),)
        yield TableBlock(msg("Reports that people signed"), (*signers, *where), signatures)
        yield from _more(len(signed.sign_offs) - MAX_LISTED)
    if signed.drills:
        drills: list[tuple[Cell, ...]] = [(str(seq), fingerprint(key)) for seq, key in signed.drills[-MAX_LISTED:]]
        yield TableBlock(msg("Drills that other hosts did and signed"), (msg("Record"), msg("Key")), drills)
        yield from _more(len(signed.drills) - MAX_LISTED)


def _signed_file(sign_off: SignOff, reports: Mapping[Digest, str] | None) -> tuple[Cell, ...]:
    """Return which of a bundle's reports was signed, by its digest: a file of the same name may be another one."""
    if reports is None:
        return ()
    return (reports.get(sign_off.sha256) or Status(msg("no report of this bundle"), Tone.UNSURE),)


def _signer_row(use: SignerUse) -> tuple[Cell, ...]:
    named_by: Cell = msg("the first key")
    if use.speaks_for_itself:
        named_by = Status(msg("nobody"), Tone.UNSURE)
    elif use.signer.replaces:
        named_by = fingerprint(use.signer.replaces)
    signer = use.signer
    return fingerprint(signer.public_key), signer.valid_from, signer.valid_to, use.heads, use.last_at, named_by


def _completeness_view(completeness: Completeness) -> Iterator[Block]:
    yield Heading(2, msg("Completeness"))
    missing: Cell = len(completeness.missing)
    if completeness.problem is not None:
        yield Paragraph(completeness.problem)
        missing = Status(msg("could not be found out"), Tone.UNSURE)
    yield KeyValues(
        (
            (msg("Planned runs that are missing"), missing),
            (msg("Runs that began and did not finish"), len(completeness.crashed)),
            (msg("Runs under way"), len(completeness.running)),
            (msg("Ends without a beginning"), len(completeness.unbegun)),
        )
    )
    if completeness.missing:
        rows: list[tuple[Cell, ...]] = [(slot.job.id, slot.name) for slot in completeness.missing[-MAX_LISTED:]]
        yield TableBlock(msg("Planned runs that are missing, the newest last"), (msg("Job"), msg("For")), rows)
        yield from _more(len(completeness.missing) - MAX_LISTED)
    if completeness.crashed:
        headers = (msg("Record"), msg("Run"), msg("Began"))
        rows = [(str(run.started_seq), run.id, run.started_at) for run in completeness.crashed[-MAX_LISTED:]]
        yield TableBlock(msg("Runs that began and did not finish, the newest last"), headers, rows)
        yield from _more(len(completeness.crashed) - MAX_LISTED)
    if completeness.erased:
        erased_headers = (msg("Record"), msg("Digest"), msg("Reason"), msg("Approved by"))
        rows = [
            (str(each.seq), each.erasure.digest, each.erasure.reason, each.erasure.approved_by)
            for each in completeness.erased[-MAX_LISTED:]
        ]
        yield TableBlock(msg("Details that were erased"), erased_headers, rows)
        yield from _more(len(completeness.erased) - MAX_LISTED)
    if completeness.withheld:
        rows = [(each.digest, each.reason) for each in completeness.withheld[-MAX_LISTED:]]
        yield TableBlock(msg("Details that are withheld"), (msg("Digest"), msg("Reason")), rows)
        yield from _more(len(completeness.withheld) - MAX_LISTED)
    if completeness.waivers:
        yield _waivers_table(completeness)
        yield from _more(len(completeness.waivers) - MAX_LISTED)
    if completeness.unread_waivers:
        yield Notice(
            msg(
                "{n} records of waivers cannot be read, the first is {seq}: such a grant grants nothing, and after such a"
                " withdrawal no waiver granted before it counts",
                n=len(completeness.unread_waivers),
                seq=str(completeness.unread_waivers[0]),
            ),
            Tone.UNSURE,
        )


def _more(left_out: int) -> Iterator[Block]:
    """Say how many rows a table does not show."""
    if left_out > 0:
        yield Paragraph(nmsg("{n} more line; --json has it.", "{n} more lines; --json has them.", left_out))


def _waivers_table(completeness: Completeness) -> TableBlock:
    waivers = [each.waiver for each in completeness.waivers]
    rows: list[tuple[Cell, ...]] = [
        (each.id, each.duty, each.subject or None, each.valid_from, each.valid_to, each.reason, each.approved_by)
        for each in waivers[-MAX_LISTED:]
    ]
    headers = (
        msg("Waiver"), msg("Duty"), msg("About"), msg("First day"), msg("Last day"), msg("Reason"), msg("Approved by"),
    )  # fmt: skip
    return TableBlock(msg("Waivers in force; they change no verdict"), headers, rows)


def _moment(at: str) -> Cell:
    """Return a record's moment as one, or what stands in its place."""
    try:
        return parse_at(at)
    except ValueError:
        return at or None


def _signed_data(signed: Signed, reports: Mapping[Digest, str] | None) -> dict[str, JsonValue]:
    newest = signed.newest
    newest_data: JsonValue = None
    if newest is not None and newest.head is not None:
        newest_data = {
            "seq": newest.seq,
            "size": newest.head.size,
            "digest": newest.head.digest,
            "at": format_at(newest.head.at),
            "code": code_of(newest.head),
            "fingerprint": fingerprint(newest.public_key),
        }
    return {
        "heads": signed.heads,
        "newest_head": newest_data,
        "signers": [_signer_data(use) for use in signed.uses],
        "brought": [_supplied_data(each) for each in signed.supplied],
        "sign_offs": [
            {
                "seq": seq,
                "report": each.report,
                "sha256": each.sha256,
                "signer": each.signer,
                "name": each.name,
                **({} if reports is None else {"file": reports.get(each.sha256)}),
            }
            for seq, each in signed.sign_offs
        ],
    }


def _signer_data(use: SignerUse) -> JsonValue:
    signer = use.signer
    return {
        "fingerprint": fingerprint(signer.public_key),
        "public_key": signer.public_key,
        "valid_from": format_at(signer.valid_from),
        "valid_to": None if signer.valid_to is None else format_at(signer.valid_to),
        "heads": use.heads,
        "first_at": None if use.first_at is None else format_at(use.first_at),
        "last_at": None if use.last_at is None else format_at(use.last_at),
        "speaks_for_itself": use.speaks_for_itself,
    }


def _supplied_data(compared: HeadComparison) -> JsonValue:
    brought = compared.supplied
    return {"head": brought.name, "size": brought.size, "digest": brought.digest, "verdict": compared.verdict.value}


def _run_data(run: Run) -> JsonValue:
    return {"id": run.id, "kind": run.kind, "started_at": format_at(run.started_at), "seq": run.started_seq}


def _erasure_data(each: RecordedErasure) -> JsonValue:
    erasure = each.erasure
    return {
        "seq": each.seq, "at": format_at(each.at), "digest": erasure.digest, "reason": erasure.reason,
        "approved_by": erasure.approved_by,
    }  # fmt: skip


def _waiver_data(each: RecordedWaiver) -> JsonValue:
    waiver = each.waiver
    return {
        "seq": each.seq, "id": waiver.id, "duty": waiver.duty, "subject": waiver.subject, "reason": waiver.reason,
        "approved_by": waiver.approved_by, "document": waiver.document, "valid_from": waiver.valid_from.isoformat(),
        "valid_to": waiver.valid_to.isoformat(),
    }  # fmt: skip


def verify(
    ctx: typer.Context,
    bundle: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(help=_("The folder of a bundle; without it, the ledger of this machine")),
    ] = None,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help=_("Only see that each blob is there; do not read and digest it"))
    ] = False,
    head: Annotated[
        Optional[list[Path]],  # noqa: UP045  # as above
        typer.Option(metavar="FILE", help=_("A head that somebody else has kept: six lines of text; may be repeated")),
    ] = None,
    head_code: Annotated[
        Optional[list[str]],  # noqa: UP045  # as above
        typer.Option(metavar="CODE", help=_("The code of a head, as a report shows it; may be repeated")),
    ] = None,
    signers: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option(
            metavar="FILE", help=_("An allowed_signers file with the keys that you expect the heads to be by")
        ),
    ] = None,
) -> Result[JsonValue]:
    session = open_session(ctx)
    heads = (*(read_supplied(path) for path in head or ()), *(parse_code(code) for code in head_code or ()))
    trusted = None if signers is None else read_trusted(signers)
    if bundle is not None:
        if quick:
            raise UsageError(
                msg("--quick is for the ledger of this machine; a bundle is always read whole"),
                msg("Leave --quick out."),
            )
        return _verify_bundle(session, bundle, Supplied(heads, trusted))
    return _verify_store(session, heads, trusted, read_blobs=not quick)


def _verify_bundle(session: Session, path: Path, brought: Supplied) -> Result[JsonValue]:
    with session.progress.task(msg("Verifying the bundle"), total=None, unit="items") as task:
        found = verify_bundle(path, brought=brought, advance=task.advance)
    return Result(data=bundle_data(found), view=tuple(bundle_view(found)), exit_code=exit_code_of(found))


def _verify_store(
    session: Session, heads: tuple[SuppliedHead, ...], trusted: tuple[TrustedKey, ...] | None, *, read_blobs: bool
) -> Result[JsonValue]:
    own_key, warnings = _own_key(session)
    with session.progress.task(msg("Verifying the ledger"), total=session.ledger.count(), unit="items") as task:
        found = verify_ledger(
            session.ledger,
            now=session.clock.now(),
            zone=session.zone_of_portal,
            read_blobs=read_blobs,
            brought=Supplied(heads, trusted, own_key),
            advance=task.advance,
        )
    return Result(
        data=verification_data(found),
        view=tuple(verification_view(found)),
        warnings=(*warnings, *excess_rights(session)),
        exit_code=exit_code_of(found),
    )


def read_supplied(path: Path) -> SuppliedHead:
    """Read a head that somebody brings.

    Raises:
        UsageError: the file cannot be read.
        NotAHead: it is no head; the message names it.
    """
    try:
        return read_supplied_head(str(path), read_limited(path, MAX_HEAD_BYTES))
    except NotAHead as error:
        raise NotAHead(msg("{path}: {cause}", path=str(path), cause=error.message), error.hint) from error


def _own_key(session: Session) -> tuple[str, tuple[Message, ...]]:
    """Return the public half of the configured signing key, or none and why it cannot be compared."""
    path = session.settings.signing_key
    if path is None:
        return "", ()
    with suppress(SecretUnavailable):
        key = session.signing_key
        return (key.public_key if key else ""), ()
    try:
        return public_key_of(path.with_name(path.name + PUBLIC_SUFFIX).read_text(encoding="utf-8")), ()
    except (OSError, ValueError):
        return "", (
            msg(
                "the signing key {path} cannot be read, so it is not known whether the heads are by it", path=str(path)
            ),
        )


VERB = Verb(verify)
