"""Check that nothing recorded was changed, and that nothing expected is missing

There are two separate verdicts. Integrity: the chain of records is whole, every head is signed by the ledger's key
and fits the records, and every blob has its digest. Completeness: every planned run left its record. Only a head kept
elsewhere shows whether the ledger was rewritten and signed again with its own key: give one by --head or --head-code.

Example: portalops ledger verify --head mail/head.txt --head-code 412-9f3a-77c0-21de-8b4c-5a10; portalops ledger
verify /media/usb/bundle

EXIT STATUS: 0 both hold, 1 something expected is missing, 2 a given file is not a head, or the folder not a bundle, 3
completeness could not be found out, no writer claims some records, or a bundle lacks what a quarantine rests on, 5
something was changed
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import ShownMessage, shape
from commands.cli.verb import Verb
from commands.jobs.ledger_server import excess_rights
from commands.jobs.trusted_keys import read_limited, read_trusted
from commands.ledger.views import WithheldShape, authority_of
from portalops.config.keys import PUBLIC_SUFFIX
from portalops.errors import ExitCode, IntegrityError, NotAHead, SecretUnavailable, UsageError
from portalops.ledger.bundle.verification import BundleVerification, verify_bundle
from portalops.ledger.check_heads import (
    HeadVerdict,
    Signed,
    SignerUse,
    SuppliedHead,
    parse_code,
    read_supplied_head,
)
from portalops.ledger.heads import MAX_HEAD_BYTES, code_of
from portalops.ledger.journals import contradictions, describe_contradiction, living_journals
from portalops.ledger.pending_claims import NOTHING_PENDING, PendingClaims, sort_unclaimed
from portalops.ledger.quarantines import records_set_aside
from portalops.ledger.record import parse_at
from portalops.ledger.verify import Completeness, Integrity, Supplied, Verification
from portalops.ledger.verify import verify as verify_ledger
from portalops.locale import _
from portalops.model.heads import SignOff
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import Name
from portalops.model.quarantines import SetAside
from portalops.model.record import Digest, Fault
from portalops.model.runs import Run
from portalops.model.writers import Authority, ClaimByHand
from portalops.registers.erasures import RecordedErasure
from portalops.registers.signers import TrustedKey
from portalops.registers.waivers import RecordedWaiver
from portalops.reports.document import (
    Block,
    Bullets,
    Cell,
    Heading,
    KeyValues,
    Notice,
    Paragraph,
    Status,
    TableBlock,
    Tone,
)
from portalops.signatures.sshsig import fingerprint, public_key_of

MAX_LISTED = 50
"""Rows of a table that are shown to a person; --json has them all, but no more than 100 faults."""

_VERDICTS: Mapping[HeadVerdict, Status] = {
    HeadVerdict.HOLDS: Status(msg("it holds"), Tone.GOOD),
    HeadVerdict.OTHER_LEDGER: Status(msg("it DOES NOT HOLD"), Tone.BAD),
    HeadVerdict.BEYOND_END: Status(msg("it DOES NOT HOLD"), Tone.BAD),
    HeadVerdict.OTHER_DIGEST: Status(msg("it DOES NOT HOLD"), Tone.BAD),
}


@shape
class FaultShape:
    """Something in the ledger that was changed."""

    seq: int
    """The record; 0 where the fault is of none."""
    message: str
    """For people; `template` and `values` tell the cases apart."""
    template: str
    values: Mapping[str, str | int]


@shape
class NewestHead:
    """The newest head that holds."""

    seq: int
    """The record that holds it."""
    size: int
    """How many records it is over."""
    digest: str
    """SHA-256 of the newest of them."""
    at: datetime
    code: str
    """Size and digest, shortened for people."""
    fingerprint: str
    """Of the key that signed it."""


@shape
class SignerShape:
    """A key that signs the ledger, and what it signed."""

    fingerprint: str
    public_key: str
    valid_from: datetime
    valid_to: datetime | None
    """Null while it signs."""
    heads: int
    first_at: datetime | None
    last_at: datetime | None
    speaks_for_itself: bool
    """No key before it signed for it."""


@shape
class ComparedHead:
    """A head that somebody else kept, held against the ledger."""

    head: str
    """Its file or code."""
    size: int
    digest: str
    verdict: HeadVerdict


@shape
class SignOffShape:
    """A person's signature under a report."""

    seq: int
    report: str
    """The file's name."""
    sha256: str
    signer: str
    """The person's id in the configuration."""
    name: str
    file: str | None
    """In a bundle, the file that was signed; null where the bundle does not hold it."""


