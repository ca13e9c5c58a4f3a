"""What is written on a tape beside the files of sets: a label, a guide, and records that say which tape file is what. Pure.

All of it is text that a person can read with `dd` alone. docs/backup-set-format.md describes it line by line.

    file 0  label        one block of 32 KiB
    file 1  guide        how to restore from this tape with mt, dd, sha256sum, age, zstd and tar
    file 2  record       no set yet
    file 3  …            the files of the first set, one tape file each, its tag files last
    file n  record       the sets on the tape, and every file of the set that ends here
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from portalops.locale import LANGUAGES, render
from portalops.model.backups import SetId
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.system.tape import LARGEST_BLOCK

LABEL_BYTES = 32 << 10
"""The label is one block of this size whatever the others are: what cannot be read protects nothing."""
GUIDE, FIRST_RECORD, FIRST_FREE = 1, 2, 3
"""Numbers of tape files."""
LABEL_HEAD, RECORD_HEAD = "portalops-tape-label 1", "portalops-tape-record 1"
_LABEL_LINE = re.compile(r"(label|labelled|block-bytes) (\S+)")
_NUMBER = re.compile(r"[0-9]{1,18}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Label:
    """What a tape is."""

    name: str
    """As the configuration names it: a word, as it may stand on the cartridge."""
    labelled: str
    """When the label was written, as `20261126T030405Z`: two labellings of one tape are told apart by it."""
    block_bytes: int


@dataclass(frozen=True, slots=True)
class TapeSet:
    """A set on a tape."""

    id: SetId
    first: int
    """Its first tape file."""
    last: int
    """The record that it ends with."""


@dataclass(frozen=True, slots=True)
class TapeFile:
    """A file of a set on a tape."""

    number: int
    size: int
    sha256: Digest
    path: str


@dataclass(frozen=True, slots=True)
class TapeRecord:
    """What a record says."""

    label: str
    labelled: str
    """Both as in the label: a record of another labelling is none of this tape."""
    number: int
    """Which tape file it is itself."""
    free: int
    """The tape file that the next set begins with: behind this record; where it stands amid a set, that set's beginning,
    which nothing follows if it is cut; on a tape without sets, the first one behind the guide and the first record."""
    free_bytes: int
    """About how much lies before that on the tape."""
    sets: tuple[TapeSet, ...]
    """Every set on the tape that is not removed."""
    ends: SetId | None = None
    """The set that ends with this record."""
    files: tuple[TapeFile, ...] = ()
    """All of that set's."""


class DamagedRecord(Exception):
    """Text that was a record and is none any more."""


def write_label(label: Label) -> bytes:
    """Return the label: one block."""
    text = (
        f"{LABEL_HEAD}\nlabel {label.name}\nlabelled {label.labelled}\nblock-bytes {label.block_bytes}\n\n"
        "Băng này chứa các bộ sao lưu. Tệp băng số 1 hướng dẫn cách phục hồi chỉ bằng mt, dd, sha256sum, age, zstd và tar:\n"
        "This tape holds backup sets. Tape file 1 says how to restore them with mt, dd, sha256sum, age, zstd and tar alone:\n\n"
        "    mt -f /dev/nst0 rewind; mt -f /dev/nst0 fsf 1; dd if=/dev/nst0 bs=1M\n"
    )
    return padded(text.encode(), LABEL_BYTES)


def parse_label(block: bytes) -> Label | None:
    """Read a label; None for anything else."""
    lines = block[:LABEL_BYTES].decode("utf-8", "replace").split("\n")
    if lines[0] != LABEL_HEAD:
        return None
    found = {match[1]: match[2] for line in lines[1:4] if (match := _LABEL_LINE.fullmatch(line))}
    size = found.get("block-bytes", "")
    if len(found) != 3 or not _NUMBER.fullmatch(size) or not 512 <= int(size) <= LARGEST_BLOCK:
        return None
    return Label(found["label"], found["labelled"], int(size))


def padded(data: bytes, block_bytes: int) -> bytes:
    """Return text filled up with line ends to whole blocks."""
    return data + b"\n" * (-len(data) % block_bytes)


def write_record(record: TapeRecord) -> bytes:
    """Return a record, not yet filled up to whole blocks."""
    lines = [
        RECORD_HEAD,
        f"label {record.label} {record.labelled}",
        f"file {record.number}",
        f"free {record.free} {record.free_bytes}",
        *(f"set {each.id} {each.first} {each.last}" for each in record.sets),
    ]
    if record.ends is not None:
        lines.append(f"ends {record.ends}")
        lines += [f"{each.number} {each.size} {each.sha256} {each.path}" for each in record.files]
    text = "".join(f"{line}\n" for line in lines)
    return f"{text}sha256 {hashlib.sha256(text.encode()).hexdigest()}\n".encode()


def is_record(block: bytes) -> bool:
    """Say whether a tape file that begins so is, or was begun as, a record."""
    return block.startswith(f"{RECORD_HEAD}\n".encode())


