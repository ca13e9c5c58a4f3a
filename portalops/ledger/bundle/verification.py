"""portalops' own verification of a bundle: the points of docs/bundle-format.md, and the two verdicts.

It needs no configuration, no ledger and no clock. Everything in the folder comes from outside: files are read piece by
piece, lines and details up to a bound, and what does not fit is a fault and never an error.

The lines are gone through three times: for what records say of heads, keys and plans; for the chain; and, once it is
known what was erased, for the details, the figures and the runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.bodies import JsonValue
from portalops.errors import LedgerError, NotABundle
from portalops.ledger.bundle import contents
from portalops.ledger.bundle.contents import Description
from portalops.ledger.bundle.details import BlobState, BundleBlobs, DetailsCheck
from portalops.ledger.bundle.folder import BundleFolder, BundleLines
from portalops.ledger.bundle.sums import check_signature, check_sums
from portalops.ledger.bundle.time_stamps import CLOCKS_APART, NotAStamp, TimeStamp, parse_time_stamp
from portalops.ledger.bundle.time_stamps import MAX_BYTES as MAX_STAMP_BYTES
from portalops.ledger.bundle.zip_file import open_bundle
from portalops.ledger.chain import ChainPass, Faults, Tail, check_chain
from portalops.ledger.check_heads import (
    HeldRecord,
    ReadHead,
    Signed,
    Spoken,
    check_heads,
    heads_with_files,
    read_head,
    read_sign_off,
    wanted,
)
from portalops.ledger.claims import (
    AUTHORITY_KINDS,
    SignedText,
    check_authority,
    check_unclaimed,
    is_unheeded,
    read_signed,
)
from portalops.ledger.claims import wanted as wanted_by_claims
from portalops.ledger.erasures import protects, read_erasure, without_void
from portalops.ledger.heads import HEAD
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
from portalops.ledger.record import CREATED, Fields, NotARecord, is_ledger_id, parse, parse_at, split
from portalops.ledger.times import check_times, find_time_in_force
from portalops.ledger.verify import (
    NOTHING_SUPPLIED,
    Completeness,
    Integrity,
    RecordedWaivers,
    Supplied,
    Verification,
    check_runs,
    count_unsigned,
    require_plans,
    timed,
)
from portalops.model.message import Message, msg
from portalops.model.period import Period
from portalops.model.record import FINISHED, STARTED, Digest, Record
from portalops.model.runs import Plan, Run, Slot
from portalops.model.text import format_at, show_text
from portalops.model.zones import UnknownZone, zone_of
from portalops.registers.drills import IMPORTED
from portalops.registers.erasures import ERASED, INERASABLE, RecordedErasure, find_protected, fold_erasures, names_kept
from portalops.registers.expected_slots import missed_slots
from portalops.registers.figures import BACKUPS, CHECKS, MAX_BODY_BYTES, RUNS, UPDATES, Details, FigureCount
from portalops.registers.plans import PLAN, RecordedPlan
from portalops.registers.sign_offs import SIGN_OFF
from portalops.registers.signers import KEY_KINDS, signing_keys
from portalops.registers.waivers import WAIVER_KINDS, RecordedWaiver
from portalops.registers.writers import BY_TWO, CLAIM_KINDS

_CHUNK = 256

MAX_FIGURES_BYTES = 1 << 20
"""Figures of a portal have a few KiB; it bounds what is held of a foreign file."""

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class StampedHead:
    """A time stamp of a head that is granted and over the head."""

    name: str
    """The file."""
    size: int
    """Of the head."""
    at: datetime
    """What the authority states."""


@dataclass(frozen=True, slots=True)
class BundleVerification(Verification):
    """Both verdicts about a bundle, and what it is."""

    description: Description | None
    """What bundle.json says; None if it cannot be read."""
    stamped: tuple[StampedHead, ...]
    """Their own signatures were not checked."""
    not_compared: tuple[str, ...]
    """Parts of figures.json that rest on details that are not there."""
    reports: Mapping[Digest, str]
    """The reports in the folder by the digest that their files really have: what a sign-off is about is one of them or not."""
    detail_records: int
    """How many records have their details in it, or have them withheld or erased."""


def verify_bundle(
    path: Path, *, brought: Supplied = NOTHING_SUPPLIED, advance: Advance = lambda _amount: None
) -> BundleVerification:
    """Look at a whole bundle.

    Args:
        path: the folder, or a ZIP file of it, which is unpacked into the folder for temporary files.
        brought: heads and keys that the auditor kept elsewhere.
        advance: is called with the records done.

    Raises:
        NotABundle: it is no bundle, or one of a newer version.
        LedgerError: a file cannot be read by this account, or from this disk.
    """
    with open_bundle(path) as folder:
        return _Check(folder, brought, advance).run()


class _FigureFile:
    """figures.json, and the count of what it is to say."""

    def __init__(self, data: bytes, period: Period, zone: ZoneInfo) -> None:
        self.data = data
        self.found = contents.json_object(data)
        records = (self.found or {}).get("records")
        last = records.get("last") if isinstance(records, dict) else None
        self._last = last if type(last) is int else 0
        self._as_of = ""
        self._count = FigureCount(period, zone)
        self._since = format_at(self._count.since)

    def take(self, place: int, line: bytes, fields: Fields, *, is_timed: bool) -> None:
        """Count a record, if it stands before the last one that counts and its time is not wrong."""
        if place > self._last:
            return
        if place == self._last:
            self._as_of = fields.at
        if is_timed and (fields.kind == PLAN or fields.at >= self._since):
            record = _record(line, place)
            if record is not None:
                self._count.take(record)

    def expected(self, details: Details) -> dict[str, JsonValue] | None:
        """Return what the file is to hold; None if it does not end with an existing record."""
        return self._count.figures(self._last, parse_at(self._as_of), details).data() if self._as_of else None


@dataclass(slots=True)
class _Seen:
    """What was seen when the lines were gone through for the details."""

    details: DetailsCheck
    figures: _FigureFile | None
    """None if it is not known what they are about."""
    left_out: frozenset[str]
    records: int = 0


@dataclass(slots=True)
class _Recorded:
    """What records say that the whole of the bundle is judged by."""

    heads: list[ReadHead] = field(default_factory=list)
    keys: list[HeldRecord] = field(default_factory=list)
    sign_offs: list[HeldRecord] = field(default_factory=list)
    drills: list[HeldRecord] = field(default_factory=list)
    signed: list[SignedText] = field(default_factory=list)
    """Claims and writer records."""
    by_authority: list[tuple[int, str]] = field(default_factory=list)
    quarantines: list[ReadQuarantine] = field(default_factory=list)
    anybodys: set[int] = field(default_factory=set)
    mistimed: frozenset[int] = frozenset()
    """Numbers of the records whose time says nothing (`records_untimely`)."""
    plans: list[Record] = field(default_factory=list)
    erasures: list[RecordedErasure] = field(default_factory=list)
    kept: dict[Digest, list[tuple[int, str]]] = field(default_factory=dict)
    """As `NamedKept`."""
    protects: Callable[[int, str], bool] = lambda _seq, _kind: True
    """Says of a record's number and kind whether its details are never erased or withheld; set once it is known what counts."""
    waivers: RecordedWaivers = field(default_factory=RecordedWaivers)
    ledger: str = ""
    """The ledger's id, from the first record; empty if that cannot be read."""
    last_at: str = ""
    """Of the last line that is a record."""


