"""Writes a bundle: a folder that is whole or not there, and that a stranger checks without portalops.

What goes into it is read from the ledger one record and one blob after the other, so that a long ledger takes no
more memory than a short one; only the digests of the details are held.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

from portalops import __version__, bodies
from portalops.errors import IntegrityError, LedgerError, Locked, PortalOpsError, UsageError
from portalops.files import new_folder, sync_folder, unwritable
from portalops.ledger.bundle import contents
from portalops.ledger.bundle.contents import CLAIMS_FORMAT, FORMAT, QUARANTINES_FORMAT, Description
from portalops.ledger.bundle.zip_file import pack
from portalops.ledger.chain import (
    MAX_LINE_BYTES,
    ChainPass,
    Chunk,
    Faults,
    LineSnapshot,
    Tail,
    bytes_of,
    check_chain,
)
from portalops.ledger.check_heads import HeldRecord, heads_with_files, read_head, read_sign_off
from portalops.ledger.claims import Ownership
from portalops.ledger.counted_erasures import read_kept
from portalops.ledger.erasures import protects
from portalops.ledger.heads import HEAD, head_digest, heads, listed_signers, record_head
from portalops.ledger.heeded import (
    find_quarantine_needing,
    heeded,
    numbers_excused,
    numbers_set_aside,
    read_counted,
    read_ownership,
)
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantines import is_anybodys
from portalops.ledger.record import line_digest
from portalops.ledger.times import check_times
from portalops.ledger.verify import Withheld
from portalops.model.heads import Erasure, RecordedHead, SignedHead, SignOff
from portalops.model.message import Message, msg
from portalops.model.organisation import Portal
from portalops.model.period import Period
from portalops.model.record import Digest, Record
from portalops.ports import Clock
from portalops.registers.anchors import read_receipts
from portalops.registers.erasures import ERASED, RecordedErasure, names_kept
from portalops.registers.figures import Figures
from portalops.registers.sign_offs import SIGN_OFF
from portalops.registers.signers import KEY_KINDS
from portalops.registers.waivers import WAIVER_KINDS
from portalops.registers.writers import CLAIM_KINDS, CLOCK_MENDED, QUARANTINED, SELF_SIGNED
from portalops.signatures.sshsig import Hashed, SigningKey, sign

TIME_STAMP = "rfc3161"
"""The kind of anchor whose receipts hold a time-stamp response."""

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BundleScope:
    """Which records' details belong to a bundle, and which of them are left out."""

    first: int
    """The first record whose details belong to it, whatever its kind."""
    since: datetime
    """The moment from which queries find that record."""
    last: int
    withheld: Mapping[Digest, str]
    """Digest: reason."""
    erased: Mapping[Digest, int]
    """Digest: the newest record that says so."""
    set_aside: frozenset[int] = frozenset()
    """Numbers of the records that two persons set aside: their details may be missing."""
    named: frozenset[int] = frozenset()
    """Numbers of the records that any quarantine names: whether it counts rests on their details, so those that are there go with the bundle."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One blob of a bundle."""

    seq: int
    """The first record whose details belong to the bundle and that it is of."""
    digest: Digest
    data: bytes | None
    """None if it is left out."""
    is_missing: bool = False
    """It cannot be read, and nobody stands for the record: no stranger stops a bundle by naming what there never was."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a bundle holds beside the ledger's own."""

    portal: Portal
    period: Period
    reports: Mapping[str, bytes]
    """By language."""
    figures: Figures
    certificates: Mapping[str, bytes]
    """By anchor: what its time stamps are checked with."""


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """A bundle that lies in its folder."""

    description: Description
    head: RecordedHead
    blobs: int
    blob_bytes: int
    heads: int
    time_stamps: int
    files: int
    """All of them."""
    missing: tuple[int, ...] = ()
    """Records that nobody stands for, without their details: verifying the bundle names them."""


