"""`set.json`: what is in a set, for machines. Described field by field in docs/backup-set-format.md.

It lies in clear beside the packs and names no file of the portal, only sources and streams; names of files that could
not be read are in it, because whoever looks at a set must see what it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from backups.tar import TAR
from portalops.body_schemas import EARLIEST, LATEST
from portalops.errors import SetDamaged, SetOfLaterVersion
from portalops.json_text import read_json
from portalops.model.backups import BackupSet, DataClass, Pack, SetId, SetKind, Stream
from portalops.model.message import Message, msg, verbatim
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome

VERSION = 2
VERSIONS = range(1, VERSION + 1)
"""What this version reads."""
SCHEMA = f"portalops.backup-set/{VERSION}"
_VERSIONED = re.compile(r"portalops\.backup-set/([1-9][0-9]{0,5})")
_SCHEMAS = {f"portalops.backup-set/{version}" for version in VERSIONS}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)
NAME = "set.json"
_SIZE_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True)
class SetFile:
    """The content of `set.json`."""

    schema: str
    software: str
    id: SetId
    kind: SetKind
    base: Digest | None
    portal: str
    created_at: datetime
    outcome: RunOutcome
    recipients: tuple[str, ...]
    streams: tuple[Stream, ...]
    failed_sources: tuple[str, ...] = ()
    unmapped: tuple[DataClass, ...] = ()
    excused: tuple[str, ...] = ()
    tag_files: Mapping[str, Digest] = field(default_factory=dict)
    """SHA-256 of each other file outside `data/`, but for those that hold this file's own digest: the tag manifest and
    the signature. So a signature over `set.json` speaks for every byte of the set, the commands of the guides too."""
    signer: str = ""
    """The public key that signed `set.json`; empty for an unsigned set."""
    base_id: SetId | None = None
    """Name of the full set that a differential needs."""

    def files(self) -> Iterator[Pack]:
        """Yield everything under `data/`: packs and indexes."""
        for stream in self.streams:
            yield from stream.packs
            if stream.index is not None:
                yield stream.index

    def as_set(self, bag_sha256: Digest) -> BackupSet:
        """Return the set as the ledger speaks of it."""
        return BackupSet(
            id=self.id,
            kind=self.kind,
            portal=self.portal,
            created_at=self.created_at,
            outcome=self.outcome,
            streams=self.streams,
            recipients=self.recipients,
            bag_sha256=bag_sha256,
            stored_bytes=sum(pack.stored_bytes for pack in self.files()),
            base=self.base,
            base_id=self.base_id,
            signer=self.signer,
        )


_ADAPTER = TypeAdapter(SetFile)


def write_set_file(content: SetFile) -> bytes:
    """Return the file's bytes: UTF-8 JSON, indented, for people can read it too."""
    return _ADAPTER.dump_json(content, indent=1) + b"\n"


def parse_set_file(data: bytes) -> SetFile:
    """Read the file.

    Raises:
        SetDamaged: it is not JSON of this schema.
        SetOfLaterVersion: it is of a version of the schema that came later.
    """
    try:
        found = _ADAPTER.validate_json(data)
    except ValidationError as error:
        _require_known(_schema_of(data))
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise _damaged(verbatim(f"{where}: {first['msg']}"[:200])) from error
    if found.schema not in _SCHEMAS:
        _require_known(found.schema)
        raise _damaged(msg("schema {schema} is not known to this version", schema=repr(found.schema[:60])))
    is_differential = any(stream.differential for stream in found.streams)
    if (found.kind is SetKind.DIFF) != (found.base is not None) or (is_differential and found.base is None):
        raise _damaged(msg("it is differential without a base, or has a base and is full"))
    if found.created_at.tzinfo is None or not EARLIEST <= found.created_at < LATEST:
        raise _damaged(msg("{time} is no moment of a backup", time=show_text(str(found.created_at), 60)))
    for stream in found.streams:
        _require_place(stream)
        _require_sizes(stream)
        if stream.plain_sha256 is None and (stream.format != TAR or found.schema != SCHEMA):
            raise _damaged(msg("{stream} has no digest", stream=show_text(f"{stream.source}/{stream.name}", 200)))
    return found


def _require_place(stream: Stream) -> None:
    """Require that a stream and its files have the names that a set gives them: a restore makes folders of these names.

    Raises:
        SetDamaged: they do not.
    """
    stem = f"data/{stream.data_class.value}/{stream.source}/{stream.name}"
    shown = show_text(f"{stream.source}/{stream.name}", 200)
    if not _NAME.fullmatch(stream.source) or not _NAME.fullmatch(stream.name):
        raise _damaged(msg("{stream} is no name of a stream", stream=shown))
    if not stream.packs:
        raise _damaged(msg("{stream} has no packs", stream=shown))
    named = [(pack, r"\d{4,9}") for pack in stream.packs] + ([(stream.index, "index")] if stream.index else [])
    for pack, kind in named:
        if not re.fullmatch(rf"{re.escape(stem)}\.{kind}\.age", pack.path, re.ASCII):
            raise _damaged(msg("{path} is no file of {stream}", path=show_text(pack.path, 200), stream=shown))


def _require_sizes(stream: Stream) -> None:
    """Require that the numbers of a stream are such as files have.

    Raises:
        SetDamaged: they are not.
    """
    sizes = [size for pack in (*stream.packs, stream.index) if pack for size in (pack.plain_bytes, pack.stored_bytes)]
    if any(not 0 <= number < _SIZE_LIMIT for number in (*sizes, stream.plain_bytes, stream.members)):
        raise _damaged(
            msg("{stream}: a size is no size of a file", stream=show_text(f"{stream.source}/{stream.name}", 200))
        )


def _schema_of(data: bytes) -> str:
    """Return what a file that does not fit says of its own form; nothing if it says nothing."""
    try:
        whole = read_json(data)
    except ValueError:
        return ""
    schema = whole.get("schema") if isinstance(whole, dict) else None
    return schema if isinstance(schema, str) else ""


def _require_known(schema: str) -> None:
    """Tell a set of a later version from a damaged one.

    Raises:
        SetOfLaterVersion: it is of one.
    """
    version = _VERSIONED.fullmatch(schema)
    if version is not None and int(version[1]) > VERSION:
        raise SetOfLaterVersion(
            msg(
                "{file} has format version {version}; this portalops knows {known}",
                file=NAME,
                version=version[1],
                known=VERSION,
            ),
            msg("Use a newer portalops, or restore with stock tools as the file RESTORE in the set describes."),
        )


def outcome_of(streams: Sequence[Stream], failed_sources: Sequence[str]) -> RunOutcome:
    """Judge what was made: anything unread, torn or failed makes a set incomplete; without a stream there is none."""
    if not streams:
        return RunOutcome.FAILED
    if failed_sources or any(stream.unread or stream.changed for stream in streams):
        return RunOutcome.INCOMPLETE
    return RunOutcome.COMPLETE


def _damaged(cause: Message) -> SetDamaged:
    return SetDamaged(
        msg("{file}: {cause}", file=NAME, cause=cause), msg("Restore from another copy, or with a newer portalops.")
    )