def parse_record(data: bytes, number: int | None = None) -> TapeRecord | None:
    """Read a record; None for one that was not written to its end.

    Args:
        data: the whole tape file.
        number: which tape file it is; None if that is not known.

    Raises:
        DamagedRecord: it has its end, and its bytes are not those that were written, or it lies elsewhere.
    """
    text, found, rest = data.rpartition(b"\nsha256 ")
    if not found:
        return None
    digest, ended, fill = rest.partition(b"\n")
    if not ended and len(digest) < 64:
        return None
    if fill.strip(b"\n") or hashlib.sha256(text + b"\n").hexdigest().encode() != digest:
        raise DamagedRecord
    try:
        record = _parsed(text.decode("utf-8").split("\n"))
    except (ValueError, IndexError) as error:
        raise DamagedRecord from error
    if number is not None and record.number != number:
        raise DamagedRecord
    return record


def _parsed(lines: list[str]) -> TapeRecord:
    if lines[0] != RECORD_HEAD:
        raise ValueError(lines[0])
    _word, label, labelled = _split(lines[1], "label", 3)
    number = int(_split(lines[2], "file", 2)[1])
    _word, free, free_bytes = _split(lines[3], "free", 3)
    sets: list[TapeSet] = []
    at = 4
    while at < len(lines) and lines[at].startswith("set "):
        _word, set_id, first, last = _split(lines[at], "set", 4)
        sets.append(TapeSet(SetId(set_id), int(first), int(last)))
        at += 1
    if at == len(lines):
        return TapeRecord(label, labelled, number, int(free), int(free_bytes), tuple(sets))
    ends = SetId(_split(lines[at], "ends", 2)[1])
    files = []
    for line in lines[at + 1 :]:
        file, size, digest, path = line.split(" ", 3)
        if not _DIGEST.fullmatch(digest):
            raise ValueError(line)
        files.append(TapeFile(int(file), int(size), Digest(digest), path))
    return TapeRecord(label, labelled, number, int(free), int(free_bytes), tuple(sets), ends, tuple(files))


def _split(line: str, word: str, count: int) -> list[str]:
    parts = line.split(" ")
    if parts[0] != word or len(parts) != count:
        raise ValueError(line)
    return parts


def tape_guide(label: Label) -> bytes:
    """Return the guide, in both languages; a test runs its commands as they are printed."""
    return "\n\n".join(_guide(label, language) for language in LANGUAGES).encode()


def _guide(label: Label, language: str) -> str:
    parts = (part if isinstance(part, str) else render(part, language) for part in _parts(label))
    return "\n\n".join(parts) + "\n"


def _parts(label: Label) -> Iterator[str | Message]:
    yield msg("# How to restore from tape {label}", label=label.name)
    yield msg(
        "You need bash and the programs mt, dd, truncate, sha256sum, age, zstd and tar; a private key that opens "
        "the set; and a folder with room for it. portalops itself is not needed."
    )
    yield msg(
        "Each file of a set is one tape file, in blocks of {size} bytes; the last block is padded. The last tape "
        "file is a record. It names every set on the tape, the tape file where the set begins, and the record "
        "where it ends. Read it:",
        size=label.block_bytes,
    )
    yield _code(
        'TAPE="${TAPE:-/dev/nst0}"',
        'mt -f "$TAPE" rewind; mt -f "$TAPE" eod || mt -f "$TAPE" eom',  # mt-st has the one word, cpio's mt the other
        'mt -f "$TAPE" bsf 2 && mt -f "$TAPE" fsf 1',
        'dd if="$TAPE" of=record bs=1M status=none && grep -a "^set " record',
    )
    yield msg(
        "If the last tape file is not a record, a run was interrupted there: go back by one more file (bsf 3, "
        "then bsf 4, and so on). Choose a set, and fetch the record where it ends; it lists tape file, size, "
        "SHA-256 and path of each file:"
    )
    yield _code(
        'SET="${SET:-$(grep -a "^set " record | tail -n 1 | cut -d " " -f 2)}"',
        'LAST="$(grep -a "^set $SET " record | cut -d " " -f 4)"',
        'mt -f "$TAPE" rewind && mt -f "$TAPE" fsf "$LAST" && dd if="$TAPE" of=record bs=1M status=none',
    )
    yield msg("Fetch the files into a folder of the set's name, each cut to its size, and compare their digests:")
    yield _code(
        'mt -f "$TAPE" rewind; at=0',
        'grep -aE "^[0-9]+ [0-9]+ [0-9a-f]{64} " record | sort -n >files',
        "while read -r file size sha256 path; do",
        '  mkdir -p "$(dirname "$SET/$path")"',
        '  if [ "$file" -gt "$at" ]; then mt -f "$TAPE" fsf "$((file - at))"; fi',
        '  dd if="$TAPE" of="$SET/$path" bs=1M status=none && truncate -s "$size" "$SET/$path"; at=$((file + 1))',
        '  echo "$sha256  $SET/$path"',
        "done <files >sums",
        "sha256sum --check --quiet sums",
    )
    yield msg(
        "The folder now holds the complete set: continue with {guide} in it. If you have no drive, anybody who "
        "reads the tape for you needs only this text.",
        guide=msg("RESTORE.en.md"),
    )


def _code(*lines: str) -> str:
    return "\n".join(f"    {line}" for line in lines)
