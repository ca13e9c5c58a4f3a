"""The records behind a report: heads, anchors, keys, people's signatures, and how a stranger checks all of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from portalops.ledger.heads import code_of
from portalops.model.heads import AnchorReceipt
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Period
from portalops.model.record import Digest, Recorded
from portalops.model.verdicts import CheckVerdict, DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.registers.figures import Figures, RunFigures
from portalops.registers.proof import Proof, ProvenHead, unanchored
from portalops.registers.sign_offs import problem_of
from portalops.registers.waivers import waivers_in_force
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
from portalops.reports.section_proof import age_words, duration_words
from portalops.reports.words import check_status, duty_status, joined
from portalops.signatures.sshsig import fingerprint

SHOWN_ROWS = 40
"""Rows of a table about heads and anchors; the newest are shown, and how many there are besides."""


def record_blocks(proof: Proof, evidence: Evidence, generated_at: datetime) -> Iterator[Block]:
    """Yield which records the report rests on, what holds them, and how anyone can check that."""
    ledger = proof.ledger_range
    if ledger is None:
        yield Notice(msg("The ledger is empty: this report has no basis."), Tone.BAD)
        return
    yield KeyValues(
        (
            (msg("Ledger"), ledger.ledger),
            (
                msg("Records"),
                msg(
                    "{first} to {last}, {count} in all",
                    first=str(ledger.first_seq),
                    last=str(ledger.last_seq),
                    count=ledger.count,
                ),
            ),
            (msg("First record at"), ledger.first_at),
            (msg("Last record at"), ledger.last_at),
            (msg("SHA-256 of the last record"), ledger.last_line_sha256),
        )
    )
    if proof.unreadable:
        yield Notice(
            nmsg(
                "Details of {n} record about heads, anchors, keys or signatures could not be read; its "
                "content is unknown.",
                "Details of {n} records about heads, anchors, keys or signatures could not be read; their "
                "content is unknown.",
                len(proof.unreadable),
            ),
            Tone.BAD,
        )
        yield Bullets([msg("record {seq}: {cause}", seq=each.seq, cause=each.why) for each in proof.unreadable])
    yield Heading(3, msg("Heads and anchors of the period"))
    yield from _heads(proof, evidence, generated_at)
    yield Heading(3, msg("Keys and people's signatures"))
    yield from _signatures(proof, evidence)
    yield Heading(3, msg("Figures that anyone can compute again"))
    yield from _figures(proof.figures)
    yield Heading(3, msg("How to check this report without portalops"))
    yield _verification_steps(proof, evidence.period)


# --- heads and anchors ------------------------------------------------------------------------


def _heads(proof: Proof, evidence: Evidence, generated_at: datetime) -> Iterator[Block]:
    taken = proof.taken()
    by_digest: dict[Digest, list[AnchorReceipt]] = {}
    for receipt in taken:
        by_digest.setdefault(receipt.body.head, []).append(receipt.body)
    start, end = evidence.period.bounds(evidence.zone)
    signed = [head for head in proof.heads if start <= head.head.at < end]
    shown = signed if proof.head is None or proof.head in signed else [*signed, proof.head]
    yield KeyValues(
        (
            (msg("Heads signed"), len(signed)),
            (msg("Of them kept by an anchor"), sum(head.text_digest in by_digest for head in signed)),
            (msg("Newest head that an anchor has"), _newest_anchored(proof, taken, generated_at)),
        )
    )
    if not taken:
        yield Notice(
            msg(
                "No anchor is recorded as holding a head: only a person who keeps a report, a bundle or a mail "
                "of this ledger could show that it was rewritten."
            ),
            Tone.UNSURE,
        )
    rows: list[tuple[Cell, ...]] = [
        (
            code_of(head.head),
            head.head.at,
            Status(msg("not valid"), Tone.BAD) if head.problem else Status(msg("valid"), Tone.GOOD),
            _kept_by(by_digest.get(head.text_digest, ())),
            str(head.seq),
        )
        for head in shown
    ]
    yield from _newest_rows(
        TableBlock(
            msg("Heads of the period, and who holds them"),
            (
                msg("Head code"),
                msg("Signed at"),
                msg("Signature"),
                msg("Kept by (time of the third party)"),
                msg("Record"),
            ),
            rows,
        )
    )
    yield from _problems(proof.heads, proof.receipts)
    if evidence.started_at is not None:
        gaps = unanchored([receipt.at for receipt in taken], max(start, evidence.started_at), min(end, generated_at))
        yield from _newest_rows(
            TableBlock(
                msg(
                    "Times of more than a day in which no anchor accepted a head: records of that time could be "
                    "backdated"
                ),
                (msg("From"), msg("To"), msg("Length")),
                [(first, last, duration_words(last - first)) for first, last in gaps],
            )
        )


def _newest_anchored(proof: Proof, taken: Sequence[Recorded[AnchorReceipt]], generated_at: datetime) -> Cell:
    if not taken:
        return msg("none")
    newest = max(taken, key=lambda each: (each.body.size, -each.seq))
    code = next((code_of(head.head) for head in proof.heads if head.text_digest == newest.body.head), None)
    return msg(
        "{head}, with {anchor} since {at}, {age} this report was made",
        head=code or nmsg("covers {n} record", "covers {n} records", newest.body.size),
        anchor=newest.body.anchor,
        at=newest.at,
        age=age_words(newest.at, generated_at),
    )


def _kept_by(receipts: Sequence[AnchorReceipt]) -> Cell:
    if not receipts:
        return msg("no anchor")
    return joined(
        [
            msg("{anchor} ({at})", anchor=each.anchor, at=each.at)
            if each.at
            else msg("{anchor} (states no time)", anchor=each.anchor)
            for each in receipts
        ]
    )


def _problems(heads: Sequence[ProvenHead], receipts: Sequence[Recorded[AnchorReceipt]]) -> Iterator[Block]:
    """Yield heads that do not hold, anchors that refused one, and receipts of heads that are not the ledger's."""
    bad = [(code_of(head.head), head.problem, str(head.seq)) for head in heads if head.problem]
    if bad:
        yield TableBlock(msg("Heads that are not valid"), (msg("Head code"), msg("Why"), msg("Record")), bad)
    refused = [
        (each.body.anchor, each.body.size, each.at, each.body.problem, str(each.seq))
        for each in receipts
        if each.body.problem
    ]
    yield from _newest_rows(
        TableBlock(
            msg("Heads that an anchor did not accept"),
            (msg("Anchor"), msg("Records"), msg("At"), msg("Why (as recorded, in English)"), msg("Record")),
            refused,
        )
    )
    known = {head.size: digest for head, digest in ((head.head, head.text_digest) for head in heads)}
    strange = [
        (each.body.anchor, each.body.size, each.at, str(each.seq))
        for each in receipts
        if known and each.body.size >= min(known) and known.get(each.body.size) != each.body.head
    ]
    if strange:
        yield Notice(msg("An anchor has a head that this ledger does not have: one of them was replaced."), Tone.BAD)
        yield TableBlock(
            msg("Receipts of other heads"), (msg("Anchor"), msg("Records"), msg("At"), msg("Record")), strange
        )