def scope_of(ledger: Ledger, since: datetime, withheld: Mapping[Digest, str], *, last: int) -> BundleScope:
    """Find the records whose details belong to a bundle.

    Args:
        ledger: read only.
        since: details of records from this moment on belong to it.
        withheld: digest and reason of what is left out on purpose.
        last: the last record of the bundle.

    Raises:
        IntegrityError: the details of a record about erased blobs are damaged.
    """
    first = next(ledger.records(since=since, limit=1), None)
    end = ledger.record(last)
    assert end is not None  # it is one that was just read
    if first is None or first.seq > last:
        first = end
    erasures = [
        RecordedErasure(record.seq, record.at, found)
        for record in _read_until(heeded(ledger).records(kinds=(ERASED,)), last)
        if (found := bodies.decode_part(ledger.blob(record.body), "erased", Erasure)) is not None
    ]
    kept = read_kept(ledger, erasures)
    erased = {each.erasure.digest: each.seq for each in erasures if not names_kept(each, kept)}
    since, aside = ledger.found_from(first), numbers_set_aside(ledger)
    return BundleScope(first.seq, since, last, withheld, erased, aside, _read_named(ledger))


def _read_named(ledger: Ledger) -> frozenset[int]:
    if not any(ledger.records(kinds=(QUARANTINED,), limit=1)):
        return frozenset()
    from portalops.ledger.set_aside import records_named  # noqa: PLC0415  # few ledgers have any

    return records_named(ledger)


def details(ledger: Ledger, scope: BundleScope) -> Iterator[Detail]:
    """Yield each blob that belongs to a bundle once, as the first record names it.

    Raises:
        IntegrityError: one that somebody stands for is missing or damaged and neither erased nor withheld.
    """
    seen: set[bytes] = set()
    followed: set[bytes] = set()
    ownership = read_ownership(ledger)

    def read(record: Record, digest: Digest) -> Detail:
        erased_by = scope.erased.get(digest, 0)
        # What was recorded behind an erasure was not what that removed: its details are in the bundle, if they are there.
        if digest in scope.withheld or record.seq < erased_by or (erased_by and not ledger.has_blob(digest)):
            return Detail(record.seq, digest, None)
        is_needed = digest == record.body and record.kind in contents.NOT_WITHHELD
        try:
            return Detail(record.seq, digest, _blob(ledger, record.seq, digest, is_needed=is_needed))
        except IntegrityError:
            if record.seq < scope.first and record.kind not in contents.ALWAYS:
                return Detail(record.seq, digest, None)  # no bundle need hold it
            if not _is_nobodys(record, ownership):
                raise
            return Detail(record.seq, digest, None, is_missing=True)

    for record in _belonging(ledger, scope):
        if record.seq < scope.first and _is_for_nothing(record, scope, ownership):
            continue
        if (key := bytes.fromhex(record.body)) in followed:
            continue
        followed.add(key)
        is_aside = record.seq in scope.set_aside
        if is_aside and not ledger.has_blob(record.body):
            continue
        body = read(record, record.body)
        if key not in seen:
            seen.add(key)
            yield body
        for digest in () if body.data is None else contents.evidence_of(body.data):
            if is_aside and not ledger.has_blob(digest):
                continue
            if (key := bytes.fromhex(digest)) not in seen:
                seen.add(key)
                yield read(record, digest)


def check_withheld(ledger: Ledger, scope: BundleScope) -> None:
    """Make sure that what is to be left out belongs to the bundle and can be left out.

    Raises:
        UsageError: it is of a kind without which nothing could be verified, it is erased, or nothing names it.
    """
    if not scope.withheld:
        return
    ownership = read_ownership(ledger)
    for record in _read_until(ledger.records(kinds=contents.NOT_WITHHELD), scope.last):
        if record.body in scope.withheld and protects(
            record.seq, record.kind, ownership=ownership, set_aside=scope.set_aside
        ):
            raise UsageError(
                msg(
                    "{digest} holds the details of record {seq}; details of the kind {kind} must not be withheld",
                    digest=record.body,
                    seq=record.seq,
                    kind=record.kind,
                ),
                msg("Leave it out of --withhold: without these details nothing in the bundle could be verified."),
            )
    for digest in sorted(scope.withheld):
        if (needing := find_quarantine_needing(ledger, digest)) is not None:
            raise UsageError(
                msg(
                    "the details {digest} show why the quarantine in record {quarantine} counts: they must not be withheld",
                    digest=digest,
                    quarantine=str(needing[0]),
                ),
                msg(
                    "Leave them out of --withhold: without them nobody could see that record {seq} counts for nothing.",
                    seq=str(needing[1]),
                ),
            )
    missing = set(scope.withheld)
    for digest in sorted(missing & scope.erased.keys()):
        raise UsageError(
            msg("{digest} is erased already", digest=digest),
            msg("Leave it out of --withhold: the bundle lists it as erased."),
        )
    for detail in details(ledger, scope):
        missing.discard(detail.digest)
        if not missing:
            return
    raise UsageError(
        msg("the bundle holds no details with the digest {digest}", digest=min(missing)),
        msg(
            "Run 'portalops ledger show NUMBER' to see the digest of a record's details; --period decides which "
            "records are in the bundle."
        ),
    )


