"""The report on the evidence itself: is the ledger whole, what is missing in it, who keeps its heads, and who changed what is kept. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from portalops.ledger.heads import code_of
from portalops.model.heads import Signer
from portalops.model.message import Message, msg, nmsg
from portalops.registers.evidence import UnreadableRecord
from portalops.registers.exports import RecordedExport
from portalops.registers.proof import LedgerRange, ProvenHead
from portalops.registers.slots import SlotState
from portalops.registers.waivers import waivers_in_force
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Document, KeyValues, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_anchors import anchor_blocks, is_anchored_daily, longest_unanchored
from portalops.reports.section_evidence import failed_runs, runs_without_end
from portalops.reports.section_exports import export_blocks
from portalops.reports.section_handling import exemption_table
from portalops.reports.section_proof import duration_words
from portalops.reports.section_slots import silence_blocks, slot_blocks
from portalops.signatures.sshsig import fingerprint

TITLE = msg("Report on the evidence")


_BASIS: tuple[tuple[Message, Cell], ...] = (
    (msg("Population"), msg("every record of the ledger, and every run that was planned or begun in the period")),
    (msg("Source"), msg("the ledger's lines as they are stored, its plans and runs, and the anchors' answers")),
    (
        msg("Method"),
        msg(
            "each line is hashed and compared with the digest that the next line names; heads, keys and "
            "people's signatures are checked; details are checked for presence; each slot of each plan is "
            "compared with the runs"
        ),
    ),
)


def build(material: Material) -> Document:
    """Return the report as a document."""
    proof, evidence = material.proof, material.evidence
    own = _Own.of(material)
    sections = (
        Section(msg("At a glance"), _glance(material, own)),
        Section(msg("The chain of records"), _chain(material, own)),
        Section(msg("Planned jobs and their results"), slot_blocks(evidence)),
        Section(msg("Times without a run, and unfinished runs"), _silence(material)),
        Section(msg("Anchors"), anchor_blocks(proof, evidence, material.generated_at)),
        Section(msg("Keys that changed in the period"), _keys(own)),
        Section(msg("What explains a verdict: exemptions and waivers"), _explained(material)),
        Section(msg("Details that cannot be read, or were erased"), _details(material, own)),
        Section(msg("Bundles that were exported"), export_blocks(own.exports)),
    )
    return framed(TITLE, replace(material, standings=()), sections, basis=_BASIS)


@dataclass(frozen=True, slots=True)
class _Own:
    """What more than one section counts."""

    unreadable: tuple[UnreadableRecord, ...]
    """Of any part of the report, by the number of the record."""
    heads: tuple[ProvenHead, ...]
    """Of the period."""
    exports: tuple[RecordedExport, ...]
    """Of the period."""
    key_changes: tuple[tuple[Signer, bool], ...]
    """Keys that were added (True) or retired in the period."""

    @classmethod
    def of(cls, material: Material) -> _Own:
        proof, evidence = material.proof, material.evidence
        start, end = evidence.period.bounds(evidence.zone)
        lost = {each.seq: each for each in (*proof.unreadable, *evidence.unreadable)}
        return cls(
            tuple(lost[seq] for seq in sorted(lost)),
            tuple(head for head in proof.heads if start <= head.head.at < end),
            tuple(each for each in proof.exports if each.at < end),
            (
                *((signer, True) for signer in proof.signers if start <= signer.valid_from < end),
                *((signer, False) for signer in proof.signers if signer.valid_to and start <= signer.valid_to < end),
            ),
        )


# --- at a glance --------------------------------------------------------------------------------


def _glance(material: Material, own: _Own) -> Iterator[Block]:
    rows = [
        (msg("Is the chain of records intact?"), *_is_whole(material)),
        (msg("Are the records numbered without a gap?"), *_is_unbroken(material.proof.ledger_range)),
        (msg("Are the heads of the period valid?"), *_heads_hold(own)),
        (msg("Did an anchor accept a head each day?"), *_is_anchored(material)),
        (msg("Was each planned run done?"), *_was_done(material)),
        (msg("Was every run finished?"), *_came_to_ends(material)),
        (msg("Can all details be read?"), *_can_be_read(material.proof.ledger_range, own)),
    ]
    yield TableBlock(
        msg("What an auditor asks of the evidence first"), (msg("Question"), msg("Answer"), msg("Why")), rows
    )
    proof, period = material.proof, material.period
    in_force = waivers_in_force(proof.waivers, period.first, period.last, material.evidence.zone)
    yield KeyValues(
        (
            (msg("Keys added or retired in the period"), len(own.key_changes)),
            (msg("Reports that a person signed since the period began"), len(proof.sign_offs)),
            (msg("Waivers in force in the period"), len(in_force)),
            (msg("Details erased since the ledger began"), len(proof.erasures)),
            (msg("Bundles exported in the period"), len(own.exports)),
        )
    )


_YES, _NO = Status(msg("yes"), Tone.GOOD), Status(msg("no"), Tone.BAD)
_UNKNOWN = Status(msg("not known"), Tone.UNSURE)
_Answer = tuple[Status, Message]


def _is_whole(material: Material) -> _Answer:
    faults = material.proof.faults
    if material.proof.ledger_range is None:
        return _UNKNOWN, msg("there is no record")
    if faults is None:
        return _UNKNOWN, msg("the ledger was not checked for changes")
    if faults:
        n = len(faults)
        return _NO, nmsg(
            "{n} item differs from what was recorded, first record {seq}",
            "{n} items differ from what was recorded, first record {seq}",
            n,
            seq=str(min(fault.seq for fault in faults)),
        )
    return _YES, msg(
        "records 1 to {seq}: each names the digest of the one before", seq=str(material.proof.ledger_range.last_seq)
    )


def _is_unbroken(ledger: LedgerRange | None) -> _Answer:
    if ledger is None:
        return _UNKNOWN, msg("there is no record")
    missing = ledger.last_seq - ledger.count
    if ledger.first_seq == 1 and not missing:
        return _YES, nmsg(
            "{n} record, numbered 1 to {seq}",
            "{n} records, numbered 1 to {seq}",
            ledger.count,
            seq=str(ledger.last_seq),
        )
    return _NO, nmsg(
        "{n} record, numbered {first} to {last}",
        "{n} records, numbered {first} to {last}",
        ledger.count,
        first=str(ledger.first_seq),
        last=str(ledger.last_seq),
    )


def _heads_hold(own: _Own) -> _Answer:
    bad = sum(head.problem is not None for head in own.heads)
    if not own.heads:
        return _UNKNOWN, msg("no head was signed in the period")
    said = msg("{good} of {n} valid", good=len(own.heads) - bad, n=len(own.heads))
    return (_NO if bad else _YES), said


def _is_anchored(material: Material) -> _Answer:
    span = longest_unanchored(material.proof, material.evidence, material.generated_at)
    if span is None:
        return _UNKNOWN, msg("the ledger did not exist in the period")
    said = msg("the longest time without one: {length}", length=duration_words(span[1] - span[0]))
    return (_YES if is_anchored_daily(material.proof, span) else _NO), said


def _was_done(material: Material) -> _Answer:
    kept = material.evidence.slots
    if kept is None or kept.problem is not None:
        return _UNKNOWN, kept.problem if kept and kept.problem else msg("the plans were not read")
    if not kept.slots:
        return _UNKNOWN, msg("no slot of a plan began in the period and is over")
    states = Counter(slot.state for slot in kept.slots)
    said = msg(
        "{done} of {n} done, {late} late, {missed} missed, {other} in part, failed or unfinished",
        done=states[SlotState.DONE],
        n=len(kept.slots),
        late=states[SlotState.LATE],
        missed=states[SlotState.MISSED],
        other=len(kept.slots) - sum(states[each] for each in (SlotState.DONE, SlotState.LATE, SlotState.MISSED)),
    )
    if states[SlotState.DONE] + states[SlotState.LATE] == len(kept.slots):
        return _YES, said
    only_unknown = states[SlotState.UNKNOWN] == len(kept.slots) - states[SlotState.DONE] - states[SlotState.LATE]
    return (_UNKNOWN if only_unknown else _NO), said


def _came_to_ends(material: Material) -> _Answer:
    start, end = material.period.bounds(material.evidence.zone)
    of_period = [run for run in material.evidence.runs if start <= run.started_at < end]
    lost = len(runs_without_end(material.evidence, material.proof.own_run).rows)
    if not of_period:
        return _UNKNOWN, msg("no run began in the period")
    said = nmsg("{lost} of {n} run unfinished", "{lost} of {n} runs unfinished", len(of_period), lost=lost)
    return (_NO if lost else _YES), said


def _can_be_read(ledger: LedgerRange | None, own: _Own) -> _Answer:
    if ledger is None:
        return _UNKNOWN, msg("there is no record")
    if own.unreadable:
        n = len(own.unreadable)
        said = nmsg(
            "the details of {n} record that this report needs cannot be read",
            "the details of {n} records that this report needs cannot be read",
            n,
        )
        return _NO, said
    return _YES, msg("all that this report needs; 'portalops ledger verify' reads all of them")


# --- the sections -------------------------------------------------------------------------------


def _chain(material: Material, own: _Own) -> Iterator[Block]:
    proof = material.proof
    ledger = proof.ledger_range
    if ledger is None:
        yield Notice(msg("The ledger is empty: this report has no basis."), Tone.BAD)
        return
    in_period: Cell = proof.figures.in_period if proof.figures else _UNKNOWN
    yield KeyValues(
        (
            (msg("Ledger"), ledger.ledger),
            (msg("First record at"), ledger.first_at),
            (msg("Last record at"), ledger.last_at),
            (msg("Records of the period"), in_period),
            (msg("Heads signed in the period"), len(own.heads)),
            (msg("Records that the newest head does not cover"), proof.uncovered if proof.head else ledger.count),
        )
    )
    bad = [(code_of(head.head), head.problem, str(head.seq)) for head in own.heads if head.problem]
    if bad:
        yield from bounded(
            TableBlock(msg("Heads that are not valid"), (msg("Head code"), msg("Why"), msg("Record")), bad)
        )
    if proof.faults:
        rows = [(str(fault.seq), fault.what) for fault in sorted(proof.faults, key=lambda fault: fault.seq)]
        yield from bounded(
            TableBlock(msg("What differs from what was recorded, by record"), (msg("Record"), msg("What")), rows)
        )
    elif proof.faults is None:
        yield Notice(msg("The records were not checked for changes."), Tone.UNSURE)
    else:
        yield Paragraph(
            msg(
                "No record, head, key or signature was found changed when the report was made. To check that "
                "each detail is as recorded, run 'portalops ledger verify', or verify.py in a bundle."
            )
        )


def _silence(material: Material) -> Iterator[Block]:
    yield from silence_blocks(material.evidence)
    for table in (runs_without_end(material.evidence, material.proof.own_run), failed_runs(material.evidence)):
        if table.rows:
            yield from bounded(replace(table, rows=tuple(reversed(table.rows))))


def _keys(own: _Own) -> Iterator[Block]:
    if not own.key_changes:
        yield Paragraph(
            msg(
                "No key was added or retired in the period. All keys are in the section on the records behind this report."
            )
        )
        return
    rows = [
        (
            signer.valid_from if is_added else signer.valid_to,
            msg("added") if is_added else msg("retired"),
            _key(signer.public_key),
            _previous_signer(signer) if is_added else None,
            str(signer.added_seq if is_added else signer.retired_seq),
        )
        for signer, is_added in own.key_changes
    ]
    headers = (msg("At"), msg("What"), msg("Key"), msg("Instead of"), msg("Record"))
    yield from bounded(TableBlock(msg("Keys that began or ceased to sign this ledger in the period"), headers, rows))


def _previous_signer(signer: Signer) -> Cell:
    if signer.replaces:
        return _key(signer.replaces)
    return msg("no key signed for it: it is the first key, or the one before was lost")


def _key(public_key: str) -> str:
    try:
        return fingerprint(public_key)
    except (ValueError, IndexError):  # a record may hold anything
        return public_key[:80]


def _explained(material: Material) -> Iterator[Block]:
    evidence, period = material.evidence, material.period
    table = exemption_table(evidence, material.units, material.calendar, material.rulebook.numbers)
    if table.rows:
        yield from bounded(table)
    else:
        yield Paragraph(msg("No exemption covers a day of the period."))
    waivers = len(waivers_in_force(material.proof.waivers, period.first, period.last, evidence.zone))
    yield Paragraph(
        nmsg(
            "{n} waiver was in force in the period; the section on the records behind this report names it.",
            "{n} waivers were in force in the period; the section on the records behind this report names them.",
            waivers,
        )
        if waivers
        else msg("No waiver was in force in the period.")
    )


def _details(material: Material, own: _Own) -> Iterator[Block]:
    if own.unreadable:
        headers = (msg("Record"), msg("Kind"), msg("State"), msg("Why"))
        rows = [(str(each.seq), each.kind, _damage(each), each.why) for each in own.unreadable]
        yield from bounded(TableBlock(msg("Details that cannot be read: their content is unknown"), headers, rows))
    else:
        yield Paragraph(msg("All details that this report needs can be read."))
    erased = _erased(material)
    yield Paragraph(
        nmsg(
            "{n} detail was erased for good in the period; the section on the records behind this report names all that were erased.",
            "{n} details were erased for good in the period; the section on the records behind this report names all that were erased.",
            erased,
        )
        if erased
        else msg("No detail was erased in the period.")
    )


def _erased(material: Material) -> int:
    start, end = material.period.bounds(material.evidence.zone)
    return sum(start <= each.at < end for each in material.proof.erasures)


def _damage(each: UnreadableRecord) -> Status:
    if each.damaged:
        return Status(msg("missing, or different from what was recorded"), Tone.BAD)
    return Status(msg("cannot be read"), Tone.UNSURE)


REPORT = Report(title=TITLE, build=build)
