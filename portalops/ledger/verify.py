"""Whether anything was changed, and whether anything expected is missing: two verdicts, always apart.

*Integrity* is one pass over the lines as they are stored: each is hashed as it stands, never written
again, and must be what the next one names; then the heads, the keys that signed them and people's
signatures are compared with the lines, and each blob with its digest. *Completeness* compares what was
planned with what was recorded, and lists what was erased or waived. What the ledger's own key rewrote and
signed again is shown only by a head that somebody else has kept: it can be handed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.errors import LedgerError, PortalOpsError
from portalops.ledger.chain import ChainPass, Faults, check_chain
from portalops.ledger.check_heads import (
    HeldRecord,
    ReadHead,
    Signed,
    SignerUse,
    Spoken,
    SuppliedHead,
    check_heads,
    read_head,
    wanted,
)
from portalops.ledger.claims import (
    AUTHORITY_KINDS,
    Ownership,
    SignedTexts,
    check_authority,
    check_unclaimed,
    is_unheeded,
)
from portalops.ledger.claims import wanted as wanted_by_claims
from portalops.ledger.erasures import protects, read_erasure, without_void
from portalops.ledger.heads import HEAD
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantines import (
    ReadQuarantine,
    check_owners,
    disowned_keys,
    find_curable,
    is_anybodys,
    key_mends,
    lacks_details,
    may_lose,
    read_quarantine,
    records_set_aside,
    records_untimely,
    suspects,
)
from portalops.ledger.quarantines import wanted as wanted_by_quarantines
from portalops.ledger.record import NotARecord, is_ledger_id, parse
from portalops.ledger.runs import is_running
from portalops.ledger.signature_checks import SignatureChecks
from portalops.ledger.stores import StoredLines
from portalops.ledger.times import check_times, find_time_in_force
from portalops.model.message import Message, msg
from portalops.model.quarantines import SetAside
from portalops.model.record import FINISHED, STARTED, Digest, Fault, Record
from portalops.model.runs import Run, Slot
from portalops.model.text import format_at, show_text
from portalops.model.waivers import Waiver, WaiverWithdrawal
from portalops.registers.drills import IMPORTED
from portalops.registers.erasures import (
    ERASED,
    INERASABLE,
    NamedKept,
    RecordedErasure,
    find_protected,
    fold_erasures,
    names_kept,
)
from portalops.registers.expected_slots import missed_slots
from portalops.registers.plans import PLAN, RecordedPlan
from portalops.registers.runs import fold_runs
from portalops.registers.sign_offs import SIGN_OFF
from portalops.registers.signers import KEY_KINDS, TrustedKey, signing_keys
from portalops.registers.waivers import (
    WAIVER_KINDS,
    WITHDRAWN,
    RecordedWaiver,
    fold_waivers,
    waiver_of,
    waivers_in_force,
)
from portalops.registers.writers import BY_TWO, CLAIM_KINDS
from portalops.signatures.sshsig import fingerprint

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Integrity:
    """The first verdict: nothing was changed."""

    records: int
    first_at: str
    """`at` of the oldest and the newest record, as they stand; empty for an empty ledger."""
    last_at: str
    head: Digest
    """Digest of the newest line: a note of it shows later whether this chain still holds it."""
    faults: tuple[Fault, ...]
    """Ordered by record, at most `MAX_FAULTS`."""
    fault_count: int
    blobs: int
    """How many blobs were checked."""
    blobs_read: bool
    """They were read and digested; otherwise only that each is there."""
    signed: Signed
    """Heads, keys and sign-offs, and the auditor's own heads."""
    unsigned: int
    """How many records no head that holds is over, head records apart."""
    ownership: Ownership = field(default_factory=Ownership)
    """Whose the records are."""
    unclaimed: tuple[tuple[int, int], ...] = ()
    """First and last of the records that nobody claimed in time."""
    set_aside: tuple[SetAside, ...] = ()
    """The quarantines and mended clocks that count: what they name is no fault, and meets no duty."""
    curable: frozenset[int] = frozenset()
    """Numbers of the records with faults that two persons can set aside."""

    @property
    def holds(self) -> bool:
        """Nothing was found changed."""
        return self.fault_count == 0

    @property
    def unproven(self) -> tuple[SetAside, ...]:
        """The quarantines of which is not seen that what they set aside lacked its details."""
        return tuple(each for each in self.set_aside if not each.is_proven)

    @property
    def first_bad(self) -> int | None:
        """The first record that cannot be trusted; None if no fault names one."""
        return min((fault.seq for fault in self.faults if fault.seq > 0), default=None)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Details that were left out of a bundle on purpose."""

    digest: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """The second verdict: nothing expected is missing."""

    crashed: tuple[Run, ...]
    """Started and never finished. What is known of runs is listed even where `problem` says that more is not."""
    running: tuple[Run, ...]
    """Started, and their process is alive."""
    unbegun: tuple[Record, ...]
    """Finished records without a started one."""
    missing: tuple[Slot, ...]
    """Slots of planned jobs in which no run was recorded."""
    problem: Message | None = None
    """Why it could not be found out what was expected; then `missing` is empty and means nothing."""
    erased: tuple[RecordedErasure, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    waivers: tuple[RecordedWaiver, ...] = ()
    """In force in the verified time: they explain what is not met and change no verdict."""
    unread_waivers: tuple[int, ...] = ()
    """Records of waivers whose details cannot be read: one that grants grants nothing, one that withdraws ends all before it."""

    @property
    def holds(self) -> bool:
        """Nothing expected is missing. Crashed runs are listed, and missing only where nothing else fills their slot."""
        return self.problem is None and not self.missing and not self.unbegun


@dataclass(frozen=True, slots=True)
class Verification:
    """Both verdicts."""

    ledger: str
    """The ledger's id; empty if the first record does not name it."""
    integrity: Integrity
    completeness: Completeness