def covering_head(
    ledger: Ledger, key: SigningKey, clock: Clock, *, successor: SigningKey | None = None
) -> RecordedHead:
    """Sign what the ledger is, so that nothing but heads stands between the head and the records it is over.

    Arguments are those of `record_head`.

    Raises:
        LedgerError: the key is not the ledger's, or nothing can be recorded.
        Locked: other processes kept recording in between.
    """
    for _attempt in range(20):
        head = record_head(ledger, key, clock, successor=successor)
        between = (ledger.record(seq) for seq in range(head.head.size + 1, head.seq))
        if all(record is not None and record.kind == HEAD for record in between):
            return head
    raise Locked(
        msg("no head could be signed over all records: other processes keep adding records"),
        msg("Run the command again when the jobs that are running have ended."),
    )


def write_bundle(
    ledger: Ledger,
    folder: Path,
    scope: BundleScope,
    content: Content,
    *,
    head: RecordedHead,
    key: SigningKey,
    advance: Advance = lambda _amount: None,
) -> WrittenBundle:
    """Write the folder beside its place and put it there.

    Args:
        ledger: read only.
        folder: nothing, or an empty folder.
        scope: its last record is the head's.
        content: reports, figures and certificates.
        head: over everything, see `covering_head`.
        key: signs the list of files.
        advance: is called with the records and blobs done.

    Raises:
        IntegrityError: the ledger does not hold, so that its bundle would not either.
        FileUnwritable: the disk is full or not writable; then there is no bundle.
    """
    with new_folder(folder) as part:
        writer = _Writer(part)
        description = _describe(ledger, scope, content, _write_lines(ledger, part, writer, scope, advance))
        writer.put(contents.DESCRIPTION, description.write())
        size, missing = 0, []
        for detail in details(ledger, scope):
            if detail.is_missing:
                missing.append(detail.seq)
            if detail.data is not None:
                writer.put_blob(detail.digest, detail.data)
                size += len(detail.data)
            advance(1)
        published = _write_heads(ledger, writer, scope.last)
        tokens = _write_tokens(ledger, writer, published)
        sign_offs = tuple(_sign_offs(ledger, scope.last))
        signers = contents.allowed_signers(listed_signers(ledger), sign_offs)
        writer.put(contents.SIGNERS, signers.encode())
        writer.put(contents.FIGURES, bodies.write(content.figures.data()))
        for language, report in content.reports.items():
            writer.put(f"report.{language}.html", report)
        for anchor, certificates in content.certificates.items():
            writer.put(f"{contents.CERTIFICATES}/{anchor}.pem", certificates)
        for name in contents.RESOURCES:
            writer.put(name, resource(name))
        writer.sign(key)
    count = writer.blobs + len(writer.sums) + 2
    return WrittenBundle(description, head, writer.blobs, size, len(published), tokens, count, tuple(missing))