def _newest_rows(table: TableBlock) -> Iterator[Block]:
    """Yield a table of no more than `SHOWN_ROWS` rows, the newest, and say how many are left out."""
    yield TableBlock(table.caption, table.headers, table.rows[-SHOWN_ROWS:])
    left_out = len(table.rows) - SHOWN_ROWS
    if left_out > 0:
        yield Paragraph(
            nmsg(
                "{n} earlier row is not shown; a bundle of the period holds it.",
                "{n} earlier rows are not shown; a bundle of the period holds them.",
                left_out,
            )
        )


# --- keys, people, decisions ------------------------------------------------------------------


def _signatures(proof: Proof, evidence: Evidence) -> Iterator[Block]:
    keys = {signer.public_key: _key_of(signer.public_key) for signer in proof.signers}
    yield TableBlock(
        msg("Keys that sign this ledger, and when"),
        (msg("Key"), msg("From"), msg("To"), msg("Instead of"), msg("Record")),
        [
            (
                keys[signer.public_key],
                signer.valid_from,
                signer.valid_to or msg("still in use"),
                _predecessor(signer.replaces, keys, is_first=place == 0),
                str(signer.added_seq),
            )
            for place, signer in enumerate(proof.signers)
        ],
    )
    if proof.claimed_from is not None:
        yield from _newest_rows(
            TableBlock(
                msg("Who recorded what, the newest last"),
                (msg("From record"), msg("Up to record"), msg("Recorded by"), msg("Key")),
                [(str(each.first), str(each.last), each.name, _key_of(each.public_key)) for each in proof.recorded],
            )
        )
    yield TableBlock(
        msg("Reports that a person signed in the ledger since the period began"),
        (msg("Report"), msg("Who signed"), msg("Office"), msg("Key"), msg("At"), msg("Signature"), msg("Record")),
        [
            (
                each.sign_off.report,
                each.sign_off.name,
                each.sign_off.office,
                _key_of(each.sign_off.public_key),
                each.at,
                Status(msg("not valid"), Tone.BAD) if problem_of(each.sign_off) else Status(msg("valid"), Tone.GOOD),
                str(each.seq),
            )
            for each in proof.sign_offs
        ],
    )
    period = evidence.period
    yield TableBlock(
        msg("Waivers in force in the period: they explain a verdict and never change it"),
        (msg("Duty"), msg("About"), msg("Reason"), msg("Approved by"), msg("Decision"), msg("Days"), msg("Record")),
        [
            (
                each.waiver.duty,
                each.waiver.subject or msg("all of the duty"),
                each.waiver.reason,
                each.waiver.approved_by,
                each.waiver.document,
                msg("from {first} to {last}", first=each.waiver.valid_from, last=each.waiver.valid_to)
                if each.withdrawn_at is None
                else msg("from {first}, {ended}", first=each.waiver.valid_from, ended=each.describe_end(evidence.zone))
                if each.in_doubt
                else msg("from {first}, withdrawn on {at}", first=each.waiver.valid_from, at=each.withdrawn_at),
                str(each.seq),
            )
            for each in waivers_in_force(proof.waivers, period.first, period.last, evidence.zone)
        ],
    )
    yield TableBlock(
        msg("Details that were erased for good; the chain of records is valid without them"),
        (msg("Details"), msg("Reason"), msg("Approved by"), msg("At"), msg("Record")),
        [
            (each.erasure.digest, each.erasure.reason, each.erasure.approved_by, each.at, str(each.seq))
            for each in proof.erasures
        ],
    )


