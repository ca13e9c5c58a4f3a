"""Many servers at once, out of lists that are there already: the known_hosts of OpenSSH, or a table as CSV. Pure.

What a list says of keys is a proposal: a host is known by a key once a person has compared it (`portalops host enroll`).
Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; RFC 4180.
"""

from __future__ import annotations

import base64
import csv
import io
import ipaddress
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from portalops.errors import UsageError
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.signatures.sshsig import fingerprint

COLUMNS = ("id", "address", "port", "user", "role", "custodian")
LIST_BYTES = 16 << 20
SSH_PORT = 22
_BRACKETED = re.compile(r"\[([^\]]+)\]:(\d{1,5})")
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9.-]+")


@dataclass(slots=True)
class ListedHost:
    """A server of a list."""

    id: str
    address: str
    port: int | None = None
    """None where the list says nothing of it; a name of known_hosts without one is of port 22."""
    user: str = ""
    roles: list[str] = field(default_factory=list)
    custodian: str = ""
    keys: list[str] = field(default_factory=list)
    """Fingerprints that the list has for it, to be compared with those on paper."""

    def table(self) -> dict[str, str | int | list[str]]:
        """Return the values of its `[[host]]` table."""
        values: dict[str, str | int | list[str] | None] = {
            "id": self.id,
            "address": self.address,
            "port": self.port,
            "user": self.user,
            "roles": self.roles,
            "custodian": self.custodian,
        }
        return {key: value for key, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line of a list that makes no host."""

    line: int
    why: Message


def known_hosts(text: str) -> tuple[list[ListedHost], list[SkippedLine]]:
    """Read a known_hosts file: one host for each name and port, with the fingerprints of all its keys."""
    found: dict[tuple[str, int], ListedHost] = {}
    left: list[SkippedLine] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        if why := _unusable(marker, words):
            left.append(SkippedLine(number, why))
            continue
        names, _kind, key = words[:3]
        address, port = _best_name(names.split(","))
        host = found.setdefault((address, port), ListedHost(_id_of(address, port), address, port))
        if (shown := _fingerprint(f"{_kind} {key}")) not in host.keys:
            host.keys.append(shown)
    return list(found.values()), left


def _unusable(marker: str, words: Sequence[str]) -> Message | None:
    if marker == "@revoked":
        return msg("the key is revoked")
    if marker:
        return msg("the line is of an authority, and names no host's own key")
    if len(words) < 3:  # names, kind, key
        return msg("the line has no key")
    if words[0].startswith("|1|"):
        return msg(
            "the name is hashed (HashKnownHosts): nobody can read it back, so name the host by --csv or 'host add'"
        )
    if any(sign in words[0] for sign in "*?!"):
        return msg("the line is a pattern, and names no single host")
    try:
        _fingerprint(f"{words[1]} {words[2]}")
    except ValueError:
        return msg("the key cannot be read")
    return None


def _fingerprint(key: str) -> str:
    base64.b64decode(key.split()[1], validate=True)
    return fingerprint(key)


def _best_name(names: Sequence[str]) -> tuple[str, int]:
    """Return the first name that is no bare address, or the first of all, with its port."""
    read = []
    for name in names:
        match = _BRACKETED.fullmatch(name)
        read.append((match[1], int(match[2])) if match else (name, SSH_PORT))
    return next((each for each in read if not _is_address(each[0])), read[0])


def _is_address(name: str) -> bool:
    with suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False


def _id_of(address: str, port: int) -> str:
    name = _NOT_IN_AN_ID.sub("-", address.lower()).strip(".-")
    return name if port == SSH_PORT else f"{name}-{port}"


def csv_hosts(text: str) -> list[ListedHost]:
    """Read a table with a header line; several roles stand with spaces between them.

    Raises:
        UsageError: a column is not known, `id` or `address` is missing, or a port is no number; it names the line.
    """
    first = next(iter(text.splitlines()), "")
    # Line ends of all kinds are one here: to csv, a bare CR is a mistake.
    rows = csv.DictReader(io.StringIO(text, newline=None), delimiter=";" if ";" in first and "," not in first else ",")
    try:
        return _hosts_of(rows)
    except csv.Error as error:
        line = rows.reader.line_num
        raise _refused(line, msg("the line cannot be read as CSV: {cause}", cause=show_text(str(error), 80))) from error


def _hosts_of(rows: csv.DictReader[str]) -> list[ListedHost]:
    header = [name.strip().lower() for name in rows.fieldnames or ()]
    if strange := [name for name in header if name not in COLUMNS]:
        raise _refused(1, msg("there is no column {name}", name=show_text(", ".join(strange), 80)))
    if lacking := [name for name in COLUMNS[:2] if name not in header]:
        raise _refused(1, msg("the column {name} is missing", name=", ".join(lacking)))
    rows.fieldnames = header
    return [each for row in rows for each in _host_of(rows.line_num, row)]


def _host_of(line: int, row: dict[str, str | list[str] | None]) -> Iterator[ListedHost]:
    if None in row:
        raise _refused(line, msg("the line has more columns than the header"))
    values = {key: (value or "").strip() for key, value in row.items() if not isinstance(value, list)}
    if not any(values.values()):
        return
    for name in COLUMNS[:2]:
        if not values[name]:
            raise _refused(line, msg("the column {name} is empty", name=name))
    if any(not value.isprintable() for value in values.values()):
        raise _refused(line, msg("the line holds unprintable characters"))
    port = values.get("port", "")
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):  # TCP
        raise _refused(line, msg("{port} is not a port", port=show_text(port, 20)))
    yield ListedHost(
        values["id"],
        values["address"],
        int(port) if port else None,
        values.get("user", ""),
        values.get("role", "").split(),
        values.get("custodian", ""),
    )


def _refused(line: int, why: Message) -> UsageError:
    return UsageError(
        msg("line {line}: {why}", line=line, why=why),
        msg("The columns are {columns}; 'id' and 'address' are needed. Nothing was added.", columns=", ".join(COLUMNS)),
    )