@shape
class IntegrityShape:
    """Whether anything recorded was changed."""

    holds: bool
    records: int
    first_at: str
    """As the record has it; empty if there is none."""
    last_at: str
    """As the record has it; empty if there is none."""
    head: str
    """SHA-256 of the newest line."""
    first_bad: int | None
    """From this record on, nothing can be trusted."""
    fault_count: int
    faults: tuple[FaultShape, ...]
    """At most 100."""
    blobs: int
    blobs_read: bool
    """Each was read and digested; false with --quick."""
    unsigned: int
    """Records behind the newest head."""
    heads: int
    newest_head: NewestHead | None
    signers: tuple[SignerShape, ...]
    brought: tuple[ComparedHead, ...]
    """Heads given by --head and --head-code."""
    sign_offs: tuple[SignOffShape, ...]
    writers: tuple[WriterShape, ...]
    claimed: tuple[ClaimedShape, ...]
    claimed_by_hand: tuple[ClaimByHandShape, ...]
    """Claims that persons had made of records which no command had claimed."""
    unclaimed: tuple[tuple[int, int], ...]
    """First and last of the records that no writer claimed within an hour."""
    set_aside: tuple[SetAsideShape, ...]
    mended_clocks: tuple[MendedClockShape, ...]
    """Records that two persons set aside: they are no fault, and meet no duty."""
    awaited: tuple[tuple[int, int], ...]
    """First and last of the records of the last hour that no writer claims yet; none in a bundle."""
    held: tuple[HeldShape, ...]
    """Records that a running command of this machine is about to claim; none in a bundle."""


@shape
class WriterShape:
    """A machine or person whose key claims records."""

    name: str
    fingerprint: str
    public_key: str
    authority: Authority
    """`all`: plans and erasures too."""
    added: int
    """The record that enrolled it."""
    ended: int | None
    """The record that ended that; null while it may write."""


@shape
class SetAsideShape:
    """Records that two persons set aside."""

    seq: int
    """The record that says so."""
    at: datetime
    first: int
    last: int
    by: str
    second: str
    fingerprint: str
    """Of the second person's key."""
    reason: str
    proven: bool
    """False in a bundle that leaves out the details which are said to be missing: whether it counts is unknown."""


@shape
class MendedClockShape:
    """Records of which two persons say that their time is wrong."""

    seq: int
    """The record that says so."""
    at: datetime
    first: int
    last: int
    since: datetime
    """From when on time is right again."""
    by: str
    second: str
    fingerprint: str
    """Of the second person's key."""
    reason: str


@shape
class HeldShape:
    """Records in a row that a running command has not claimed yet."""

    first: int
    last: int
    process: int
    """Its number on this machine."""


@shape
class ClaimedShape:
    """Records in a row, and who recorded them."""

    first: int
    last: int
    by: str
    """The writer's name."""
    fingerprint: str


@shape
class ClaimByHandShape:
    """A claim that a person had made afterwards."""

    seq: int
    """The record of the claim."""
    ranges: tuple[tuple[int, int], ...]
    """First and last of the records, in rows."""
    by: str
    """The name of the writer that stands for them."""
    person: str
    """The login and the machine, as that noted it; empty where it is not recorded."""
    reason: str


