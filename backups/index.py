"""The index of a tar stream: one line of JSON a member, in the order of the stream.

`{"type":"file","path":"etc/hosts","size":174,"mode":420,"uid":0,"gid":0,"mtime_ns":...,"sha256":"...","pack":1,"offset":0}`

`pack` is the number of the pack in which the member's header begins, `offset` the header's first byte in the stream.
Lines are ASCII; a name's bytes that are not UTF-8 are escaped as lone surrogates (PEP 383). A path that stands twice was
written twice because it changed meanwhile: the last one counts, as it does for tar.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as _quoted

from portalops.errors import SetDamaged
from portalops.json_text import read_json
from portalops.model.backups import MemberType, StreamMember
from portalops.model.message import msg
from portalops.model.record import Digest

MAX_LINE_BYTES = 1 << 20
"""Longer lines are damage: a path has at most 4096 bytes."""
_LIMIT = 1 << 63
"""Sizes and times of files are below it in every file system."""


def line_of(member: StreamMember, *, pack: int) -> bytes:
    """Return a member's line with its line feed."""
    digest = f',"sha256":"{member.sha256}"' if member.sha256 is not None else ""
    link = f',"link":{_quoted(member.link)}' if member.link else ""
    return (
        f'{{"type":"{member.type.value}","path":{_quoted(member.path)},"size":{member.size},"mode":{member.mode}'
        f',"uid":{member.uid},"gid":{member.gid},"mtime_ns":{member.mtime_ns}{digest}{link}'
        f',"pack":{pack},"offset":{member.offset}}}\n'
    ).encode("ascii")


def parse_line(line: bytes) -> StreamMember:
    """Read a line.

    Raises:
        SetDamaged: it is not a line of an index.
    """
    try:
        fields = read_json(line)
        member = StreamMember(
            type=MemberType(fields["type"]),
            path=_path(fields["path"]),
            size=_number(fields["size"]),
            mode=_number(fields["mode"]),
            uid=_number(fields["uid"]),
            gid=_number(fields["gid"]),
            mtime_ns=_integer(fields["mtime_ns"]),
            offset=_number(fields["offset"]),
            sha256=Digest(_text(fields["sha256"])) if "sha256" in fields else None,
            link=_path(fields.get("link", "")),
        )
        _number(fields["pack"])
    except (ValueError, KeyError, TypeError) as error:
        raise SetDamaged(
            msg("a line of the index cannot be read: {cause}", cause=type(error).__name__),
            msg("Restore the whole source instead of one path, or use another copy."),
        ) from error
    return member


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _path(value: object) -> str:
    """Return a path or a link's target that a file system can have."""
    text = _text(value)
    if not text.isascii():
        text.encode("utf-8", "surrogateescape")  # other lone surrogates stand for no bytes
    if "\0" in text:
        raise ValueError("a path holds no NUL")
    return text


def _integer(value: object) -> int:
    if type(value) is not int or not -_LIMIT <= value < _LIMIT:
        raise TypeError("not a number of 64 bits")
    return value


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < _LIMIT:
        raise TypeError("not a number from 0 on")
    return value