@dataclass(frozen=True, slots=True)
class Supplied:
    """What somebody holds of the ledger apart from it."""

    heads: Sequence[SuppliedHead] = ()
    trusted: Sequence[TrustedKey] | None = None
    """The keys that it is expected to be signed with; None if nobody brings any."""
    signing_key: str = ""
    """The public half of the key that this machine signs with; empty if none is configured or can be read."""


NOTHING_SUPPLIED: Final = Supplied()


def verify(
    ledger: Ledger,
    *,
    now: datetime,
    zone: ZoneInfo,
    read_blobs: bool = True,
    brought: Supplied = NOTHING_SUPPLIED,
    advance: Callable[[int], None] = lambda _amount: None,
) -> Verification:
    """Look at the whole ledger.

    Args:
        ledger: may be open for reading only.
        now: slots that end later are not missing yet, and waivers in force today are listed.
        zone: the portal's.
        read_blobs: read and digest every blob; otherwise only see that it is there.
        brought: heads and keys that the auditor kept elsewhere.
        advance: is called with the records done.

    Raises:
        LedgerError: the file cannot be read at all.
    """
    faults = Faults()
    ledger = ledger.whole
    ledger_id = _id_of(ledger)
    with SignatureChecks() as checks:
        with ledger.snapshot() as snapshot:
            told = _read_recorded(ledger, snapshot, checks)
            disowned, mends = disowned_keys(told.quarantines, ledger_id), key_mends(told.quarantines, ledger_id)
            told = replace(told, spoken=replace(told.spoken, disowned=disowned, mends=mends))
            faults.suspects = frozenset(suspects(told.quarantines))
            losable, doubtful = _losable(ledger, snapshot, faults.suspects)
            sought = wanted(told.spoken.heads, brought.heads).union(
                wanted_by_claims(told.signed.unchecked), wanted_by_quarantines(told.quarantines)
            )
            chain = check_chain(snapshot, faults, advance, wanted=sought)
            for seq, cause in snapshot.misleading_indexes():
                faults.add(
                    seq, msg("an index of the database does not list a record: {cause}", cause=show_text(cause, 200))
                )
        blobs = _check_blobs(ledger, told, faults, read_blobs=read_blobs)  # while signatures are checked
        claims = told.signed.checked()
    signed = check_heads(
        told.spoken,
        chain.noted,
        faults,
        ledger=ledger_id,
        records=chain.seq,
        all_covered=False,
        brought=brought.heads,
        trusted=brought.trusted,
        known=signing_keys(brought.trusted or ()) | {brought.signing_key},
        timeless=frozenset(each.seq for each in told.quarantines),
    )

    def time_in_force(seq: int, counted: Sequence[SetAside]) -> str:
        with ledger.snapshot() as lines:
            return find_time_in_force(lines.read_between(None, seq, _CHUNK), 0, seq, counted)

    restricted = frozenset(seq for seq, _kind in told.by_authority)
    ownership, set_aside = check_owners(
        told.quarantines,
        claims,
        told.spoken,
        signed,
        noted=chain.noted,
        time_in_force=time_in_force,
        faults=faults,
        ledger=ledger_id,
        anybodys=told.anybodys,
        restricted=restricted,
        losable=losable,
        doubtful=doubtful,
    )
    passed_over = records_set_aside(set_aside)
    with ledger.snapshot() as snapshot:
        misplaced = check_times(snapshot.read_between(None, chain.seq, _CHUNK), 0, chain, set_aside, faults)
        ages = (each for each in _ages(snapshot, ownership.gaps(chain.seq)) if each[0] not in passed_over)
        unclaimed = check_unclaimed(ages, chain.last_at)
    by_authority = (each for each in told.by_authority if each[0] not in passed_over)
    refused = {*check_authority(ownership, by_authority, faults), *passed_over}

    def counts(seq: int) -> bool:
        return not is_unheeded(seq, refused, unclaimed)

    erasures = [each for each in told.erasures if counts(each.seq)]
    kept = find_protected(told.inerasable, partial(protects, ownership=ownership, set_aside=passed_over))
    erased = fold_erasures(without_void(erasures, kept, faults))
    _check_own_key(signed, brought.signing_key, faults)
    for seq, digest in blobs.absent:
        needed_by = kept.get(digest, 0) if digest in erased else seq
        if needed_by:
            faults.add_excusable(needed_by, _missing(needed_by, digest))
    if not ledger_id:
        faults.add(1, msg("record 1 does not name the ledger"))
    shown = tuple(faults.first())
    curable = find_curable(
        {fault.seq for fault in shown},
        records=chain.records,
        ownership=ownership,
        spoken=told.spoken,
        signed=signed,
        read=told.quarantines,
        set_aside=set_aside,
        ledger=ledger_id,
        anybodys=told.anybodys,
        restricted=restricted,
    )
    integrity = Integrity(
        chain.records,
        chain.first_at,
        chain.last_at,
        chain.head,
        shown,
        faults.count,
        blobs.count,
        read_blobs,
        signed,
        count_unsigned(signed, told.spoken.heads, chain),
        ownership,
        unclaimed,
        set_aside,
        curable,
    )
    mistimed = records_untimely(told.quarantines, set_aside, misplaced)
    completeness = _completeness(ledger, told, counts, mistimed, now=now, zone=zone)
    return Verification(ledger_id, integrity, replace(completeness, erased=tuple(erased.values())))