@shape
class MissingRun:
    """A planned run that left no record."""

    job: str
    slot: str


@shape
class UnfinishedRun:
    """A run that began and left no end."""

    id: str
    kind: str
    started_at: datetime
    seq: int


@shape
class ErasedDetail:
    """Details that were erased for good."""

    seq: int
    at: datetime
    digest: str
    reason: str
    approved_by: str


@shape
class WaiverInForce:
    """A waiver; it changes no verdict."""

    seq: int
    id: str
    duty: str
    subject: str
    reason: str
    approved_by: str
    document: str
    valid_from: date
    valid_to: date


@shape
class CompletenessShape:
    """Whether anything expected is missing."""

    holds: bool
    problem: str | None
    """Why it could not be found out, for people."""
    missing: tuple[MissingRun, ...]
    crashed: tuple[UnfinishedRun, ...]
    running: tuple[UnfinishedRun, ...]
    unbegun: tuple[int, ...]
    """Records of an end without a beginning."""
    erased: tuple[ErasedDetail, ...]
    withheld: tuple[WithheldShape, ...]
    waivers: tuple[WaiverInForce, ...]
    unread_waivers: tuple[int, ...]
    """Records of waivers that cannot be read."""


@shape
class BundlePeriod:
    """First and last day."""

    first: date
    last: date


@shape
class BundleShape:
    """What a bundle states of itself."""

    portal: str
    period: BundlePeriod
    portalops: str
    """The release that wrote it."""


@shape
class StampShape:
    """A time stamp of a bundle; its own signature is not verified here."""

    file: str
    size: int
    """How many records the stamped head is over."""
    at: datetime


@shape
class VerificationShape:
    """Both verdicts about a ledger or a bundle."""

    ledger: str
    integrity: IntegrityShape
    completeness: CompletenessShape
    bundle: BundleShape | None
    """Null for the ledger of this machine, and for a bundle that does not describe itself."""
    time_stamps: tuple[StampShape, ...]
    not_compared: tuple[str, ...]
    """Figures whose details the bundle does not hold."""
    detail_records: int | None
    """Records of a bundle whose details belong to it; null for a ledger."""


def exit_code_of(found: Verification) -> ExitCode:
    """Return 5 if something was changed, else 3 or 1 if completeness is unknown or does not hold, else 3 if no writer claims a record or a bundle leaves out what a quarantine rests on, else 0."""
    if not found.integrity.holds:
        return ExitCode.INTEGRITY
    if found.completeness.problem is not None:
        return ExitCode.PARTIAL
    if not found.completeness.holds:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if found.integrity.unclaimed or found.integrity.unproven else ExitCode.OK


def verification_view(
    found: Verification, reports: Mapping[Digest, str] | None = None, pending: PendingClaims = NOTHING_PENDING
) -> Iterator[Block]:
    """Say both verdicts to a person, always apart and before anything else, then what they rest on.

    Args:
        found: the verdicts.
        reports: a bundle's, by their digests; None for a ledger, which holds none.
        pending: what a live ledger's records wait for.
    """
    yield KeyValues(
        (
            (msg("Integrity"), _integrity_status(found.integrity)),
            (msg("Completeness"), _completeness_status(found.completeness)),
        )
    )
    yield from _faults_view(found.integrity)
    yield from _integrity_view(found.integrity)
    yield from _signed_view(found.integrity.signed, reports, records_set_aside(found.integrity.set_aside))
    yield from _ownership_view(found.integrity)
    yield from _pending_view(pending)
    yield from _completeness_view(found.completeness)


