"""Sets, streams, packs and copies, as `set.json`, the ledger and the reports speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from portalops.model.message import Message, kept, msg, together, verbatim
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome

SetId = NewType("SetId", str)
"""The bag's folder name: `<portal>-<UTC stamp>-<full|diff>-<id>`."""


MAX_PROBLEM = 500
"""Longest problem of a copy that is recorded, in characters."""


class DataClass(StrEnum):
    """The kinds of data that Article 10 names."""

    CONFIGURATION = "configuration"
    ACCOUNTS = "accounts"
    CHANNELS = "channels"
    CONTENT = "content"
    RELATED = "related"
    DOCUMENTS = "documents"
    """Article 10.1: originals, copies and drafts."""


class SetKind(StrEnum):
    """Whether a set stands alone or needs its base."""

    FULL = "full"
    DIFF = "diff"


class CopyState(StrEnum):
    """Where one copy of a set stands."""

    FAILED = "failed"
    """Writing it did not end well; no set is visible on the medium."""
    SEALED = "sealed"
    """Complete on the medium, not yet read back."""
    VERIFIED = "verified"
    """Read back from the medium itself, every byte digested."""
    DAMAGED = "damaged"
    """A later read found missing or different bytes."""
    DISPOSED = "disposed"
    """Removed by the retention rule, on record; see `portalops.model.retention`."""
    REPLACED = "replaced"
    """Gone with its medium, whose place another one took; told by the medium's record, and written in none of a copy."""


class VerifyLevel(StrEnum):
    """How deep a copy was looked into (backups.md, Verify)."""

    NONE = "none"
    L1 = "L1"
    """Structure: the bag's files, sizes and tag manifest."""
    L2 = "L2"
    """Every byte read and digested."""
    L3 = "L3"
    """Restored into scratch."""
    L4 = "L4"
    """Restored and queried."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A bounded slice of a stream, compressed and encrypted on its own."""

    path: str
    """Relative to the bag, such as `data/content/portal-db/dump.0001.age`."""
    plain_bytes: int
    """How many bytes of the stream it holds."""
    stored_bytes: int
    stored_sha256: Digest
    running_sha256: Digest | None = None
    """SHA-256 of the stream from its first byte to the end of this pack, in sets of format version 1 alone."""


class MemberType(StrEnum):
    """What a member of a tar is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    FIFO = "fifo"
    CHARACTER_DEVICE = "character-device"
    BLOCK_DEVICE = "block-device"


@dataclass(frozen=True, slots=True)
class StreamMember:
    """One line of a stream's index."""

    type: MemberType
    path: str
    """Relative, as in the tar; bytes that are not UTF-8 stand as lone surrogates (PEP 383)."""
    size: int
    """Bytes of content; 0 for all but files."""
    mode: int
    """Permission bits with setuid, setgid and sticky, 0 to 0o7777."""
    uid: int
    gid: int
    mtime_ns: int
    offset: int
    """Where its header begins in the stream, in bytes."""
    sha256: Digest | None = None
    """Of a file's content; None for all but files."""
    link: str = ""
    """Where a link points to; a hard link names the path of an earlier member."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """How many rows a table of a database had in the copy that was made."""

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class Shrink:
    """A fall beyond what a source's configuration allows, against the newest complete set."""

    source: str
    stream: str
    measure: str
    """`bytes`, `members`, or `rows of TABLE`."""
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Stream:
    """The bytes that a source yielded, and the packs that hold them in order."""

    source: str
    """Id of the source in the configuration."""
    kind: str
    """The source's kind, such as `files` or `sqlite`."""
    data_class: DataClass
    name: str
    format: str
    """`tar` (POSIX pax), `sqlite`, `raw`, ...: what restoring tool reads the joined packs."""
    members: int
    """Files, folders and links in a tar; 1 for a dump."""
    plain_bytes: int
    plain_sha256: Digest | None
    """Of a dump. None for a tar from format version 2 on: the index has the digest of each file in it."""
    packs: tuple[Pack, ...]
    index: Pack | None = None
    """The stream's member list, where it has one."""
    unread: tuple[str, ...] = ()
    """What could not be read, and why: one bounded, escaped line each. Not empty means incomplete."""
    changed: tuple[str, ...] = ()
    """Members that changed while they were read, twice."""
    skipped: tuple[str, ...] = ()
    """What was left out on purpose, and why: sockets, other file systems, the media's own folders. No fault."""
    rows: tuple[TableRows, ...] = ()
    """Of a database: rows of each table, counted in the copy itself."""
    differential: bool = False
    """It holds what has changed since the base: restoring it needs the base's stream of the same source and name."""
    gone: tuple[str, ...] = ()
    """What was removed between being listed and being read. No fault, unless it is more than the source's configuration allows."""