def check_runs(
    records: Iterable[Record], missed: Callable[[Iterable[Run]], tuple[Slot, ...]], is_alive: Callable[[Run], bool]
) -> Completeness:
    """Sort the runs that frame records tell of; pure. The records are gone through once and not kept.

    Args:
        records: started and finished records, in order.
        missed: given every run that started, returns the slots that are missing; what it raises because it cannot be
            found out what was expected becomes the problem.
        is_alive: says whether an unfinished run's process is alive.
    """
    frames = _Frames()
    runs = frames.started(records)
    missing: tuple[Slot, ...] = ()
    problem: Message | None = None
    try:
        missing = missed(runs)
        for _run in runs:  # whoever looked for missing ones need not have looked at all
            pass
    except PortalOpsError as error:
        problem = error.message
        with suppress(PortalOpsError):
            for _run in runs:
                pass
    if not frames.are_all:
        return Completeness((), (), (), (), problem)
    running = tuple(run for run in frames.unfinished.values() if is_alive(run))
    crashed = tuple(run for run in frames.unfinished.values() if run not in running)
    return Completeness(crashed, running, tuple(frames.unbegun), missing, problem)


def timed(runs: Iterable[Run], mistimed: Collection[int]) -> Iterator[Run]:
    """Yield the runs whose time is not known to be wrong: no other fills a slot."""
    return (run for run in runs if run.started_seq not in mistimed)