def verification_data(found: Verification, pending: PendingClaims = NOTHING_PENDING) -> VerificationShape:
    """Return both verdicts for a program, and of a bundle what it is."""
    bundle = found if isinstance(found, BundleVerification) else None
    described = bundle.description if bundle else None
    return VerificationShape(
        ledger=found.ledger,
        integrity=_integrity_data(found.integrity, bundle.reports if bundle else None, pending),
        completeness=_completeness_data(found.completeness),
        bundle=BundleShape(
            described.portal["id"],
            BundlePeriod(date.fromisoformat(described.first_day), date.fromisoformat(described.last_day)),
            described.portalops,
        )
        if described
        else None,
        time_stamps=tuple(StampShape(each.name, each.size, each.at) for each in (bundle.stamped if bundle else ())),
        not_compared=bundle.not_compared if bundle else (),
        detail_records=bundle.detail_records if bundle else None,
    )


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
            msg("Time stamps; 'openssl ts -verify' checks their signatures"),
            (msg("File"), msg("Records"), msg("At")),
            rows,
        )
    if found.not_compared:
        yield Notice(
            msg(
                "These figures were not compared, because details are missing: {names}",
                names=", ".join(found.not_compared),
            ),
            Tone.UNSURE,
        )


def _integrity_status(integrity: Integrity) -> Status:
    if integrity.holds:
        if integrity.unclaimed:
            count = sum(last - first + 1 for first, last in integrity.unclaimed)
            return Status(
                nmsg(
                    "holds: nothing was changed, but no writer claims {n} record",
                    "holds: nothing was changed, but no writer claims {n} records",
                    count,
                ),
                Tone.UNSURE,
            )
        if integrity.unproven:
            return Status(msg("holds, but whether all that was set aside counts could not be found out"), Tone.UNSURE)
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
            msg("Change nothing, and keep everything as it is. Compare with heads kept elsewhere: --head, --head-code.")
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
        yield from _cures_view(integrity)
    elif integrity.signed.newest is None:
        yield Notice(
            msg(
                "Nothing is signed: an account that can write this ledger can rewrite all of it unnoticed. "
                "'portalops ledger head' signs it."
            ),
            Tone.UNSURE,
        )
    elif not integrity.signed.supplied:
        yield Notice(
            msg(
                "No head kept elsewhere was compared: a ledger rewritten and signed again with its own key "
                "would go unnoticed. Give one by --head or --head-code."
            ),
            Tone.NEUTRAL,
        )


def _cures_view(integrity: Integrity) -> Iterator[Block]:
    """Name the commands that set records aside, where what is wrong is of records that count for nothing or that nobody may claim."""
    strange = sorted(integrity.curable)
    if strange:
        yield Paragraph(msg("What is wrong with these records alone, two persons can set aside:"))
        yield Bullets([verbatim(_quarantine_of(seq, seq)) for seq in strange[:MAX_LISTED]])
        yield from _more(len(strange) - MAX_LISTED)


def _quarantine_of(first: int, last: int) -> str:
    return f"portalops ledger quarantine {first} {last}"


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


def _signed_view(signed: Signed, reports: Mapping[Digest, str] | None, set_aside: Collection[int]) -> Iterator[Block]:
    if signed.uses:
        headers = (msg("Key"), msg("Signs from"), msg("Up to"), msg("Heads"), msg("Last signed"), msg("Named by"))
        yield TableBlock(msg("Keys that sign, oldest first"), headers, [_signer_row(use) for use in signed.uses])
    for use in signed.uses:
        if use.speaks_for_itself and use.signer.added_seq not in set_aside:
            key = fingerprint(use.signer.public_key)
            yield Notice(
                msg(
                    "No earlier key signed for the key {key}. Ask the person in charge whether it is theirs.",
                    key=key,
                ),
                Tone.UNSURE,
            )
    if signed.supplied:
        rows = [(each.supplied.name, each.supplied.size, _VERDICTS[each.verdict]) for each in signed.supplied]
        yield TableBlock(msg("Heads kept elsewhere"), (msg("Head"), msg("Records"), msg("Verdict")), rows)
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