def _predecessor(public_key: str, keys: Mapping[str, str], *, is_first: bool) -> Cell:
    if public_key:
        return keys.get(public_key) or _key_of(public_key)
    return None if is_first else msg("no key signed for it: the one before was lost")


def _key_of(public_key: str) -> str:
    try:
        return fingerprint(public_key)
    except (ValueError, IndexError):  # a record may hold anything
        return public_key[:80]


# --- figures ----------------------------------------------------------------------------------


def _figures(figures: Figures | None) -> Iterator[Block]:
    if figures is None:
        yield Paragraph(msg("The figures are unknown: the records could not be counted."))
        return
    yield Paragraph(
        msg("Counted from records 1 to {seq}; figures.json in a bundle has the same figures.", seq=figures.last_seq)
    )
    rows: list[tuple[Message, Cell]] = [
        (msg("Records of the period"), figures.in_period),
        (msg("Backup sets"), figures.backups.sets),
        (msg("Copies that were verified when they were made"), figures.backups.verified_copies),
        (msg("Answers of the newest scan"), _counted(figures.checks, _check_words(figures.checks))),
        (msg("Days of the province's portal"), _counted(figures.portal_days, _duty_words(figures.portal_days))),
        (msg("Weeks of units that begin in the period"), _counted(figures.unit_weeks, _duty_words(figures.unit_weeks))),
    ]
    yield KeyValues(rows)
    yield TableBlock(
        msg("Runs that began in the period"),
        (
            msg("Kind"),
            msg("Complete"),
            msg("Incomplete"),
            msg("Failed"),
            msg("Unfinished"),
            msg("Result unknown"),
            msg("Planned and missing"),
        ),
        [(kind, *_run_cells(runs)) for kind, runs in sorted(figures.runs.items())],
    )


def _run_cells(runs: RunFigures) -> tuple[Cell, ...]:
    missing: Cell = msg("unknown") if runs.missing is None else runs.missing
    return runs.complete, runs.incomplete, runs.failed, runs.unfinished, runs.unknown, missing


def _counted(counts: Mapping[str, int] | None, words: Sequence[Message]) -> Cell:
    if counts is None:
        return msg("unknown: no result in the records, or none that can be read")
    return joined(words) if words else 0


def _check_words(counts: Mapping[str, int] | None) -> list[Message]:
    known = {verdict.value: check_status(verdict).word for verdict in CheckVerdict}
    return _words(counts, known)


def _duty_words(counts: Mapping[str, int] | None) -> list[Message]:
    known = {verdict.value: duty_status(verdict).word for verdict in DutyVerdict}
    return _words(counts, known)


def _words(counts: Mapping[str, int] | None, known: Mapping[str, Message]) -> list[Message]:
    return [
        msg("{count} {word}", count=count, word=known.get(verdict, verdict[:40]))
        for verdict, count in sorted((counts or {}).items())
        if count
    ]


# --- how to check -----------------------------------------------------------------------------


def _verification_steps(proof: Proof, period: Period) -> Bullets:
    items = [
        msg(
            "Ask for the bundle of this period: 'portalops ledger export --period {period}' writes it. It holds every"
            " record, the details, the heads with their signatures, the keys, and this report.",
            period=str(period),
        ),
    ]
    if proof.head is not None:
        items.append(
            msg(
                "Run 'python3 verify.py --head-code {code}' in its folder; Python alone is enough, without any network."
                " Exit status 5 means that something was changed, and the first record that cannot be trusted is named.",
                code=code_of(proof.head.head),
            )
        )
    items += [
        msg(
            "HOW-TO-VERIFY in the bundle shows the same step by step with sha256sum, ssh-keygen and openssl alone, for those"
            " who do not want to trust verify.py either."
        ),
        msg(
            "Compare the figures above with figures.json in the bundle: verify.py computes them again from the records."
        ),
        msg(
            "With portalops, run 'portalops ledger verify'; 'portalops ledger show {seq}' prints one record "
            "with its details.",
            seq=proof.ledger_range.last_seq if proof.ledger_range else 1,
        ),
        msg(
            "A backup set is checked with 'sha256sum -c manifest-sha256.txt' in its folder; the digest of its tag manifest is recorded when it is made."
        ),
        msg(
            "To sign this report as a person: 'ssh-keygen -Y sign -n portalops-signoff' over the line that sha256sum prints"
            " for its file, and 'portalops ledger sign-off' records it."
        ),
    ]
    return Bullets(items)