def write_zip(path: Path, write: Callable[[Path], WrittenBundle]) -> WrittenBundle:
    """Write a bundle as one ZIP file: it is whole or not there.

    Args:
        path: where the file shall be; nothing is there.
        write: writes the bundle's folder to a place.

    Raises:
        FileUnwritable: the disk is full or not writable, or something lies in its place meanwhile; then there is no file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{path.name}.", suffix=".part", dir=path.parent) as scratch:
            folder, part = Path(scratch) / "bundle", Path(scratch) / "zip"
            written = write(folder)
            with part.open("xb") as file:
                pack(folder, file, path.stem)
                file.flush()
                os.fsync(file.fileno())
            if not is_free_file(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            os.rename(part, path)
        sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    return written


def resource(name: str) -> bytes:
    """Return a file that is the same in every bundle."""
    return (files("portalops.ledger.bundle") / name).read_bytes()


class _Writer:
    """Writes files into a folder and keeps their digests; a blob's is its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[str] = set()
        self.sums: dict[str, str] = {}
        self.blobs = 0

    def put(self, name: str, data: bytes) -> None:
        self._write(name, data)
        self.sums[name] = hashlib.sha256(data).hexdigest()

    def put_blob(self, digest: Digest, data: bytes) -> None:
        self._write(f"{contents.BLOBS}/{digest}", data)
        self.blobs += 1

    def sign(self, key: SigningKey) -> None:
        """Write the list of all files, sorted, and its signature."""
        sha256, sha512 = hashlib.sha256(), hashlib.sha512()
        with (self._folder / contents.SUMS).open("xb") as file:
            for name, digest in self._sums():
                line = f"{digest}  {name}\n".encode()
                sha256.update(line)
                sha512.update(line)
                file.write(line)
        signature = sign(Hashed(sha256.digest(), sha512.digest()), key, contents.BUNDLE_NAMESPACE)
        self._write(contents.SUMS_SIGNATURE, signature.encode())

    def _sums(self) -> Iterator[tuple[str, str]]:
        names = sorted(self.sums)
        blobs = f"{contents.BLOBS}/"
        yield from ((name, self.sums[name]) for name in names if name < blobs)
        if self.blobs:
            yield from ((blobs + name, name) for name in sorted(os.listdir(self._folder / contents.BLOBS)))
        yield from ((name, self.sums[name]) for name in names if name > blobs)

    def _write(self, name: str, data: bytes) -> None:
        folder = name.rpartition("/")[0]
        if folder and folder not in self._made:
            (self._folder / folder).mkdir()
            self._made.add(folder)
        with (self._folder / name).open("xb") as file:
            file.write(data)


@dataclass(frozen=True, slots=True)
class _Lines:
    """What was written to ledger.jsonl."""

    records: int
    head: Digest


class _Copied:
    """The stored lines up to the last one of the bundle, written to a file while they are verified."""

    def __init__(self, snapshot: LineSnapshot, last: int, write: Callable[[bytes], object]) -> None:
        self._snapshot = snapshot
        self._last = last
        self._write = write
        self._left = last
        self._newest = b""

    def tail(self) -> Tail:
        return Tail(self._last, line_digest(self._newest))

    def chunks(self, size: int) -> Iterator[Chunk]:
        for chunk in self._snapshot.chunks(size):
            whole = len(chunk.lines) <= self._left
            lines = chunk.lines if whole else chunk.lines[: self._left]
            places = chunk.places if whole or chunk.places is None else chunk.places[: self._left]
            for position, line in enumerate(lines):
                self._newest = bytes_of(line)
                if b"\n" in self._newest or len(self._newest) > MAX_LINE_BYTES:
                    raise _not_one_line(places[position] if places else None)
                self._write(self._newest + b"\n")
            self._left -= len(lines)
            if lines:
                yield Chunk(lines, places, chunk.differing)
            if not self._left:
                return


def _not_one_line(seq: object) -> IntegrityError:
    return IntegrityError(
        msg("record {seq} holds a line feed or is longer than any record: no bundle can hold it", seq=str(seq)),
        msg(
            "Hand over a copy of the state folder in place of a bundle: 'portalops ledger verify' checks it. Or restore the ledger from"
            " the newest backup set before that record (docs/stopped.md)."
        ),
    )


def _write_lines(ledger: Ledger, folder: Path, writer: _Writer, scope: BundleScope, advance: Advance) -> _Lines:
    sha256 = hashlib.sha256()
    with (folder / contents.LINES).open("xb") as file:

        def write(data: bytes) -> None:
            sha256.update(data)
            file.write(data)

        chain = copy_lines(ledger, scope.last, write, advance)
    writer.sums[contents.LINES] = sha256.hexdigest()
    return _Lines(chain.records, chain.head)


def _cure_of(ledger: Ledger, seq: int) -> Message:
    """Say what to do about the first record that no bundle can hold as it is."""
    record = ledger.record(seq) if seq else None
    if record is not None and is_anybodys(seq, record.kind):
        return msg(
            "A bundle of it would not verify either. If a stranger wrote record {seq}, two persons set it aside:"
            " 'portalops ledger quarantine {seq} {seq}'. Then export again; see docs/stopped.md.",
            seq=str(seq),
        )
    return msg("A bundle of it would not verify either. Run 'portalops ledger verify', and keep everything as it is.")