def _ownership_view(integrity: Integrity) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (
            each.name,
            fingerprint(each.public_key),
            authority_of(each.authority),
            str(each.added_seq),
            str(each.ended_seq) if each.ended_seq else None,
        )
        for each in integrity.ownership.writers[-MAX_LISTED:]
    ]
    if rows:
        headers = (msg("Writer"), msg("Key"), msg("May record"), msg("Enrolled in record"), msg("Ended in record"))
        yield TableBlock(msg("Who may write, the newest last"), headers, rows)
        yield from _more(len(integrity.ownership.writers) - MAX_LISTED)
    claimed = integrity.ownership.merged()
    if claimed:
        rows = [
            (
                str(each.first),
                str(each.last),
                integrity.ownership.writer_of(each).name,
                fingerprint(each.public_key),
            )
            for each in claimed[-MAX_LISTED:]
        ]
        claim_headers = (msg("From record"), msg("Up to record"), msg("Recorded by"), msg("Key"))
        yield TableBlock(msg("Who recorded what, the newest last"), claim_headers, rows)
        yield from _more(len(claimed) - MAX_LISTED)
    yield from _hand_claims_view(integrity.ownership.by_hand)
    for each in integrity.set_aside[-MAX_LISTED:]:
        yield Notice(_describe_named(each), Tone.UNSURE)
    for each in integrity.unproven[-MAX_LISTED:]:
        yield Notice(
            msg(
                "Record {seq} sets records {first} to {last} aside because their details are missing, and that is not seen here. If a bundle"
                " leaves them out, ask for one of the time of these records, or for 'portalops ledger verify' on the ledger. If they are"
                " there again, the records stay set aside all the same.",
                seq=each.seq,
                first=str(each.quarantine.first),
                last=str(each.quarantine.last),
            ),
            Tone.UNSURE,
        )
    if integrity.unclaimed:
        rows = [
            (
                str(first),
                str(last),
                verbatim(f"portalops ledger claim {first} {last} --reason TEXT"),
                verbatim(_quarantine_of(first, last)),
            )
            for first, last in integrity.unclaimed[:MAX_LISTED]
        ]
        cures = (msg("From record"), msg("Up to record"), msg("Of a lost machine"), msg("Of a stranger"))
        yield TableBlock(msg("Records that no writer claims"), cures, rows)
        yield from _more(len(integrity.unclaimed) - MAX_LISTED)
        yield Paragraph(
            msg(
                "Records that no writer claims meet no duty. Find out who recorded them. Stand for those of a machine that was lost;"
                " those of a stranger two persons set aside."
            )
        )


def _hand_claims_view(by_hand: Sequence[ClaimByHand]) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (
            verbatim(", ".join(f"{one.first}-{one.last}" for one in each.ranges[:MAX_LISTED])),
            each.by_hand.person or None,
            each.by_hand.reason,
            str(each.seq),
        )
        for each in by_hand[-MAX_LISTED:]
    ]
    if rows:
        headers = (msg("Records"), msg("Claimed by"), msg("Reason"), msg("Claimed in record"))
        yield TableBlock(msg("Records that a person claimed afterwards, the newest last"), headers, rows)
        yield from _more(len(by_hand) - MAX_LISTED)


def _pending_view(pending: PendingClaims) -> Iterator[Block]:
    if pending.awaited:
        rows: list[tuple[Cell, ...]] = [(str(first), str(last)) for first, last in pending.awaited[:MAX_LISTED]]
        count = sum(last - first + 1 for first, last in pending.awaited)
        caption = nmsg(
            "{n} record is not claimed yet; it counts for an hour",
            "{n} records are not claimed yet; they count for an hour",
            count,
        )
        yield TableBlock(caption, (msg("From record"), msg("Up to record")), rows)
        yield from _more(len(pending.awaited) - MAX_LISTED)
    if pending.held:
        rows = [
            (str(each.first), str(each.last), msg("held by the running command {process}", process=str(each.process)))
            for each in pending.held[:MAX_LISTED]
        ]
        headers = (msg("From record"), msg("Up to record"), msg("State"))
        yield TableBlock(msg("Records that a running command of this machine claims"), headers, rows)
        yield from _more(len(pending.held) - MAX_LISTED)


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
            nmsg(
                "{n} record of a waiver cannot be read: record {seq}. An unreadable grant counts for nothing, and an"
                " unreadable withdrawal ends every waiver granted before it.",
                "{n} records of waivers cannot be read, the first is {seq}. An unreadable grant counts for nothing, and an"
                " unreadable withdrawal ends every waiver granted before it.",
                len(completeness.unread_waivers),
                seq=str(completeness.unread_waivers[0]),
            ),
            Tone.UNSURE,
        )