def require_plans(plans: Sequence[RecordedPlan]) -> Sequence[RecordedPlan]:
    """Return the plans that are recorded; without one nobody can tell what was expected.

    Raises:
        LedgerError: there is none.
    """
    if plans:
        return plans
    raise LedgerError(
        msg(
            "no plan is recorded, so the expected runs are not known; 'portalops run' records the plan whenever "
            "it changes"
        ),
        msg("Run 'portalops run': completeness is judged from the first recorded plan on."),
    )


def count_unsigned(signed: Signed, heads: Iterable[ReadHead], chain: ChainPass) -> int:
    """Return how many records stand behind the newest head that holds, head records apart."""
    covered = signed.newest.head.size if signed.newest and signed.newest.head else 0
    return max(0, chain.seq - covered - sum(covered < each.seq <= chain.seq for each in heads))


@dataclass(slots=True)
class _Frames:
    """What is left to remember of runs while their records go by."""

    unfinished: dict[tuple[str, str], Run] = field(default_factory=dict)
    unbegun: list[Record] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    """Hashes of what started: a ledger of a million records has half a million of them."""
    are_all: bool = False
    """Every record was gone through: before that, what looks unfinished may have ended."""

    def started(self, records: Iterable[Record]) -> Iterator[Run]:
        """Yield each run as it starts."""
        for record in records:
            if record.kind.endswith(STARTED):
                (run,) = fold_runs((record,))
                self.unfinished[run.id, run.kind] = run
                self.known.add(hash((run.id, run.kind)))
                yield run
            elif record.kind.endswith(FINISHED):
                key = record.run, record.kind.removesuffix(FINISHED)
                self.unfinished.pop(key, None)
                if hash(key) not in self.known:
                    self.unbegun.append(record)
        self.are_all = True


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What the records say of signatures, erasures and waivers."""

    spoken: Spoken
    erasures: Sequence[RecordedErasure]
    inerasable: NamedKept
    """Bodies that cannot be erased, if one of these records counts."""
    waivers: RecordedWaivers
    signed: SignedTexts
    """Claims and writer records."""
    by_authority: Sequence[tuple[int, str]]
    """Number and kind of the records that not every writer may record."""
    quarantines: Sequence[ReadQuarantine]
    anybodys: frozenset[int]
    """Numbers of the records that can be set aside whoever recorded them."""
    whole: frozenset[bytes]
    """Digests of bodies that were read already, fit their digest and name no evidence."""


def _read_recorded(ledger: Ledger, snapshot: StoredLines, checks: SignatureChecks) -> _Recorded:
    heads: list[ReadHead] = []
    keys: list[HeldRecord] = []
    sign_offs: list[HeldRecord] = []
    erasures: list[RecordedErasure] = []
    waivers = RecordedWaivers()
    inerasable: dict[Digest, list[tuple[int, str]]] = {}
    drills: list[HeldRecord] = []
    signed = SignedTexts(checks)
    by_authority: list[tuple[int, str]] = []
    quarantines: list[ReadQuarantine] = []
    anybodys: list[int] = []
    whole: set[bytes] = set()
    for record in _records_of(snapshot, (*INERASABLE, *WAIVER_KINDS, IMPORTED)):
        if record.kind in INERASABLE:
            inerasable.setdefault(record.body, []).append((record.seq, record.kind))
        if is_anybodys(record.seq, record.kind):
            anybodys.append(record.seq)
        if record.kind in AUTHORITY_KINDS:
            by_authority.append((record.seq, record.kind))
        blob = _blob_or_none(ledger, record.body)
        if blob is not None and not bodies.evidence_of(blob):
            whole.add(bytes.fromhex(record.body))
        held = HeldRecord(record.seq, record.at, record.kind, blob)
        if record.kind == HEAD:
            heads.append(read_head(held))
        elif record.kind in KEY_KINDS:
            keys.append(held)
        elif record.kind == SIGN_OFF:
            sign_offs.append(held)
        elif record.kind == IMPORTED:
            drills.append(held)
        elif record.kind == ERASED and (erasure := read_erasure(held)) is not None:
            erasures.append(erasure)
        elif record.kind in CLAIM_KINDS:
            signed.take(held)
        elif record.kind in BY_TWO:
            quarantines.append(read_quarantine(held))
        elif record.kind in WAIVER_KINDS:
            waivers.take(held)
    first = {body: records[0][0] for body, records in inerasable.items()}
    anybodys += (each.seq for each in erasures if names_kept(each, first))
    return _Recorded(
        Spoken(heads, keys, sign_offs, drills),
        erasures,
        inerasable,
        waivers,
        signed,
        by_authority,
        quarantines,
        frozenset(anybodys),
        frozenset(whole),
    )


def _losable(ledger: Ledger, snapshot: StoredLines, numbers: Iterable[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Return of which of some records the details may be missing (`may_lose`), and of which of these they are at hand."""
    rows = ((seq, seq) for seq in sorted(numbers))
    read = partial(_blob_or_none, ledger)
    losable = [each for each in _records_in(snapshot, rows) if may_lose(each.kind)]
    at_hand = (each.seq for each in losable if not lacks_details(each.kind, each.body, read))
    return frozenset(each.seq for each in losable), frozenset(at_hand)