def copy_lines(ledger: Ledger, last: int, write: Callable[[bytes], object], advance: Advance) -> ChainPass:
    """Hand on the lines of a bundle, each with its line feed, and check the chain.

    Args:
        ledger: read only.
        last: the last record of the bundle.
        write: is given each line.
        advance: is called with the records done.

    Raises:
        IntegrityError: the ledger does not hold, or no bundle can hold a line of it.
    """
    faults = Faults()
    faults.settle(numbers_excused(ledger))
    with ledger.snapshot() as snapshot:
        chain = check_chain(_Copied(snapshot, last, write), faults, advance)
        check_times(snapshot.read_between(None, last, 256), 0, chain, read_counted(ledger), faults)
    if faults.count:
        first = faults.first()[0]
        raise IntegrityError(msg("the ledger is not intact: {what}", what=first.what), _cure_of(ledger, first.seq))
    return chain


def _describe(ledger: Ledger, scope: BundleScope, content: Content, lines: _Lines) -> Description:
    portal, period = content.portal, content.period
    return Description(
        ledger=ledger.id,
        portal={"id": portal.id, "vi": portal.name.vi, "en": portal.name.en},
        timezone=portal.timezone,
        first_day=period.first.isoformat(),
        last_day=period.last.isoformat(),
        records=lines.records,
        head=lines.head,
        first_blob=scope.first,
        withheld=tuple(Withheld(digest, scope.withheld[digest]) for digest in sorted(scope.withheld)),
        portalops=__version__,
        format=_format_of(ledger, scope.last),
    )


def _format_of(ledger: Ledger, last: int) -> int:
    """Return the oldest format whose verifiers know every kind of record that they judge by."""
    for number, kinds in (
        (FORMAT, (CLOCK_MENDED,)),
        (QUARANTINES_FORMAT, (QUARANTINED,)),
        (CLAIMS_FORMAT, CLAIM_KINDS),
    ):
        if any(_read_until(ledger.records(kinds=kinds, limit=1), last)):
            return number
    return 1


def _write_heads(ledger: Ledger, writer: _Writer, last: int) -> dict[Digest, int]:
    """Write each head, and return their sizes by the digest of their text."""
    published: dict[Digest, int] = {}
    for size, each in _heads_with_files(ledger, last).items():
        stem = contents.head_stem(size)
        writer.put(f"{stem}.txt", each.text.encode())
        writer.put(f"{stem}.sig", each.signature.encode("utf-8", "surrogatepass"))
        published[head_digest(each.text)] = size
    return published


def _heads_with_files(ledger: Ledger, last: int) -> dict[int, SignedHead]:
    """Return the heads that a bundle shows; their signatures are read only where two are of one size."""
    held = tuple(takewhile(lambda each: each.seq <= last, heads(ledger)))
    if len({each.head.size for each in held}) == len(held):
        return {each.head.size: each.signed for each in held}
    records = (HeldRecord(each.seq, each.at, each.kind, ledger.blob(each.body)) for each in _head_records(ledger, held))
    found = heads_with_files(map(read_head, records), listed_signers(ledger), ledger.id)
    return {size: each.signed for size, each in found.items() if each.signed is not None}


def _head_records(ledger: Ledger, held: Iterable[RecordedHead]) -> Iterator[Record]:
    return (record for each in held if (record := ledger.record(each.seq)) is not None)


def _write_tokens(ledger: Ledger, writer: _Writer, published: Mapping[Digest, int]) -> int:
    """Write the first time-stamp response that each anchor gave for each head; return how many there are."""
    first: dict[str, tuple[int, Digest]] = {}
    for recorded in read_receipts(ledger):
        receipt = recorded.body
        size = published.get(receipt.head)
        if receipt.kind != TIME_STAMP or receipt.problem or not receipt.evidence or size is None:
            continue
        if contents.is_anchor_name(receipt.anchor):
            first[f"{contents.head_stem(size)}.{receipt.anchor}.tsr"] = recorded.seq, receipt.evidence[0]
    for name, (seq, digest) in first.items():
        writer.put(name, _blob(ledger, seq, digest))
    return len(first)


