"""The doors to the world: the Protocols through which everything impure is reached.

Rules take values; acts take these. Each method says what it promises, so that doubles in
`tests/doubles.py` and real implementations keep the same contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from portalops.model.values import dataclass

if TYPE_CHECKING:
    from portalops.model.backups import DataClass, SetId, StreamMember, TableRows
    from portalops.model.heads import AnchorId, AnchorReceipt, RecordedHead, SignedHead
    from portalops.model.message import Message
    from portalops.model.record import Digest, Record
    from portalops.model.runs import Run
    from portalops.model.updates import Listing, UpdateAnswer, UpdateSourceTraits


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back; for measuring spans."""
        ...


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program left behind."""

    exit_code: int
    """The program's own; 124 when it was stopped at its deadline, 127 when there is no such program."""
    stdout: bytes
    stderr: bytes
    truncated: bool = False
    """Output was cut at the limit."""


class Runner(Protocol):
    """Runs programs on this machine, without a shell."""

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        """Run a program to its end. Never raises for what the program does; see `Completed`."""
        ...


class Shell(Protocol):
    """A POSIX shell on one host, here or over SSH, fed on standard input."""

    @property
    def address(self) -> str:
        """Return `local` or the host's address."""
        ...

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        """Feed a script to `sh -s ARGUMENT` and return all it printed.

        Raises:
            HostUnreachable: no session could be opened.
        """
        ...


@dataclass(frozen=True, slots=True)
class Talk:
    """What came of one connection to a port."""

    state: str
    """`open`, `closed` (refused), `filtered` (no answer), or `unreachable` (no way there)."""
    local: str = ""
    """The address of this end, or which it would have had; empty where there is no way."""
    heard: bytes = b""
    """What the other side said, under TLS if that was asked for."""
    ended: str = ""
    """`enough`, `closed`, `reset`, `late` (the time was over), `full` (the limit was reached), or `no-tls`."""
    chain: tuple[bytes, ...] = ()
    """Under TLS: the certificates that were sent, DER, the server's own first."""


class Network(Protocol):
    """Looks at servers as any stranger on the network can: no account, no key. Every call is bounded in time and size."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses that the name has here; none if it has none or nobody could be asked."""
        ...

    def talk(
        self,
        address: str,
        port: int,
        say: bytes,
        *,
        until: Callable[[bytes], bool],
        seconds: float,
        limit_bytes: int,
        tls_name: str | None = None,
    ) -> Talk:
        """Connect, say something, and listen. Never raises for what the other side does.

        Args:
            address: an IP address.
            port: of TCP.
            say: sent at once; may be empty.
            until: says whether what was heard so far is enough.
            seconds: for everything, however slowly the other side drips.
            limit_bytes: what is heard is cut there.
            tls_name: talk under TLS and ask for this name; whether the certificate is valid is not checked.
        """
        ...

    def login_methods(self, address: str, port: int, *, seconds: float) -> tuple[str, ...]:
        """Return the ways of logging in that an SSH server offers to a client that asks for none; empty if it named none."""
        ...


@dataclass(frozen=True, slots=True)
class WebPage:
    """What a web server answered in the end."""

    data: bytes | None
    """The body, unpacked; None says that it is as it was when the mark was given."""
    mark: str = ""
    """To be shown the next time: the server's ETag, else its Last-Modified; empty if it gave neither."""
    via: tuple[str, ...] = ()
    """Where it was redirected to, in order; empty if the address itself answered."""


class WebUnavailable(Exception):
    """A page cannot be had."""

    def __init__(
        self, cause: Message, via: tuple[str, ...] = (), *, status: int | None = None, beginning: bytes = b""
    ) -> None:
        super().__init__(str(cause))
        self.cause = cause
        """What was observed, bounded and escaped."""
        self.via = via
        """Where it was redirected to before."""
        self.status = status
        """Of an answer that is not the page, or of one that is not whole or too large; None if there was none."""
        self.beginning = beginning
        """The beginning of that answer's body, at most 16 KiB."""