def _ages(snapshot: StoredLines, gaps: Iterable[tuple[int, int]]) -> Iterator[tuple[int, str, str]]:
    """Yield number, time and kind of the records in some gaps."""
    return ((record.seq, format_at(record.at), record.kind) for record in _records_in(snapshot, gaps))


def _records_in(snapshot: StoredLines, rows: Iterable[tuple[int, int]]) -> Iterator[Record]:
    """Yield the records from the first to the last of each row; the pass over the chain names what is none."""
    for first, last in rows:
        for chunk in snapshot.read_between(first - 1, last, _CHUNK):
            for line in chunk.lines:
                with suppress(NotARecord):
                    if isinstance(line, bytes):
                        yield parse(line)


@dataclass(slots=True)
class RecordedWaivers:
    """What records say of waivers, taken in their order."""

    records: list[tuple[int, datetime, Waiver | WaiverWithdrawal | None]] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    """Records whose details cannot be read."""

    def take(self, held: HeldRecord) -> None:
        """Read one waiver record."""
        body: Waiver | WaiverWithdrawal | None = None
        try:
            body = waiver_of(held.kind, held.blob or b"")
        except PortalOpsError:
            self.unread.append(held.seq)
        if body is not None or held.kind == WITHDRAWN:
            self.records.append((held.seq, held.at, body))

    def find_in_force(self, first: date, last: date, zone: ZoneInfo) -> tuple[RecordedWaiver, ...]:
        """Return those in force on any day of a span, both ends included."""
        return waivers_in_force(fold_waivers(self.records), first, last, zone)


def _records_of(snapshot: StoredLines, kinds: Sequence[str]) -> Iterator[Record]:
    """Yield the records of some kinds that can be read; the pass over the chain names the others."""
    for place, line in snapshot.lines_of(kinds):
        if not isinstance(line, bytes):
            continue
        try:
            record = parse(line)
        except NotARecord:
            continue
        if record.seq == place and record.kind in kinds:
            yield record


def _blob_or_none(ledger: Ledger, digest: Digest) -> bytes | None:
    try:
        return ledger.blob(digest)
    except PortalOpsError:
        return None  # the pass over the blobs names it