def _sign_offs(ledger: Ledger, last: int) -> Iterator[SignOff]:
    for record in _read_until(ledger.records(kinds=(SIGN_OFF,)), last):
        with suppress(PortalOpsError):  # details that cannot be read are named, or set aside
            found = read_sign_off(HeldRecord(record.seq, record.at, record.kind, ledger.blob(record.body)))
            if found is not None:
                yield found


def _belonging(ledger: Ledger, scope: BundleScope) -> Iterator[Record]:
    """Yield the records whose details belong to the bundle, in order."""
    for record in ledger.records(kinds=contents.ALWAYS):
        if record.seq >= scope.first:
            break
        yield record
    for record in ledger.records(since=scope.since):
        if record.seq > scope.last:
            break
        if record.seq >= scope.first:
            yield record
    yield from _named(ledger, scope)


def _named(ledger: Ledger, scope: BundleScope) -> Iterator[Record]:
    """Yield the records before the first one whose details belong to the bundle that a quarantine names."""
    numbers = [seq for seq in scope.named if seq < scope.first]
    if not numbers:
        return
    from portalops.ledger.set_aside import stored_lines  # noqa: PLC0415  # few ledgers have any

    for _seq, _digest, record in stored_lines(ledger, numbers):
        if record is not None and record.kind not in contents.ALWAYS:
            yield record


def _read_until(records: Iterator[Record], last: int) -> Iterator[Record]:
    for record in records:
        if record.seq > last:
            return
        yield record


def _is_nobodys(record: Record, ownership: Ownership) -> bool:
    """Say whether nobody stands for a record without its details: a claim that is not there is signed by nobody."""
    if record.kind in SELF_SIGNED:
        return True
    return ownership.begin is not None and record.seq > ownership.begin and ownership.owner(record.seq) is None


def _is_for_nothing(record: Record, scope: BundleScope, ownership: Ownership) -> bool:
    """Say whether nothing rests on a record's details: nobody claims it, it is set aside, and that counts whatever they are.

    A stranger may have named there what is private.
    """
    needs_no_claim = record.kind in {*SELF_SIGNED, *KEY_KINDS, *WAIVER_KINDS, ERASED}
    return record.seq in scope.set_aside and not needs_no_claim and _is_nobodys(record, ownership)


def _blob(ledger: Ledger, seq: int, digest: Digest, *, is_needed: bool = False) -> bytes:
    """Return what a record names; `is_needed` says that no bundle can do without."""
    try:
        return ledger.blob(digest)
    except PortalOpsError as error:
        raise (IntegrityError if isinstance(error, IntegrityError) else LedgerError)(
            msg("record {seq}: {cause}", seq=seq, cause=error.message),
            msg(
                "Restore the blob from the newest backup set. Without these details nothing in the bundle could be verified."
            )
            if is_needed
            else msg(
                "Restore the blob from the newest backup set. If it is lost for good, leave it out and give the "
                "reason: --withhold {digest}=REASON.",
                digest=digest,
            ),
        ) from error


def withheld_of(asked: Sequence[str]) -> dict[Digest, str]:
    """Read `DIGEST=REASON`, once for each.

    Raises:
        UsageError: it has another form.
    """
    found: dict[Digest, str] = {}
    for text in asked:
        digest, _mark, reason = text.partition("=")
        reason = reason.strip()
        is_reason = bool(reason) and len(reason) <= contents.MAX_REASON and reason.isprintable()
        if not contents.is_digest(digest) or not is_reason or digest in found:
            raise UsageError(
                msg("--withhold cannot be read: {text}", text=text[:100]),
                msg("Give a digest of 64 digits and a reason, once for each: --withhold DIGEST='personal data'."),
            )
        found[Digest(digest)] = reason
    return found


def is_free(folder: Path) -> bool:
    """Say whether a bundle can be put there: nothing is there, or an empty folder."""
    if folder.is_symlink() or not folder.exists():
        return not folder.is_symlink()
    return folder.is_dir() and not any(folder.iterdir())


def is_free_file(path: Path) -> bool:
    """Say whether a ZIP file can be put there: nothing is there."""
    return not path.is_symlink() and not path.exists()