class Web(Protocol):
    """Asks web servers for pages, none of which is trusted. Safe to be used by several threads at once.

    At most 20 connections are open at once and at most 2 to one name. No server leads to an address that is not public, unless
    it was said to lie inside, or its address itself was given; then none leads into another network than its own.
    """

    def get(self, url: str, *, accept: str, mark: str = "", limit_bytes: int, inside: bool = False) -> WebPage:
        """Ask for a page, following redirects, within a deadline for all of it.

        Args:
            url: http or https.
            accept: the media types that are asked for, as in RFC 9110, section 12.5.1.
            mark: what the server gave for the page before; empty to have the page in any case.
            limit_bytes: of the body, unpacked.
            inside: its name may lead to an address that is not public. Who owns a name decides where it leads.

        Raises:
            WebUnavailable: there is no good answer, or one that is larger, or that may not be followed.
        """
        ...


class EvidenceStore(Protocol):
    """Keeps bytes of evidence under their digest."""

    def keep(self, data: bytes) -> Digest:
        """Store bytes durably and return their SHA-256; the same bytes are stored once."""
        ...


class LedgerReader(Protocol):
    """The part of the ledger that reading evidence needs."""

    def records(
        self,
        *,
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]: ...
    def blob(self, digest: Digest) -> bytes: ...
    def has_blob(self, digest: Digest) -> bool: ...
    def first(self) -> Record | None: ...
    def runs(
        self, *, kinds: Collection[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Run, ...]: ...


class Task(Protocol):
    """One line of progress."""

    def advance(self, amount: int) -> None:
        """Add to what is done, in the task's unit."""
        ...

    def note(self, text: Message) -> None:
        """Say what is being done right now."""
        ...


class Progress(Protocol):
    """Shows how far a long job has come; a library call gets a silent one."""

    def task(self, title: Message, *, total: int | None, unit: str) -> AbstractContextManager[Task]:
        """Open a line of progress.

        Args:
            title: what is being done.
            total: how much there is, or None if that is not known.
            unit: `bytes` or `items`.
        """
        ...


class SetSigner(Protocol):
    """Signs the description of a backup set with the ledger's key, which the backups themselves do not know."""

    @property
    def public_key(self) -> str:
        """Return `ssh-ed25519 BASE64`, without a comment."""
        ...

    def sign(self, message: bytes, *, namespace: str) -> str:
        """Return the armoured OpenSSH signature of a message for a purpose."""
        ...


class Readable(Protocol):
    """Bytes in order."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


class Hash(Protocol):
    """A digest that grows, such as `hashlib.sha256()`."""

    def update(self, data: memoryview, /) -> None:
        """Take bytes in."""
        ...

    def hexdigest(self) -> str:
        """Return the digest of all bytes so far."""
        ...


class StreamWriter(Protocol):
    """Takes one stream of a backup source: its bytes in order, and what is to be said of them."""

    @property
    def position(self) -> int:
        """Return how many bytes were written so far."""
        ...

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append bytes."""
        ...

    def room(self) -> memoryview:
        """Return free space, at least one byte, to be read into; `filled` says how much of it was used."""
        ...

    def filled(self, count: int, /, *, content: Hash | None = None) -> None:
        """Append the first `count` bytes of the space that `room` gave.

        Args:
            count: how many.
            content: takes the bytes in, later and in another thread; it is then for `add_member` alone.
        """
        ...

    def add_member(self, member: StreamMember, *, content: Hash | None = None) -> None:
        """Add a line to the stream's index; with `content`, its digest becomes the member's."""
        ...

    def add_unread(self, line: str) -> None:
        """Name something that could not be read, and why; the set is then incomplete."""
        ...

    def add_changed(self, line: str) -> None:
        """Name a member that changed while it was read, twice; the set is then incomplete."""
        ...

    def add_skipped(self, line: str) -> None:
        """Name something that was left out on purpose, and why."""
        ...

    def add_gone(self, line: str) -> None:
        """Name something that was removed between being listed and being read; no fault by itself."""
        ...

    def add_rows(self, rows: TableRows) -> None:
        """Say how many rows a table has in the stream."""
        ...

    def add_unchanged(self, members: int, plain_bytes: int) -> None:
        """Say what a differential stream leaves out because the base has it: members, and about what they would take."""
        ...


class StreamOpener(Protocol):
    """Opens the streams of one source."""

    @property
    def base(self) -> Path | None:
        """Return the listing that the source wrote when the base was made.

        With it, a source that keeps listings writes what has changed since; None asks for everything. A source that
        knows no differentials writes everything in either case.
        """
        ...

    @property
    def listing(self) -> Path | None:
        """Return where a source that keeps listings writes what a later differential compares with; None for nowhere."""
        ...

    def stream(
        self,
        name: str,
        *,
        format: str,  # noqa: A002
        differential: bool = False,
    ) -> AbstractContextManager[StreamWriter]:
        """Open a stream; an exception inside the block drops it.

        Args:
            name: letters, digits and hyphens, unique in its source.
            format: what reads the stream: `tar`, `sqlite`, `raw`, ...
            differential: it holds what has changed since the base, and needs the base's stream of this name.
        """
        ...


class Source(Protocol):
    """Yields data to be backed up; see `backups/sources/`."""

    @property
    def id(self) -> str:
        """Return its id in the configuration."""
        ...

    @property
    def kind(self) -> str:
        """Return its kind, such as `files`."""
        ...

    @property
    def data_class(self) -> DataClass:
        """Return what kind of data it yields."""
        ...

    def places(self) -> Sequence[Path]:
        """Return the local files and folders that it reads; none if it reads no files."""
        ...

    def write(self, opener: StreamOpener) -> None:
        """Write all its streams; each call reads the data anew.

        Raises:
            SourceUnavailable: missing, empty or below its floor; the streams of this call are dropped.
        """
        ...


@runtime_checkable
class AskableSource(Source, Protocol):
    """A source that can be asked whether it would give its data, without any of it being read."""

    def ask(self) -> Message:
        """Connect as `write` does, and return what answers.

        Raises:
            SourceUnavailable: `write` would fail by what it asks first.
        """
        ...


class SetWriter(Protocol):
    """Writes one set onto a medium, file after file; nothing of it is visible before `seal`.

    Every method raises MediumUnavailable when the medium does not take it; after that only `abandon` may be called.
    """

    def open(self, path: str) -> None:
        """Begin a file, named relative to the bag."""
        ...

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append to the file that is open."""
        ...

    def close(self) -> None:
        """End the file that is open; its bytes are durable when this returns."""
        ...

    def discard(self, path: str) -> None:
        """Remove a closed file of this set again."""
        ...

    def seal(self) -> None:
        """Make the set visible, whole, and durable."""
        ...

    def abandon(self) -> None:
        """Remove what was written, as far as the medium lets; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that an unfinished set has on its medium already."""

    size_bytes: int
    sha256: Digest | None
    """As the medium's own side tells of what lies there; None where nothing but reading it back would tell."""


@runtime_checkable
class ResumableWriter(SetWriter, Protocol):
    """Writes a set that can be gone on with later, by another writer of the same set."""

    def held(self) -> Mapping[str, HeldFile]:
        """Return the files that were written whole before this writer took the set over; all go into the set unless discarded.

        Their sizes and digests are for the caller to compare with what the set must hold.

        Raises:
            MediumUnavailable: the medium cannot be asked.
        """
        ...

    def leave(self) -> None:
        """Let go of the set and leave what is whole of it for `ResumableMedium.resume`; never raises."""
        ...


@runtime_checkable
class RenewableWriter(SetWriter, Protocol):
    """Writes onto a medium elsewhere, whose connection may break and be made anew."""

    def renew(self) -> None:
        """Connect anew after `MediumInterrupted`; what was closed stays, and the file that was open is to be opened again.

        What was asked for when the connection broke may have been done; asking for it again does no harm.

        Raises:
            MediumInterrupted: it is still not to be reached.
            MediumUnavailable: it refuses.
        """
        ...


class StoredSet(Protocol):
    """A sealed set, read from the medium itself and not from a cache of it."""

    def sizes(self) -> Mapping[str, int]:
        """Return every file of the bag with its size in bytes.

        Raises:
            MediumUnavailable: the medium cannot be read.
        """
        ...

    def open(self, path: str) -> AbstractContextManager[Readable]:
        """Open a file of the bag.

        Raises:
            SetDamaged: the file is not there or its bytes cannot be read.
        """
        ...


@runtime_checkable
class HasPlace(Protocol):
    """A medium that is written to by something of this machine: a folder, a drive or a program."""

    def require_place(self, sources: Sequence[Path]) -> None:
        """Require that it is there, and not on the file system of what is copied. Nothing is connected to, made or written.

        Args:
            sources: what is backed up of this machine.

        Raises:
            MediumUnavailable: it is not.
        """


@runtime_checkable
class HidesFiles(StoredSet, Protocol):
    """A sealed set of which others may see nothing while every byte is there."""

    def hidden(self) -> Sequence[Message]:
        """Return what stands before files of the set, such as marks of deletion and newer versions: one line each.

        The set is read past it. Somebody else, who asks for the files by their names alone, gets nothing or something else.

        Raises:
            MediumUnavailable: the medium cannot be read.
        """
        ...


class Medium(Protocol):
    """Keeps backup sets; see `backups/media/`. Safe to be used by several threads at once for different sets."""

    @property
    def id(self) -> str:
        """Return its id in the configuration."""
        ...

    @property
    def kind(self) -> str:
        """Return its kind, such as `disk`."""
        ...

    def places(self) -> Sequence[Path]:
        """Return the local folders that it writes into; none for a medium elsewhere."""
        ...

    def prepare(self, sources: Sequence[Path]) -> bool:
        """Make ready for writing, remove what dead runs left, and say whether it shares a file system with a source.

        Raises:
            MediumUnavailable: it is absent, or must not be written.
        """
        ...

    def begin(self, set_id: SetId, *, expected_bytes: int) -> SetWriter:
        """Begin a set.

        Args:
            set_id: the set's name.
            expected_bytes: about how large it will be; 0 if that is not known.

        Raises:
            MediumUnavailable: it does not take the set, or has too little space.
        """
        ...

    def sets(self) -> tuple[SetId, ...]:
        """Return the sealed sets, by name.

        Raises:
            MediumUnavailable: it cannot be read.
        """
        ...

    def open_set(self, set_id: SetId) -> StoredSet:
        """Open a sealed set for reading.

        Raises:
            SetNotFound: it has no such set.
            MediumUnavailable: it cannot be read.
        """
        ...

    def remove(self, set_id: SetId) -> None:
        """Remove a sealed set for good.

        It is listed until all is ready to go and not listed any more when the first byte of it goes, so no half set is ever
        taken for one. When this returns nothing of it will be read again; what could not be freed at once is freed by a
        later `remove` or `prepare`. Calling it again for a set that a process began to remove and died ends the work.

        Raises:
            SetNotFound: there is nothing of such a set.
            SetLocked: the medium keeps it locked; nothing of it was removed.
            MediumUnavailable: it does not let it be removed; the set is still there, whole.
        """
        ...


@runtime_checkable
class ResumableMedium(Medium, Protocol):
    """A medium on which the copy of a set that was cut is gone on with, from the files that are whole there."""

    def prepare(self, sources: Sequence[Path], *, wanted: Collection[SetId] = ()) -> bool:
        """Make ready as `Medium.prepare` does, and leave what there is of the wanted sets as long as they are not sealed."""
        ...

    def resume(self, set_id: SetId, *, expected_bytes: int) -> SetWriter:
        """Go on with a set that nobody writes any more; begin it where there is nothing of it, or a run may still be at it.

        The writer is a `ResumableWriter` if it took something over.

        Args:
            set_id: the set's name.
            expected_bytes: about how large all of it will be; 0 if that is not known.

        Raises:
            MediumUnavailable: as `begin`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """What a medium has place for."""

    free_bytes: int | None
    """For a set; None if it is not known."""
    parts: int = 1
    """How many discs or the like a set of the expected size takes."""


@runtime_checkable
class HasRoom(Protocol):
    """A medium that can tell what it has place for."""

    def room(self, expected_bytes: int) -> Room:
        """Return what there is place for; nothing is written.

        Args:
            expected_bytes: about how large the set will be.

        Raises:
            MediumUnavailable: it cannot be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class LoadedDisc:
    """What lies in a drive that burns."""

    kind: str
    """As the drive names it, such as `DVD+R`."""
    state: str
    """As the drive reports it, such as `is blank` or `is written , is closed`."""
    is_blank: bool
    free_bytes: int
    """How much can be burnt."""
    drive: str
    """What the drive says it is."""


class DiscDrive(Protocol):
    """A drive that burns and reads discs."""

    @property
    def device(self) -> str:
        """Return how this machine names it, such as `/dev/sr0`."""
        ...

    def loaded(self) -> LoadedDisc:
        """Say what lies in it; nothing is written.

        Raises:
            MediumUnavailable: there is no drive, no disc in it, or it does not say what it is.
        """
        ...

    def burn(self, image: Path) -> str:
        """Write an image to the blank disc in it, close the disc, and return the name of the program that did so.

        Raises:
            MediumUnavailable: burning did not end well; the disc may be spoilt.
        """
        ...

    def reload(self) -> None:
        """Take the disc out and in again, so that what is read next comes from the disc; as far as the drive can.

        Raises:
            MediumUnavailable: it did not come in again.
        """
        ...

    def open(self) -> AbstractContextManager[Readable]:
        """Open the disc in it from its first byte on; reading raises OSError where it cannot be read.

        Raises:
            MediumUnavailable: there is no drive, or no disc in it.
        """
        ...


class UpdateSource(Protocol):
    """Shows what was published or sent in; see `checks/updates/sources/`."""

    @property
    def traits(self) -> UpdateSourceTraits:
        """Return what it is."""
        ...

    def fetch(self, *, etag: str) -> UpdateAnswer:
        """Look once.

        Raises:
            UpdateSourceError: it could not be reached or read.
        """
        ...

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        """Read an answer, new or kept as evidence; pure, the same bytes give the same items.

        Raises:
            UpdateSourceError: the answer does not have the expected form.
        """
        ...


class Anchor(Protocol):
    """A place for heads out of the operator's reach; see `portalops/anchors/`."""

    @property
    def id(self) -> AnchorId:
        """Return its id in the configuration."""
        ...

    @property
    def kind(self) -> str:
        """Return its kind, such as `mail`."""
        ...

    @property
    def fetches_itself(self) -> bool:
        """Say whether it asks for heads by itself, so that nothing is handed to it."""
        ...

    def publish(self, head: RecordedHead, keeper: EvidenceStore) -> AnchorReceipt:
        """Hand out a head and return what proves that it is there; the third party's answer is kept as evidence.

        Raises:
            AnchorUnavailable: it was not taken, or the answer does not hold.
        """
        ...


@runtime_checkable
class InspectableAnchor(Protocol):
    """An anchor that can be asked whether it still has a head: handing it over again changes nothing there."""

    def holds(self, head: RecordedHead) -> bool:
        """Say whether the head lies there.

        Raises:
            AnchorUnavailable: it cannot be read.
            HeadRefused: another head of this ledger and size lies there.
        """
        ...


@dataclass(frozen=True, slots=True)
class Extension:
    """What joins a head to an earlier one, or a part of it: records between them, as the exact bytes of their lines."""

    signed: SignedHead
    """The newest head, whichever part this is."""
    after: int
    """The lines begin behind the record of this number."""
    lines: tuple[bytes, ...]
    """Of the records behind it, none later than the head's size, without line feeds."""
    details: tuple[bytes, ...] = ()
    """The blobs of the records of the kinds `ledger.created`, `key.added`, `key.retired` and `head` among them."""
    more: bool = False
    """Records up to the head are still missing: ask again behind the last one."""
    notes: tuple[Message, ...] = ()
    """What else lies at the source and cannot be read."""


class HeadSource(Protocol):
    """Where a witness gets another ledger's heads from; see `portalops/witness/sources/`."""

    @property
    def id(self) -> str:
        """Return its id in the configuration."""
        ...

    def fetch(self, *, after: int) -> Extension:
        """Return the newest head, with records behind the one of that number.

        Args:
            after: the size of the head that the witness holds, or the last record that it got; 0 if it holds none.

        Raises:
            AnchorUnavailable: the ledger cannot be reached, or does not answer in the expected form.
            IntegrityError: the watched side says itself that its ledger does not hold.
        """
        ...

    def hand_over(self, receipt: bytes) -> None:
        """Give the watched side the witness's signed receipt.

        Raises:
            AnchorUnavailable: it was not taken.
        """
        ...