class _Check:
    """One verification of one bundle."""

    def __init__(self, folder: BundleFolder, brought: Supplied, advance: Advance) -> None:
        self._folder = folder
        self._brought = brought
        self._advance = advance
        self._faults = Faults()
        self._lines = BundleLines(folder)
        self._blobs = BundleBlobs(folder)
        self._of_suspects: set[bytes] = set()
        """Digests of the details that are there of records that quarantines name; these may stand before `blobs.first`."""

    def run(self) -> BundleVerification:
        description = self._read_description()
        told = self._read_recorded()
        chain = self._check_chain(description, told)
        disowned = disowned_keys(told.quarantines, told.ledger)
        mends = key_mends(told.quarantines, told.ledger)
        spoken = Spoken(told.heads, told.keys, told.sign_offs, told.drills, disowned, mends)
        signed = check_heads(
            spoken,
            chain.noted,
            self._faults,
            ledger=told.ledger,
            records=chain.records,
            all_covered=True,
            brought=self._brought.heads,
            trusted=self._brought.trusted,
            known=signing_keys(self._brought.trusted or ()),
            timeless=frozenset(each.seq for each in told.quarantines),
        )
        losable, doubtful = self._losable(self._faults.suspects, description)
        restricted = frozenset(seq for seq, _kind in told.by_authority)
        ownership, set_aside = check_owners(
            told.quarantines,
            told.signed,
            spoken,
            signed,
            noted=chain.noted,
            time_in_force=lambda seq, counted: find_time_in_force(self._lines.chunks(_CHUNK), 0, seq, counted),
            faults=self._faults,
            ledger=told.ledger,
            anybodys=told.anybodys,
            restricted=restricted,
            losable=losable,
            doubtful=doubtful,
        )
        passed_over = records_set_aside(set_aside)
        misplaced = check_times(self._lines.chunks(_CHUNK), 0, chain, set_aside, self._faults)
        told.mistimed = records_untimely(told.quarantines, set_aside, misplaced)
        by_authority = (each for each in told.by_authority if each[0] not in passed_over)
        refused = {*check_authority(ownership, by_authority, self._faults), *passed_over}
        ages = (each for each in self._ages(tuple(ownership.gaps(chain.records))) if each[0] not in passed_over)
        unclaimed = check_unclaimed(ages, told.last_at)
        unplanned = refused | told.mistimed
        told.plans = [each for each in told.plans if not is_unheeded(each.seq, unplanned, unclaimed)]
        erasures = [each for each in told.erasures if not is_unheeded(each.seq, refused, unclaimed)]
        told.protects = partial(protects, ownership=ownership, set_aside=passed_over)
        told.erasures = without_void(erasures, find_protected(told.kept, told.protects), self._faults)
        files = check_sums(self._folder, self._faults)
        published = heads_with_files(told.heads, signed.listed, told.ledger)
        self._check_head_files(published.values(), files.heads)
        self._check_allowed_signers(told, signed)
        check_signature(self._folder, [use.signer for use in signed.uses], chain.seq, told.last_at, self._faults)
        stamped = tuple(self._check_stamps(published, told, chain, files.stamps))
        seen = self._read_details(description, told)
        files.check_blobs(seen.details.named | self._of_suspects, self._faults)
        if not told.ledger:
            self._faults.add(1, msg("record 1 does not name the ledger"))
        not_compared = self._check_figures(seen)
        completeness = self._completeness(description, told)
        faults = tuple(self._faults.first())
        curable = find_curable(
            {fault.seq for fault in faults},
            records=chain.records,
            ownership=ownership,
            spoken=spoken,
            signed=signed,
            read=told.quarantines,
            set_aside=set_aside,
            ledger=told.ledger,
            anybodys=told.anybodys,
            restricted=restricted,
        )
        integrity = Integrity(
            chain.records,
            chain.first_at,
            chain.last_at,
            chain.head,
            faults,
            self._faults.count,
            self._blobs.count,
            True,
            signed,
            count_unsigned(signed, told.heads, chain),
            ownership,
            unclaimed,
            set_aside,
            curable,
        )
        return BundleVerification(
            told.ledger, integrity, completeness, description, stamped, not_compared, files.reports, seen.records
        )

    def _read_description(self) -> Description | None:
        data = self._folder.read(contents.DESCRIPTION, MAX_BODY_BYTES) or b""
        if contents.is_newer(data):
            raise NotABundle(
                msg("{path} is a bundle of a newer format", path=show_text(str(self._folder.path))),
                msg("Use the verify.py in the bundle, or a newer portalops."),
            )
        description = contents.parse_description(data)
        if description is None:
            self._faults.add(0, msg("{name} does not have the format that portalops writes", name=contents.DESCRIPTION))
        return description

    def _read_recorded(self) -> _Recorded:
        """Go through the lines for what heads, keys, sign-offs, erasures, waivers and plans there are."""
        told = _Recorded()
        place, line = 0, b""
        for place, line in enumerate(self._lines.lines(), 1):
            found = _KIND.search(line)
            if found is not None and found.group(1).decode() in {*contents.ALWAYS, IMPORTED}:
                record = _record(line, place)
                if record is not None:
                    self._take_recorded(record, told)
        first = {body: records[0][0] for body, records in told.kept.items()}
        told.anybodys.update(each.seq for each in told.erasures if names_kept(each, first))
        told.last_at = self._last_at(line, place)
        return told

    def _take_recorded(self, record: Record, told: _Recorded) -> None:
        if is_anybodys(record.seq, record.kind):
            told.anybodys.add(record.seq)
        if record.kind in AUTHORITY_KINDS:
            told.by_authority.append((record.seq, record.kind))
        if record.kind in INERASABLE:
            told.kept.setdefault(record.body, []).append((record.seq, record.kind))
        if record.kind == PLAN:
            told.plans.append(record)
            return
        blob = self._blobs.body(record.body)
        held = HeldRecord(record.seq, record.at, record.kind, blob)
        if record.kind == HEAD:
            told.heads.append(read_head(held))
        elif record.kind in KEY_KINDS:
            told.keys.append(held)
        elif record.kind == SIGN_OFF:
            told.sign_offs.append(held)
        elif record.kind == IMPORTED:
            told.drills.append(held)
        elif record.kind == ERASED and (erasure := read_erasure(held)) is not None:
            told.erasures.append(erasure)
        elif record.kind in CLAIM_KINDS:
            told.signed.append(read_signed(held))
        elif record.kind in BY_TWO:
            told.quarantines.append(read_quarantine(held))
        elif record.kind in WAIVER_KINDS:
            told.waivers.take(held)
        elif record.kind == CREATED and record.seq == 1:
            ledger = (contents.json_object(blob or b"") or {}).get("ledger")
            told.ledger = ledger if isinstance(ledger, str) and is_ledger_id(ledger) else ""

    def _losable(
        self, numbers: Collection[int], description: Description | None
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Return of which of some records the details may be missing (`may_lose`), and of which of these they are here, or need not be."""
        losable, doubtful = set[int](), set[int]()
        withheld = {each.digest for each in description.withheld} if description else set()
        for place, line in enumerate(self._lines.lines() if numbers else (), 1):
            record = _record(line, place) if place in numbers else None
            if record is None or not may_lose(record.kind):
                continue
            losable.add(place)
            absent = set[Digest]()
            lacks = lacks_details(record.kind, record.body, partial(self._read_or_note, absent))
            is_due = record.kind in contents.ALWAYS or (description is not None and place >= description.first_blob)
            if not lacks or not is_due or absent & withheld:
                doubtful.add(place)
        return frozenset(losable), frozenset(doubtful)

    def _read_or_note(self, absent: set[Digest], digest: Digest) -> bytes | None:
        """Return the bytes of a digest that is there, and note it as a suspect's; else note that it is absent."""
        state, body = self._blobs.read(digest)
        if state is BlobState.GOOD:
            self._of_suspects.add(bytes.fromhex(digest))
            return body or b""
        absent.add(digest)
        return None

    def _ages(self, gaps: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str, str]]:
        """Yield number, time and kind of the records in some gaps."""
        pending = list(reversed(gaps))
        for place, line in enumerate(self._lines.lines() if gaps else (), 1):
            if pending and pending[-1][1] < place:
                pending.pop()
            if not pending:
                return
            if pending[-1][0] <= place and (fields := _fields(line, place)) is not None:
                yield place, fields.at, fields.kind

    def _last_at(self, newest: bytes, count: int) -> str:
        """Return the time of the last line that is a record; usually that is the last line."""
        if (fields := _fields(newest, count)) is not None:
            return fields.at
        last = ""
        for place, line in enumerate(self._lines.lines(), 1):
            if (fields := _fields(line, place)) is not None:
                last = fields.at
        return last

    def _check_chain(self, description: Description | None, told: _Recorded) -> ChainPass:
        """Points 2, and what bundle.json says of the chain."""
        if description is not None:
            self._lines.expected = Tail(description.records, description.head)
            if told.ledger and description.ledger != told.ledger:
                self._faults.add(0, msg("{name} names a different ledger than record 1", name=contents.DESCRIPTION))
        behind_heads = (each.seq + 1 for each in told.heads)
        self._faults.suspects = frozenset(suspects(told.quarantines))
        by_claims = wanted_by_claims(told.signed)
        sought = wanted(told.heads, self._brought.heads).union(
            behind_heads, by_claims, wanted_by_quarantines(told.quarantines)
        )
        chain = check_chain(self._lines, self._faults, self._advance, wanted=sought)
        if chain.records and not self._lines.ends_in_line_feed:
            self._faults.add(chain.seq, msg("record {seq} does not end in a line feed", seq=chain.seq))
        return chain

    def _check_head_files(self, published: Iterable[ReadHead], there: Iterable[str]) -> None:
        """Point 6: `heads/` holds the heads of the records and no others."""
        expected: dict[str, bytes] = {}
        for each in published:
            if each.head is not None and each.signed is not None:
                stem = contents.head_stem(each.head.size)
                expected[f"{stem}.txt"] = each.signed.text.encode()
                expected[f"{stem}.sig"] = each.signed.signature.encode("utf-8", "surrogatepass")
        for name, data in expected.items():
            if self._folder.read(name, len(data)) != data:
                self._faults.add(0, msg("{name} is not the head in the records", name=name))
        for name in there:
            if name not in expected:
                self._faults.add(0, msg("{name} belongs to no head in the records", name=name))

    def _check_allowed_signers(self, told: _Recorded, signed: Signed) -> None:
        sign_offs = [read for held in told.sign_offs if (read := read_sign_off(held)) is not None]
        text = contents.allowed_signers(signed.listed, sign_offs)
        expected = text.encode("utf-8", "surrogatepass")
        if self._folder.read(contents.SIGNERS, len(expected)) != expected:
            self._faults.add(0, msg("{name} contradicts the records", name=contents.SIGNERS))

    def _check_stamps(
        self, published: Mapping[int, ReadHead], told: _Recorded, chain: ChainPass, names: Iterable[str]
    ) -> Iterator[StampedHead]:
        """Point 7."""
        heads = {contents.head_stem(size): each for size, each in published.items()}
        for name in sorted(names):
            each = heads.get(name.split(".")[0])
            if each is None or each.head is None:
                self._faults.add(0, msg("{name} belongs to no head in the records", name=name))
                continue
            stamp = self._stamp(name)
            if stamp is None:
                continue
            if stamp.imprint.hex() != each.text_digest:
                self._faults.add(0, msg("{name} is a time stamp of something else", name=name))
                continue
            if stamp.at + CLOCKS_APART < each.head.at and each.seq not in told.mistimed:
                self._faults.add(0, msg("{name} is older than its head", name=name))
                continue
            behind = chain.noted.get(each.seq + 1)
            if behind is not None and behind[1] and parse_at(behind[1]) < stamp.at - CLOCKS_APART:
                self._faults.add_excusable(
                    each.seq + 1,
                    msg(
                        "record {seq} claims the time {at}, but the head before it was stamped at {stamped}",
                        seq=each.seq + 1,
                        at=behind[1],
                        stamped=format_at(stamp.at),
                    ),
                )
            yield StampedHead(name, each.head.size, stamp.at)

    def _stamp(self, name: str) -> TimeStamp | None:
        try:
            return parse_time_stamp(self._folder.read(name, MAX_STAMP_BYTES) or b"")
        except NotAStamp as error:
            self._faults.add(0, msg("{name} is not a valid time stamp: {cause}", name=name, cause=error.message))
            return None

    def _read_details(self, description: Description | None, told: _Recorded) -> _Seen:
        """Go through the lines again for details, figures and runs: point 3, and what 10 and completeness need."""
        withheld = {each.digest for each in description.withheld} if description else set()
        erased = {each.erasure.digest for each in told.erasures}
        details = DetailsCheck(self._blobs, self._faults, withheld=withheld, erased=erased, protects=told.protects)
        first = description.first_blob if description else None
        seen = _Seen(details, _figures_in(self._folder, description), frozenset((*withheld, *erased)))
        for place, line in enumerate(self._lines.lines(), 1):
            fields = _fields(line, place)
            if fields is None:
                continue
            if fields.kind in contents.ALWAYS or (first is not None and place >= first):
                details.take(place, fields)
                seen.records += 1
            if seen.figures is not None:
                seen.figures.take(place, line, fields, is_timed=place not in told.mistimed)
        return seen

    def _check_figures(self, seen: _Seen) -> tuple[str, ...]:
        """Point 10; return the parts that could not be compared."""
        figures = seen.figures
        if not self._folder.has(contents.FIGURES):
            return ()
        if figures is None:
            return _PARTS
        if figures.found is None:
            self._faults.add(0, msg("{name} does not have the format that portalops writes", name=contents.FIGURES))
            return ()
        lacking: set[str] = set()

        def details(part: str, digest: Digest) -> Mapping[str, JsonValue] | None:
            state, body = self._blobs.read(digest)
            if digest in seen.left_out or state is not BlobState.GOOD:
                lacking.add(part)
                return None
            return None if body is None else contents.json_object(body)

        expected = figures.expected(details)
        if expected is not None:
            expected |= {key: figures.found.get(key) for part in lacking for key in _KEYS[part]}
        if expected is None or _written(expected) != figures.data:
            self._faults.add(0, msg("{name} does not equal what is computed from the records", name=contents.FIGURES))
        return tuple(sorted(lacking))

    def _completeness(self, description: Description | None, told: _Recorded) -> Completeness:
        erased = tuple(fold_erasures(told.erasures).values())
        withheld = description.withheld if description else ()
        waivers = _waivers(description, told)
        left_out = {
            each.digest for each in withheld
        }  # no erasure keeps a plan out: one that is not there cannot be read
        zone = _zone(description)

        def missed(runs: Iterable[Run]) -> tuple[Slot, ...]:
            if zone is None or not told.last_at:
                raise _unknown(msg("the time zone in which days begin is not known"))
            plans = require_plans(tuple(self._plans(told, left_out)))
            return missed_slots(plans, timed(runs, told.mistimed), until=parse_at(told.last_at), zone=zone)

        found = check_runs(self._frames(), missed, lambda _run: False)
        unread = tuple(told.waivers.unread)
        return replace(found, erased=erased, withheld=withheld, waivers=waivers, unread_waivers=unread)

    def _plans(self, told: _Recorded, left_out: Collection[str]) -> Iterator[RecordedPlan]:
        for record in told.plans:
            if record.body in left_out:
                raise _unknown(msg("record {seq}: the plan is withheld", seq=record.seq))
            held = (self._blobs.details(record.body) or {}).get(PLAN)
            if held is None:
                raise _unknown(msg("record {seq}: the plan cannot be read", seq=record.seq))
            try:
                yield RecordedPlan(record.seq, record.at, bodies.decode(Plan, held))
            except LedgerError as error:
                raise _unknown(msg("record {seq}: {cause}", seq=record.seq, cause=error.message)) from error

    def _frames(self) -> Iterator[Record]:
        for place, line in enumerate(self._lines.lines(), 1):
            found = _KIND.search(line)
            if found is not None and found.group(1).endswith(_FRAMES) and (record := _record(line, place)) is not None:
                yield record