def _describe_named(each: SetAside) -> Message:
    named, key = each.quarantine, fingerprint(each.quarantine.public_key)
    of_both: dict[str, str] = {"by": named.by, "second": named.second, "key": key, "reason": named.reason}
    first, last = str(named.first), str(named.last)
    if named.since is not None and first == last:
        return msg(
            "The time of record {record} is wrong, and right from {since} on, say {by} and {second} (key {key}): {reason}",
            record=last,
            since=named.since,
            **of_both,
        )
    if named.since is not None:
        return msg(
            "The times of records {first} to {last} are wrong, and right from {since} on, say {by} and {second} (key {key}): {reason}",
            first=first,
            last=last,
            since=named.since,
            **of_both,
        )
    if first == last:
        return msg(
            "Record {record} was set aside on {day} by {by} and {second} (key {key}): {reason}",
            record=last,
            day=each.at.date(),
            **of_both,
        )
    return msg(
        "Records {first} to {last} were set aside on {day} by {by} and {second} (key {key}): {reason}",
        first=first,
        last=last,
        day=each.at.date(),
        **of_both,
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
    """Return a record's moment, or its text where it is none."""
    try:
        return parse_at(at)
    except ValueError:
        return at or None


def _integrity_data(
    integrity: Integrity, reports: Mapping[Digest, str] | None, pending: PendingClaims
) -> IntegrityShape:
    signed = integrity.signed
    return IntegrityShape(
        holds=integrity.holds,
        records=integrity.records,
        first_at=integrity.first_at,
        last_at=integrity.last_at,
        head=integrity.head,
        first_bad=integrity.first_bad,
        fault_count=integrity.fault_count,
        faults=tuple(map(_fault_data, integrity.faults)),
        blobs=integrity.blobs,
        blobs_read=integrity.blobs_read,
        unsigned=integrity.unsigned,
        heads=signed.heads,
        newest_head=_newest_data(signed),
        signers=tuple(map(_signer_data, signed.uses)),
        brought=tuple(
            ComparedHead(each.supplied.name, each.supplied.size, each.supplied.digest, each.verdict)
            for each in signed.supplied
        ),
        sign_offs=tuple(
            SignOffShape(
                seq, each.report, each.sha256, each.signer, each.name, reports.get(each.sha256) if reports else None
            )
            for seq, each in signed.sign_offs
        ),
        writers=tuple(
            WriterShape(
                each.name, fingerprint(each.public_key), each.public_key, each.authority, each.added_seq, each.ended_seq
            )
            for each in integrity.ownership.writers
        ),
        claimed=tuple(
            ClaimedShape(each.first, each.last, integrity.ownership.writer_of(each).name, fingerprint(each.public_key))
            for each in integrity.ownership.merged()
        ),
        claimed_by_hand=tuple(
            ClaimByHandShape(
                each.seq,
                tuple((one.first, one.last) for one in each.ranges),
                integrity.ownership.writer(each.public_key).name,
                each.by_hand.person,
                each.by_hand.reason,
            )
            for each in integrity.ownership.by_hand
        ),
        unclaimed=integrity.unclaimed,
        set_aside=tuple(
            SetAsideShape(
                each.seq,
                each.at,
                each.quarantine.first,
                each.quarantine.last,
                each.quarantine.by,
                each.quarantine.second,
                fingerprint(each.quarantine.public_key),
                each.quarantine.reason,
                each.is_proven,
            )
            for each in integrity.set_aside
            if each.quarantine.since is None
        ),
        mended_clocks=tuple(
            MendedClockShape(
                each.seq,
                each.at,
                each.quarantine.first,
                each.quarantine.last,
                each.quarantine.since,
                each.quarantine.by,
                each.quarantine.second,
                fingerprint(each.quarantine.public_key),
                each.quarantine.reason,
            )
            for each in integrity.set_aside
            if each.quarantine.since is not None
        ),
        awaited=pending.awaited,
        held=tuple(HeldShape(each.first, each.last, each.process) for each in pending.held),
    )


def _fault_data(fault: Fault) -> FaultShape:
    said = ShownMessage.of(fault.what)
    return FaultShape(fault.seq, said.text, said.template, said.values)


def _newest_data(signed: Signed) -> NewestHead | None:
    newest = signed.newest
    if newest is None or newest.head is None:
        return None
    head = newest.head
    return NewestHead(newest.seq, head.size, head.digest, head.at, code_of(head), fingerprint(newest.public_key))


def _signer_data(use: SignerUse) -> SignerShape:
    return SignerShape(
        fingerprint=fingerprint(use.signer.public_key),
        public_key=use.signer.public_key,
        valid_from=use.signer.valid_from,
        valid_to=use.signer.valid_to,
        heads=use.heads,
        first_at=use.first_at,
        last_at=use.last_at,
        speaks_for_itself=use.speaks_for_itself,
    )


def _completeness_data(completeness: Completeness) -> CompletenessShape:
    return CompletenessShape(
        holds=completeness.holds,
        problem=None if completeness.problem is None else str(completeness.problem),
        missing=tuple(MissingRun(slot.job.id, slot.name) for slot in completeness.missing),
        crashed=tuple(map(_run_data, completeness.crashed)),
        running=tuple(map(_run_data, completeness.running)),
        unbegun=tuple(record.seq for record in completeness.unbegun),
        erased=tuple(map(_erasure_data, completeness.erased)),
        withheld=tuple(WithheldShape(each.digest, each.reason) for each in completeness.withheld),
        waivers=tuple(map(_waiver_data, completeness.waivers)),
        unread_waivers=completeness.unread_waivers,
    )


def _run_data(run: Run) -> UnfinishedRun:
    return UnfinishedRun(run.id, run.kind, run.started_at, run.started_seq)


def _erasure_data(each: RecordedErasure) -> ErasedDetail:
    return ErasedDetail(each.seq, each.at, each.erasure.digest, each.erasure.reason, each.erasure.approved_by)


def _waiver_data(each: RecordedWaiver) -> WaiverInForce:
    waiver = each.waiver
    return WaiverInForce(
        seq=each.seq, id=waiver.id, duty=waiver.duty, subject=waiver.subject, reason=waiver.reason,
        approved_by=waiver.approved_by, document=waiver.document, valid_from=waiver.valid_from, valid_to=waiver.valid_to,
    )  # fmt: skip


def verify(
    ctx: typer.Context,
    bundle: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(help=_("The folder of a bundle, or its ZIP file; without it, the ledger of this machine")),
    ] = None,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help=_("Only check that each blob exists; do not read and digest it"))
    ] = False,
    head: Annotated[
        Optional[list[Path]],  # noqa: UP045  # as above
        typer.Option(metavar="FILE", help=_("A head kept elsewhere, as a file of six lines; may be repeated")),
    ] = None,
    head_code: Annotated[
        Optional[list[str]],  # noqa: UP045  # as above
        typer.Option(metavar="CODE", help=_("The code of a head, as a report shows it; may be repeated")),
    ] = None,
    signers: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option(metavar="FILE", help=_("An allowed_signers file with the keys that must have signed the heads")),
    ] = None,
) -> Result[VerificationShape]:
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