def _check_own_key(signed: Signed, signing_key: str, faults: Faults) -> None:
    """Name a ledger that is signed, and not with this machine's key or one that is joined to it by a change of keys."""
    uses = {use.signer.public_key: use for use in signed.uses}
    if not signing_key or not uses:
        return
    own = fingerprint(signing_key)
    if signing_key not in uses:
        faults.add(1, msg("this machine's signing key {key} is not in the ledger; another key signs it", key=own))
        return
    head = signed.newest.head if signed.newest else None
    newest = signed.newest.public_key if signed.newest else signing_key
    joined = _leads_to(uses, newest, signing_key) or _leads_to(uses, signing_key, newest)
    # Where a lost key's successor is recorded and has not signed yet, no head of the lost key is over its record.
    if not joined and head is not None and head.size >= uses[signing_key].signer.added_seq:
        added = uses[newest].signer.added_seq
        faults.add(
            added,
            msg(
                "record {seq}: key {key} signs the heads, but this machine's key {own} never confirmed it",
                seq=added,
                key=fingerprint(newest),
                own=own,
            ),
        )


def _leads_to(uses: Mapping[str, SignerUse], key: str, older: str) -> bool:
    """Say whether a key goes back to an older one, each having signed for the one that replaced it; or is the same."""
    seen: set[str] = set()
    while key != older:
        use = uses.get(key)
        if use is None or key in seen or not use.signer.replaces or use.speaks_for_itself:
            return False
        seen.add(key)
        key = use.signer.replaces
    return True


@dataclass(frozen=True, slots=True)
class _CheckedBlobs:
    count: int
    absent: Sequence[tuple[int, Digest]]
    """Those of which a record says that they were erased, with the first record that names each: whether it counts is not known yet."""


def _check_blobs(ledger: Ledger, told: _Recorded, faults: Faults, *, read_blobs: bool) -> _CheckedBlobs:
    """Look at each blob once: those that records name, and those that their results rest on."""
    erasable = {each.erasure.digest for each in told.erasures}
    absent: list[tuple[int, Digest]] = []
    seen: set[bytes] = set()
    for seq, body in ledger.bodies():
        if not _DIGEST.fullmatch(body):
            continue  # the chain's pass has named the record
        waiting = [body]
        while waiting:
            digest = waiting.pop()
            if (key := bytes.fromhex(digest)) in seen:
                continue
            seen.add(key)
            if key in told.whole:
                continue
            if digest in erasable and not ledger.has_blob(digest):
                absent.append((seq, digest))
                continue
            if not read_blobs:
                if not ledger.has_blob(digest):
                    faults.add_excusable(seq, _missing(seq, digest))
                continue
            try:
                blob = ledger.blob(digest)
            except PortalOpsError as error:
                faults.add_excusable(seq, msg("record {seq}: {cause}", seq=seq, cause=error.message))
                continue
            if digest == body:
                waiting += sorted(bodies.evidence_of(blob))
    return _CheckedBlobs(len(seen), absent)


def _missing(seq: int, digest: Digest) -> Message:
    return msg("record {seq}: blob {digest} is missing", seq=seq, digest=digest)


def _completeness(
    ledger: Ledger,
    told: _Recorded,
    counts: Callable[[int], bool],
    mistimed: Collection[int],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Completeness:
    today = now.astimezone(zone).date()
    unheeded = [
        record.seq for record in ledger.records(kinds=(PLAN,)) if not counts(record.seq) or record.seq in mistimed
    ]
    found = check_runs(
        ledger.frames(),
        lambda runs: missed_slots(
            require_plans(ledger.plans(without=unheeded)), timed(runs, mistimed), until=now, zone=zone
        ),
        lambda run: is_running(ledger.locks, run),
    )
    waivers = told.waivers.find_in_force(today, today, zone)
    return replace(found, waivers=waivers, unread_waivers=tuple(told.waivers.unread))


def _id_of(ledger: Ledger) -> str:
    try:
        return ledger.id if is_ledger_id(ledger.id) else ""
    except PortalOpsError:
        return ""


_DIGEST = re.compile(r"[0-9a-f]{64}")