@dataclass(frozen=True, slots=True)
class BackupSet:
    """What one backup run made, the same on every medium."""

    id: SetId
    kind: SetKind
    portal: str
    created_at: datetime
    outcome: RunOutcome
    streams: tuple[Stream, ...]
    recipients: tuple[str, ...]
    """Public keys that can open it: operator and escrow at least."""
    bag_sha256: Digest
    """Digest of `tagmanifest-sha256.txt`, which pins every other file of the bag."""
    stored_bytes: int
    base: Digest | None = None
    """For a differential: the bag digest of the full it needs."""
    base_id: SetId | None = None
    """The full's name."""
    signer: str = ""
    """The public key that signed it, `ssh-ed25519 BASE64`; empty for an unsigned set."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One set on one medium, as last seen."""

    set_id: SetId
    medium: str
    """Id of the medium in the configuration."""
    medium_kind: str
    """`disk`, `s3`, `sftp`, `optical`, `tape`, ..."""
    state: CopyState
    level: VerifyLevel
    verified_at: datetime | None
    """When it was last read back from the medium, or None."""
    problem: str = ""
    """For failed and damaged copies: what was seen, in one bounded line."""
    shares_source_filesystem: bool = False
    """The medium lies on the file system of what it copies, so one broken disk takes both."""
    problem_message: Message | None = field(default=None, hash=False)
    """The problem for people, in whose language it is shown; None if its text is all there is, as in older records."""
    hidden: Message | None = field(default=None, hash=False)
    """For copies that are whole: what keeps others from reading them by the names of their files; None if nothing does."""

    @property
    def shown_problem(self) -> Message:
        """The problem for people."""
        return self.problem_message or verbatim(self.problem)

    def with_hidden(self, lines: Sequence[Message]) -> Copy:
        """Return it with what hides its files from others."""
        if not lines:
            return replace(self, hidden=None)
        said = msg("whole, but other programs do not see all files: {files}", files=together(lines, most=3))
        return replace(self, hidden=kept(said, MAX_PROBLEM))

    @property
    def remark(self) -> Message | None:
        """What people are to know of it besides its state: its problem, or else what hides it."""
        return self.shown_problem if self.problem else self.hidden

    def with_problem(self, problem: Message | str) -> Copy:
        """Return it with another problem; with none for empty text."""
        shown = kept(problem, MAX_PROBLEM)
        return replace(self, problem=str(shown), problem_message=shown if isinstance(problem, Message) else None)


@dataclass(frozen=True, slots=True)
class BackupResult:
    """The body of a `backup.finished` record, under the key `backup`."""

    set: BackupSet | None
    """None when no set could be made at all."""
    copies: tuple[Copy, ...]
    unmapped: tuple[DataClass, ...] = ()
    """Classes of Article 10.2 that no source maps to and no reason excuses."""
    excused: tuple[str, ...] = ()
    """`class: reason` for each class declared to have no data."""
    failed_sources: tuple[str, ...] = ()
    """`source: why` for each source that yielded no stream."""
    failed_classes: tuple[DataClass, ...] = ()
    """The classes of those sources: whatever else the set holds of them, they are not whole in it."""
    unsigned: str = ""
    """Why the set is unsigned although a signing key is configured: one bounded line."""
    accepted_shrinks: tuple[Shrink, ...] = ()
    """What a person said is right although it is far less than before."""
    failed_messages: tuple[Message, ...] = ()
    """The failed sources for people, in whose language they are shown; empty in older records."""

    @property
    def failures(self) -> tuple[Message, ...]:
        """The failed sources for people; in older records their English text."""
        return self.failed_messages or tuple(map(verbatim, self.failed_sources))


@dataclass(frozen=True, slots=True)
class FoundSet:
    """The body of a `backup.found` record, under the key `found`: a set of a run that died before it could record it.

    It can be restored, read back and removed like any other. No duty is judged by it: nobody recorded it in its time.
    """

    set: BackupSet
    copies: tuple[Copy, ...]
    """As they were read back when it was found."""
    of_run: str
    """The run whose set it is taken to be, by the moment in its name."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The body of a `verify.finished` and of a `backup.read` record, under the key `verify`."""

    copies: tuple[Copy, ...]
    """Each copy that was checked, in its new state."""


@dataclass(frozen=True, slots=True)
class StreamTrial:
    """What came of trying out one restored stream."""

    source: str
    stream: str
    level: VerifyLevel
    """L3 if it was only restored, L4 if it was queried as well."""
    asked: str
    """What was asked of it, such as `41 tables, 120344 rows`; empty for L3."""
    problems: tuple[str, ...] = ()
    not_tried: str = ""
    """Why it was restored but could not be tested, such as a missing program: no fault of the copy."""


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """What came of a set's own `restore.sh`, run as a stranger runs it."""

    problems: tuple[str, ...] = ()
    """One bounded line each: what stopped it, or what it restored otherwise than it was backed up. None if all was as it was."""
    not_run: str = ""
    """Why it was not run, such as a missing program: no fault of the copy."""
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class DrillResult:
    """The body of a `drill.finished` record, under the key `drill`: a copy restored and tried out."""

    copies: tuple[Copy, ...]
    """The copy that was drilled, in its new state; VERIFIED at the lowest level that a stream reached, if nothing was wrong.
    Behind it the copies of its base that were found damaged meanwhile."""
    trials: tuple[StreamTrial, ...] = ()
    plain_bytes: int = 0
    """Bytes that were restored, of the base too."""
    restore_ms: int = 0
    """How long the restore took, from opening the copy to the last file, without the trials."""
    trial_ms: int = 0
    chosen_by: str = ""
    """`chance`, or `person` for a set or medium that somebody named."""
    bag_sha256: Digest | None = None
    """Of the set's tag manifest, by which a set is known wherever it lies; None in drills of earlier versions."""
    script: ScriptRun | None = None
    """The set's own `restore.sh`; None in drills of earlier versions, and where the drill ended before it."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """The body of a `copy.finished` record, under the key `copy`: copies replicated later from verified ones."""

    copies: tuple[Copy, ...]
    """Each copy that was made or tried, in its new state."""
    made_from: tuple[str, ...] = ()
    """For each of them, the id of the medium that it was read from; empty if there was none."""