def _verify_bundle(session: Session, path: Path, brought: Supplied) -> Result[VerificationShape]:
    with session.progress.task(msg("Verifying the bundle"), total=None, unit="items") as task:
        found = verify_bundle(path, brought=brought, advance=task.advance)
    return Result(data=verification_data(found), view=tuple(bundle_view(found)), exit_code=exit_code_of(found))


def _verify_store(
    session: Session, heads: tuple[SuppliedHead, ...], trusted: tuple[TrustedKey, ...] | None, *, read_blobs: bool
) -> Result[VerificationShape]:
    own_key, warnings = _own_key(session)
    found, pending = verify_store(session, Supplied(heads, trusted, own_key), read_blobs=read_blobs)
    return Result(
        data=verification_data(found, pending),
        view=tuple(verification_view(found, pending=pending)),
        warnings=(*warnings, *_second_keys(session, found), *excess_rights(session.kept(writable=False).records)),
        exit_code=exit_code_of(found),
    )


def verify_store(session: Session, brought: Supplied, *, read_blobs: bool) -> tuple[Verification, PendingClaims]:
    """Verify the ledger as it is kept, and compare it with what this machine noted; arguments are those of `verify_ledger`.

    Raises:
        LedgerError: the ledger cannot be read at all.
    """
    ledger = session.ledger_to_verify
    with session.progress.task(msg("Verifying the ledger"), total=ledger.count(), unit="items") as task:
        found = verify_ledger(
            ledger,
            now=session.clock.now(),
            zone=session.zone_of_portal,
            read_blobs=read_blobs,
            brought=brought,
            advance=task.advance,
        )
    return _compared_with_journals(session, found)


