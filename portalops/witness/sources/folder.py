"""Takes heads from a folder, however they got there: a share, a stick, the attachments of mails.

    [[witness.ledger]]
    id = "khanh-hoa"
    kind = "folder"
    folder = "/srv/witness/khanh-hoa"
    key = "ssh-ed25519 AAAA..."

Files that end in `.json` are what `portalops ledger extend --output` wrote. A pair of files that end in `.txt` and
`.sig` is a head without its records: it is kept, it is a sign of life, and the records must lead over it once they come.
Receipts are put into the same folder, ending in `.receipt`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from portalops.config.tables import KindTable, LocalPath
from portalops.errors import AnchorUnavailable, FileUnwritable, NotAHead
from portalops.files import write_atomically
from portalops.ledger.heads import MAX_HEAD_BYTES, parse_head
from portalops.model.causes import cause_of
from portalops.model.heads import SignedHead
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import Extension
from portalops.signatures.sshsig import MAX_SIGNATURE_CHARS
from portalops.witness.extensions import MAX_ANSWER_BYTES, NotAnExtension, read_extension, read_head
from portalops.witness.receipts import parse_receipt
from portalops.witness.sources import WatchedKind
from portalops.witness.watching import WatchSettings

MAX_FILES = 10_000
"""More files than this are some other folder."""

MAX_REPORTED = 3
"""How many broken files are reported."""


class Settings(WatchSettings):
    """`kind = "folder"`."""

    folder: LocalPath = Field(description="Where the files are put.")


def build(table: KindTable) -> FolderLedger:
    """Return the source that a configuration table describes."""
    return FolderLedger(table.id, table.parse(Settings))


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file of the folder holds."""

    path: Path
    stamp: tuple[int, int, int]
    after: int
    count: int
    size: int
    """Of its head."""
    more: bool

    def leads_on_from(self, after: int) -> bool:
        """Say whether it has the records behind one, or shows a head over it or an older one."""
        return self.after <= after and (after < self.after + self.count or not self.more)


class FolderLedger:
    """A ledger whose heads come as files."""

    is_live = False

    def __init__(self, ledger_id: str, settings: Settings) -> None:
        self.id = ledger_id
        self.settings = settings
        self._seen: dict[Path, _Part] = {}

    def fetch(self, *, after: int) -> Extension:
        names = self._names()
        faults: list[str] = []
        parts = [each for each in self._parts(names, faults) if each.leads_on_from(after)]
        heads = list(self._heads(names, faults))
        part = max(parts, key=lambda each: (each.size, each.after), default=None)
        bare = max(heads, key=_size, default=None)
        if part is not None and (bare is None or part.size > after or _size(bare) <= part.size):
            try:
                return replace(read_extension(_read(part.path, MAX_ANSWER_BYTES)), notes=_notes(faults))
            except (NotAnExtension, OSError) as error:  # it was changed meanwhile
                raise self._unavailable(str(error)) from error
        if bare is not None:
            return Extension(bare, after, (), notes=_notes(faults))
        raise self._unavailable("; ".join(faults[:MAX_REPORTED]) or msg("it holds neither an extension nor a head"))

    def hand_over(self, receipt: bytes) -> None:
        size = parse_receipt(receipt).receipt.size
        try:
            write_atomically(self.settings.folder / f"{size:010d}.receipt", receipt)
        except FileUnwritable as error:
            raise AnchorUnavailable(error.message, error.hint) from error

    def _names(self) -> tuple[Path, ...]:
        try:
            found = sorted(self.settings.folder.iterdir())
        except OSError as error:
            raise self._unavailable(cause_of(error)) from error
        if len(found) > MAX_FILES:
            raise self._unavailable(msg("it holds more than {n} files", n=MAX_FILES))
        return tuple(found)

    def _parts(self, names: tuple[Path, ...], faults: list[str]) -> Iterator[_Part]:
        """Yield what the extensions in the folder hold; each file is read again only when it changed."""
        for path in names:
            if path.suffix != ".json":
                continue
            try:
                status = path.stat()
                seen = self._seen.get(path)
                if seen is None or seen.stamp != (status.st_mtime_ns, status.st_size, status.st_ino):
                    found = read_extension(_read(path, MAX_ANSWER_BYTES))
                    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
                    seen = _Part(path, stamp, found.after, len(found.lines), _size(found.signed), found.more)
                    self._seen[path] = seen
                yield seen
            except (NotAnExtension, OSError) as error:
                faults.append(f"{show_text(path.name, 80)}: {error}")

    def _heads(self, names: tuple[Path, ...], faults: list[str]) -> Iterator[SignedHead]:
        for path in names:
            if path.suffix != ".txt":
                continue
            try:
                text = _read(path, MAX_HEAD_BYTES)
                parse_head(text)
            except (NotAHead, OSError):
                continue  # any text may lie there
            try:
                yield read_head(text, _read(path.with_suffix(".sig"), MAX_SIGNATURE_CHARS))
            except (NotAnExtension, OSError) as error:
                faults.append(f"{show_text(path.name, 80)}: {error}")

    def _unavailable(self, cause: str | Message) -> AnchorUnavailable:
        shown = show_text(cause, 400) if isinstance(cause, str) else cause
        return AnchorUnavailable(
            msg("nothing can be read from the folder of {ledger}: {cause}", ledger=self.id, cause=shown),
            msg(
                "Check {folder}; 'portalops ledger extend --output FILE' makes such a file.",
                folder=str(self.settings.folder),
            ),
        )


def _notes(faults: Sequence[str]) -> tuple[Message, ...]:
    """Say what was passed over, though something else could be read: a broken file may be the newest."""
    return tuple(msg("a file in the folder cannot be read: {cause}", cause=each) for each in faults[:MAX_REPORTED])


def _size(signed: SignedHead) -> int:
    return parse_head(signed.text.encode()).size


def _read(path: Path, limit: int) -> bytes:
    """Return a regular file's bytes; nothing is waited for, and a larger file is refused."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "not a regular file")
    if status.st_size > limit:
        raise OSError(0, f"larger than {limit} bytes")
    with path.open("rb") as file:
        return file.read(limit + 1)


SOURCE = WatchedKind(settings=Settings, build=build)