_KIND = re.compile(rb'"kind":"([a-z0-9.-]+)","prev":"')
_FRAMES = (STARTED.encode(), FINISHED.encode())
_KEYS = {RUNS: ("runs",), BACKUPS: ("backups",), CHECKS: ("checks",), UPDATES: ("portal_days", "unit_weeks")}
_PARTS = tuple(sorted(_KEYS))


def _fields(line: bytes, place: int) -> Fields | None:
    """Return what a line says; None if it is no record, which the pass over the chain names.

    A record counts by its place: that it says another number is named there too.
    """
    try:
        fields = split(line)
        parse_at(fields.at)
    except ValueError:
        return None
    return replace(fields, seq=place) if fields.seq != place else fields


def _record(line: bytes, place: int) -> Record | None:
    try:
        record = parse(line)
    except NotARecord:
        return None  # as above
    return replace(record, seq=place) if record.seq != place else record


def _figures_in(folder: BundleFolder, description: Description | None) -> _FigureFile | None:
    period, zone = _period(description), _zone(description)
    if period is None or zone is None:
        return None
    try:
        data = folder.read(contents.FIGURES, MAX_FIGURES_BYTES) or b""
        return _FigureFile(data if len(data) <= MAX_FIGURES_BYTES else b"", period, zone)
    except OverflowError:
        return None  # a period at the end of the calendar


def _period(description: Description | None) -> Period | None:
    if description is None:
        return None
    try:
        return Period(date.fromisoformat(description.first_day), date.fromisoformat(description.last_day))
    except ValueError:
        return None


def _zone(description: Description | None) -> ZoneInfo | None:
    if description is None:
        return None
    try:
        return zone_of(description.timezone)
    except UnknownZone:
        return None


def _waivers(description: Description | None, told: _Recorded) -> tuple[RecordedWaiver, ...]:
    period, zone = _period(description), _zone(description)
    if period is None or zone is None:
        return ()
    return told.waivers.find_in_force(period.first, period.last, zone)


def _written(value: Mapping[str, JsonValue]) -> bytes:
    """Write it as `bodies.write` does; parts that were taken from the file may hold any text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _unknown(what: Message) -> LedgerError:
    return LedgerError(what, msg("Completeness cannot be judged from this bundle."))