def _compared_with_journals(session: Session, found: Verification) -> tuple[Verification, PendingClaims]:
    """Add what this machine's clock and journals know of a ledger: no bundle has them."""
    folder, ledger, integrity = session.settings.state_folder, session.ledger, found.integrity
    faults = [Fault(seq, describe_contradiction(path, seq)) for path, seq in contradictions(ledger, folder)]
    pending = PendingClaims(unclaimed=integrity.unclaimed)
    if integrity.ownership.begin is not None:
        with suppress(IntegrityError):  # a line that is no record: verification has named it
            pending = sort_unclaimed(
                ledger,
                integrity.ownership,
                integrity.unclaimed,
                tuple(living_journals(folder)),
                now=session.clock.now(),
            )
    integrity = replace(
        integrity,
        faults=tuple(sorted((*integrity.faults, *faults), key=lambda fault: fault.seq)),
        fault_count=integrity.fault_count + len(faults),
        unclaimed=pending.unclaimed,
    )
    return replace(found, integrity=integrity), pending


def read_supplied(path: Path) -> SuppliedHead:
    """Read a head that was kept elsewhere.

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
        return "", (msg("the signing key {path} cannot be read: unknown whether it signed the heads", path=str(path)),)


def _second_keys(session: Session, found: Verification) -> Iterator[Message]:
    """Name quarantines and mended clocks by a second person who stands in the configuration, with another key than there."""
    for each in found.integrity.set_aside:
        second, key = each.quarantine.second, each.quarantine.public_key
        named = [one for one in session.settings.people if second in {one.name.vi, one.name.en}]
        if named and key not in {_without_comment(one.public_key) for one in named}:
            yield msg(
                "record {seq}: {name} signed as the second person with key {key}, not with the key of [[ledger.signer]]. Ask {name} whether"
                " they signed",
                seq=each.seq,
                name=second,
                key=fingerprint(key),
            )


def _without_comment(public_key: str) -> str:
    with suppress(ValueError):
        return public_key_of(public_key)
    return ""


VERB = Verb(verify)
